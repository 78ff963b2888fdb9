//! How a service can be told to misbehave, as real ones do by themselves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::kind::{ServiceKind, UnknownWord, list};

/// One way to misbehave, for some calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct Fault<K: ServiceKind> {
    /// Which calls.
    pub operation: K::Operation,
    /// What happens to them.
    pub kind: FaultKind,
    /// To how many calls. `None`: to all, until the faults are cleared.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// Only to calls of this saga.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saga: Option<String>,
}

/// A way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The work begins only after so many milliseconds, even if the caller has given up by then.
    Slow(u64),
    /// The call is refused: 422, and a keyed service keeps the refusal under the key.
    Refuse,
    /// 503, without effect.
    Unavailable,
    /// The work is done and committed, then the connection breaks in place of an answer.
    LoseReply,
    /// The connection breaks and nothing is done.
    Drop,
    /// Nothing is done and no answer ever comes.
    Hang,
    /// The service dies before it does the work.
    DieBefore,
    /// The service dies after it committed the work.
    DieAfter,
}

/// A fault, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultOrder<K: ServiceKind> {
    /// The service that shall misbehave.
    pub service: K,
    /// How.
    pub fault: Fault<K>,
}

/// Why a text is no [`FaultOrder`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFault {
    /// Parts are missing, or there are too many.
    #[error("`{text}` is no fault: write SERVICE:OPERATION:KIND[:TIMES][@SAGA], such as `{example}`")]
    Shape {
        /// What was given.
        text: String,
        /// What could have been.
        example: String,
    },
    /// An unknown service, operation or kind.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// The service has no such operation.
    #[error("the {service} service has no operation `{operation}`: it has {choices}")]
    Operation {
        /// The service.
        service: &'static str,
        /// The operation that it does not have.
        operation: String,
        /// The ones that it has.
        choices: String,
    },
    /// Not a number of milliseconds.
    #[error("`{0}` does not say how slow: write milliseconds, such as `slow(250)`")]
    Milliseconds(String),
    /// Not a number of times.
    #[error("`{0}` is no number of times: write 1 or more, or `always`")]
    Times(String),
}

impl<K: ServiceKind> Fault<K> {
    /// This kind, for the next call of `operation`.
    pub fn once(operation: K::Operation, kind: FaultKind) -> Self {
        Self { operation, kind, times: once(), saga: None }
    }

    /// The same for this many calls.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The same for all calls, until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Self {
        Self { times: None, ..self }
    }

    /// The same for calls of one saga only.
    #[must_use]
    pub fn only_for(self, saga: impl Into<String>) -> Self {
        Self { saga: Some(saga.into()), ..self }
    }

    /// Checks that `service` can have this fault.
    pub fn check(&self, service: K) -> Result<(), InvalidFault> {
        if self.times == Some(0) {
            return Err(InvalidFault::Times("0".to_owned()));
        }
        if service.operations().contains(&self.operation) {
            return Ok(());
        }
        let (operation, choices) = (self.operation.to_string(), list(service.operations()));
        Err(InvalidFault::Operation { service: service.name(), operation, choices })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
fn once() -> Option<u32> {
    Some(1)
}

impl<K: ServiceKind> FromStr for FaultOrder<K> {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let shape = || InvalidFault::Shape { text: text.to_owned(), example: example::<K>() };
        let (parts, saga) = match text.split_once('@') {
            Some((parts, saga)) if !saga.is_empty() => (parts, Some(saga.to_owned())),
            Some(_) => return Err(shape()),
            None => (text, None),
        };
        let parts: Vec<&str> = parts.split(':').collect();
        let (service, operation, kind, times) = match parts[..] {
            [service, operation, kind] => (service, operation, kind, "1"),
            [service, operation, kind, times] => (service, operation, kind, times),
            _ => return Err(shape()),
        };
        let service: K = service.parse()?;
        let times = match times {
            "always" => None,
            times => Some(times.parse().map_err(|_| InvalidFault::Times(times.to_owned()))?),
        };
        let fault = Fault { operation: operation.parse()?, kind: kind.parse()?, times, saga };
        fault.check(service)?;
        Ok(Self { service, fault })
    }
}

/// An order that could be given, for people to see how one is written.
pub fn example<K: ServiceKind>() -> String {
    let mut services = K::SERVICES.iter().filter_map(|of| Some((of, of.operations().first()?)));
    let (service, operation) = match services.nth(1) {
        Some((service, operation)) => (service.to_string(), operation.to_string()),
        None => ("SERVICE".to_owned(), "OPERATION".to_owned()),
    };
    format!("{service}:{operation}:{}:3", FaultKind::LoseReply)
}

impl FaultKind {
    /// The kinds that need no number.
    const PLAIN: [Self; 7] = [
        Self::Refuse,
        Self::Unavailable,
        Self::LoseReply,
        Self::Drop,
        Self::Hang,
        Self::DieBefore,
        Self::DieAfter,
    ];
}

impl FromStr for FaultKind {
    type Err = InvalidFault;

    fn from_str(word: &str) -> Result<Self, InvalidFault> {
        if let Some(rest) = word.strip_prefix("slow") {
            let digits = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            let milliseconds = digits.and_then(|digits| digits.parse().ok());
            return milliseconds.map(Self::Slow).ok_or_else(|| InvalidFault::Milliseconds(word.to_owned()));
        }
        Self::PLAIN.into_iter().find(|kind| kind.to_string() == word).ok_or_else(|| {
            let plain = Self::PLAIN.map(|kind| kind.to_string()).join(", ");
            UnknownWord { word: word.to_owned(), kind: "fault", choices: format!("slow(MS), {plain}") }.into()
        })
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slow(milliseconds) => return write!(f, "slow({milliseconds})"),
            Self::Refuse => "refuse",
            Self::Unavailable => "unavailable",
            Self::LoseReply => "lose-reply",
            Self::Drop => "drop",
            Self::Hang => "hang",
            Self::DieBefore => "die-before",
            Self::DieAfter => "die-after",
        })
    }
}

impl<K: ServiceKind> fmt::Display for FaultOrder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.service, self.fault.operation, self.fault.kind)?;
        match self.fault.times {
            Some(1) => {}
            Some(times) => write!(f, ":{times}")?,
            None => f.write_str(":always")?,
        }
        match &self.fault.saga {
            Some(saga) => write!(f, "@{saga}"),
            None => Ok(()),
        }
    }
}
