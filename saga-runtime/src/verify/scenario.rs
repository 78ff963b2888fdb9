//! What goes wrong in one run, and how it is written.

use std::fmt;
use std::str::FromStr;

/// What goes wrong in one run of a saga. Written as a line that [`Exploration::replay`](super::Exploration::replay) reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scenario {
    /// What happens to calls.
    pub calls: Vec<(CallId, Fault)>,
    /// What happens to appends: the append with this number (from 1) of a life of the process (from 0).
    pub appends: Vec<(usize, usize, LogFault)>,
    /// Somebody cancels while this call is in flight.
    pub cancel: Option<CallId>,
}

/// One call: the `nth` of its kind for a step, from 1. Numbers go on across crashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// The step: `flight`, `pick[2]` of an item, `room/bed` of a child.
    pub step: String,
    /// Which of its calls.
    pub kind: Kind,
    /// Its number.
    pub nth: u32,
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident: $($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)* })
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(ParseError(format!("`{text}` is none of {:?}", [$($word),*]))),
                }
            }
        }
    };
}

words! {
    /// Which call of a step.
    Kind:
    /// An action with an effect.
    Action = "action",
    /// An action without one.
    Read = "read",
    /// The probe for an action.
    Probe = "probe",
    /// The compensation.
    Compensation = "compensation",
}

words! {
    /// What goes wrong with a call.
    Fault:
    /// The participant says no.
    Refused = "refused",
    /// The participant has no time: surely no effect.
    Transient = "transient",
    /// It takes place, and the reply is lost.
    ReplyLost = "reply-lost",
    /// It never arrives, and nobody knows.
    NeverArrived = "never-arrived",
    /// Nobody knows, and it arrives just before the next call of the saga does.
    Overtaken = "overtaken",
    /// Nobody knows, and it arrives when everything else is over.
    Late = "late",
    /// It arrives twice.
    Twice = "twice",
    /// The client panics before it has sent anything.
    PanicBefore = "panic-before",
    /// The client panics after the effect.
    PanicAfter = "panic-after",
}

words! {
    /// What happens to an append.
    LogFault:
    /// The process ends before it is durable.
    CrashBefore = "crash-before",
    /// The process ends after it is durable, before anybody is told.
    CrashAfter = "crash-after",
    /// It is not durable, and the log says that it does not know.
    Lost = "lost",
    /// It is durable, and the log says that it does not know.
    Unconfirmed = "unconfirmed",
}

/// What cannot be read as a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no scenario: {0}")]
pub struct ParseError(String);

impl Fault {
    /// What can go wrong with a call of this kind. What answers by key may arrive twice.
    pub(super) fn of(kind: Kind, keyed: bool) -> impl Iterator<Item = Self> {
        use Fault::{
            Late, NeverArrived, Overtaken, PanicAfter, PanicBefore, Refused, ReplyLost, Transient, Twice,
        };
        let faults: &[Self] = match kind {
            Kind::Action | Kind::Compensation => &[
                Refused,
                Transient,
                ReplyLost,
                NeverArrived,
                Overtaken,
                Late,
                Twice,
                PanicBefore,
                PanicAfter,
            ],
            Kind::Probe => &[Refused, Transient, ReplyLost, NeverArrived, PanicBefore, PanicAfter],
            Kind::Read => &[Refused, Transient, NeverArrived, PanicBefore],
        };
        faults.iter().copied().filter(move |fault| keyed || *fault != Twice)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.step, self.kind, self.nth)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.calls.iter().map(|(call, fault)| format!("{call} {fault}"));
        let appends = self.appends.iter().map(|(life, nth, fault)| format!("append {life} {nth} {fault}"));
        let cancel = self.cancel.iter().map(|call| format!("cancel {call}"));
        let parts = calls.chain(appends).chain(cancel).collect::<Vec<_>>();
        f.write_str(&if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") })
    }
}

impl FromStr for Scenario {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut scenario = Self::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty() && *part != "nothing") {
            let words = part.split_whitespace().collect::<Vec<_>>();
            match *words {
                ["append", life, nth, fault] => {
                    scenario.appends.push((number(life)?, number(nth)?, fault.parse()?));
                }
                ["cancel", step, kind, nth] => scenario.cancel = Some(call(step, kind, nth)?),
                [step, kind, nth, fault] => scenario.calls.push((call(step, kind, nth)?, fault.parse()?)),
                _ => return Err(ParseError(format!("`{part}` is neither a call, an append nor a cancel"))),
            }
        }
        Ok(scenario)
    }
}

fn call(step: &str, kind: &str, nth: &str) -> Result<CallId, ParseError> {
    Ok(CallId { step: step.to_owned(), kind: kind.parse()?, nth: number(nth)? })
}

fn number<N: FromStr>(text: &str) -> Result<N, ParseError> {
    text.parse().map_err(|_| ParseError(format!("`{text}` is no number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_back_as_written() {
        let call = |step: &str, kind, nth| CallId { step: step.to_owned(), kind, nth };
        let scenario = Scenario {
            calls: vec![
                (call("flight", Kind::Action, 1), Fault::ReplyLost),
                (call("pick[2]", Kind::Compensation, 3), Fault::PanicBefore),
            ],
            appends: vec![(0, 3, LogFault::CrashAfter)],
            cancel: Some(call("room/bed", Kind::Probe, 2)),
        };
        let text = "flight action 1 reply-lost; pick[2] compensation 3 panic-before; append 0 3 crash-after; \
                    cancel room/bed probe 2";
        assert_eq!(scenario.to_string(), text);
        assert_eq!(text.parse(), Ok(scenario));
        assert_eq!(Scenario::default().to_string().parse(), Ok(Scenario::default()));
        for wrong in ["flight action 1 forgotten", "flight action one twice", "append 0 crash-before", "boom"]
        {
            assert!(wrong.parse::<Scenario>().is_err(), "{wrong}");
        }
    }
}
