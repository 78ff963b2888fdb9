//! What the two sides of a call over HTTP have to spell alike: headers, and the word that says what became of a call.
//!
//! | header of the request | value | from the caller's |
//! | --- | --- | --- |
//! | [`Idempotency-Key`](IDEMPOTENCY_KEY) | the key, as a string of structured fields: `"BookTrip/trip-7/flight"` | `cx.key()` |
//! | [`Saga-Action-Key`](SAGA_ACTION_KEY) | in a compensation: the key of the action that it undoes, written so too | `cx.action_key()` |
//! | [`Saga-Id`](SAGA_ID) | the saga, as it is: `trip-7` | `cx.saga_id()` |
//! | [`Attempt`](ATTEMPT) | the number of the attempt, from 1 | `cx.attempt()` |
//! | [`Fence`](FENCE) | the fencing epoch of the writer of the saga's log | `cx.epoch()` |
//!
//! `Idempotency-Key` is that of the IETF's draft
//! [*The Idempotency-Key HTTP Header Field*](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/),
//! whose statuses are used too: 400 without a key, 422 for a key that comes with another request.
//!
//! A status alone does not say whether there was an effect: any proxy on the way answers 503, and any router 404. So the
//! answer has a header of its own, [`Saga-Outcome`](SAGA_OUTCOME), which nobody writes who does not know: see [`Outcome`].

use std::fmt;
use std::str::FromStr;

/// The header that names the effect: the same for every attempt.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header of a compensation that names the action.
pub const SAGA_ACTION_KEY: &str = "saga-action-key";
/// The header that names the saga.
pub const SAGA_ID: &str = "saga-id";
/// The header that numbers the attempt.
pub const ATTEMPT: &str = "attempt";
/// The header with the fencing epoch of the writer of the saga's log.
pub const FENCE: &str = "fence";
/// The header of an answer that says what became of the call: an [`Outcome`].
pub const SAGA_OUTCOME: &str = "saga-outcome";

/// What an answer says of the effect of its call, as [`Saga-Outcome`](SAGA_OUTCOME) does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// `done`: now or by an earlier attempt.
    Done,
    /// `refused`: surely no effect of this key, and every attempt is answered so. The body says why.
    Refused,
    /// `superseded`: a compensation or a probe was faster. Surely no effect of this key, now and later.
    Superseded,
    /// `transient`: surely no effect of this attempt, and worth another try.
    Transient,
    /// `unknown`: nobody can say.
    Unknown,
    /// `fault`: a mistake that another try would meet again; a person has to look. It is no refusal: there can be an
    /// effect from before.
    Fault,
}

impl Outcome {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Superseded => "superseded",
            Self::Transient => "transient",
            Self::Unknown => "unknown",
            Self::Fault => "fault",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no [`Outcome`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no outcome is called so: it is `done`, `refused`, `superseded`, `transient`, `unknown` or `fault`")]
pub struct NoOutcome;

impl FromStr for Outcome {
    type Err = NoOutcome;

    fn from_str(word: &str) -> Result<Self, NoOutcome> {
        let all = [Self::Done, Self::Refused, Self::Superseded, Self::Transient, Self::Unknown, Self::Fault];
        all.into_iter().find(|outcome| outcome.as_str() == word).ok_or(NoOutcome)
    }
}

/// A key as a header's value: a string of structured fields (RFC 8941, section 3.3.3).
pub fn quote(key: &str) -> String {
    let mut quoted = String::with_capacity(key.len() + 2);
    quoted.push('"');
    for c in key.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// The key that a header's value stands for: quoted, as [`quote`] writes it, or bare, as many clients do. Parameters
/// behind a quoted key mean nothing.
pub fn unquote(value: &str) -> Result<String, NoKey> {
    let value = value.trim_matches([' ', '\t']);
    let Some(quoted) = value.strip_prefix('"') else { return Ok(value.to_owned()) };
    let mut key = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    loop {
        match chars.next().ok_or(NoKey::Open)? {
            '"' => break,
            '\\' => match chars.next().ok_or(NoKey::Open)? {
                c @ ('"' | '\\') => key.push(c),
                c => return Err(NoKey::Escape(c)),
            },
            c => key.push(c),
        }
    }
    match chars.as_str().trim_start_matches([' ', '\t']).chars().next() {
        None | Some(';') => Ok(key),
        Some(_) => Err(NoKey::Behind),
    }
}

/// Why a header's value is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoKey {
    /// It begins with a quotation mark and does not end with one.
    #[error("its closing quotation mark is missing")]
    Open,
    /// Only two characters can stand behind a backslash.
    #[error("a backslash stands before a quotation mark or another backslash, and here before {0:?}")]
    Escape(char),
    /// More than one value, for instance.
    #[error("there is something behind its closing quotation mark")]
    Behind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_comes_back_quoted_or_bare() {
        for key in ["BookTrip/trip-7/flight", "pick[2].compensate", r#"a"b\c"#, r"\", "", ";a=1"] {
            assert_eq!(unquote(&quote(key)).as_deref(), Ok(key));
        }
        assert_eq!(quote(r#"a"b"#), r#""a\"b""#);
        assert_eq!(unquote(" bare/key ").as_deref(), Ok("bare/key"));
        assert_eq!(unquote(r#""k" ;a=1"#).as_deref(), Ok("k"));
    }

    #[test]
    fn what_is_no_string_is_no_key() {
        assert_eq!(unquote(r#""open"#), Err(NoKey::Open));
        assert_eq!(unquote(r#""open\"#), Err(NoKey::Open));
        assert_eq!(unquote(r#""a\n""#), Err(NoKey::Escape('n')));
        assert_eq!(unquote(r#""a", "b""#), Err(NoKey::Behind));
    }

    #[test]
    fn every_outcome_has_a_word() {
        for word in ["done", "refused", "superseded", "transient", "unknown", "fault"] {
            assert_eq!(word.parse::<Outcome>().map(|outcome| outcome.to_string()).as_deref(), Ok(word));
        }
        assert_eq!("Done".parse::<Outcome>(), Err(NoOutcome));
    }
}
