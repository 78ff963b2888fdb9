//! Each variant says what it says about the effect.

#[derive(Debug, thiserror::Error, saga_runtime::StepError)]
#[error("failed")]
enum DeskError {
    #[outcome(refused)]
    SoldOut,
    Closed,
    Lost(String),
}

fn main() {}
