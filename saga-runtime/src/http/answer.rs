//! What an answer proves.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Response, StatusCode, Version};
use saga_participant::http::{Outcome, SAGA_OUTCOME};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::Words;
use super::{Contract, HttpError, retry_after};

/// The most characters of an unexpected answer that are shown.
const ANSWER_SHOWN_MAX: usize = 200;

/// The body of an answer, read to its end.
pub(super) struct Body(pub(super) Vec<u8>);

/// An answer to a call.
pub(super) struct Answer {
    call: String,
    status: StatusCode,
    outcome: Result<Outcome, String>,
    retry_after: Option<Duration>,
    /// Whether it says where it ends: else one that is cut off looks like one that is whole.
    says_its_end: bool,
    body: Result<Body, String>,
}

impl Answer {
    pub(super) fn new(
        call: String,
        contract: &Contract,
        answer: &Response,
        body: Result<Body, String>,
    ) -> Self {
        let (status, headers) = (answer.status(), answer.headers());
        let says_its_end = answer.version() >= Version::HTTP_2
            || headers.contains_key(CONTENT_LENGTH)
            || headers.contains_key(TRANSFER_ENCODING)
            || status == StatusCode::NO_CONTENT;
        Self {
            call,
            status,
            outcome: outcome(contract, status, headers),
            retry_after: retry_after::retry_after(headers, SystemTime::now()),
            says_its_end,
            body,
        }
    }

    /// What was done.
    pub(super) fn done<T: DeserializeOwned, E: DeserializeOwned>(self) -> Result<T, HttpError<E>> {
        let answer = self.must_be_done()?;
        answer.decode().map_err(|cause| {
            let what = format!("it is done, and what was done cannot be read: {cause}");
            answer.unknown(&what)
        })
    }

    /// That it is done.
    pub(super) fn confirm<E: DeserializeOwned>(self) -> Result<(), HttpError<E>> {
        self.must_be_done().map(drop)
    }

    fn must_be_done<E: DeserializeOwned>(self) -> Result<Self, HttpError<E>> {
        let outcome = match &self.outcome {
            Ok(outcome) => *outcome,
            Err(contradiction) => return Err(self.unknown(contradiction)),
        };
        Err(match outcome {
            Outcome::Done => return Ok(self),
            Outcome::Refused => match self.decode() {
                Ok(refusal) if !self.is_silent() => HttpError::Refused(refusal),
                _ => HttpError::RefusedOtherwise(self.words("refused")),
            },
            Outcome::Superseded => HttpError::Superseded(self.words("superseded")),
            Outcome::Transient => {
                HttpError::Transient { words: self.words("nothing was done"), retry_after: self.retry_after }
            }
            Outcome::Unknown => self.unknown("nobody can say whether it was done"),
            Outcome::Fault => HttpError::Fault(self.words("a fault")),
        })
    }

    /// The body as JSON. Nothing is a `null`.
    fn decode<T: DeserializeOwned>(&self) -> Result<T, String> {
        let Body(body) = self.body.as_ref().map_err(String::clone)?;
        let body = body.trim_ascii();
        // Of all JSON only a number, and nothing at all, can be cut off and look whole.
        if !self.says_its_end && body.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)) {
            return Err("it does not say where its body ends, and that may be cut off".to_owned());
        }
        let body = if body.is_empty() { b"null" } else { body };
        serde_json::from_slice(body).map_err(|error| error.to_string())
    }

    fn is_silent(&self) -> bool {
        self.body.as_ref().is_ok_and(|Body(body)| body.trim_ascii().is_empty())
    }

    fn unknown<E>(&self, what: &str) -> HttpError<E> {
        HttpError::Unknown { words: self.words(what), retry_after: self.retry_after }
    }

    fn words(&self, what: &str) -> Words {
        let said = match &self.body {
            Ok(Body(body)) if body.is_empty() => String::new(),
            Ok(Body(body)) => format!(": {}", reason(body)),
            Err(cause) => format!(": {cause}"),
        };
        Words { call: self.call.clone(), what: format!("{what} ({}){said}", self.status) }
    }
}

/// What the answer says itself of the effect, or else the service's promise; an error if it contradicts itself.
fn outcome(contract: &Contract, status: StatusCode, headers: &HeaderMap) -> Result<Outcome, String> {
    let mut marks = headers.get_all(SAGA_OUTCOME).iter();
    let Some(mark) = marks.next() else { return Ok(contract.outcome(status)) };
    let contradiction =
        |what: &str| Err(format!("its `Saga-Outcome` {what}, and nobody can say what became of it"));
    if marks.next().is_some() {
        return contradiction("is there more than once");
    }
    match mark.to_str().ok().and_then(|word| word.trim().parse().ok()) {
        Some(Outcome::Unknown) => Ok(Outcome::Unknown),
        Some(outcome) if (outcome == Outcome::Done) == status.is_success() => Ok(outcome),
        Some(outcome) => contradiction(&format!("is `{outcome}`, against its status")),
        None => contradiction("is no word of the participant kit"),
    }
}

/// The reason that a body gives in the words of RFC 9457, or what it says instead.
fn reason(body: &[u8]) -> String {
    let problem: Option<Value> = serde_json::from_slice(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")).and_then(Value::as_str);
    detail.map_or_else(|| excerpt(&String::from_utf8_lossy(body)), str::to_owned)
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(ANSWER_SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
