//! Which calls are suspected of having ended the process, as one that exhausts the memory does.
//!
//! All calls that are open when a process ends have one more attempt in doubt, so that who ends it again and again comes to
//! the end of its retries; but so would all others that are open each time. So a call that was open at two ends in a row is a
//! suspect, and suspects have their next attempts one after another: whoever ends the process then is the only one of them
//! that has spent an attempt on it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::error::{Failure, FailureKind};
use crate::machine::{AttemptFact, Fact, FactKind, Place};

/// At so many ends in a row, who was open at each is a suspect.
const ENDS: u32 = 2;

const MESSAGE: &str = "the process ended while this attempt was open";

/// What is said of an attempt that was open when the process ended.
pub(crate) fn process_ended() -> Failure {
    Failure::unknown(MESSAGE)
}

/// At how many ends of the process in a row each step was open.
#[derive(Debug, Default)]
pub(crate) struct ProcessEnds(HashMap<Place, u32>);

impl ProcessEnds {
    pub(crate) fn record(&mut self, fact: &Fact) {
        let Some(place) = &fact.place else { return };
        match &fact.kind {
            FactKind::Attempt(attempt) | FactKind::Compensation(attempt) => match attempt {
                AttemptFact::Opened | AttemptFact::NotSent | AttemptFact::Due(_) => {}
                AttemptFact::Failed(failure) if is_process_end(failure) => {
                    match self.0.entry(place.clone()) {
                        Entry::Occupied(mut ends) => *ends.get_mut() = ends.get().saturating_add(1),
                        Entry::Vacant(ends) => drop(ends.insert(1)),
                    }
                }
                _ => drop(self.0.remove(place)),
            },
            FactKind::Sent(_) => {}
            _ => drop(self.0.remove(place)),
        }
    }

    pub(crate) fn is_suspect(&self, place: &Place) -> bool {
        self.0.get(place).is_some_and(|ends| *ends >= ENDS)
    }
}

fn is_process_end(failure: &Failure) -> bool {
    failure.kind == FailureKind::Unknown && failure.message == MESSAGE
}
