//! Who calls, by the headers of the call.

use std::str::FromStr;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::axum::Problem;
use crate::call::{COMPENSATION_SUFFIX, InvalidCall, valid_key, valid_saga};
use crate::http::{ATTEMPT, FENCE, IDEMPOTENCY_KEY, SAGA_ACTION_KEY, SAGA_ID, unquote};
use crate::{Action, Compensation, Probe};

/// Who calls: an extractor of the headers that [`http`](crate::http) names.
///
/// Only `Idempotency-Key` has to be there, so that a caller who knows no more than the IETF's draft is served as well.
/// What is there has to be well-formed; otherwise the answer is 400, with what is wrong and how it is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    key: String,
    action_key: Option<String>,
    saga: Option<String>,
    attempt: Option<u32>,
    epoch: Option<u64>,
}

impl Caller {
    /// The idempotency key of this call: `cx.key()` of the caller.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// In a compensation, the key of the action that it undoes: `cx.action_key()` of the caller.
    pub fn action_key(&self) -> Option<&str> {
        self.action_key.as_deref()
    }

    /// The saga: `cx.saga_id()` of the caller.
    pub fn saga(&self) -> Option<&str> {
        self.saga.as_deref()
    }

    /// The number of the attempt, from 1: `cx.attempt()` of the caller.
    pub fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    /// The fencing epoch of the writer of the saga's log: `cx.epoch()` of the caller.
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// This call as an action.
    pub fn action(
        &self,
        operation: &str,
        request: &(impl Serialize + ?Sized),
    ) -> Result<Action, InvalidCall> {
        self.must_be_no_compensation()?;
        let mut action = Action::new(&*self.key, operation, request)?;
        if let Some(saga) = &self.saga {
            action = action.of_saga(&**saga)?;
        }
        Ok(self.attempt.into_iter().fold(action, Action::attempt))
    }

    /// This call as a compensation: of the action that `Saga-Action-Key` names, or the key itself, if it is an action's
    /// and `.compensate`.
    pub fn compensation(
        &self,
        operation: &str,
        request: &(impl Serialize + ?Sized),
    ) -> Result<Compensation, InvalidCall> {
        let of_key = self.key.strip_suffix(COMPENSATION_SUFFIX);
        let action_key = match (self.action_key(), of_key) {
            (Some(action_key), None) => action_key,
            (Some(action_key), Some(of_key)) if action_key == of_key => action_key,
            (None, Some(of_key)) => of_key,
            // Taken as an action's it would bar what nobody asks for, and the caller would be told that all is undone.
            (None, None) => {
                return Err(self.invalid(
                    "a compensation names the action that it undoes: send its key in the header `Saga-Action-Key`",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(
                    self.invalid("it is the compensation of another action than `Saga-Action-Key` names")
                );
            }
        };
        let compensation = Compensation::new(action_key, operation, request)?;
        match &self.saga {
            Some(saga) => compensation.of_saga(&**saga),
            None => Ok(compensation),
        }
    }

    /// This call as a probe.
    pub fn probe(&self) -> Result<Probe, InvalidCall> {
        self.must_be_no_compensation()?;
        let mut probe = Probe::new(&*self.key)?;
        if let Some(saga) = &self.saga {
            probe = probe.of_saga(&**saga)?;
        }
        Ok(self.attempt.into_iter().fold(probe, Probe::attempt))
    }

    fn must_be_no_compensation(&self) -> Result<(), InvalidCall> {
        match self.action_key {
            None => Ok(()),
            Some(_) => {
                Err(self.invalid("`Saga-Action-Key` says that this is a compensation, and it is none here"))
            }
        }
    }

    fn invalid(&self, cause: &str) -> InvalidCall {
        InvalidCall::Key { key: crate::call::shorten(&self.key), cause: cause.to_owned() }
    }

    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let key = key(headers, IDEMPOTENCY_KEY)?.ok_or_else(|| {
            Problem::bad_request(
                "the header `Idempotency-Key` is missing: send a key that is the same for every attempt of this \
                 request and for no other one, such as `Idempotency-Key: \"BookTrip/trip-7/flight\"`",
            )
        })?;
        Ok(Self {
            key,
            action_key: key_of_action(headers)?,
            saga: text(headers, SAGA_ID)?.map(|saga| valid_saga(saga.to_owned())).transpose()?,
            attempt: number(headers, ATTEMPT)?,
            epoch: number(headers, FENCE)?,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

fn key_of_action(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    key(headers, SAGA_ACTION_KEY)
}

fn key(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = text(headers, name)? else { return Ok(None) };
    let key = unquote(value).map_err(|cause| {
        let mend =
            "write it as `\"BookTrip/trip-7/flight\"`, with a backslash before each `\"` and `\\` in it";
        malformed(name, &format!("{cause}: {mend}"))
    })?;
    Ok(Some(valid_key(key)?))
}

fn number<N: FromStr>(headers: &HeaderMap, name: &str) -> Result<Option<N>, Problem> {
    let Some(value) = text(headers, name)? else { return Ok(None) };
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| is_plain);
    number.map(Some).ok_or_else(|| malformed(name, "it is no number: write it in decimal digits"))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed(name, "it is there more than once: send it once"));
    }
    let value = HeaderValue::to_str(value)
        .map_err(|_| malformed(name, "it is not visible ASCII: use no other characters"))?;
    Ok(Some(value.trim_matches([' ', '\t'])))
}

fn malformed(name: &str, cause: &str) -> Problem {
    Problem::bad_request(format!("the header `{}` is malformed: {cause}", shown(name)))
}

/// As people write it: `Saga-Id`.
fn shown(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect::<Vec<_>>().join("-")
}
