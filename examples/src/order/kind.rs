//! The four services, and what each can be asked to do.

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::service;
use super::stock::Stock;
use super::wire::{AUTHORIZATION, HANDOVER, INBOX, LABEL, NOTICE, PARCEL, PAYMENT, PICK};
use crate::service::answer::{Answer, Call};
use crate::service::kind::{self, ServiceKind as _, View, words};
use crate::service::stock::{StockError, StockItem};
use crate::service::wire::What;

/// One of the four services. All of them are keyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// Money.
    Payment,
    /// Goods.
    Inventory,
    /// Parcels, labels, and their way.
    Shipping,
    /// Messages to customers, and questions to humans.
    Notice,
}

/// What a service can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Set money aside on a card.
    Authorize,
    /// Take the money that was set aside.
    Capture,
    /// Give up an authorization, or a label.
    Void,
    /// Take units from a shelf.
    Reserve,
    /// Put them back.
    Release,
    /// Make a parcel.
    Pack,
    /// Take it apart.
    Unpack,
    /// Make a label for a parcel.
    Label,
    /// Hand a parcel over to its carrier.
    Dispatch,
    /// Ask a human for approval.
    Ask,
    /// Write to a customer.
    Notify,
}

impl ServiceKind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Payment, Self::Inventory, Self::Shipping, Self::Notice];
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Authorize,
        Self::Capture,
        Self::Void,
        Self::Reserve,
        Self::Release,
        Self::Pack,
        Self::Unpack,
        Self::Label,
        Self::Dispatch,
        Self::Ask,
        Self::Notify,
    ];

    /// Its name in faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Pack => "pack",
            Self::Unpack => "unpack",
            Self::Label => "label",
            Self::Dispatch => "dispatch",
            Self::Ask => "ask",
            Self::Notify => "notify",
        }
    }
}

impl kind::ServiceKind for ServiceKind {
    type Operation = Operation;
    type Addresses = Addresses;
    type Stock = Stock;

    const SERVICES: &'static [Self] = &Self::ALL;
    const SUBJECT: &'static str = "order";
    const DATA: &'static str = "order-data";
    const SCHEMA: &'static str = service::SCHEMA;

    fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Inventory => "inventory",
            Self::Shipping => "shipping",
            Self::Notice => "notice",
        }
    }

    fn operations(self) -> &'static [Operation] {
        match self {
            Self::Payment => &[Operation::Authorize, Operation::Void, Operation::Capture],
            Self::Inventory => &[Operation::Reserve, Operation::Release],
            Self::Shipping => {
                &[Operation::Pack, Operation::Unpack, Operation::Label, Operation::Void, Operation::Dispatch]
            }
            Self::Notice => &[Operation::Ask, Operation::Notify],
        }
    }

    fn path(self, operation: Operation) -> &'static str {
        match (self, operation) {
            (_, Operation::Authorize) => "/authorizations",
            (Self::Shipping, Operation::Void) => "/labels/void",
            (_, Operation::Void) => "/authorizations/void",
            (_, Operation::Capture) => "/payments",
            (_, Operation::Reserve) => "/picks",
            (_, Operation::Release) => "/picks/release",
            (_, Operation::Pack) => "/parcels",
            (_, Operation::Unpack) => "/parcels/unpack",
            (_, Operation::Label) => "/labels",
            (_, Operation::Dispatch) => "/dispatches",
            (_, Operation::Ask) => "/questions",
            (_, Operation::Notify) => "/notices",
        }
    }

    fn things(self) -> &'static [What] {
        match self {
            Self::Payment => const { &[AUTHORIZATION, PAYMENT] },
            Self::Inventory => const { &[PICK] },
            Self::Shipping => const { &[PARCEL, LABEL, HANDOVER] },
            Self::Notice => const { &[NOTICE] },
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Payment => "money",
            Self::Inventory => "units",
            Self::Shipping => "parcels",
            Self::Notice => "messages",
        }
    }

    fn counts_money(self) -> bool {
        self == Self::Payment
    }

    fn views(self) -> &'static [View] {
        match self {
            Self::Notice => &[View { path: INBOX, read: service::questions }],
            _ => &[],
        }
    }

    fn shipped_stock() -> Result<Stock, StockError> {
        Stock::shipped()
    }

    fn items(self, stock: &Stock) -> Vec<StockItem> {
        stock.items(self)
    }

    fn perform(self, tx: Transaction<'_>, call: &Call<Self>) -> rusqlite::Result<Answer> {
        service::perform(self, tx, call)
    }
}

words! {
    ServiceKind: "service";
    Operation: "operation";
}
