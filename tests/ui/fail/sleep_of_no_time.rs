//! A `sleep` says how long.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        sleep;
        sleep 5;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
