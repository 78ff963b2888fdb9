//! The ledger of one call's attempts.

use std::fmt;

use crate::error::{Failure, FailureKind};
use crate::machine::call::Role;
use crate::machine::fact::Refusal;
use crate::machine::state::Cause;

/// What is known of the attempts of one action or one compensation.
///
/// The action's probes count among its attempts: at any time at most one attempt of either is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    made: u32,
    /// Attempts that do not count towards the retries of the current direction.
    spent_before: u32,
    phase: Phase,
    doubt: bool,
    /// Until when a `sleep` or `receive` waits, in milliseconds since the Unix epoch.
    due_ms: Option<u64>,
}

/// Whether an attempt is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// None is open; the next one needs a record first.
    Waiting,
    /// One is open: it may be in flight.
    Open,
    /// None is open and none will be opened but by an operator.
    Parked,
    /// None is open and none will be: refused, or given up.
    Ended,
    /// The same, and the value behind `else` takes the output's place.
    Failed,
}

/// A fact about an attempt, other than that the call is done or refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AttemptFact {
    /// A further attempt is open. The first one of a step is opened by the record before it.
    Opened,
    /// The open attempt failed.
    Failed(Failure),
    /// The probe answered that the action did not happen and never will.
    Absent,
    /// The open attempt was surely never sent.
    NotSent,
    /// The `sleep` or `receive` waits until this time, in milliseconds since the Unix epoch.
    Due(u64),
    /// No further attempt will be made, for this reason: the saga turns, or the value behind `else` is taken.
    GaveUp(String),
    /// An operator has to look at it.
    Parked(String),
}

impl Attempts {
    /// The first attempt is open.
    pub fn opened() -> Self {
        Self { made: 1, spent_before: 0, phase: Phase::Open, doubt: false, due_ms: None }
    }

    /// No attempt has been made.
    pub fn waiting() -> Self {
        Self { made: 0, spent_before: 0, phase: Phase::Waiting, doubt: false, due_ms: None }
    }

    /// The same attempts, seen from a saga that turned: their doubt is to be settled, with retries of its own.
    #[must_use]
    pub fn unsettled(self) -> Self {
        Self { spent_before: self.made, phase: Phase::Waiting, ..self }
    }

    /// The number of the last attempt, from 1; 0 before the first.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// How many attempts count towards the retries.
    pub fn spent(&self) -> u32 {
        self.made.saturating_sub(self.spent_before)
    }

    /// Whether an attempt is open.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether an attempt is open: it may be in flight.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether the effect may have taken place although no attempt is known to be done: the outcome of an attempt is
    /// unknown, and nothing since has settled it.
    pub fn in_doubt(&self) -> bool {
        self.doubt
    }

    /// Until when a `sleep` or `receive` waits, in milliseconds since the Unix epoch, once that is known.
    pub fn due_ms(&self) -> Option<u64> {
        self.due_ms
    }

    /// The ledger after `fact`, or `None` where the fact is illegal.
    pub fn after(self, fact: &AttemptFact) -> Option<Self> {
        match (fact, self.phase) {
            (AttemptFact::Opened, Phase::Waiting | Phase::Parked) => {
                // What waited in vain waits anew.
                Some(Self { made: self.made.checked_add(1)?, phase: Phase::Open, due_ms: None, ..self })
            }
            (AttemptFact::Failed(failure), Phase::Open) => {
                let doubt = self.doubt || failure.kind == FailureKind::Unknown;
                Some(Self { doubt, phase: Phase::Waiting, ..self })
            }
            (AttemptFact::Absent, Phase::Open) if self.doubt => {
                Some(Self { doubt: false, phase: Phase::Waiting, ..self })
            }
            (AttemptFact::NotSent, Phase::Open) => {
                Some(Self { made: self.made.checked_sub(1)?, phase: Phase::Waiting, ..self })
            }
            (AttemptFact::Due(due), Phase::Open) if self.due_ms.is_none() => {
                Some(Self { due_ms: Some(*due), ..self })
            }
            (AttemptFact::GaveUp(_), Phase::Waiting) => Some(Self { phase: Phase::Ended, ..self }),
            (AttemptFact::Parked(_), Phase::Waiting) => Some(Self { phase: Phase::Parked, ..self }),
            _ => None,
        }
    }

