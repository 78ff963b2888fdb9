//! Generics are not there yet.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book<D>(trip: Trip)
    where
        D: Clone,
    {
        with flights: Flights;
        pivot flight: Flight = flights.reserve(cx, trip);
    }
}

fn main() {}
