//! What goes wrong in one run, and how it is written.

use std::fmt;
use std::str::FromStr;

/// What goes wrong in one run of a saga, in the order in which it happens. Written as a line that
/// [`Exploration::replay`](super::Exploration::replay) reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scenario {
    /// What happens, each at its place.
    pub decisions: Vec<Decision>,
}

/// Something that goes wrong, or that somebody does, at one place of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This call goes wrong.
    Call(CallId, Fault),
    /// The append with this number (from 1) of a life of the process (from 0) goes wrong.
    Append(usize, usize, LogFault),
    /// Somebody does this while the call is in flight.
    Command(CallId, Command),
    /// When the saga needs an operator for this time (from 1), they do this, with this step if it is about one.
    Operator(u32, Intervened, Option<String>),
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
    /// What somebody does while a call is in flight.
    Command:
    /// Cancels the saga.
    Cancel = "cancel",
    /// The process stands still until the saga's deadline has passed.
    Deadline = "deadline",
    /// An operator suspends the saga, and a day later resumes it.
    Suspend = "suspend",
    /// An operator suspends the saga, and a day later closes it.
    Close = "close",
}

words! {
    /// What an operator does who knows how things stand, other than to try again.
    Intervened:
    /// Says that an action which took place is done.
    ActionDone = "action-done",
    /// Says that an action did not take place, and bars it.
    ActionNotDone = "action-not-done",
    /// Compensates by hand.
    CompensationDone = "compensation-done",
    /// Cancels what can still turn.
    Cancelled = "cancelled",
    /// Closes the saga.
    Closed = "closed",
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
    /// The log has no room: neither this one nor the next two are durable.
    Full = "full",
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

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call, fault) => write!(f, "{call} {fault}"),
            Self::Append(life, nth, fault) => write!(f, "append {life} {nth} {fault}"),
            Self::Command(call, command) => write!(f, "{command} at {call}"),
            Self::Operator(nth, intervened, None) => write!(f, "operator {nth} {intervened}"),
            Self::Operator(nth, intervened, Some(step)) => write!(f, "operator {nth} {intervened} {step}"),
        }
    }
}

impl FromStr for Decision {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let words = text.split_whitespace().collect::<Vec<_>>();
        Ok(match *words {
            ["append", life, nth, fault] => Self::Append(number(life)?, number(nth)?, fault.parse()?),
            ["operator", nth, intervened] => Self::Operator(number(nth)?, intervened.parse()?, None),
            ["operator", nth, intervened, step] => {
                Self::Operator(number(nth)?, intervened.parse()?, Some(step.to_owned()))
            }
            [command, "at", step, kind, nth] => Self::Command(call(step, kind, nth)?, command.parse()?),
            [step, kind, nth, fault] => Self::Call(call(step, kind, nth)?, fault.parse()?),
            _ => {
                let cause = "is neither a call, an append, a command nor an operator's";
                return Err(ParseError(format!("`{text}` {cause}")));
            }
        })
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decisions = self.decisions.iter().map(ToString::to_string).collect::<Vec<_>>();
        f.write_str(&if decisions.is_empty() { "nothing".to_owned() } else { decisions.join("; ") })
    }
}

impl FromStr for Scenario {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty() && *part != "nothing");
        Ok(Self { decisions: parts.map(str::parse).collect::<Result<_, _>>()? })
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
        let decisions = vec![
            Decision::Call(call("flight", Kind::Action, 1), Fault::ReplyLost),
            Decision::Call(call("pick[2]", Kind::Compensation, 3), Fault::PanicBefore),
            Decision::Append(0, 3, LogFault::CrashAfter),
            Decision::Command(call("room/bed", Kind::Probe, 2), Command::Cancel),
            Decision::Operator(1, Intervened::ActionDone, Some("pick[2]".to_owned())),
            Decision::Operator(2, Intervened::Closed, None),
        ];
        let text = "flight action 1 reply-lost; pick[2] compensation 3 panic-before; append 0 3 crash-after; \
                    cancel at room/bed probe 2; operator 1 action-done pick[2]; operator 2 closed";
        let scenario = Scenario { decisions };
        assert_eq!(scenario.to_string(), text);
        assert_eq!(text.parse(), Ok(scenario));
        assert_eq!(Scenario::default().to_string().parse(), Ok(Scenario::default()));
        for wrong in ["flight action 1 forgotten", "flight action one twice", "append 0 crash-before", "boom"]
        {
            assert!(wrong.parse::<Scenario>().is_err(), "{wrong}");
        }
    }
}
