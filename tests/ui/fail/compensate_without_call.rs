//! A compensation says nothing.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip) compensate;
        pivot receipt: Receipt = flights.pay(cx) probe;
    }
}

fn main() {}
