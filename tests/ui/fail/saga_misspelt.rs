//! The word `saga` is misspelt, or missing.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    sga Book(trip: Trip) {
        with flights: Flights;
        pivot flight: Flight = flights.reserve(cx, trip);
    }

    fn other() {}
}

fn main() {}
