//! What can go wrong.

use std::error::Error as StdError;

use crate::answer::UndoError;
use crate::call::CallKind;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another try would meet the same: a mistake of the caller's or of the service's. Nothing was done.
    #[error(transparent)]
    Fault(Box<Fault>),
    /// The service's own work failed. It is rolled back: surely no effect, and worth another try.
    #[error("the work for the key {key:?} failed: {cause}")]
    Work {
        /// The action's key.
        key: String,
        /// What the work says.
        #[source]
        cause: Box<dyn StdError + Send + Sync>,
    },
    /// The database failed before the commit. All is rolled back: surely no effect, and worth another try.
    #[error("the database failed: {0}")]
    Database(#[source] Box<dyn StdError + Send + Sync>),
    /// The commit failed: nobody can say whether it took place. The next attempt with the same key finds out.
    #[error("the commit failed, and nobody can say whether it took place: {0}")]
    Commit(#[source] Box<dyn StdError + Send + Sync>),
}

/// What an [`Error`] says about the effect: what a service tells its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Surely no effect, worth another try: such as 503.
    Transient,
    /// Nobody can say: such as 500.
    Unknown,
    /// Surely no *new* effect, but there can be one from before, and another try would meet the same: a person has to
    /// look. Such as 500, with words. It is no refusal: to a saga that would mean that there is no effect at all.
    Fault,
}

/// A mistake that another try would meet again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// One key stands for two requests.
    #[error(
        "the key {key:?} came with another request for its {kind} before: give each request a key of its own"
    )]
    OtherRequest {
        /// The action's key.
        key: String,
        /// Which call of the key has two requests.
        kind: CallKind,
    },
    /// Work calls for itself: by the same key, in its own transaction.
    #[error(
        "the work for the key {key:?} is going on in this very transaction, or was committed in its middle"
    )]
    Open {
        /// The action's key.
        key: String,
    },
    /// What was answered before is no `ty`: the type was changed, or the key belongs to another operation.
    #[error("the stored {what} for the key {key:?} is no `{ty}`: {cause}")]
    Unreadable {
        /// The action's key.
        key: String,
        /// Whether it is the answer, the refusal or the compensation's answer.
        what: &'static str,
        /// The type that should be there.
        ty: &'static str,
        /// What serde says.
        cause: String,
    },
    /// What is to be answered could not be answered a second time: it cannot be written as JSON, or not be read back.
    #[error("the {what} for the key {key:?}, a `{ty}`, does not survive being written as JSON: {cause}")]
    Unwritable {
        /// The action's key.
        key: String,
        /// Whether it is the answer, the refusal or the compensation's answer.
        what: &'static str,
        /// Its type.
        ty: &'static str,
        /// What serde says.
        cause: String,
    },
    /// The row was not written by this crate, or by a newer version of it.
    #[error("the row of the key {key:?}, with the state {state:?}, cannot be understood")]
    Row {
        /// The action's key.
        key: String,
        /// What is in the column `state`.
        state: String,
    },
    /// A database that the barrier has no words for.
    #[error("the barrier knows PostgreSQL and SQLite, and this is {0}")]
    UnknownDatabase(String),
}

impl Error {
    /// What it says about the effect.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Fault(_) => ErrorKind::Fault,
            Self::Work { .. } | Self::Database(_) => ErrorKind::Transient,
            Self::Commit(_) => ErrorKind::Unknown,
        }
    }

    /// The mistake, if it is one that another try would meet again.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            Self::Work { .. } | Self::Database(_) | Self::Commit(_) => None,
        }
    }

    #[cfg(any(feature = "rusqlite", feature = "sqlx", feature = "tokio-postgres"))]
    pub(crate) fn database(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Database(cause.into())
    }

    /// The row came and went, each time when it was looked for.
    #[cfg(any(feature = "rusqlite", feature = "sqlx", feature = "tokio-postgres"))]
    pub(crate) fn contended(key: &str) -> Self {
        Self::database(format!("the row of the key {key:?} comes and goes"))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.into())
    }
}

impl UndoError {
    #[cfg(any(feature = "rusqlite", feature = "sqlx", feature = "tokio-postgres"))]
    pub(crate) fn into_error(self, key: &str) -> Error {
        match self {
            Self::Refused(never) => match never {},
            Self::Failed(cause) => Error::Work { key: key.to_owned(), cause },
        }
    }
}
