//! The client of the hotel service.

use saga_runtime::Context;

use super::{Desk, DeskError};
use crate::service::wire::Cancelled;
use crate::travel::trip::{FlightReservation, HotelReservation, Trip};
use crate::travel::wire::{CancelReservation, Found, Operation, ReserveRooms};

/// Books rooms. The service is *not* keyed: after an answer was lost, [`find`](Self::find) tells what became of it.
#[derive(Debug, Clone)]
pub struct HotelDesk(pub(super) Desk);

impl HotelDesk {
    /// Holds a room for every two travellers.
    pub async fn reserve(
        &self,
        cx: &Context,
        trip: &Trip,
        _flight: &FlightReservation,
    ) -> Result<HotelReservation, DeskError> {
        let request = ReserveRooms {
            city: trip.to.clone(),
            arrival: trip.date,
            nights: trip.nights,
            rooms: trip.rooms(),
        };
        self.0.call(cx, Operation::Reserve, &request).await
    }

    /// What an earlier attempt holds. `None`: it holds nothing, and the service has barred it, so it never will.
    pub async fn find(&self, cx: &Context) -> Result<Option<HotelReservation>, DeskError> {
        let found: Found = self.0.ask(cx, Operation::Probe, &serde_json::json!({})).await?;
        Ok(found.reservation)
    }

    /// Gives the rooms back.
    pub async fn cancel(&self, cx: &Context, hotel: &HotelReservation) -> Result<(), DeskError> {
        let reservation = hotel.reservation.clone();
        let _: Cancelled = self.0.call(cx, Operation::Cancel, &CancelReservation { reservation }).await?;
        Ok(())
    }
}
