//! What a completed order owns of each service.

use super::fulfilment::Fulfilment;
use super::kind::ServiceKind;
use super::wire::{HANDOVER, LABEL, NOTICE, PARCEL, PAYMENT, PICK};
pub use crate::audit::{AuditError, audit, compare, fetch_holdings};
use crate::audit::{Owned, Owner};
use crate::money::Cents;
use crate::service::wire::Held;

/// An order that was fulfilled, and so owns what its fulfilment names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfilled {
    /// The saga that fulfilled it.
    pub saga: String,
    /// What it owns.
    pub fulfilment: Fulfilment,
}

/// Who may own what the services hold.
pub type Owners = crate::audit::Owners<Fulfilled>;

impl Owner for Fulfilled {
    type Kind = ServiceKind;

    fn saga(&self) -> &str {
        &self.saga
    }

    fn owned(&self, service: ServiceKind) -> Vec<Owned> {
        let Fulfilment { picks, consent: _, shipment, payment, dispatched, notice } = &self.fulfilment;
        let nothing = Cents(0);
        match service {
            ServiceKind::Payment => {
                let amount = payment.amount;
                vec![Owned::new(&payment.payment, &PAYMENT, &payment.card.0, (amount.0, amount))]
            }
            ServiceKind::Inventory => (picks.iter())
                .map(|pick| Owned::new(&pick.pick, &PICK, &pick.shelf, (pick.quantity, nothing)))
                .collect(),
            ServiceKind::Shipping => {
                let (parcel, label) = (&shipment.parcel, &shipment.label);
                vec![
                    Owned::new(&parcel.parcel, &PARCEL, &parcel.lane, (1, parcel.cost)),
                    Owned::new(&label.label, &LABEL, &label.parcel, (1, nothing)),
                    Owned::new(&dispatched.dispatch, &HANDOVER, &dispatched.parcel, (1, nothing)),
                ]
            }
            ServiceKind::Notice => (notice.iter())
                .map(|notice| Owned::new(&notice.notice, &NOTICE, notice.mail.domain(), (1, nothing)))
                .collect(),
        }
    }

    /// The message to the customer is best effort: one whose reply was lost may have been sent all the same.
    fn may_have_left(&self, held: &Held) -> bool {
        held.what == NOTICE && self.fulfilment.notice.is_none()
    }
}
