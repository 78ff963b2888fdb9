//! Siblings of a pivot could still fail.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        parallel {
            pivot receipt: Receipt = flights.pay(cx);
            step flight: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);
        }
    }
}

fn main() {}
