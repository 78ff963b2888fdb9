//! What all calls have in common.

use std::fmt;

use crate::error::Fault;
use crate::state::State;

/// The longest idempotency key, in bytes.
pub const KEY_LENGTH_MAX: usize = 1000;

/// The longest id of a saga, in bytes.
pub const SAGA_LENGTH_MAX: usize = 200;

/// What the runtime ends a compensation's own key with. No action's key ends so.
pub(crate) const COMPENSATION_SUFFIX: &str = ".compensate";

/// An action, a compensation or a probe: the pure core of the barrier, without a database.
///
/// Who uses a database that this crate does not know decides with nothing remembered, inserts what that says (there is
/// always something), and does nothing if the key is there already; in this case it reads the row *with a lock* and
/// decides again.
pub trait Call {
    /// What can follow.
    type Then;

    /// The action's idempotency key.
    fn key(&self) -> &str;

    /// The saga that calls, if it is known.
    fn saga(&self) -> Option<&str>;

    /// Decides, given what is remembered of the key. Pure.
    fn decide(&self, state: Option<&State>) -> Result<Decision<Self::Then>, Fault>;
}

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<Then> {
    /// What is to be remembered from now on, if it changes. It is written before anything else is done.
    pub write: Option<State>,
    /// What follows.
    pub then: Then,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// Do it, once.
    Action,
    /// Undo it, or see to it that it never happens.
    Compensation,
}

/// Why a call cannot be used. The caller made a mistake that it will make again: answer it as one, such as 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCall {
    /// Not an idempotency key.
    #[error("{key:?} cannot be an idempotency key: {cause}")]
    Key {
        /// The text, shortened.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Not the id of a saga.
    #[error("{saga:?} cannot be the id of a saga: {cause}")]
    Saga {
        /// The text, shortened.
        saga: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The request cannot be told from another one.
    #[error("the request to {operation} under the key {key:?} cannot be written as JSON: {cause}")]
    Request {
        /// The key.
        key: String,
        /// What was asked for.
        operation: String,
        /// What serde says.
        cause: String,
    },
}

impl<Then> Decision<Then> {
    pub(crate) fn write(state: State, then: Then) -> Self {
        Self { write: Some(state), then }
    }

    pub(crate) fn keep(then: Then) -> Self {
        Self { write: None, then }
    }
}

impl fmt::Display for CallKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Action => "action",
            Self::Compensation => "compensation",
        })
    }
}

pub(crate) fn valid_key(key: String) -> Result<String, InvalidCall> {
    match flaw(&key, KEY_LENGTH_MAX) {
        None => Ok(key),
        Some(cause) => Err(invalid_key(&key, cause)),
    }
}

pub(crate) fn invalid_key(key: &str, cause: String) -> InvalidCall {
    InvalidCall::Key { key: shorten(key), cause }
}

pub(crate) fn valid_saga(saga: String) -> Result<String, InvalidCall> {
    match flaw(&saga, SAGA_LENGTH_MAX) {
        None => Ok(saga),
        Some(cause) => Err(InvalidCall::Saga { saga: shorten(&saga), cause }),
    }
}

/// Refuses a key that was used before for another request than this one.
pub(crate) fn must_be_same(key: &str, kind: CallKind, first: i64, request: i64) -> Result<(), Fault> {
    if first == request { Ok(()) } else { Err(Fault::OtherRequest { key: key.to_owned(), kind }) }
}

/// What is wrong with a text that has to be an HTTP header's value and a database's key.
fn flaw(text: &str, length_max: usize) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if text.len() > length_max {
        return Some(format!("it has {} bytes, and {length_max} is the most", text.len()));
    }
    let (place, found) = text.char_indices().find(|(_, c)| !c.is_ascii_graphic())?;
    Some(format!("{found:?} at byte {place} is not a visible ASCII character"))
}

pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;
    use crate::{Action, Compensation, Probe};

    fn cause(result: Result<impl fmt::Debug, InvalidCall>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn strange_keys_are_refused_with_a_reason() {
        assert_eq!(cause(Action::new("", "reserve", &())), "\"\" cannot be an idempotency key: it is empty");
        assert!(
            cause(Action::new("a b", "reserve", &()))
                .ends_with("' ' at byte 1 is not a visible ASCII character")
        );
        assert!(cause(Probe::new("flügel")).ends_with("'ü' at byte 2 is not a visible ASCII character"));
        assert!(cause(Probe::new("a\0")).contains("at byte 1"));
        let long = "k".repeat(KEY_LENGTH_MAX + 1);
        assert!(
            cause(Action::new(&long, "reserve", &())).ends_with("it has 1001 bytes, and 1000 is the most")
        );
        Action::new(&long[1..], "reserve", &()).unwrap();
        let action = Action::new("k", "reserve", &()).unwrap();
        assert!(cause(action.clone().of_saga("")).starts_with("\"\" cannot be the id of a saga"));
        assert!(cause(action.of_saga("s".repeat(201))).contains("200 is the most"));
    }

    #[test]
    fn a_compensations_own_key_names_its_action_and_is_no_actions() {
        let by_own = Compensation::new("T/t-1/flight.compensate", "cancel", &()).unwrap();
        let by_action = Compensation::new("T/t-1/flight", "cancel", &()).unwrap();
        assert_eq!(by_own, by_action);
        assert!(cause(Action::new("T/t-1/flight.compensate", "reserve", &())).contains("does not end in"));
        assert!(cause(Probe::new("T/t-1/flight.compensate")).contains("by the action's key"));
        assert!(cause(Compensation::new(".compensate", "cancel", &())).contains("it is empty"));
    }
}
