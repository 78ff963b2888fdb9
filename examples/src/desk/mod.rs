//! The clients of which each example's participants are made ("desks").
//!
//! Each call carries the idempotency key, the saga's id and the number of the attempt, and each answer is sorted
//! into what is known of the effect ([`DeskError`]).

use std::time::Duration;

use reqwest::{Client, StatusCode};
use saga_runtime::{Context, StepError};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::crash::CrashPoint;
use crate::service::addresses::AddressBook;
use crate::service::kind::ServiceKind;
use crate::service::wire::{ATTEMPT, IDEMPOTENCY_KEY, Refusal, SAGA_ID};

mod crash;

/// The longest that a call may take, whatever the saga says: a belt to the braces of its `timeout`.
const CALL_TIME_MAX: Duration = Duration::from_mins(1);

/// The longest that a connection may take to be made.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// The most characters of an unexpected answer that are shown.
const ANSWER_SHOWN_MAX: usize = 200;

/// Why a service did not do what it was asked, and what is known of the effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, StepError)]
pub enum DeskError {
    /// Surely no effect, and it would be answered the same again.
    #[error("{reason}")]
    #[outcome(refused)]
    Refused {
        /// The service's reason.
        reason: String,
    },
    /// Surely no effect, worth another try: 503, or no connection to send anything on.
    #[error("the {service} service is not available: {cause}")]
    #[outcome(transient)]
    Unavailable {
        /// The service.
        service: &'static str,
        /// What happened.
        cause: String,
    },
    /// Nobody can say whether there was an effect.
    #[error("the {service} service gave no usable answer: {cause}")]
    #[outcome(unknown)]
    Broken {
        /// The service.
        service: &'static str,
        /// What happened.
        cause: String,
    },
}

/// No HTTP client can be made on this machine.
#[derive(Debug, thiserror::Error)]
#[error("cannot make an HTTP client: {0}")]
pub struct ClientError(#[from] reqwest::Error);
/// An HTTP client for services on this machine: no proxy, and no retries behind the saga's back.
pub fn client() -> Result<Client, ClientError> {
    let client = Client::builder()
        .no_proxy()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIME_MAX)
        .timeout(CALL_TIME_MAX)
        .build()?;
    Ok(client)
}

/// What the clients of all services have in common.
#[derive(Debug, Clone)]
pub struct Desk<K> {
    service: K,
    http: Client,
    base: String,
    crash: Option<CrashPoint>,
}

impl<K: ServiceKind> Desk<K> {
    /// A client of `service`; the process crashes where `crash` says.
    pub fn new(service: K, http: &Client, addresses: &K::Addresses, crash: Option<&CrashPoint>) -> Self {
        let base = addresses.of(service).to_owned();
        Self { service, http: http.clone(), base, crash: crash.cloned() }
    }

    /// Asks for `operation`, and sorts the answer.
    pub async fn call<A: DeserializeOwned>(
        &self,
        cx: &Context,
        operation: K::Operation,
        request: &impl Serialize,
    ) -> Result<A, DeskError> {
        self.call_for(cx.saga_id().as_str(), cx, operation, request).await
    }

    /// The same on behalf of another saga than the one that calls: of the one that this one is a part of.
    pub async fn call_for<A: DeserializeOwned>(
        &self,
        saga: &str,
        cx: &Context,
        operation: K::Operation,
        request: &impl Serialize,
    ) -> Result<A, DeskError> {
        let done = self.ask_for(saga, cx, operation, request).await?;
        if let Some(crash) = &self.crash {
            crash.pass(cx);
        }
        Ok(done)
    }

    /// Asks for something without effect, such as a probe: no place to crash.
    pub async fn ask<A: DeserializeOwned>(
        &self,
        cx: &Context,
        operation: K::Operation,
        request: &impl Serialize,
    ) -> Result<A, DeskError> {
        self.ask_for(cx.saga_id().as_str(), cx, operation, request).await
    }

    async fn ask_for<A: DeserializeOwned>(
        &self,
        saga: &str,
        cx: &Context,
        operation: K::Operation,
        request: &impl Serialize,
    ) -> Result<A, DeskError> {
        let answer = self
            .http
            .post(format!("{}{}", self.base, self.service.path(operation)))
            .header(IDEMPOTENCY_KEY, cx.key().as_str())
            .header(SAGA_ID, saga)
            .header(ATTEMPT, cx.attempt())
            .json(request)
            .send()
            .await
            .map_err(|error| self.unanswered(&error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.broken(&root_cause(&error)))?;
        self.sort(status, &body)
    }

    fn sort<A: DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<A, DeskError> {
        match status.as_u16() {
            200..=299 => serde_json::from_slice(body)
                .map_err(|error| self.broken(&format!("{error} in {}", excerpt(body)))),
            409 | 422 => Err(DeskError::Refused { reason: reason(body) }),
            503 => Err(DeskError::Unavailable { service: self.service.name(), cause: reason(body) }),
            _ => Err(self.broken(&format!("{status}: {}", reason(body)))),
        }
    }

    /// While the connection was still being made nothing was sent; later nobody can say.
    fn unanswered(&self, error: &reqwest::Error) -> DeskError {
        if error.is_connect() || error.is_builder() {
            return DeskError::Unavailable { service: self.service.name(), cause: root_cause(error) };
        }
        DeskError::Broken { service: self.service.name(), cause: root_cause(error) }
    }

    fn broken(&self, cause: &dyn std::fmt::Display) -> DeskError {
        DeskError::Broken { service: self.service.name(), cause: cause.to_string() }
    }
}

/// The service's reason, or what it said instead.
fn reason(body: &[u8]) -> String {
    match serde_json::from_slice(body) {
        Ok(Refusal { reason }) => reason,
        Err(_) => excerpt(body),
    }
}

/// The beginning of an answer, to be shown.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(ANSWER_SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The innermost cause: the layers around it say only that sending failed.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use saga_runtime::FailureKind;

    use super::*;
    use crate::travel::wire::ServiceKind;

    fn desk() -> Desk<ServiceKind> {
        let base = "http://127.0.0.1:1".to_owned();
        Desk { service: ServiceKind::Car, http: client().unwrap(), base, crash: None }
    }

    #[test]
    fn a_status_says_what_is_known_of_the_effect() {
        let kind = |status: u16, body: &[u8]| {
            let status = StatusCode::from_u16(status).unwrap();
            desk().sort::<Refusal>(status, body).map_err(|error| error.kind())
        };
        let words = br#"{"reason":"none left"}"#;
        assert_eq!(kind(200, words), Ok(Refusal { reason: "none left".to_owned() }));
        assert_eq!(kind(200, b"{\"reas"), Err(FailureKind::Unknown));
        assert_eq!(kind(422, words), Err(FailureKind::Refused));
        assert_eq!(kind(409, words), Err(FailureKind::Refused));
        assert_eq!(kind(503, b""), Err(FailureKind::Transient));
        for status in [400, 404, 500, 502, 504, 302] {
            assert_eq!(kind(status, words), Err(FailureKind::Unknown), "{status}");
        }
    }

    #[test]
    fn a_long_answer_is_shown_in_part() {
        assert_eq!(excerpt("ü".repeat(300).as_bytes()).chars().count(), ANSWER_SHOWN_MAX + 3);
    }
}
