//! The value behind `else` takes the output's place.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        read flight: Flight = flights.reserve(cx, trip) else Receipt;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
