//! Facts: what the log holds, in a form that is the same for every saga.

use std::fmt;

use crate::data::DataError;
use crate::error::Failure;
use crate::machine::attempts::AttemptFact;
use crate::machine::place::{Items, Place};
use crate::machine::state::Control;

/// An event of some saga, without its types: the payloads are JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fact {
    /// The step, or `None` for a fact of the saga as a whole.
    pub place: Option<Place>,
    /// What happened.
    pub kind: FactKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
            Self::Refused(Refusal { message, .. }) => Some(Failure::refused(message.clone())),
            _ => None,
        }
    }
}

/// A participant said no.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// The error's own words.
    pub message: String,
    /// Whether it also says that no earlier attempt took effect: the only attempt ever made, or a keyed call.
    pub definitive: bool,
}

/// A typed event: what the macro generates as `BookTripEvent`.
pub trait Event: Sized + Send {
    /// What it tells, and of which step.
    fn told(&self) -> Told<'_>;

    /// The event that `fact` stands for.
    fn from_fact(fact: Fact) -> Result<Self, EventError>;

    /// The items of the `for`s around its step.
    fn items(&self) -> &Items {
        Items::none()
    }

    /// The event without its types.
    fn to_fact(&self) -> Result<Fact, DataError> {
        let Told { step, tells, .. } = self.told();
        let place = step.map(|step| Place { step, items: self.items().clone() });
        let kind = match tells {
            Tells::Done(output) => FactKind::Done(output.to_json()?),
            Tells::Refused(refusal) => FactKind::Refused(refusal.clone()),
            Tells::Attempt(fact) => FactKind::Attempt(fact.clone()),
            Tells::Otherwise(output) => FactKind::Otherwise(output.to_json()?),
            Tells::Sent(signal) => FactKind::Sent(signal.to_json()?),
            Tells::Compensated => FactKind::Compensated,
            Tells::Compensation(fact) => FactKind::Compensation(fact.clone()),
            Tells::Cancelled(reason) => FactKind::Cancelled(reason.to_owned()),
            Tells::DeadlinePassed => FactKind::DeadlinePassed,
            Tells::Completed(output) => FactKind::Completed(output.to_json()?),
        };
        Ok(Fact { place, kind })
    }

    /// Index of its step in the definition, or `None` for an event of the saga as a whole.
    fn step(&self) -> Option<usize> {
        self.told().step
    }

    /// Its name, such as `FlightDone`.
    fn name(&self) -> &'static str {
        self.told().name
    }

    /// What it says about the saga as a whole.
    fn control(&self) -> Option<Control> {
        match self.told().tells {
            Tells::Cancelled(reason) => Some(Control::Cancelled(reason.to_owned())),
            Tells::DeadlinePassed => Some(Control::DeadlinePassed),
            Tells::Sent(_) => Some(Control::Sent),
            Tells::Completed(_) => Some(Control::Completed),
            _ => None,
        }
    }
}

/// What a typed event tells.
#[derive(Debug, Clone, Copy)]
pub struct Told<'e> {
    /// Index of its step, or `None` for an event of the saga as a whole.
    pub step: Option<usize>,
    /// Its name, such as `FlightDone`.
    pub name: &'static str,
    /// What it tells.
    pub tells: Tells<'e>,
}

/// A [`FactKind`] that borrows from a typed event.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "see `FactKind`")]
pub enum Tells<'e> {
    Done(Held<'e>),
    Refused(&'e Refusal),
    Attempt(&'e AttemptFact),
    Otherwise(Held<'e>),
    Sent(Held<'e>),
    Compensated,
    Compensation(&'e AttemptFact),
    Cancelled(&'e str),
    DeadlinePassed,
    Completed(Held<'e>),
}

/// The payload of a typed event, whatever its type.
#[derive(Clone, Copy)]
pub struct Held<'e> {
    what: &'static str,
    value: &'e dyn Json,
}

/// What can be written as JSON.
pub trait Json {
    /// Writes it. `what` names it in the error.
    fn json(&self, what: &str) -> Result<String, DataError>;
}

impl<'e> Held<'e> {
    /// A payload. `what` names it in the error.
    pub fn new(what: &'static str, value: &'e dyn Json) -> Self {
        Self { what, value }
    }

    /// Writes it as JSON.
    pub fn to_json(self) -> Result<String, DataError> {
        self.value.json(self.what)
    }
}

/// Does not show the value: no personal data gets into a program's own log.
impl fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
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
