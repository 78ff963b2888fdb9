//! Only one field can be asked.

#[derive(Debug, thiserror::Error, saga_runtime::StepError)]
#[error("failed")]
enum DeskError {
    #[outcome(inner)]
    Lost,
    #[outcome(inner)]
    Io(std::io::Error),
}

#[derive(saga_runtime::StepError)]
union Bits {
    int: u32,
    float: f32,
}

fn main() {}
