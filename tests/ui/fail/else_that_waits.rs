//! The value behind `else` is there at once.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        read flight: Flight = flights.reserve(cx, trip) else any_flight(trip).await;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
