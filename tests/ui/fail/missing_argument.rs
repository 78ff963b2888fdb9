//! An argument is missing.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
