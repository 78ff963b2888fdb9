//! The state of a saga: its position, and the direction in which it goes.

use std::fmt;

use crate::machine::call::{Call, Role};
use crate::machine::fact::{Event, Tells};
use crate::machine::ledger::Ledger;
use crate::machine::region::Region;

/// The state of one saga. `BookTripState` is `State<BookTripForward>`.
#[derive(Debug, Clone)]
pub enum State<F: Forward> {
    /// Forward recovery: goes on to the end.
    Forward(F),
    /// Is to compensate, and waits for the attempts that are open.
    Turning(F, Cause),
    /// Backward recovery: compensates, latest first.
    Backward(F::Backward, Cause),
    /// Ended with every effect.
    Completed,
    /// Ended with none.
    Compensated(Cause),
}

/// Why a saga compensates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A participant said no.
    Refused {
        /// The step.
        step: &'static str,
        /// The error's own words.
        message: String,
    },
    /// The retries of a step are spent, or it may not be tried again.
    GaveUp {
        /// The step.
        step: &'static str,
        /// The words of the last failure.
        message: String,
    },
    /// Somebody cancelled the saga.
    Cancelled {
        /// What they said.
        reason: String,
    },
    /// Its deadline passed before its pivot.
    DeadlinePassed,
}

/// What an event says about the saga as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// It is cancelled, for this reason.
    Cancelled(String),
    /// Its deadline passed.
    DeadlinePassed,
    /// A signal came: it waits in the log until it is received.
    Sent,
    /// It returned.
    Completed,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// These calls: to be made, in flight, or parked. Never empty.
    Calls(Vec<Call>),
    /// The output is to be built and recorded.
    Return,
    /// Nothing: the saga has ended.
    Ended,
}

/// An event that is not legal in a state. The state is given back.
#[derive(Clone)]
pub struct IllegalEvent<S> {
    /// The state, unchanged.
    pub state: S,
    /// Name of the event.
    pub event: &'static str,
}

/// The positions of a saga's body on the way forward. Implemented by what `saga!` generates.
pub trait Forward: Region + Clone + fmt::Debug + Send + Sync + 'static {
    /// The positions on the way back.
    type Backward: Backward<Event = Self::Event>;

    /// Whether the saga can still compensate from here.
    fn can_turn(&self) -> bool;

    /// Where compensation begins from here; the position given back where the saga cannot turn.
    fn turn(self) -> Applied<Self::Backward, Self>;

    /// Whether this is the end of the sequence.
    fn is_done(&self) -> bool;

    /// Whether something is in flight, or so much in doubt that the saga cannot turn before it is settled.
    fn is_open(&self) -> bool {
        let mut calls = Vec::new();
        self.calls(&mut calls);
        calls.iter().any(Call::holds_up_turning)
    }
}

/// The positions of a sequence on the way back. Implemented by what `saga!` generates.
pub trait Backward: Sized + Clone + fmt::Debug + Send + Sync + 'static {
    /// The saga's events.
    type Event: Event;

    /// The call of this position; `None` where it is a block, or the end.
    fn ledger(&mut self) -> Option<&mut Ledger>;

    /// Adds the calls of this position.
    fn calls(&self, calls: &mut Vec<Call>);

    /// What is compensated next, once there is nothing to compensate here, or not any more.
    #[must_use]
    fn before(self) -> Self;

    /// The position after `event`: of a step, which is done after all; of a block, with whatever can happen in it.
    fn advance(self, event: Self::Event) -> Applied<Self>;

    /// Whether nothing is left to compensate.
    fn is_undone(&self) -> bool;

    /// The position after `event`, or this one given back where the event is illegal.
    fn apply(mut self, event: Self::Event) -> Applied<Self> {
        let Some(ledger) = self.ledger() else { return self.advance(event) };
        if event.step() != Some(ledger.step()) {
            return Err(Rejected(self));
        }
        let is_legal = match (ledger.role(), event.told().tells) {
            (Role::Settling, Tells::Done(_)) if ledger.is_open() => return self.advance(event),
            (Role::Compensation, Tells::Compensated) if ledger.is_open() => return Ok(self.before()),
            (Role::Settling, Tells::Refused(refusal)) => ledger.refuse(refusal, &mut None),
            (Role::Settling, Tells::Attempt(fact)) | (Role::Compensation, Tells::Compensation(fact)) => {
                ledger.record(fact, &mut None)
            }
            _ => false,
        };
        let is_settled = ledger.role() == Role::Settling && !ledger.in_doubt();
        match is_legal {
            true if is_settled => Ok(self.before()),
            true => Ok(self),
            false => Err(Rejected(self)),
        }
    }
}

