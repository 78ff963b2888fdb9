//! The undo of what an action did, or will never do.

use serde::Serialize;

use crate::call::{
    COMPENSATION_SUFFIX, Call, CallKind, Decision, InvalidCall, must_be_same, valid_key, valid_saga,
};
use crate::error::Fault;
use crate::request::hash_request;
use crate::state::State;

/// A call to undo what an action did, or to see to it that it never happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compensation {
    key: String,
    saga: Option<String>,
    request: i64,
}

/// What follows from a [`Compensation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompensationThen {
    /// Undo what was done, and write what [`Undo`] says.
    Undo(Undo),
    /// It was undone before: answer this JSON.
    Undone(String),
    /// Nothing was done, and nothing ever will be.
    NothingToUndo,
}

/// Work that is to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    request: i64,
    answer: String,
    by: i64,
}

impl Compensation {
    /// The compensation of the action that `action_key` names: `cx.action_key()` of the caller. The compensation's own
    /// key, which is the action's and `.compensate`, names the same action.
    ///
    /// `operation` and `request` are remembered as a hash, as an action's are.
    pub fn new(
        action_key: impl Into<String>,
        operation: &str,
        request: &(impl Serialize + ?Sized),
    ) -> Result<Self, InvalidCall> {
        let mut key = action_key.into();
        // Taken as it is, it would bar a key that no action ever has, and the caller would be told that all is undone.
        if let Some(action) = key.strip_suffix(COMPENSATION_SUFFIX) {
            key.truncate(action.len());
        }
        let key = valid_key(key)?;
        let request = hash_request(&key, operation, request)?;
        Ok(Self { key, saga: None, request })
    }

    /// The saga that calls: its rows can then be forgotten together.
    pub fn of_saga(self, saga: impl Into<String>) -> Result<Self, InvalidCall> {
        Ok(Self { saga: Some(valid_saga(saga.into())?), ..self })
    }
}

impl Call for Compensation {
    type Then = CompensationThen;

    fn key(&self) -> &str {
        &self.key
    }

    fn saga(&self) -> Option<&str> {
        self.saga.as_deref()
    }

    fn decide(&self, state: Option<&State>) -> Result<Decision<CompensationThen>, Fault> {
        let undo_request = self.request;
        let same = |first: i64| must_be_same(&self.key, CallKind::Compensation, first, undo_request);
        Ok(match state {
            None | Some(State::Barred { .. }) => {
                Decision::write(State::Tombstone { undo_request }, CompensationThen::NothingToUndo)
            }
            Some(State::Open { .. }) => return Err(Fault::Open { key: self.key.clone() }),
            Some(State::Done { request, answer }) => {
                let undo = Undo { request: *request, answer: answer.clone(), by: undo_request };
                Decision::keep(CompensationThen::Undo(undo))
            }
            // The stored refusal keeps the action from ever being done: there is nothing to add to it.
            Some(State::Refused { .. }) => Decision::keep(CompensationThen::NothingToUndo),
            Some(State::Tombstone { undo_request: first }) => {
                same(*first)?;
                Decision::keep(CompensationThen::NothingToUndo)
            }
            Some(State::Undone { undo_request: first, undo_answer, .. }) => {
                same(*first)?;
                Decision::keep(CompensationThen::Undone(undo_answer.clone()))
            }
        })
    }
}

impl Undo {
    /// What the action answered, as JSON.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// What to remember when it was undone, and answered with this JSON.
    pub fn done(self, undo_answer: String) -> State {
        let Self { request, answer, by: undo_request } = self;
        State::Undone { request, answer, undo_request, undo_answer }
    }
}
