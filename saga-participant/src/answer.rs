//! What is answered.

use std::convert::Infallible;
use std::error::Error as StdError;

/// The answer to an action: the same for every attempt, until it is compensated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T, E> {
    /// Done, now or by an earlier attempt.
    Done(T),
    /// Refused, now or at an earlier attempt: surely no effect.
    Refused(E),
    /// A compensation or a probe was faster: surely no effect, now and later.
    Superseded,
}

/// The answer to a compensation: always a success, and the same for every attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compensated<U> {
    /// The action was done, and is undone: now or by an earlier attempt.
    Undone(U),
    /// The action was not done, and never will be.
    NothingToUndo,
}

/// Why an action's work was not done. `E` is what a caller is told when it is refused.
///
/// A database's error becomes [`Failed`](Self::Failed) by `?`.
#[derive(Debug)]
pub enum WorkError<E> {
    /// It is refused, for a reason of the business: what the work wrote is undone, and the refusal is the answer for
    /// this key from now on.
    Refused(E),
    /// It failed: the whole transaction is rolled back, nothing is remembered, and the next attempt does the work.
    Failed(Box<dyn StdError + Send + Sync>),
}

/// Why a compensation's work was not done. A compensation can fail, and is tried again; it cannot be refused, because
/// nobody could be told anything that would help.
pub type UndoError = WorkError<Infallible>;

impl<E> WorkError<E> {
    /// A failure that is no database's error.
    pub fn failed(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(cause.into())
    }
}

impl<T, E> Answer<T, E> {
    /// What was done, if it was.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(done) => Some(done),
            Self::Refused(_) | Self::Superseded => None,
        }
    }
}
