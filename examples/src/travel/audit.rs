//! What a completed trip owns of each service.

use super::trip::Itinerary;
use super::values::Cents;
use super::wire::{CHARGE, RESERVATION, ServiceKind, VOUCHER};
pub use crate::audit::{AuditError, Discrepancy, Finding, Thing, audit, compare, fetch_holdings};
use crate::audit::{Owned, Owner};

/// A trip that was completed, and so owns what its itinerary names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// The saga that booked it.
    pub saga: String,
    /// What it owns.
    pub itinerary: Itinerary,
}

/// Who may own what the services hold.
pub type Owners = crate::audit::Owners<Booked>;

impl Owner for Booked {
    type Kind = ServiceKind;

    fn saga(&self) -> &str {
        &self.saga
    }

    fn owned(&self, service: ServiceKind) -> Vec<Owned> {
        let Itinerary { flight, hotel, car, receipt, voucher } = &self.itinerary;
        match service {
            ServiceKind::Flight => vec![
                Owned::new(&flight.reservation, &RESERVATION, &flight.flight, (flight.seats, flight.price)),
                Owned::new(&voucher.voucher, &VOUCHER, &voucher.reservation, (1, Cents(0))),
            ],
            ServiceKind::Hotel => {
                vec![Owned::new(&hotel.reservation, &RESERVATION, &hotel.hotel, (hotel.rooms, hotel.price))]
            }
            ServiceKind::Car => (car.iter())
                .map(|car| Owned::new(&car.reservation, &RESERVATION, &car.station, (1, car.price)))
                .collect(),
            ServiceKind::Card => {
                let amount = receipt.amount;
                vec![Owned::new(&receipt.receipt, &CHARGE, &receipt.card.0, (amount.0, amount))]
            }
        }
    }
}
