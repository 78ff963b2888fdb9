//! The client of the flight service.

use saga_runtime::{Context, Keyed};

use super::{Desk, DeskError};
use crate::service::wire::{CancelByKey, Cancelled};
use crate::travel::trip::{FlightReservation, Trip, Voucher};
use crate::travel::wire::{IssueVoucher, Operation, ReserveSeats};

/// Books seats. The service is keyed.
#[derive(Debug, Clone)]
pub struct FlightDesk(pub(super) Desk);

impl Keyed for FlightDesk {}

impl FlightDesk {
    /// Holds a seat for each traveller.
    pub async fn reserve(&self, cx: &Context, trip: &Trip) -> Result<FlightReservation, DeskError> {
        let Trip { from, to, date, .. } = trip.clone();
        self.0.call(cx, Operation::Reserve, &ReserveSeats { from, to, date, seats: trip.seats() }).await
    }

    /// Gives the seats back. By key: a reservation that is still on its way is refused when it comes.
    pub async fn cancel(&self, cx: &Context, _flight: &FlightReservation) -> Result<(), DeskError> {
        let action_key = cx.action_key().to_string();
        let _: Cancelled = self.0.call(cx, Operation::Cancel, &CancelByKey { action_key }).await?;
        Ok(())
    }

    /// Issues the voucher for paid seats.
    pub async fn issue_voucher(
        &self,
        cx: &Context,
        flight: &FlightReservation,
    ) -> Result<Voucher, DeskError> {
        let reservation = flight.reservation.clone();
        self.0.call(cx, Operation::Voucher, &IssueVoucher { reservation }).await
    }
}
