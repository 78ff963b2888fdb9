//! For any participants: a do whose outcome is unknown is never repeated.

use saga_runtime::saga;
use serde_json::Value;

use crate::worker::participants::Participant;
use crate::worker::trip::{Itinerary, Trip};

saga! {
    /// Books a flight, a hotel and a car: all of them, or none.
    pub saga BookTrip(trip: Trip) -> Itinerary {
        with flights: Participant, hotels: Participant, cars: Participant;
        // The client's own time-out, `--call-timeout`, is shorter, so that it is the one that speaks.
        timeout 1m;
        retry 5 times every 50ms..2s;

        step flight: Value = flights.act(cx, trip)
            compensate flights.undo(cx, trip);

        step hotel: Value = hotels.act(cx, trip)
            compensate hotels.undo(cx, trip);

        step car: Value = cars.act(cx, trip)
            compensate cars.undo(cx, trip);

        return Itinerary { flight, hotel, car };
    }
}
