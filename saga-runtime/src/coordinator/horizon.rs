//! How long participants remember keys, past which nothing about them is sent any more.

use std::collections::HashMap;

use crate::definition::{Definition, StepKind};
use crate::machine::{AttemptFact, Call, Fact, FactKind, Place, Role};

/// When the first attempt of each step's action was made, or perhaps a little earlier, in milliseconds since the Unix epoch.
#[derive(Debug, Default)]
pub(crate) struct FirstSent(HashMap<Place, u64>);

impl FirstSent {
    /// Records `fact` of the time `at_ms`; the record before it is of the time `before_ms`.
    ///
    /// What a record opens without a word was sent when it had been made, and comes to its outcome within its time-out, or
    /// is in doubt as soon as there is a process again: so it was sent about when the last record before its own first one
    /// was made.
    pub(crate) fn record(&mut self, definition: &Definition, fact: &Fact, before_ms: u64, at_ms: u64) {
        let Some(place) = &fact.place else { return };
        let sent_ms = match fact.kind {
            FactKind::Attempt(AttemptFact::NotSent) => return,
            FactKind::Attempt(AttemptFact::Opened) => at_ms,
            _ => before_ms,
        };
        if !self.0.contains_key(place)
            && definition.steps.get(place.step).is_some_and(|step| step.kind == StepKind::Call)
        {
            self.0.insert(place.clone(), sent_ms);
        }
    }

    /// How long ago it was at `now_ms`, in milliseconds.
    pub(crate) fn age_ms(&self, place: &Place, now_ms: u64) -> Option<u64> {
        self.0.get(place).map(|sent_ms| now_ms.saturating_sub(*sent_ms))
    }
}

/// What becomes of a call to which nothing is sent any more: it is given up where the saga may go on without it, or else an
/// operator has to look at it.
pub(crate) fn past_horizon(call: &Call, message: String) -> AttemptFact {
    match call.role {
        Role::Compensatable => AttemptFact::GaveUp(message),
        Role::Pivot if !call.attempts.in_doubt() => AttemptFact::GaveUp(message),
        Role::Retriable if call.otherwise => AttemptFact::GaveUp(message),
        Role::Pivot | Role::Retriable | Role::Settling | Role::Compensation => AttemptFact::Parked(message),
    }
}
