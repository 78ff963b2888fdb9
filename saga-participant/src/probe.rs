//! The question what became of an action.

use crate::call::{COMPENSATION_SUFFIX, Call, Decision, InvalidCall, invalid_key, valid_key, valid_saga};
use crate::error::Fault;
use crate::state::State;

/// A question: what became of an action? If nothing did, nothing will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    key: String,
    saga: Option<String>,
    attempt: u32,
}

/// What follows from a [`Probe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeThen {
    /// It was done: answer this JSON.
    Found(String),
    /// It was not done, or is undone, and no attempt before the probe ever will be.
    Never,
}

impl Probe {
    /// Asks what became of the action with this key: `cx.key()` of the caller.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidCall> {
        let key = key.into();
        if key.ends_with(COMPENSATION_SUFFIX) {
            return Err(invalid_key(&key, "a probe asks for an action, by the action's key".to_owned()));
        }
        Ok(Self { key: valid_key(key)?, saga: None, attempt: u32::MAX })
    }

    /// The saga that calls: its rows can then be forgotten together.
    pub fn of_saga(self, saga: impl Into<String>) -> Result<Self, InvalidCall> {
        Ok(Self { saga: Some(valid_saga(saga.into())?), ..self })
    }

    /// The number of the attempt, from 1: `cx.attempt()` of the caller. If the action is not done, the attempts before
    /// this one never will be, but a later one is: so a saga may try again after a probe that found nothing. Without
    /// it, no attempt ever is.
    #[must_use]
    pub fn attempt(self, attempt: u32) -> Self {
        Self { attempt, ..self }
    }
}

impl Call for Probe {
    type Then = ProbeThen;

    fn key(&self) -> &str {
        &self.key
    }

    fn saga(&self) -> Option<&str> {
        self.saga.as_deref()
    }

    fn decide(&self, state: Option<&State>) -> Result<Decision<ProbeThen>, Fault> {
        let attempt = self.attempt;
        let bar = || Decision::write(State::Barred { attempt }, ProbeThen::Never);
        Ok(match state {
            None => bar(),
            Some(State::Open { .. }) => return Err(Fault::Open { key: self.key.clone() }),
            Some(State::Done { answer, .. }) => Decision::keep(ProbeThen::Found(answer.clone())),
            Some(State::Barred { attempt: barred }) if attempt > *barred => bar(),
            Some(
                State::Refused { .. } | State::Barred { .. } | State::Tombstone { .. } | State::Undone { .. },
            ) => Decision::keep(ProbeThen::Never),
        })
    }
}
