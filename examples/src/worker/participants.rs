//! The client of the participants: what an answer says of the effect.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Client, Response, StatusCode, Url};
use saga_runtime::{Context, StepError};
use serde_json::{Value, json};

use super::trip::Trip;
use crate::desk::{ClientError, client, excerpt, root_cause};
use crate::service::wire::{ATTEMPT, IDEMPOTENCY_KEY, SAGA_ID};

/// The header that names the action that a call does, or undoes.
pub const ACTION_KEY: &str = "action-key";
/// The header with the epoch of the log's writer.
pub const FENCE: &str = "fence";
/// The header that names the worker.
pub const WORKER: &str = "worker";

/// The longest answer that is read, in bytes. A longer one is no output that a saga should keep.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The three participants.
#[derive(Debug, Clone)]
pub struct Participants {
    /// The one that sells flights.
    pub flight: Participant,
    /// The one that lets rooms.
    pub hotel: Participant,
    /// The one that lets cars.
    pub car: Participant,
}

/// Where participants are, and how they are called.
#[derive(Debug, Clone)]
pub struct Route {
    /// Below it are `flight/do`, `flight/undo` and so on.
    pub base: Url,
    /// How long a call may take. After that its outcome is unknown.
    pub call_timeout: Duration,
    /// The worker's name.
    pub worker: HeaderValue,
}

/// One participant.
#[derive(Debug, Clone)]
pub struct Participant {
    name: &'static str,
    http: Client,
    route: Route,
}

/// Why a participant did not do what it was asked, and what is known of the effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, StepError)]
pub enum CallError {
    /// Surely no effect, and it would be answered the same again.
    #[error("the {participant} refused: {reason}")]
    #[outcome(refused)]
    Refused {
        /// Which one.
        participant: &'static str,
        /// What it said.
        reason: String,
    },
    /// Surely no effect, now and later: the undo was faster.
    #[error("superseded, the {participant} said: {reason}")]
    #[outcome(refused)]
    Superseded {
        /// Which one.
        participant: &'static str,
        /// What it said.
        reason: String,
    },
    /// Surely no effect, worth another try: 503, or no connection to send anything on.
    #[error("the {participant} is not available: {cause}")]
    #[outcome(transient)]
    Unavailable {
        /// Which one.
        participant: &'static str,
        /// What happened.
        cause: String,
    },
    /// Nobody can say whether there was an effect.
    #[error("the {participant} gave no usable answer: {cause}")]
    #[outcome(unknown)]
    Broken {
        /// Which one.
        participant: &'static str,
        /// What happened.
        cause: String,
    },
}

impl Participants {
    /// All three on this route.
    pub fn new(route: &Route) -> Result<Self, ClientError> {
        let http = client()?;
        let participant = |name| Participant { name, http: http.clone(), route: route.clone() };
        Ok(Self { flight: participant("flight"), hotel: participant("hotel"), car: participant("car") })
    }
}

impl Participant {
    /// Does it: answers the output.
    pub async fn act(&self, cx: &Context, trip: &Trip) -> Result<Value, CallError> {
        self.call(cx, "do", trip).await
    }

    /// Undoes what was, or will be, done for this step.
    pub async fn undo(&self, cx: &Context, trip: &Trip) -> Result<(), CallError> {
        self.call(cx, "undo", trip).await.map(|_| ())
    }

    async fn call(&self, cx: &Context, operation: &str, trip: &Trip) -> Result<Value, CallError> {
        let base = self.route.base.as_str().trim_end_matches('/');
        let request = self.http.post(format!("{base}/{}/{operation}", self.name));
        let sent = request
            .timeout(self.route.call_timeout)
            .header(SAGA_ID, cx.saga_id().as_str())
            .header(IDEMPOTENCY_KEY, cx.key().as_str())
            .header(ACTION_KEY, cx.action_key().as_str())
            .header(ATTEMPT, cx.attempt())
            .header(FENCE, cx.epoch())
            .header(WORKER, self.route.worker.clone())
            .json(&json!({ "trip": trip }))
            .send()
            .await;
        let answer = sent.map_err(|error| self.unanswered(&error))?;
        let status = answer.status();
        let body = self.read(answer).await?;
        self.sort(status, &body)
    }

    async fn read(&self, mut answer: Response) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.broken(root_cause(&error)))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(self.broken(format!("its answer has more than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn sort(&self, status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
        let participant = self.name;
        match status.as_u16() {
            200..=299 if body.is_empty() => Ok(Value::Null),
            200..=299 => serde_json::from_slice(body)
                .map_err(|error| self.broken(format!("{error} in {}", excerpt(body)))),
            422 => Err(CallError::Refused { participant, reason: excerpt(body) }),
            409 => Err(CallError::Superseded { participant, reason: excerpt(body) }),
            503 => Err(CallError::Unavailable { participant, cause: format!("{status}: {}", excerpt(body)) }),
            _ => Err(self.broken(format!("{status}: {}", excerpt(body)))),
        }
    }

    /// While the connection was still being made nothing was sent; later nobody can say.
    fn unanswered(&self, error: &reqwest::Error) -> CallError {
        let cause = root_cause(error);
        if error.is_connect() || error.is_builder() {
            return CallError::Unavailable { participant: self.name, cause };
        }
        self.broken(cause)
    }

    fn broken(&self, cause: String) -> CallError {
        CallError::Broken { participant: self.name, cause }
    }
}

#[cfg(test)]
mod tests {
    use saga_runtime::FailureKind;

    use super::*;

    fn participant() -> Participant {
        let base = Url::parse("http://127.0.0.1:1/").unwrap();
        let worker = HeaderValue::from_static("w");
        Participants::new(&Route { base, call_timeout: Duration::from_secs(1), worker }).unwrap().hotel
    }

    #[test]
    fn a_status_says_what_is_known_of_the_effect() {
        let kind = |status: u16, body: &[u8]| {
            let status = StatusCode::from_u16(status).unwrap();
            participant().sort(status, body).map_err(|error| error.kind())
        };
        assert_eq!(kind(200, b"{\"room\":7}"), Ok(json!({"room": 7})));
        assert_eq!(kind(201, b""), Ok(Value::Null));
        assert_eq!(kind(204, b""), Ok(Value::Null));
        assert_eq!(kind(200, b"{\"room"), Err(FailureKind::Unknown));
        assert_eq!(kind(200, b"<html>"), Err(FailureKind::Unknown));
        assert_eq!(kind(422, b"full"), Err(FailureKind::Refused));
        assert_eq!(kind(409, b""), Err(FailureKind::Refused));
        assert_eq!(kind(503, b"later"), Err(FailureKind::Transient));
        for status in [302, 400, 401, 404, 408, 429, 500, 502, 504] {
            assert_eq!(kind(status, b"{}"), Err(FailureKind::Unknown), "{status}");
        }
    }

    #[tokio::test]
    async fn what_was_never_sent_has_no_effect() {
        let cx = Context::action("BookTrip", saga_runtime::SagaId::new("s").unwrap(), "hotel", 1);
        let error = participant().act(&cx, &Trip::default()).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Transient, "{error}");
    }
}
