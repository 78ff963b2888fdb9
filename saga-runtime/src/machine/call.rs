//! Calls: what the machine wants done.

use crate::machine::attempts::{Attempts, Phase};
use crate::machine::place::Place;

/// What the state wants done: a call that is to be made, in flight, or parked; or what the coordinator decides or waits
/// for by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The step.
    pub place: Place,
    /// Which of the step's calls is next, or open.
    pub kind: CallKind,
    /// What hangs on it.
    pub role: Role,
    /// Its attempts.
    pub attempts: Attempts,
    /// How the step's doubt can be settled.
    pub settlement: Settlement,
    /// Whether there is a value for the case that it fails: `else`.
    pub otherwise: bool,
}

/// Which call of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// The action.
    Action,
    /// The probe for its outcome.
    Probe,
    /// The compensation.
    Compensation,
    /// An expression of the declaration, which the coordinator evaluates: the condition of an `if`, the items of a `for`,
    /// the time of a `sleep` or `receive`, the value behind `else`.
    Evaluation,
    /// The action of a `local` step: made by the log, in the transaction of its record.
    Local,
    /// Waiting: for the time of a `sleep`, or for a signal at most as long.
    Wait,
}

impl CallKind {
    /// Whether coordinator and log alone get it done: nothing is sent that could be in flight, or in doubt.
    pub fn is_passive(self) -> bool {
        matches!(self, Self::Evaluation | Self::Local | Self::Wait)
    }
}

/// What hangs on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An action before the pivot: when its retries are spent, the saga turns.
    Compensatable,
    /// The pivot: the saga turns only where it surely has no effect.
    Pivot,
    /// An action after the pivot: tried until done.
    Retriable,
    /// An action in doubt whose compensation needs its output: tried until settled.
    Settling,
    /// A compensation: tried until done.
    Compensation,
}

/// How the outcome of an attempt that nobody knows can be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// The participant answers the same to the same key, with one effect: ask again.
    pub keyed: bool,
    /// There is a probe.
    pub probe: bool,
}

impl Settlement {
    /// The call that is next for an action with these attempts.
    pub fn next(self, attempts: &Attempts) -> CallKind {
        if attempts.in_doubt() && !self.keyed && self.probe { CallKind::Probe } else { CallKind::Action }
    }
}

impl Call {
    /// Whether an attempt may be in flight.
    pub fn is_in_flight(&self) -> bool {
        self.attempts.is_open() && !self.kind.is_passive()
    }

    /// Whether the saga cannot turn before this is settled: it is in flight, or a pivot in doubt.
    pub fn holds_up_turning(&self) -> bool {
        self.is_in_flight() || (self.role == Role::Pivot && self.attempts.in_doubt())
    }

    /// Until when it waits, if it does, in milliseconds since the Unix epoch.
    pub fn waits_until_ms(&self) -> Option<u64> {
        self.attempts.due_ms().filter(|_| self.kind == CallKind::Wait && self.attempts.is_open())
    }

    /// Whether the coordinator is to evaluate it now.
    pub fn is_to_be_evaluated(&self) -> bool {
        self.kind == CallKind::Evaluation && matches!(self.attempts.phase(), Phase::Open | Phase::Failed)
    }
}
