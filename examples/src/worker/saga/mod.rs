//! The saga, declared twice: for participants that are keyed, and for any.
//!
//! Both are one saga in the log. What is known of a participant is no part of a saga's form, so that a worker with
//! `--keyed` goes on with what one without has begun, and the other way round.

use saga_runtime::Saga;

use super::participants::Participants;
use super::trip::{Itinerary, Trip};

mod any;
mod keyed;

pub use any::BookTrip as BookTripByAny;
pub use keyed::BookTrip as BookTripByKeyed;

/// A saga that books a trip.
pub trait TripSaga: Saga<Input = Trip, Output = Itinerary> {
    /// What its calls are made on.
    fn participants(of: Participants) -> Self::Participants;
}

impl TripSaga for BookTripByAny {
    fn participants(of: Participants) -> any::BookTripParticipants {
        let Participants { flight, hotel, car } = of;
        any::BookTripParticipants { flights: flight, hotels: hotel, cars: car }
    }
}

impl TripSaga for BookTripByKeyed {
    fn participants(of: Participants) -> keyed::BookTripParticipants {
        let Participants { flight, hotel, car } = of;
        keyed::BookTripParticipants { flights: flight, hotels: hotel, cars: car }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyed_or_not_it_is_one_saga_in_the_log() {
        let (any, keyed) = (BookTripByAny::DEFINITION, BookTripByKeyed::DEFINITION);
        assert_eq!(any.full_name(), keyed.full_name());
        assert_eq!(any.fingerprint(), keyed.fingerprint());
        assert_ne!(any.steps[0].keyed, keyed.steps[0].keyed, "they do differ");
    }
}
