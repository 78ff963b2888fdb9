//! Runs trips through the coordinator, and tells what became of them and who owns what.
//!
//! The saga is a parameter where tests run one of the same form with shorter timeouts.

use std::collections::BTreeMap;

use saga_runtime::{Coordinator, Saga};

use super::audit::{Booked, Owners};
use super::desk::Desks;
use super::saga::BookTripParticipants;
use super::trip::{Itinerary, Trip};
use crate::ending;
pub use crate::ending::close_books;

/// What became of a trip.
pub type Ending = crate::ending::Ending<Itinerary>;

/// Begins the trip's saga, or attaches to it if it was begun before, and waits until it has ended or an operator
/// should look at it.
pub async fn book<S>(coordinator: &Coordinator, trip: &Trip) -> Ending
where
    S: Saga<Input = Trip, Output = Itinerary>,
{
    ending::run::<S>(coordinator, &trip.id, trip.clone()).await
}

/// Who owns what, by how the trips stand.
pub fn owners(endings: &BTreeMap<String, Ending>) -> Owners {
    ending::owners(endings, |saga, itinerary| Booked { saga: saga.to_owned(), itinerary: itinerary.clone() })
}

impl From<Desks> for BookTripParticipants {
    fn from(desks: Desks) -> Self {
        let Desks { flights, hotels, cars, cards } = desks;
        Self { flights, hotels, cars, cards }
    }
}
