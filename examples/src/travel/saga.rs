//! The saga, and how trips are run through it.
//!
//! PLACEHOLDER: until `saga!` and the coordinator are here, [`book`] does the steps in memory, so that everything
//! around it can be built and tested. It forgets everything in a crash, and it gives up where it is in doubt.

use saga_runtime::{Context, FailureKind, SagaId, StepError};

use super::desk::{DeskError, Desks};
use super::trip::{Itinerary, Trip, total};

/// The steps of the saga, in the order in which they are declared.
pub const STEPS: [&str; 5] = ["flight", "hotel", "car", "receipt", "voucher"];

/// What became of a trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything is booked.
    Completed(Box<Itinerary>),
    /// Nothing is booked.
    Compensated {
        /// Why.
        reason: String,
    },
    /// It waits for an operator.
    Parked {
        /// What may still be in effect, and why.
        residue: String,
    },
}

/// Books one trip.
pub async fn book(desks: &Desks, trip: &Trip) -> Ending {
    let saga = match SagaId::new(&trip.id) {
        Ok(saga) => saga,
        Err(error) => return Ending::Compensated { reason: error.to_string() },
    };
    let mut undo = Vec::new();
    let error = match book_forward(desks, trip, &saga, &mut undo).await {
        Ok(itinerary) => return Ending::Completed(Box::new(itinerary)),
        Err(error) => error,
    };
    if error.kind() == FailureKind::Unknown {
        return Ending::Parked { residue: error.to_string() };
    }
    for undo in undo.into_iter().rev() {
        if let Err(error) = undo.run(desks, &saga).await {
            return Ending::Parked { residue: error.to_string() };
        }
    }
    Ending::Compensated { reason: error.to_string() }
}

enum Undo {
    Flight(super::trip::FlightReservation),
    Hotel(super::trip::HotelReservation),
    Car(super::trip::CarReservation),
}

impl Undo {
    async fn run(self, desks: &Desks, saga: &SagaId) -> Result<(), DeskError> {
        let cx = |step| Context::compensation("BookTrip", saga.clone(), step, 1);
        match self {
            Self::Flight(flight) => desks.flights.cancel(&cx("flight"), &flight).await,
            Self::Hotel(hotel) => desks.hotels.cancel(&cx("hotel"), &hotel).await,
            Self::Car(car) => desks.cars.cancel(&cx("car"), &car).await,
        }
    }
}

async fn book_forward(
    desks: &Desks,
    trip: &Trip,
    saga: &SagaId,
    undo: &mut Vec<Undo>,
) -> Result<Itinerary, DeskError> {
    let cx = |step| Context::action("BookTrip", saga.clone(), step, 1);
    let flight = desks.flights.reserve(&cx("flight"), trip).await?;
    undo.push(Undo::Flight(flight.clone()));
    let hotel = desks.hotels.reserve(&cx("hotel"), trip, &flight).await?;
    undo.push(Undo::Hotel(hotel.clone()));
    let car = desks.cars.reserve(&cx("car"), trip, &flight).await?;
    undo.push(Undo::Car(car.clone()));
    let receipt = desks.cards.charge(&cx("receipt"), &trip.card, total(&flight, &hotel, &car)).await?;
    let voucher = desks.flights.issue_voucher(&cx("voucher"), &flight).await?;
    Ok(Itinerary { flight, hotel, car, receipt, voucher })
}
