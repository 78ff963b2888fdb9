//! What a saga's step asks for.

use serde::Serialize;

use crate::call::{
    COMPENSATION_SUFFIX, Call, CallKind, Decision, InvalidCall, invalid_key, must_be_same, valid_key,
    valid_saga,
};
use crate::error::Fault;
use crate::request::hash_request;
use crate::state::State;

/// A call to do something, once: what a saga's step asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    key: String,
    saga: Option<String>,
    request: i64,
    attempt: u32,
}

/// What follows from an [`Action`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionThen {
    /// Do the work in a savepoint, and write what [`Work`] says.
    Work(Work),
    /// It was done before: answer this JSON.
    Done(String),
    /// It was refused before: answer this JSON.
    Refused(String),
    /// It was compensated, or barred by a probe. Surely no effect, now and later.
    Superseded,
}

/// Work that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    request: i64,
}

impl Action {
    /// The action `operation` under its idempotency key: `cx.key()` of the caller.
    ///
    /// `operation` and `request` are remembered as a hash, so that a key that is used for something else is noticed.
    /// What differs from attempt to attempt, such as the time of sending, does not belong into `request`.
    pub fn new(
        key: impl Into<String>,
        operation: &str,
        request: &(impl Serialize + ?Sized),
    ) -> Result<Self, InvalidCall> {
        let key = key.into();
        if key.ends_with(COMPENSATION_SUFFIX) {
            let cause = format!("an action's key does not end in `{COMPENSATION_SUFFIX}`");
            return Err(invalid_key(&key, cause));
        }
        let key = valid_key(key)?;
        let request = hash_request(&key, operation, request)?;
        Ok(Self { key, saga: None, request, attempt: 0 })
    }

    /// The saga that calls: its rows can then be forgotten together.
    pub fn of_saga(self, saga: impl Into<String>) -> Result<Self, InvalidCall> {
        Ok(Self { saga: Some(valid_saga(saga.into())?), ..self })
    }

    /// The number of the attempt, from 1: `cx.attempt()` of the caller. A probe bars only the attempts before its own.
    /// Without it, no attempt gets past a probe that found nothing.
    #[must_use]
    pub fn attempt(self, attempt: u32) -> Self {
        Self { attempt, ..self }
    }
}

impl Call for Action {
    type Then = ActionThen;

    fn key(&self) -> &str {
        &self.key
    }

    fn saga(&self) -> Option<&str> {
        self.saga.as_deref()
    }

    fn decide(&self, state: Option<&State>) -> Result<Decision<ActionThen>, Fault> {
        let Self { request, attempt, .. } = *self;
        let same = |first: i64| must_be_same(&self.key, CallKind::Action, first, request);
        let work = || Decision::write(State::Open { request }, ActionThen::Work(Work { request }));
        Ok(match state {
            None => work(),
            Some(State::Open { .. }) => return Err(Fault::Open { key: self.key.clone() }),
            Some(State::Done { request: first, answer }) => {
                same(*first)?;
                Decision::keep(ActionThen::Done(answer.clone()))
            }
            Some(State::Refused { request: first, answer }) => {
                same(*first)?;
                Decision::keep(ActionThen::Refused(answer.clone()))
            }
            Some(State::Barred { attempt: barred }) if attempt > *barred => work(),
            Some(State::Barred { .. } | State::Tombstone { .. }) => Decision::keep(ActionThen::Superseded),
            Some(State::Undone { request: first, .. }) => {
                same(*first)?;
                Decision::keep(ActionThen::Superseded)
            }
        })
    }
}

impl Work {
    /// What to remember when it was done, and answered with this JSON.
    pub fn done(self, answer: String) -> State {
        State::Done { request: self.request, answer }
    }

    /// What to remember when it was refused with this JSON, and the savepoint was rolled back.
    pub fn refused(self, answer: String) -> State {
        State::Refused { request: self.request, answer }
    }
}
