//! A place where the process shall crash, to be seen to come back from it.

use saga_runtime::Context;

/// After which answer the process aborts: the effect took place, and nothing says so yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashPoint {
    step: String,
    compensation: bool,
}

impl CrashPoint {
    /// After the action of `step`, or after its compensation if it reads `step.compensate`.
    pub fn after(step: &str) -> Self {
        match step.strip_suffix(".compensate") {
            Some(step) => Self { step: step.to_owned(), compensation: true },
            None => Self { step: step.to_owned(), compensation: false },
        }
    }

    /// Aborts the process if this is the place.
    pub(super) fn pass(&self, cx: &Context) {
        let is_compensation = cx.key() != cx.action_key();
        if cx.step() == self.step && is_compensation == self.compensation {
            eprintln!("crash: {} is done, and the process aborts before anything says so", cx.key());
            std::process::abort();
        }
    }
}
