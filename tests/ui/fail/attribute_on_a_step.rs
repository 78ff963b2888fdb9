//! A step has documentation, and no other attribute.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        /// Holds a seat.
        #[cfg(windows)]
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
