//! What is locked follows from the inputs alone.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        lock flights.name();
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
