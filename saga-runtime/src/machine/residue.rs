//! What of a saga may still be in effect.

use std::collections::BTreeMap;
use std::fmt;

use crate::definition::{Compensation, Definition, StepKind};
use crate::error::FailureKind;
use crate::machine::attempts::AttemptFact;
use crate::machine::fact::{Fact, FactKind};

/// The effects of a saga that may still hold, by step: a fold of its facts. Reads, and steps declared harmless by
/// `compensate nothing`, are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Residue(BTreeMap<usize, Effect>);

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
        let Some(step) = fact.step else { return };
        let harmless = definition
            .steps
            .get(step)
            .is_none_or(|step| step.kind == StepKind::Read || step.compensation == Compensation::Nothing);
        if harmless {
            return;
        }
        match &fact.kind {
            FactKind::Done(_) => {
                self.0.insert(step, Effect::Done);
            }
            FactKind::Attempt(AttemptFact::Failed(failure)) if failure.kind == FailureKind::Unknown => {
                self.0.insert(step, Effect::InDoubt);
            }
            FactKind::Refused(refusal) if refusal.definitive => {
                self.0.remove(&step);
            }
            FactKind::Attempt(AttemptFact::Absent) | FactKind::Compensated => {
                self.0.remove(&step);
            }
            _ => {}
        }
    }

    /// The steps whose effect may still hold, by their index, in the order in which they are written.
    pub fn effects(&self) -> impl Iterator<Item = (usize, Effect)> + '_ {
        self.0.iter().map(|(step, effect)| (*step, *effect))
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::InDoubt => "in doubt",
        })
    }
}
