//! Facts: what the log holds, in a form that is the same for every saga.

use crate::data::DataError;
use crate::error::{Failure, FailureKind};
use crate::machine::attempts::AttemptFact;
use crate::machine::place::{Items, Place};
use crate::machine::state::Control;

/// An event of some saga, without its types: the payloads are JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The step, or `None` for a fact of the saga as a whole.
    pub place: Option<Place>,
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
    /// The action failed, and this takes the output's place, as JSON: the value behind `else`.
    Otherwise(String),
    /// A signal for a `receive` came before the saga waited for it, or while it did; as JSON.
    Sent(String),
    /// The compensation is done.
    Compensated,
    /// Something about an attempt of the compensation.
    Compensation(AttemptFact),
    /// Somebody cancelled the saga, for this reason.
    Cancelled(String),
    /// The saga's deadline passed before its pivot was opened.
    DeadlinePassed,
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

    /// The items of the `for`s around its step.
    fn items(&self) -> &Items;

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
