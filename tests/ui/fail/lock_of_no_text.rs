//! What is locked is called by a text.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        lock trip;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
