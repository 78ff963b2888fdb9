//! Facts: what the log holds, in a form that is the same for every saga.

use crate::data::DataError;
use crate::error::{Failure, FailureKind};
use crate::machine::attempts::AttemptFact;
use crate::machine::state::Control;

/// An event of some saga, without its types: the payloads are JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Index of the step in the definition, or `None` for a fact of the saga as a whole.
    pub step: Option<usize>,
    /// What happened.
    pub kind: FactKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// The action is done; the output as JSON.
    Done(String),
    /// The action was refused.
    Refused(Refusal),
    /// Something about an attempt of the action or its probe.
    Attempt(AttemptFact),
    /// The compensation is done.
    Compensated,
    /// Something about an attempt of the compensation.
    Compensation(AttemptFact),
    /// Somebody cancelled the saga, for this reason.
    Cancelled(String),
    /// The saga returned; the output as JSON.
    Completed(String),
}

impl FactKind {
    /// The failure of an attempt that it tells of.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Attempt(AttemptFact::Failed(failure))
            | Self::Compensation(AttemptFact::Failed(failure)) => Some(failure.clone()),
            Self::Refused(Refusal { message, .. }) => {
                Some(Failure { kind: FailureKind::Refused, message: message.clone() })
            }
            _ => None,
        }
    }
}

/// A participant said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error's own words.
    pub message: String,
    /// Whether it also says that no earlier attempt took effect: the only attempt ever made, or a keyed call.
    pub definitive: bool,
}

/// A typed event: what the macro generates as `BookTripEvent`.
pub trait Event: Sized + Send {
    /// The event without its types.
    fn to_fact(&self) -> Result<Fact, DataError>;

    /// The event that `fact` stands for.
    fn from_fact(fact: Fact) -> Result<Self, EventError>;

    /// Index of its step in the definition, or `None` for an event of the saga as a whole.
    fn step(&self) -> Option<usize>;

    /// Its name, such as `FlightDone`.
    fn name(&self) -> &'static str;

    /// What it says about the saga as a whole.
    fn control(&self) -> Option<Control>;
}

/// A fact that is no event of the saga.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The definition has no such step, or that step no such event.
    #[error("the saga has no such event")]
    Unknown,
    /// Its payload cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
}
