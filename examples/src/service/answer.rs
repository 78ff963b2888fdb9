//! A call and its answer, apart from HTTP.

use axum::body::Bytes;
use rusqlite::Transaction;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::keyed;
use super::kind::ServiceKind;
use super::wire::{CancelByKey, Refusal};

/// Who calls, by the headers of the call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The idempotency key.
    pub key: String,
    /// The saga.
    pub saga: String,
    /// The number of the attempt.
    pub attempt: u32,
}

/// One call that is to be done.
#[derive(Debug)]
pub struct Call<K: ServiceKind> {
    /// What is asked for.
    pub operation: K::Operation,
    /// Who asks.
    pub caller: Caller,
    /// The request, as JSON.
    pub(super) body: Bytes,
    /// Whether a fault refuses it.
    pub(super) refuse: bool,
}

/// A status and a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// Done, with this result.
    pub fn done(result: impl Serialize) -> Self {
        match serde_json::to_value(result) {
            Ok(body) => Self { status: 200, body },
            Err(error) => Self::broken(&error),
        }
    }

    /// Surely no effect, and it would be answered the same again.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self { status: 422, body: json!(Refusal { reason: reason.into() }) }
    }

    /// A cancellation or a probe was faster: surely no effect, now and later.
    pub fn superseded(reason: impl Into<String>) -> Self {
        Self { status: 409, body: json!(Refusal { reason: reason.into() }) }
    }

    /// Surely no effect, worth another try.
    pub fn unavailable() -> Self {
        Self { status: 503, body: json!(Refusal { reason: "not available for the moment".to_owned() }) }
    }

    /// The service itself does not know.
    pub(super) fn broken(cause: &dyn std::fmt::Display) -> Self {
        Self { status: 500, body: json!(Refusal { reason: format!("internal error: {cause}") }) }
    }
}

impl<K: ServiceKind> Call<K> {
    /// Does `work` once per key and keeps its answer, a refusal by a fault included.
    pub fn once<R: DeserializeOwned + Serialize>(
        &self,
        tx: Transaction<'_>,
        work: impl FnOnce(&Transaction<'_>, &Caller, &R) -> rusqlite::Result<Answer>,
    ) -> rusqlite::Result<Answer> {
        self.read(|request: &R| {
            Ok(keyed::answer_once(tx, &self.caller, self.operation, request, |tx| {
                if self.refuse { Ok(refused_by_fault()) } else { work(tx, &self.caller, request) }
            }))
        })
    }

    /// Undoes what was done for the key of an action, or sees to it that it never is; unless `obstacle` says why not.
    pub fn cancel(
        &self,
        tx: Transaction<'_>,
        service: K,
        obstacle: impl FnOnce(&Transaction<'_>, &str) -> rusqlite::Result<Option<String>>,
    ) -> rusqlite::Result<Answer> {
        self.read(|request: &CancelByKey| {
            if self.refuse {
                return Ok(refused_by_fault());
            }
            if let Some(reason) = obstacle(&tx, &request.action_key)? {
                return Ok(Answer::refused(reason));
            }
            Ok(keyed::cancel(tx, service, &self.caller, self.operation, request))
        })
    }

    /// Does `work`, of which nothing is kept but what it does: again with each call.
    pub fn careless<R: DeserializeOwned>(
        &self,
        tx: Transaction<'_>,
        work: impl FnOnce(&Transaction<'_>, &R) -> rusqlite::Result<Answer>,
    ) -> rusqlite::Result<Answer> {
        self.read(|request| {
            if self.refuse {
                return Ok(refused_by_fault());
            }
            let answer = work(&tx, request)?;
            tx.commit()?;
            Ok(answer)
        })
    }

    /// The answer to an operation that the service does not have.
    pub fn not_offered(&self, service: K) -> Answer {
        Answer::refused(format!("the {service} service has no operation {}", self.operation))
    }

    fn read<R: DeserializeOwned>(
        &self,
        work: impl FnOnce(&R) -> rusqlite::Result<Answer>,
    ) -> rusqlite::Result<Answer> {
        match serde_json::from_slice(&self.body) {
            Ok(request) => work(&request),
            Err(error) => Ok(Answer::refused(format!("this is no request to {}: {error}", self.operation))),
        }
    }
}

fn refused_by_fault() -> Answer {
    Answer::refused("refused, as a fault told the service to")
}
