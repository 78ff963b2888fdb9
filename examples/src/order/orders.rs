//! An order: what a saga is begun with.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::values::{Country, Mail, Sku};
use crate::lines::Entry;
pub use crate::money::{Card, Cents};

/// An order for more than this needs the approval of a human.
pub const APPROVAL_LIMIT: Cents = Cents(100_000);

/// How long the human has to decide. In a shop that would be a day.
pub const APPROVAL_TIME: Duration = Duration::from_secs(3);

/// How long the customer may still cancel before anything is packed. In a shop that would be half an hour.
pub const GRACE_PERIOD: Duration = Duration::from_millis(300);

/// One order as a line of the orders file asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Names the order, and the saga that fulfils it.
    pub id: String,
    /// Who orders. One order of a customer is fulfilled at a time.
    pub customer: String,
    /// Where the customer reads mail.
    pub mail: Mail,
    /// The card that pays.
    pub card: Card,
    /// Where the parcel goes.
    pub destination: Destination,
    /// What is ordered: each article once.
    pub lines: Vec<OrderLine>,
    /// What the human will say who is asked for approval: here the program plays the human. Only of an order above
    /// [`APPROVAL_LIMIT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Verdict>,
}

/// An article, how many of it, and for how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// The article.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// For one, as agreed with the customer.
    pub price: Cents,
}

/// Where a parcel goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Street and number.
    pub street: String,
    /// Town, with its postal code.
    pub city: String,
    /// Country.
    pub country: Country,
}

/// What a human says about an order above the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It shall be fulfilled.
    Approve,
    /// It shall not.
    Refuse,
    /// Nothing, ever.
    Never,
}

impl Order {
    /// What the customer pays.
    pub fn total(&self) -> Cents {
        self.lines.iter().map(|line| line.price.times(i64::from(line.quantity))).sum()
    }

    /// Whether a human has to approve it.
    pub fn needs_approval(&self) -> bool {
        self.total() > APPROVAL_LIMIT
    }
}

impl Entry for Order {
    fn id(&self) -> &str {
        &self.id
    }
}
