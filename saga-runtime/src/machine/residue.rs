//! What of a saga may still be in effect.

use std::collections::BTreeMap;
use std::fmt;

use crate::definition::{Compensation, Definition};
use crate::error::FailureKind;
use crate::machine::attempts::AttemptFact;
use crate::machine::fact::{Fact, FactKind};
use crate::machine::place::Place;

/// The effects of a saga that may still hold, by step: a fold of its facts. Reads, and steps declared harmless by
/// `compensate nothing`, are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Residue(BTreeMap<Place, Effect>);

/// What is known of a step's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It took place.
    Done,
    /// Nobody knows whether it took place.
    InDoubt,
}

impl Residue {
    /// Takes a fact of the saga into account.
    pub fn record(&mut self, definition: &Definition, fact: &Fact) {
        let Some(place) = &fact.place else { return };
        let harmless = definition
            .steps
            .get(place.step)
            .is_none_or(|step| !step.kind.is_effectful() || step.compensation == Compensation::Nothing);
        if harmless {
            return;
        }
        match &fact.kind {
            FactKind::Done(_) => {
                self.0.insert(place.clone(), Effect::Done);
            }
            FactKind::Attempt(AttemptFact::Failed(failure)) if failure.kind == FailureKind::Unknown => {
                self.0.insert(place.clone(), Effect::InDoubt);
            }
            FactKind::Refused(refusal) if refusal.definitive => {
                self.0.remove(place);
            }
            FactKind::Attempt(AttemptFact::Absent) | FactKind::Compensated => {
                self.0.remove(place);
            }
            _ => {}
        }
    }

    /// Nobody knows any more whether the effect of the step at `place` holds.
    #[cfg(feature = "coordinator")]
    pub(crate) fn doubt(&mut self, place: Place) {
        self.0.entry(place).or_insert(Effect::InDoubt);
    }

    /// The effect of the step at `place` does not hold, or is somebody else's.
    #[cfg(feature = "coordinator")]
    pub(crate) fn remove(&mut self, place: &Place) {
        self.0.remove(place);
    }

    /// The steps whose effect may still hold, in the order in which they are written.
    pub fn effects(&self) -> impl Iterator<Item = (&Place, Effect)> + '_ {
        self.0.iter().map(|(place, effect)| (place, *effect))
    }
}

impl Effect {
    /// The words that logs store and people read; [`Effect::parse`] reads them back.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::InDoubt => "in doubt",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Done, Self::InDoubt].into_iter().find(|effect| effect.as_str() == text)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
