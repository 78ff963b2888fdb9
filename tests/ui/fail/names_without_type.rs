//! Inputs and participants have types.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip) {
        with flights, hotels: Hotels;
        pivot flight: Flight = flights.reserve(cx, trip);
    }
}

fn main() {}
