//! There is no such input.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        pivot flight: Flight = flights.reserve(cx, tripp);
    }
}

fn main() {}