/// The position after an event, or the one before given back where the event is illegal.
pub type Applied<P, B = P> = Result<P, Rejected<B>>;

/// A position given back because the event is illegal there.
#[derive(Debug)]
pub struct Rejected<P>(pub P);

impl<F: Forward> State<F> {
    /// The state after `event`. Total and deterministic: an event that is illegal here gives the state back.
    pub fn apply(self, event: F::Event) -> Result<Self, Box<IllegalEvent<Self>>> {
        let name = event.name();
        let illegal = |state| Err(Box::new(IllegalEvent { state, event: name }));
        match (self, event.control()) {
            (Self::Forward(at), Some(Control::Cancelled(reason))) if at.can_turn() => {
                Ok(Self::turned(at, Cause::Cancelled { reason }))
            }
            (Self::Forward(at), Some(Control::DeadlinePassed)) if at.can_turn() => {
                Ok(Self::turned(at, Cause::DeadlinePassed))
            }
            (state @ (Self::Forward(_) | Self::Turning(..)), Some(Control::Sent)) => Ok(state),
            (Self::Forward(at), Some(Control::Completed)) if at.is_done() => Ok(Self::Completed),
            (Self::Forward(at), None) => {
                let mut turn = None;
                match (at.apply(event, &mut turn), turn) {
                    (Ok(at), None) => Ok(Self::Forward(at)),
                    (Ok(at), Some(cause)) => Ok(Self::turned(at, cause)),
                    (Err(Rejected(at)), _) => illegal(Self::Forward(at)),
                }
            }
            (Self::Turning(at, cause), None) => match at.apply(event, &mut Some(cause.clone())) {
                Ok(at) => Ok(Self::turned(at, cause)),
                Err(Rejected(at)) => illegal(Self::Turning(at, cause)),
            },
            (Self::Backward(at, cause), None) => match at.apply(event) {
                Ok(at) => Ok(Self::backward(at, cause)),
                Err(Rejected(at)) => illegal(Self::Backward(at, cause)),
            },
            (state, _) => illegal(state),
        }
    }

    /// What is to be done next: a function of the state alone.
    pub fn next(&self) -> Next {
        let mut calls = Vec::new();
        match self {
            Self::Forward(at) if at.is_done() => return Next::Return,
            Self::Forward(at) => at.calls(&mut calls),
            Self::Turning(at, _) => {
                at.calls(&mut calls);
                calls.retain(Call::holds_up_turning);
            }
            Self::Backward(at, _) => at.calls(&mut calls),
            Self::Completed | Self::Compensated(_) => return Next::Ended,
        }
        Next::Calls(calls)
    }

    /// Why the saga compensates, if it does.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Forward(_) | Self::Completed => None,
            Self::Turning(_, cause) | Self::Backward(_, cause) | Self::Compensated(cause) => Some(cause),
        }
    }

    /// Whether it can still be cancelled: before the pivot, or while the pivot's outcome is open.
    pub fn can_cancel(&self) -> bool {
        matches!(self, Self::Forward(at) if at.can_turn())
    }

    /// Turns as soon as nothing is open; a pivot that was done meanwhile has decided otherwise.
    fn turned(at: F, cause: Cause) -> Self {
        if at.can_turn() && at.is_open() {
            return Self::Turning(at, cause);
        }
        match at.turn() {
            Ok(at) => Self::backward(at, cause),
            Err(Rejected(at)) => Self::Forward(at),
        }
    }

    fn backward(at: F::Backward, cause: Cause) -> Self {
        if at.is_undone() { Self::Compensated(cause) } else { Self::Backward(at, cause) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { step, message } => write!(f, "`{step}` was refused: {message}"),
            Self::GaveUp { step, message } => write!(f, "`{step}` was given up: {message}"),
            Self::Cancelled { reason } => write!(f, "cancelled: {reason}"),
            Self::DeadlinePassed => f.write_str("its deadline passed"),
        }
    }
}

impl<S> fmt::Debug for IllegalEvent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IllegalEvent").field("event", &self.event).finish_non_exhaustive()
    }
}

impl<S> fmt::Display for IllegalEvent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot happen in this state of the saga", self.event)
    }
}

impl<S> std::error::Error for IllegalEvent<S> {}
