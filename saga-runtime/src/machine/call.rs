//! Calls: what the machine wants done.

use crate::machine::attempts::Attempts;

/// A call that the state has: to be made, in flight, or parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Index of the step in the definition.
    pub step: usize,
    /// Which of the step's calls is next, or open.
    pub kind: CallKind,
    /// What hangs on it.
    pub role: Role,
    /// Its attempts.
    pub attempts: Attempts,
    /// How the step's doubt can be settled.
    pub settlement: Settlement,
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
    /// The action of `step`, or its probe where only that can settle the doubt.
    pub fn action(step: usize, role: Role, attempts: Attempts, settlement: Settlement) -> Self {
        Self { step, kind: settlement.next(&attempts), role, attempts, settlement }
    }

    /// The compensation of `step`.
    pub fn compensation(step: usize, attempts: Attempts) -> Self {
        let settlement = Settlement { keyed: true, probe: false };
        Self { step, kind: CallKind::Compensation, role: Role::Compensation, attempts, settlement }
    }
}
