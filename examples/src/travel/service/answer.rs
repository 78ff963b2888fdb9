//! What a service answers, before it is HTTP.

use serde::Serialize;
use serde_json::{Value, json};

use crate::travel::wire::Refusal;

/// Who calls, by the headers of the call.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) key: String,
    pub(super) saga: String,
    pub(super) attempt: u32,
}

/// A status and a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// Done, with this result.
    pub(super) fn done(result: impl Serialize) -> Self {
        match serde_json::to_value(result) {
            Ok(body) => Self { status: 200, body },
            Err(error) => Self::broken(&error),
        }
    }

    /// Surely no effect, and it would be answered the same again.
    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self { status: 422, body: json!(Refusal { reason: reason.into() }) }
    }

    /// A cancellation or a probe was faster: surely no effect, now and later.
    pub(super) fn superseded(reason: impl Into<String>) -> Self {
        Self { status: 409, body: json!(Refusal { reason: reason.into() }) }
    }

    /// Surely no effect, worth another try.
    pub(super) fn unavailable() -> Self {
        Self { status: 503, body: json!(Refusal { reason: "not available for the moment".to_owned() }) }
    }

    /// The service itself does not know.
    pub(super) fn broken(cause: &dyn std::fmt::Display) -> Self {
        Self { status: 500, body: json!(Refusal { reason: format!("internal error: {cause}") }) }
    }
}
