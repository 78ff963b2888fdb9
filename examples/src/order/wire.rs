//! What clients and the four services say to each other: things, requests and answers.

use serde::{Deserialize, Serialize};

use super::orders::Destination;
use super::values::{Country, Mail, Sku};
use crate::money::{Card, Cents};
use crate::service::wire::What;

/// Where the questions to humans can be seen, at the notice service.
pub const INBOX: &str = "/inbox";

/// Money set aside: taken from the card's limit.
pub const AUTHORIZATION: What = What::from_stock("authorization");
/// Money taken: it stays taken from the card's limit.
pub const PAYMENT: What = What::from_stock("payment");
/// Units of an article: taken from a shelf.
pub const PICK: What = What::from_stock("pick");
/// A parcel: taken from what a carrier can send.
pub const PARCEL: What = What::from_stock("parcel");
/// A paper for a parcel.
pub const LABEL: What = What::made("label");
/// That a parcel is on its way.
pub const HANDOVER: What = What::made("handover");
/// A message to a customer: taken from what a gateway accepts.
pub const NOTICE: What = What::from_stock("notice");

/// Asks the payment service to set money aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorize {
    /// On which card.
    pub card: Card,
    /// How much.
    pub amount: Cents,
}

/// Asks the payment service to take the money that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The payment service's name for the authorization.
    pub authorization: String,
}

/// Asks the inventory service for units of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveUnits {
    /// The article.
    pub sku: Sku,
    /// How many.
    pub quantity: i64,
}

/// Asks the shipping service to make a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// The order that it is for.
    pub order: String,
    /// Where it goes.
    pub country: Country,
    /// How many pieces are in it.
    pub pieces: i64,
}

/// Asks the shipping service for a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeLabel {
    /// The shipping service's name for the parcel.
    pub parcel: String,
    /// Where it goes.
    pub destination: Destination,
}

/// Asks the shipping service to hand a parcel over to its carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// The shipping service's name for the parcel.
    pub parcel: String,
    /// And for its label.
    pub label: String,
}

/// Asks the notice service to ask a human for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskForApproval {
    /// Who orders.
    pub customer: String,
    /// For how much.
    pub total: Cents,
}

/// Asks the notice service to write to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// To whom.
    pub mail: Mail,
    /// What.
    pub text: String,
}

/// A question to a human, as the human sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The notice service's name for it.
    pub request: String,
    /// The saga that asks.
    pub saga: String,
    /// Who orders.
    pub customer: String,
    /// For how much.
    pub total: Cents,
}
