//! What clients and services of every example say to each other. JSON over HTTP.
//!
//! The answer's status says what is known of the effect:
//!
//! | status | meaning |
//! | --- | --- |
//! | 2xx | done, with the result as body |
//! | 422 | refused, surely no effect; the body is a [`Refusal`] |
//! | 409 | superseded: a compensation or a probe was faster; surely no effect; the body is a [`Refusal`] |
//! | 503 | for the moment not available, surely no effect |
//! | anything else, or no whole answer | nobody can say |

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Cents;

/// The header that names the effect: the same for every attempt.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that names the saga.
pub const SAGA_ID: &str = "saga-id";
/// The header that numbers the attempt.
pub const ATTEMPT: &str = "attempt";

/// Asks a keyed service to undo what was, or will be, done for `action_key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelByKey {
    /// The key of the action.
    pub action_key: String,
}

/// What a cancellation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Whether something was held until now. Cancelling nothing, or twice, is fine.
    pub was_held: bool,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In words for people.
    pub reason: String,
}

/// Everything that a service holds and has left: what an audit reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings<K> {
    /// Whose.
    pub service: K,
    /// What is held and not cancelled, oldest first.
    pub held: Vec<Held>,
    /// What there is to be taken.
    pub stock: Vec<StockLevel>,
}

/// One thing that a service holds for a saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The service's name for it, such as `flight-17`.
    pub id: String,
    /// The idempotency key that it was asked for with.
    pub key: String,
    /// The saga that it was asked for by.
    pub saga: String,
    /// What it is.
    pub what: What,
    /// Which item of the stock; or else, what it stands for.
    pub item: String,
    /// How many.
    pub quantity: i64,
    /// What it costs.
    pub amount: Cents,
}

/// A sort of things that can be held, such as reservations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct What {
    name: Cow<'static, str>,
    from_stock: bool,
}

/// How much of an item there was, and is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// Which item.
    pub item: String,
    /// When the service was new.
    pub initial: i64,
    /// Now.
    pub remaining: i64,
}

impl What {
    /// Things that are taken from stock, and go back to it when they are given back.
    pub const fn from_stock(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), from_stock: true }
    }

    /// Things that are made when they are asked for, such as papers.
    pub const fn made(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), from_stock: false }
    }

    /// Whether it is taken from stock.
    pub fn is_from_stock(&self) -> bool {
        self.from_stock
    }

    /// In a word, such as `reservation`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}
