//! Why steps are not done, for whoever looks at a parked saga.

use std::collections::HashMap;

use crate::error::Failure;
use crate::machine::{AttemptFact, Fact, FactKind, Place};

/// The last failure of each step that is not done.
#[derive(Debug, Default)]
pub(crate) struct Failures(HashMap<Place, Failure>);

impl Failures {
    pub(crate) fn record(&mut self, fact: &Fact) {
        let Some(place) = &fact.place else { return };
        match &fact.kind {
            FactKind::Done(_) | FactKind::Compensated => drop(self.0.remove(place)),
            // What parks a call may be no failure of it: then it surely had no effect.
            FactKind::Attempt(AttemptFact::Parked(cause))
            | FactKind::Compensation(AttemptFact::Parked(cause)) => {
                let failure = self.0.entry(place.clone());
                failure.or_insert_with(|| Failure::transient("")).message.clone_from(cause);
            }
            kind => {
                if let Some(failure) = kind.failure() {
                    self.0.insert(place.clone(), failure);
                }
            }
        }
    }

    pub(crate) fn of(&self, place: &Place) -> Option<&Failure> {
        self.0.get(place)
    }
}
