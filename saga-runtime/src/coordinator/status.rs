//! How a saga stands, as its handle and an operator see it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::coordinator::operator::{Closed, Operator};
use crate::error::FailureKind;
use crate::id::SagaId;
use crate::log::{History, HistoryError, Purged};
use crate::machine::{CallKind, Cause, Effect};

/// How a saga stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaStatus {
    /// It goes on by itself.
    Running,
    /// It needs an operator, or goes on trying over its budget.
    Parked(Parked),
    /// It waits for a lock.
    WaitsForLock {
        /// What is locked.
        key: String,
        /// The saga that holds it.
        holder: SagaId,
    },
    /// It has done everything, and can still compensate: until its parent ends.
    Held,
    /// An operator has suspended it: it starts nothing until it is resumed.
    Suspended(Operator),
    /// Ended with every effect.
    Completed,
    /// Ended with none.
    Compensated(Cause),
    /// Ended by an operator's hand.
    Closed(Closed),
    /// It is not executed: its history cannot be read or continued. Nothing of it is lost.
    Quarantined {
        /// What is wrong.
        cause: String,
    },
    /// The coordinator was shut down before the saga's end. It resumes at the next start.
    Stopped,
}

/// Why a saga is parked, and what may still be in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The calls that do not get done.
    pub calls: Vec<ParkedCall>,
    /// The effects that may still hold, by step.
    pub residue: Vec<(Cow<'static, str>, Effect)>,
}

/// A call that does not get done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedCall {
    /// The step; of an item as `pick[2]`.
    pub step: Cow<'static, str>,
    /// Which of its calls.
    pub kind: CallKind,
    /// How many attempts were made.
    pub attempts: u32,
    /// What is known of the last failure's effect.
    pub failure: Option<FailureKind>,
    /// The words of the last failure.
    pub message: String,
    /// Whether it is tried again without an operator.
    pub goes_on: bool,
}

/// What the driver of a saga tells its handles.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    /// The first record is not yet durable.
    Beginning,
    /// The log holds a saga with this id already.
    Exists(Arc<History>),
    /// The log holds the outcome of a saga with this id, or only the id: the saga has ended, and was purged.
    Past(Past),
    /// The first record could not be made durable.
    NotBegun(crate::log::LogError),
    /// It runs, or has ended: completed with this output as JSON.
    Begun(SagaStatus, Option<Arc<str>>),
}

/// What is left of a saga that has ended, and was purged.
#[derive(Debug, Clone)]
pub(crate) enum Past {
    Purged(Arc<Purged>),
    Expired,
}

impl Past {
    /// As an answer to who wants its history.
    pub(crate) fn into_error(self, id: &SagaId) -> HistoryError {
        match self {
            Self::Purged(purged) => HistoryError::Purged(Box::new(Arc::unwrap_or_clone(purged))),
            Self::Expired => HistoryError::Expired { saga: id.clone() },
        }
    }
}

impl SagaStatus {
    /// Whether it has something left to do, and somebody will see to it.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Running | Self::Parked(_) | Self::WaitsForLock { .. } | Self::Suspended(_))
    }
}

impl Progress {
    /// How the saga stands, once it is begun.
    pub(crate) fn status(&self) -> Option<&SagaStatus> {
        match self {
            Self::Begun(status, _) => Some(status),
            Self::Beginning | Self::Exists(_) | Self::Past(_) | Self::NotBegun(_) => None,
        }
    }
}

impl fmt::Display for SagaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Parked(parked) => write!(f, "parked: {parked}"),
            Self::WaitsForLock { key, holder } => {
                write!(f, "waits for the lock `{key}`, which saga `{holder}` holds")
            }
            Self::Suspended(by) => write!(f, "suspended by {by}"),
            Self::Closed(closed) => write!(f, "{closed}"),
            Self::Held => f.write_str("held until its parent ends"),
            Self::Completed => f.write_str("completed"),
            Self::Compensated(cause) => write!(f, "compensated: {cause}"),
            Self::Quarantined { cause } => write!(f, "quarantined: {cause}"),
            Self::Stopped => f.write_str("stopped until the next start"),
        }
    }
}

impl fmt::Display for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, call) in self.calls.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{call}")?;
        }
        for (i, (step, effect)) in self.residue.iter().enumerate() {
            let separator = if i == 0 { " (may still be in effect: " } else { ", " };
            write!(f, "{separator}`{step}` {effect}")?;
        }
        f.write_str(if self.residue.is_empty() { "" } else { ")" })
    }
}

impl fmt::Display for ParkedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CallKind::Action | CallKind::Local => "the action",
            CallKind::Probe => "the probe",
            CallKind::Compensation => "the compensation",
            CallKind::Evaluation | CallKind::Wait => "what is decided",
        };
        let next = if self.goes_on { "it is tried again" } else { "it waits for an operator" };
        let Self { step, attempts, message, .. } = self;
        write!(f, "{kind} of `{step}` is not done after {attempts} attempts ({message}), {next}")
    }
}
