//! The client of the car service.

use saga_runtime::{Context, Keyed};

use super::{Desk, DeskError};
use crate::service::wire::{CancelByKey, Cancelled};
use crate::travel::trip::{CarReservation, FlightReservation, Trip};
use crate::travel::wire::{Operation, ReserveCar};

/// Books cars. The service is keyed.
#[derive(Debug, Clone)]
pub struct CarDesk(pub(super) Desk);

impl Keyed for CarDesk {}

impl CarDesk {
    /// Holds a car that waits for the flight.
    pub async fn reserve(
        &self,
        cx: &Context,
        trip: &Trip,
        flight: &FlightReservation,
    ) -> Result<CarReservation, DeskError> {
        let flight = flight.flight.clone();
        let request = ReserveCar { city: trip.to.clone(), flight, date: trip.date, days: trip.nights };
        self.0.call(cx, Operation::Reserve, &request).await
    }

    /// Gives the car back. By key: a reservation that is still on its way is refused when it comes.
    pub async fn cancel(&self, cx: &Context, _car: &CarReservation) -> Result<(), DeskError> {
        let action_key = cx.action_key().to_string();
        let _: Cancelled = self.0.call(cx, Operation::Cancel, &CancelByKey { action_key }).await?;
        Ok(())
    }
}
