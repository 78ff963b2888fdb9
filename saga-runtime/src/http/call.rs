//! One call: what is sent, and how its answer is read.

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, RequestBuilder, Response};
use saga_participant::http::{ATTEMPT, FENCE, IDEMPOTENCY_KEY, SAGA_ACTION_KEY, SAGA_ID, quote};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{Answer, Body};
use super::error::Words;
use super::{Client, HttpError};
use crate::context::Context;

/// The longest answer that is read, in bytes: 16 MiB. What is longer is not read to its end, and so unknown.
const ANSWER_LENGTH_MAX: usize = 16 << 20;

/// A call that is to be sent: made by [`Client::post`] and its like.
///
/// It says who calls by the headers of [`wire`](super::wire).
#[derive(Debug)]
#[must_use = "nothing is sent before `send` or `confirm`"]
pub struct Call<'c> {
    client: &'c Client,
    cx: &'c Context,
    /// Its method and address, for people: without what may be secret.
    name: String,
    request: RequestBuilder,
    /// Why it cannot be made.
    flaw: Option<String>,
}

impl<'c> Call<'c> {
    pub(super) fn new(client: &'c Client, cx: &'c Context, method: Method, address: String) -> Self {
        let name = format!("{method} {}", without_secrets(&address));
        let request = client.http.request(method, address).header(ACCEPT, "application/json");
        Self { client, cx, name, request, flaw: None }
    }

    /// With this body, as JSON. It is the same for every attempt: what differs, such as the time of sending, makes it
    /// another request with the same key, and the service says so.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => {
                let request = self.request.header(CONTENT_TYPE, "application/json").body(body);
                Self { request, ..self }
            }
            Err(error) => Self { flaw: Some(format!("its body cannot be written as JSON: {error}")), ..self },
        }
    }

    /// With whatever else reqwest can do: `.with(|request| request.bearer_auth(token))`.
    pub fn with(self, more: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self { request: more(self.request), ..self }
    }

    /// Sends it, and reads what was done. An empty body is a `null`.
    pub async fn send<T: DeserializeOwned, E: DeserializeOwned>(self) -> Result<T, HttpError<E>> {
        self.answer().await?.done()
    }

    /// Sends it, and asks only whether it is done, whatever the body is.
    pub async fn confirm<E: DeserializeOwned>(self) -> Result<(), HttpError<E>> {
        self.answer().await?.confirm()
    }

    async fn answer<E>(self) -> Result<Answer, HttpError<E>> {
        let Self { client, cx, name, request, flaw } = self;
        let words = |what| Words { call: name.clone(), what };
        if let Some(flaw) = flaw {
            return Err(HttpError::NotSent(words(flaw)));
        }
        let mut request = request.build().map_err(|error| HttpError::NotSent(words(root_cause(&error))))?;
        say_who_calls(cx, request.headers_mut()).map_err(|what| HttpError::NotSent(words(what)))?;
        let is_whole = is_whole(&request);
        let mut answer = match client.http.execute(request).await {
            Ok(answer) => answer,
            // While the connection was still being made nothing was sent; later nobody can say.
            Err(error) if is_whole && error.is_connect() => {
                let what = format!("no connection could be made: {}", root_cause(&error));
                return Err(HttpError::NotSent(words(what)));
            }
            Err(error) => {
                let what = format!("there was no whole answer: {}", root_cause(&error));
                return Err(HttpError::Unknown { words: words(what), retry_after: None });
            }
        };
        let body = read_body(&mut answer).await;
        Ok(Answer::new(name, &client.contract, &answer, body))
    }
}

fn say_who_calls(cx: &Context, headers: &mut HeaderMap) -> Result<(), String> {
    let mut say = |name: &'static str, value: &str| match HeaderValue::from_str(value) {
        Ok(value) => {
            headers.insert(name, value);
            Ok(())
        }
        Err(_) => Err(format!("{value:?} cannot be the value of a header, `{name}`")),
    };
    say(IDEMPOTENCY_KEY, &quote(cx.key().as_str()))?;
    if cx.is_compensation() {
        say(SAGA_ACTION_KEY, &quote(cx.action_key().as_str()))?;
    }
    say(SAGA_ID, cx.saga_id().as_str())?;
    say(ATTEMPT, &cx.attempt().to_string())?;
    say(FENCE, &cx.epoch().to_string())
}

/// Whether its body is there as a whole: one that comes from elsewhere can fail in any way while it is sent.
fn is_whole(request: &Request) -> bool {
    request.body().is_none_or(|body| body.as_bytes().is_some())
}

async fn read_body(answer: &mut Response) -> Result<Body, String> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_LENGTH_MAX => {
                return Err(format!("its body is longer than {ANSWER_LENGTH_MAX} bytes"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(Body(body)),
            Err(error) => return Err(format!("its body is not whole: {}", root_cause(&error))),
        }
    }
}

/// The innermost cause: the layers around it say only that sending failed, and where to.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// An address without its query and its password.
fn without_secrets(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    match (address.split_once("://"), address.rfind('@')) {
        (Some((scheme, rest)), Some(_)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/{path}")
        }
        _ => address.to_owned(),
    }
}
