//! An expression for a time-out is a `Duration`.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        read receipt: Receipt = flights.pay(cx) timeout (5) retry 2 times every (trip)..("2s");
    }
}

fn main() {}
