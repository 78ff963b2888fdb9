//! A name in a format string is a use.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        pivot receipt: Receipt = flights.pay(cx, format!("{flight}"));
        step flight: Flight = flights.reserve(cx, trip);
    }
}

fn main() {}
