//! Why a call over HTTP has not done what it was asked to, and what that says about the effect.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::{FailureKind, StepError};

/// Why a call is not done. `E` is the service's refusal: the body of the answer that refuses.
///
/// An error of your own holds it as `#[outcome(inner)] Http(#[from] HttpError<SoldOut>)`, and so hands on what it says
/// about the effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError<E = Value> {
    /// Refused, for this reason: surely no effect, and it would be answered the same again.
    #[error("{0}")]
    Refused(E),
    /// Refused, in words that are no `E`.
    #[error("{0}")]
    RefusedOtherwise(Words),
    /// A compensation or a probe was faster: surely no effect, now and later.
    #[error("{0}")]
    Superseded(Words),
    /// The service says that nothing was done, and that another try is worth it.
    #[error("{words}")]
    Transient {
        /// What it says.
        words: Words,
        /// When.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent: no connection could be made, or no request. The latter is no refusal, as it says nothing about
    /// the attempts before.
    #[error("{0}")]
    NotSent(Words),
    /// Nobody can say whether it was done.
    #[error("{words}")]
    Unknown {
        /// What happened.
        words: Words,
        /// When the service wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// A mistake that another try would meet again, such as one key for two requests: a person has to look. It is no
    /// refusal: there can be an effect from before.
    #[error("{0}")]
    Fault(Words),
}

/// What happened, in words for people: which call, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub(super) call: String,
    pub(super) what: String,
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.what)
    }
}

impl<E> HttpError<E> {
    /// Whether it is a refusal with this reason.
    pub fn refusal(&self) -> Option<&E> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl<E: fmt::Display> StepError for HttpError<E> {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(_) | Self::RefusedOtherwise(_) | Self::Superseded(_) => FailureKind::Refused,
            Self::Transient { .. } | Self::NotSent(_) => FailureKind::Transient,
            Self::Unknown { .. } | Self::Fault(_) => FailureKind::Unknown,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. } | Self::Unknown { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