    /// Records `fact` of an action and answers whether it was legal. Once the saga is to `turn`, nothing is opened any
    /// more, except to settle the doubt of the pivot.
    pub fn record(&mut self, action: Action, fact: &AttemptFact, turn: &mut Option<Cause>) -> bool {
        let legal = match (fact, action.role) {
            (AttemptFact::Opened | AttemptFact::GaveUp(_), Role::Compensatable) => turn.is_none(),
            (AttemptFact::Opened, Role::Pivot) => turn.is_none() || self.doubt,
            (AttemptFact::GaveUp(_), Role::Pivot) => turn.is_none() && !self.doubt,
            (AttemptFact::GaveUp(_), Role::Retriable) => action.otherwise,
            (AttemptFact::GaveUp(_), _) => false,
            (AttemptFact::Due(_), _) => action.waits,
            _ => true,
        };
        let Some(after) = self.after(fact).filter(|_| legal) else { return false };
        *self = after;
        if let AttemptFact::GaveUp(message) = fact {
            if action.otherwise {
                self.phase = Phase::Failed;
            } else {
                turn.get_or_insert_with(|| Cause::GaveUp { step: action.step, message: message.clone() });
            }
        }
        true
    }

    /// Records a refusal of an action and answers whether it was legal.
    ///
    /// A definitive refusal settles every doubt; any other says nothing of the attempts before.
    pub fn refuse(&mut self, action: Action, refusal: &Refusal, turn: &mut Option<Cause>) -> bool {
        if !self.is_open() {
            return false;
        }
        self.doubt &= !refusal.definitive;
        self.phase = match action.role {
            Role::Compensatable | Role::Retriable if action.otherwise && turn.is_none() => Phase::Failed,
            Role::Retriable => Phase::Parked,
            // Whether the charge went through before it was refused is still to be found out.
            Role::Pivot | Role::Settling if self.doubt => Phase::Waiting,
            Role::Compensatable | Role::Pivot | Role::Settling | Role::Compensation => Phase::Ended,
        };
        if self.phase == Phase::Ended {
            turn.get_or_insert_with(|| Cause::Refused {
                step: action.step,
                message: refusal.message.clone(),
            });
        }
        true
    }
}

