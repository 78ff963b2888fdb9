//! An outcome that is none, two, and none at all.

#[derive(Debug, thiserror::Error, saga_runtime::StepError)]
#[error("failed")]
enum DeskError {
    #[outcome(refusd)]
    SoldOut,
    #[outcome(transient)]
    #[outcome(unknown)]
    Closed,
    #[outcome]
    Lost,
}

fn main() {}
