//! What is remembered of an action's key.

/// What is remembered of an action's key. One row per key, also for the compensation and the probes of the action: so
/// they wait for each other, and none of them can miss what another one did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The work is being done, in the transaction that wrote this. No other one ever sees it.
    Open {
        /// The hash of the action's request.
        request: i64,
    },
    /// The action is done.
    Done {
        /// The hash of the action's request.
        request: i64,
        /// What was answered, as JSON.
        answer: String,
    },
    /// The action was refused: nothing was done, and nothing will be.
    Refused {
        /// The hash of the action's request.
        request: i64,
        /// What was answered, as JSON.
        answer: String,
    },
    /// A probe found nothing: no attempt up to this number will be done.
    Barred {
        /// The number of the probe's attempt.
        attempt: u32,
    },
    /// Compensated before anything was done: nothing ever will be.
    Tombstone {
        /// The hash of the compensation's request.
        undo_request: i64,
    },
    /// Done, and then compensated.
    Undone {
        /// The hash of the action's request.
        request: i64,
        /// What the action was answered, as JSON.
        answer: String,
        /// The hash of the compensation's request.
        undo_request: i64,
        /// What the compensation was answered, as JSON.
        undo_answer: String,
    },
}
