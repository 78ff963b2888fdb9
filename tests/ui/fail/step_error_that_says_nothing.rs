//! An error can be shown.

#[derive(saga_runtime::StepError)]
#[outcome(refused)]
struct SoldOut;

fn main() {}
