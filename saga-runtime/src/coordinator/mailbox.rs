//! The signals that came before the saga received them.

use std::collections::{HashMap, VecDeque};

use crate::definition::{Definition, StepKind};
use crate::machine::{Fact, FactKind};

/// The signals that wait, by the `receive` that they are for, oldest first: a fold of the saga's facts.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(HashMap<usize, VecDeque<String>>);

impl Mailbox {
    /// Takes a fact of the saga into account.
    pub(crate) fn record(&mut self, definition: &Definition, fact: &Fact) {
        let Some(step) = fact.place.as_ref().map(|place| place.step) else { return };
        match &fact.kind {
            FactKind::Sent(signal) => self.0.entry(step).or_default().push_back(signal.clone()),
            // A `receive` is done with the oldest one, and by nothing else.
            FactKind::Done(_) if is_receive(definition, step) => {
                self.0.get_mut(&step).and_then(VecDeque::pop_front);
            }
            _ => {}
        }
    }

    /// The signal that the `receive` with this index gets next, as JSON.
    pub(crate) fn first(&self, step: usize) -> Option<&str> {
        self.0.get(&step)?.front().map(String::as_str)
    }
}

fn is_receive(definition: &Definition, step: usize) -> bool {
    definition.steps.get(step).is_some_and(|step| step.kind == StepKind::Receive)
}
