//! Clauses follow one another without a comma.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip)
            timeout 5s,
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
