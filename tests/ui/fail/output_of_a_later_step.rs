//! A step uses the output of a later step.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step hotel: Hotel = hotels.reserve(cx, flight)
            compensate hotels.cancel_by_key(cx);
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
