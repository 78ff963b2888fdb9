//! An answer that is no answer to what was asked: an `application/problem+json` of RFC 9457.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::call::InvalidCall;
use crate::error::{Error, Fault};
use crate::http::{Outcome, SAGA_OUTCOME};

/// When another try may be worth it, if nothing else is said.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

/// Why a call has no answer, as a response: `application/problem+json`, with a `Saga-Outcome`.
///
/// [`Error`] and [`InvalidCall`] become one by `?`. What the caller is told of a failure of the service's own is that
/// there was one: its words can hold what is nobody else's business, and are in the response's extensions, as [`Cause`],
/// for the layer that writes the service's log.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    outcome: Outcome,
    detail: String,
    retry_after: Option<Duration>,
    cause: Option<Cause>,
}

/// The service's own words about what failed: an extension of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(pub Arc<str>);

impl Problem {
    /// 503: surely no effect, and worth another try in a second. For what fails before there is a transaction.
    pub fn transient(cause: impl fmt::Display) -> Self {
        let detail = "the service cannot do it for the moment: nothing was done, and another try is worth it";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, Outcome::Transient, detail);
        problem.retry_after(RETRY_AFTER_DEFAULT).caused_by(&cause)
    }

    /// 500: nobody can say what became of it.
    pub fn unknown(cause: impl fmt::Display) -> Self {
        let detail =
            "the service failed, and cannot say whether it was done: another try with the same key finds out";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Outcome::Unknown, detail).caused_by(&cause)
    }

    /// 500: another try would meet the same, and a person has to look. The caller is told these words.
    pub fn fault(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Outcome::Fault, detail)
    }

    /// 400: the call itself is wrong.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Outcome::Fault, detail)
    }

    /// When another try may be worth it: `Retry-After`, in whole seconds, rounded up.
    #[must_use]
    pub fn retry_after(self, duration: Duration) -> Self {
        Self { retry_after: Some(duration), ..self }
    }

    fn new(status: StatusCode, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { status, outcome, detail: detail.into(), retry_after: None, cause: None }
    }

    fn caused_by(self, cause: &dyn fmt::Display) -> Self {
        Self { cause: Some(Cause(cause.to_string().into())), ..self }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Fault(fault) => (*fault).into(),
            Error::Work { .. } | Error::Database(_) => Self::transient(error),
            Error::Commit(_) => Self::unknown(error),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let status = match fault {
            Fault::OtherRequest { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, Outcome::Fault, fault.to_string())
    }
}

impl From<InvalidCall> for Problem {
    fn from(invalid: InvalidCall) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Problem");
        let body = json!({ "title": title, "status": self.status.as_u16(), "detail": self.detail });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(SAGA_OUTCOME, HeaderValue::from_static(self.outcome.as_str()));
        if let Some(duration) = self.retry_after {
            let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl IntoResponse for InvalidCall {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// A call that came too late.
pub(super) fn superseded() -> Problem {
    let detail = "a compensation or a probe was faster: it is not done, and will not be";
    Problem::new(StatusCode::CONFLICT, Outcome::Superseded, detail)
}
