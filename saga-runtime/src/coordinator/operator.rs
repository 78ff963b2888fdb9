//! What an operator can do about a saga, and what the log keeps of it.

use std::borrow::Cow;
use std::fmt;

use crate::coordinator::handle::HandleError;
use crate::data::DataError;
use crate::id::SagaId;
use crate::machine::Effect;

/// Who intervenes in a saga, and why: what convinced them, where they say how things stand. Both are in the saga's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Who.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What an operator does about a saga.
///
/// A step is named as [`ParkedCall::step`](crate::coordinator::ParkedCall::step) has it: `hotel`, `pick[2]` of an item,
/// `stay/hotel` of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intervention {
    /// Tries at once what waits for a back-off, or is parked.
    Retry,
    /// The action of this step took place, with this output. Where it may be tried again, it is not.
    ActionDone {
        /// The step.
        step: String,
        /// What the action would have answered, as JSON.
        output: String,
    },
    /// The action of this step, which is in doubt, did not take place and never will: see to it that what is still on its
    /// way is refused.
    ActionNotDone {
        /// The step.
        step: String,
    },
    /// The effect of this step is undone: by hand, or by an attempt whose answer was lost.
    CompensationDone {
        /// The step.
        step: String,
    },
    /// Compensates, as [`Handle::cancel`](crate::Handle::cancel) does.
    Cancel,
    /// Starts nothing any more until it is resumed. What is in flight ends, and its outcome is recorded.
    Suspend,
    /// Goes on.
    Resume,
    /// Ends the saga where it stands, with its children. What may still be in effect is recorded, and is from now on the
    /// operator's.
    Close,
}

/// What an [`Intervention`] does, without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// [`Intervention::Retry`].
    Retry,
    /// [`Intervention::ActionDone`].
    ActionDone,
    /// [`Intervention::ActionNotDone`].
    ActionNotDone,
    /// [`Intervention::CompensationDone`].
    CompensationDone,
    /// [`Intervention::Cancel`].
    Cancel,
    /// [`Intervention::Suspend`].
    Suspend,
    /// [`Intervention::Resume`].
    Resume,
    /// [`Intervention::Close`].
    Close,
}

/// An intervention that is legal now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What can be done.
    pub act: Act,
    /// With which step, where it is about one.
    pub step: Option<Cow<'static, str>>,
}

/// A saga that an operator has ended by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Who ended it, and why.
    pub by: Operator,
    /// The effects that may still hold, by step.
    pub residue: Vec<(Cow<'static, str>, Effect)>,
}

/// Why an intervention was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperateError {
    /// It does not say who makes it, or why.
    #[error("an intervention needs the name of the operator and a reason: the log keeps both")]
    Unexplained,
    /// It is not legal now.
    #[error("{wanted} is not possible for saga `{id}` as it stands ({})", offered_text(offered))]
    NotOffered {
        /// The saga.
        id: SagaId,
        /// The intervention.
        wanted: Offer,
        /// Those that are possible.
        offered: Vec<Offer>,
    },
    /// The output is not what the step answers.
    #[error(transparent)]
    Output(DataError),
    /// The saga cannot take it.
    #[error("saga `{id}` cannot take it: {cause}")]
    Illegal {
        /// The saga.
        id: SagaId,
        /// Why not.
        cause: String,
    },
    /// Whether it was made is unknown: look at the saga.
    #[error(transparent)]
    Handle(#[from] HandleError),
}

impl Intervention {
    /// What it does, and with which step.
    pub(crate) fn offer(&self) -> Offer {
        let (act, step) = match self {
            Self::Retry => (Act::Retry, None),
            Self::ActionDone { step, .. } => (Act::ActionDone, Some(step)),
            Self::ActionNotDone { step } => (Act::ActionNotDone, Some(step)),
            Self::CompensationDone { step } => (Act::CompensationDone, Some(step)),
            Self::Cancel => (Act::Cancel, None),
            Self::Suspend => (Act::Suspend, None),
            Self::Resume => (Act::Resume, None),
            Self::Close => (Act::Close, None),
        };
        Offer { act, step: step.cloned().map(Cow::Owned) }
    }

    /// The same for a step of this name.
    pub(crate) fn of_step(self, name: &str) -> Self {
        let step = name.to_owned();
        match self {
            Self::ActionDone { output, .. } => Self::ActionDone { step, output },
            Self::ActionNotDone { .. } => Self::ActionNotDone { step },
            Self::CompensationDone { .. } => Self::CompensationDone { step },
            other => other,
        }
    }
}

impl Act {
    const ALL: [Self; 8] = [
        Self::Retry,
        Self::ActionDone,
        Self::ActionNotDone,
        Self::CompensationDone,
        Self::Cancel,
        Self::Suspend,
        Self::Resume,
        Self::Close,
    ];

    /// The word that logs store and people read; [`Act::parse`] reads it back.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::ActionDone => "action done",
            Self::ActionNotDone => "action not done",
            Self::CompensationDone => "compensation done",
            Self::Cancel => "cancel",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Close => "close",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == text)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "`{}` of `{step}`", self.act),
            None => write!(f, "`{}`", self.act),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "closed by {}", self.by)?;
        for (i, (step, effect)) in self.residue.iter().enumerate() {
            let separator = if i == 0 { " (may still be in effect: " } else { ", " };
            write!(f, "{separator}`{step}` {effect}")?;
        }
        f.write_str(if self.residue.is_empty() { "" } else { ")" })
    }
}

fn offered_text(offered: &[Offer]) -> String {
    if offered.is_empty() {
        return "nothing is".to_owned();
    }
    let offered = offered.iter().map(ToString::to_string).collect::<Vec<_>>();
    format!("possible: {}", offered.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_read_back_as_written() {
        for act in Act::ALL {
            assert_eq!(Act::parse(act.as_str()), Some(act));
        }
        assert_eq!(Act::parse("undo"), None);
    }

    #[test]
    fn what_is_not_possible_is_answered_with_what_is() {
        let offer = |act, step: Option<&'static str>| Offer { act, step: step.map(Cow::Borrowed) };
        let error = OperateError::NotOffered {
            id: SagaId::new("trip-1").unwrap(),
            wanted: offer(Act::ActionDone, Some("hotel")),
            offered: vec![offer(Act::Retry, None), offer(Act::CompensationDone, Some("flight"))],
        };
        let text = "`action done` of `hotel` is not possible for saga `trip-1` as it stands \
                    (possible: `retry`, `compensation done` of `flight`)";
        assert_eq!(error.to_string(), text);
    }
}
