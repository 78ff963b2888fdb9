//! The call returns another type.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Hotel = flights.reserve(cx, trip)
            compensate nothing;
    }
}

fn main() {}
