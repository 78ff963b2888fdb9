//! What becomes of an order: the outputs of the sagas' steps, and of the sagas.

use std::future::{Ready, ready};

use serde::{Deserialize, Serialize};

use super::values::{Mail, Sku};
use crate::money::{Card, Cents};

/// Money set aside on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The payment service's name for it.
    pub authorization: String,
    /// On which card.
    pub card: Card,
    /// How much.
    pub amount: Cents,
}

/// Units of one article, taken from a shelf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// The inventory service's name for it.
    pub pick: String,
    /// The article.
    pub sku: Sku,
    /// The shelf.
    pub shelf: String,
    /// How many.
    pub quantity: i64,
}

/// A question to a human, sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// The notice service's name for it.
    pub request: String,
}

/// The human's answer: the signal that the saga waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who decided.
    pub by: String,
    /// Whether the order shall be fulfilled.
    pub granted: bool,
}

/// That a human agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who.
    pub by: String,
}

/// A parcel that a carrier takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The shipping service's name for it.
    pub parcel: String,
    /// The order that it is for.
    pub order: String,
    /// The carrier, and where to: the lane.
    pub lane: String,
    /// How many pieces are in it.
    pub pieces: i64,
    /// What the carrier takes for it.
    pub cost: Cents,
}

/// What sticks on a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The shipping service's name for it.
    pub label: String,
    /// The parcel.
    pub parcel: String,
}

/// A parcel that is ready to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The parcel.
    pub parcel: Parcel,
    /// Its label.
    pub label: Label,
}

/// Money taken from a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The payment service's name for it.
    pub payment: String,
    /// The card.
    pub card: Card,
    /// How much.
    pub amount: Cents,
}

/// A parcel handed over to its carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The shipping service's name for it.
    pub dispatch: String,
    /// The parcel.
    pub parcel: String,
}

/// A message to the customer, sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The notice service's name for it.
    pub notice: String,
    /// To whom.
    pub mail: Mail,
}

/// A fulfilled order: everything or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    /// What was picked, line by line.
    pub picks: Vec<Pick>,
    /// The human's consent, if it was needed.
    pub consent: Option<Consent>,
    /// What was packed.
    pub shipment: Shipment,
    /// What was paid.
    pub payment: Payment,
    /// That it is on its way.
    pub dispatched: Dispatch,
    /// That the customer was told; best effort.
    pub notice: Option<Notice>,
}

/// Why an order goes no further though a human has decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, saga_runtime::StepError)]
pub enum ApprovalError {
    /// The human said no.
    #[error("{by} has not approved the order")]
    #[outcome(refused)]
    Denied {
        /// Who.
        by: String,
    },
}

/// Goes on if the human agreed, and refuses if not: the order is then compensated.
pub fn consent_of(approval: &Approval) -> Ready<Result<Consent, ApprovalError>> {
    let by = approval.by.clone();
    ready(if approval.granted { Ok(Consent { by }) } else { Err(ApprovalError::Denied { by }) })
}
