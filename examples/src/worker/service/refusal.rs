//! Why a request was not done.

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use saga_runtime::coordinator::{BeginError, HandleError};
use saga_runtime::log::HistoryError;
use saga_runtime::{InvalidSagaId, SagaId};
use serde_json::json;

/// Why a request was not done: a status, and words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The words.
    pub error: String,
}

impl Refusal {
    /// With these words.
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    /// No saga has this id.
    pub(super) fn unknown(id: &SagaId) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("no saga `{id}` was ever begun"))
    }

    /// The worker comes to its end.
    pub(super) fn draining() -> Self {
        let error = "the worker drains: ask again when it is back, everything resumes then";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    /// The body is none that begins a saga.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        let expected = r#"write {"id": "…", "trip": {…}}"#;
        Self::new(StatusCode::BAD_REQUEST, format!("this is no new saga: {error}; {expected}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.error }))).into_response()
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<InvalidSagaId> for Refusal {
    fn from(error: InvalidSagaId) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}

impl From<BeginError> for Refusal {
    fn from(error: BeginError) -> Self {
        let status = match error {
            BeginError::Saga(error) => return error.into(),
            BeginError::ShuttingDown => return Self::draining(),
            BeginError::InvalidId(_) | BeginError::Input(_) => StatusCode::BAD_REQUEST,
            BeginError::Conflict { .. } => StatusCode::CONFLICT,
            BeginError::Expired { .. } => StatusCode::GONE,
            BeginError::Log(_) => StatusCode::SERVICE_UNAVAILABLE,
            BeginError::NotRegistered { .. }
            | BeginError::Transaction { .. }
            | BeginError::NotCommitted { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl From<HandleError> for Refusal {
    fn from(error: HandleError) -> Self {
        let status = match error {
            HandleError::Stopped(_) => return Self::draining(),
            HandleError::Unknown(_) => StatusCode::NOT_FOUND,
            HandleError::Log(HistoryError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            HandleError::Log(HistoryError::Purged(_) | HistoryError::Expired { .. }) => StatusCode::GONE,
            // It cannot be executed as it stands in the log.
            HandleError::Quarantined { .. }
            | HandleError::History { .. }
            | HandleError::Data(_)
            | HandleError::Log(HistoryError::Damaged(_)) => StatusCode::CONFLICT,
        };
        Self::new(status, error.to_string())
    }
}
