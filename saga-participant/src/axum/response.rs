//! What is answered, as a response.

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::problem::{Problem, superseded};
use crate::answer::{Answer, Compensated};
use crate::http::{Outcome, SAGA_OUTCOME};

/// The answer to a probe: what was done, or `None`, if it is not done and will not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed<T>(pub Option<T>);

impl<T: Serialize, E: Serialize> IntoResponse for Answer<T, E> {
    fn into_response(self) -> Response {
        match self {
            Self::Done(done) => respond(StatusCode::OK, Outcome::Done, &done),
            Self::Refused(refusal) => respond(StatusCode::UNPROCESSABLE_ENTITY, Outcome::Refused, &refusal),
            Self::Superseded => superseded().into_response(),
        }
    }
}

impl<U: Serialize> IntoResponse for Compensated<U> {
    fn into_response(self) -> Response {
        let undone = match self {
            Self::Undone(undone) => Some(undone),
            Self::NothingToUndo => None,
        };
        respond(StatusCode::OK, Outcome::Done, &undone)
    }
}

impl<T: Serialize> IntoResponse for Probed<T> {
    fn into_response(self) -> Response {
        respond(StatusCode::OK, Outcome::Done, &self.0)
    }
}

fn respond(status: StatusCode, outcome: Outcome, body: &impl Serialize) -> Response {
    let body = match serde_json::to_vec(body) {
        Ok(body) => body,
        // No answer that the barrier has stored: it would have refused to.
        Err(error) => return Problem::fault(format!("the answer is no JSON: {error}")).into_response(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(SAGA_OUTCOME, HeaderValue::from_static(outcome.as_str()));
    response
}