/// What the ledger needs to know of the action whose attempts it keeps.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Name of the step.
    pub step: &'static str,
    /// What hangs on it.
    pub role: Role,
    /// Whether there is a value for the case that it fails.
    pub otherwise: bool,
    /// Whether it waits for a time: a `sleep` or a `receive`.
    pub waits: bool,
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doubt = if self.doubt { ", in doubt" } else { "" };
        match self.phase {
            Phase::Waiting => write!(f, "waiting after {} attempts{doubt}", self.made),
            Phase::Open => write!(f, "attempt {} open{doubt}", self.made),
            Phase::Parked => write!(f, "parked after {} attempts{doubt}", self.made),
            Phase::Ended | Phase::Failed => write!(f, "ended after {} attempts{doubt}", self.made),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(role: Role) -> Action {
        Action { step: "flight", role, otherwise: false, waits: false }
    }

    fn failed(kind: FailureKind) -> AttemptFact {
        AttemptFact::Failed(Failure::new(kind, String::new()))
    }

    fn refusal(definitive: bool) -> Refusal {
        Refusal { message: String::new(), definitive }
    }

    #[test]
    fn a_lost_reply_stays_in_doubt_through_later_transient_failures() {
        let attempts = Attempts::opened()
            .after(&failed(FailureKind::Unknown))
            .and_then(|a| a.after(&AttemptFact::Opened))
            .and_then(|a| a.after(&failed(FailureKind::Transient)))
            .unwrap();
        assert!(attempts.in_doubt());
        assert_eq!(attempts.made(), 2);
    }

    /// An action whose first reply was lost, asked again, and now refused.
    fn refused_after_a_lost_reply(role: Role, definitive: bool) -> (Attempts, Option<Cause>) {
        let mut attempts = Attempts::opened()
            .after(&failed(FailureKind::Unknown))
            .and_then(|a| a.after(&AttemptFact::Opened))
            .unwrap();
        let mut turn = None;
        assert!(attempts.refuse(action(role), &refusal(definitive), &mut turn));
        (attempts, turn)
    }

    #[test]
    fn a_refusal_settles_a_doubt_only_if_it_is_definitive() {
        assert!(refused_after_a_lost_reply(Role::Compensatable, false).0.in_doubt());
        assert!(!refused_after_a_lost_reply(Role::Compensatable, true).0.in_doubt());
    }

    #[test]
    fn a_refusal_turns_the_saga_at_the_pivot_only_if_it_is_definitive() {
        assert_eq!(refused_after_a_lost_reply(Role::Pivot, false).1, None);
        assert!(refused_after_a_lost_reply(Role::Pivot, true).1.is_some());
    }

    #[test]
    fn a_refusal_after_the_pivot_parks() {
        let (attempts, turn) = refused_after_a_lost_reply(Role::Retriable, true);
        assert_eq!((attempts.phase(), turn), (Phase::Parked, None));
    }

    #[test]
    fn a_turned_saga_opens_nothing_but_what_settles_the_pivot() {
        let cause = || Some(Cause::Cancelled { reason: String::new() });
        let doubtful = Attempts::opened().after(&failed(FailureKind::Unknown)).unwrap();
        let opened =
            |mut attempts: Attempts, role| attempts.record(action(role), &AttemptFact::Opened, &mut cause());
        assert!(!opened(Attempts::waiting(), Role::Compensatable));
        assert!(!opened(doubtful, Role::Compensatable));
        assert!(!opened(Attempts::waiting(), Role::Pivot));
        assert!(opened(doubtful, Role::Pivot));
    }

    #[test]
    fn nothing_fails_that_is_not_open() {
        assert_eq!(Attempts::waiting().after(&failed(FailureKind::Unknown)), None);
        assert!(!Attempts::waiting().refuse(action(Role::Compensatable), &refusal(true), &mut None));
        assert_eq!(Attempts::opened().after(&AttemptFact::Opened), None);
    }

    #[test]
    fn settling_has_retries_of_its_own_but_the_numbers_go_on() {
        let attempts = Attempts::opened().after(&failed(FailureKind::Unknown)).unwrap().unsettled();
        let attempts = attempts.after(&AttemptFact::Opened).unwrap();
        assert_eq!((attempts.made(), attempts.spent()), (2, 1));
    }

    #[test]
    fn a_failure_with_a_value_for_it_neither_turns_nor_parks() {
        for role in [Role::Compensatable, Role::Retriable] {
            let action = Action { otherwise: true, ..action(role) };
            let mut refused = Attempts::opened();
            let mut turn = None;
            assert!(refused.refuse(action, &refusal(true), &mut turn));
            let mut spent = Attempts::opened().after(&failed(FailureKind::Unknown)).unwrap();
            assert!(spent.record(action, &AttemptFact::GaveUp(String::new()), &mut turn));
            assert_eq!((refused.phase(), spent.phase(), turn), (Phase::Failed, Phase::Failed, None));
        }
    }

    #[test]
    fn a_time_is_set_once_and_only_for_what_waits() {
        let waits = Action { waits: true, ..action(Role::Compensatable) };
        let mut attempts = Attempts::opened();
        assert!(!attempts.record(action(Role::Compensatable), &AttemptFact::Due(7), &mut None));
        assert!(attempts.record(waits, &AttemptFact::Due(7), &mut None));
        assert!(!attempts.record(waits, &AttemptFact::Due(8), &mut None));
        assert_eq!(attempts.due_ms(), Some(7));
    }
}
