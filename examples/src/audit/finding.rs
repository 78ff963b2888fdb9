//! What an audit can find.

use std::fmt;

use crate::money::Cents;
use crate::service::kind::ServiceKind;
use crate::service::wire::{Held, What};

/// One thing that does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy<K> {
    /// Where.
    pub service: K,
    /// Whose, if it is anybody's.
    pub saga: Option<String>,
    /// Under which idempotency key, if the service knows it.
    pub key: Option<String>,
    /// What is wrong.
    pub finding: Finding,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The service holds it, and no completed saga owns it.
    Leaked {
        /// The service's name for it.
        id: String,
        /// What it is.
        thing: Thing,
    },
    /// The service holds it for a saga that has not ended.
    Unfinished {
        /// The service's name for it.
        id: String,
        /// What it is.
        thing: Thing,
        /// How the saga stands, in a word.
        standing: &'static str,
    },
    /// A completed saga owns it, and the service does not hold it.
    Lost {
        /// The service's name for it.
        id: String,
        /// What it is.
        thing: Thing,
    },
    /// The service holds something else under this name than the saga owns.
    Differs {
        /// The service's name for it.
        id: String,
        /// What the service holds.
        held: Thing,
        /// What the saga owns.
        owned: Thing,
    },
    /// Held and left do not make up what there was.
    Stock {
        /// Which item.
        item: String,
        /// What there was.
        initial: i64,
        /// What is held.
        held: i64,
        /// What is left.
        remaining: i64,
    },
}

/// Something that a service holds or a saga owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// What it is.
    pub what: What,
    /// Which item of the stock; or else, what it stands for.
    pub item: String,
    /// How many.
    pub quantity: i64,
    /// What it costs.
    pub amount: Cents,
}

impl Thing {
    /// What is held.
    pub(super) fn of(held: &Held) -> Self {
        Self {
            what: held.what.clone(),
            item: held.item.clone(),
            quantity: held.quantity,
            amount: held.amount,
        }
    }
}

impl<K: ServiceKind> fmt::Display for Discrepancy<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} service: ", self.service)?;
        self.finding.describe(K::SUBJECT, f)?;
        if let Some(saga) = &self.saga {
            write!(f, " (saga {saga}")?;
            if let Some(key) = &self.key {
                write!(f, ", key {key}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl Finding {
    fn describe(&self, subject: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaked { id, thing } => {
                write!(f, "{id} is held, and no completed {subject} owns it: {thing}")
            }
            Self::Unfinished { id, thing, standing } => {
                let article = if subject.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                write!(f, "{id} is held for {article} {subject} that is {standing}: {thing}")
            }
            Self::Lost { id, thing } => {
                write!(f, "{id} is owned by a completed {subject}, and not held for it: {thing}")
            }
            Self::Differs { id, held, owned } => write!(f, "{id} is held as {held}, and owned as {owned}"),
            Self::Stock { item, initial, held, remaining } => {
                write!(f, "{item} had {initial}; {held} held and {remaining} left make {}", held + remaining)
            }
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} × {} for {}", self.what, self.quantity, self.item, self.amount)
    }
}
