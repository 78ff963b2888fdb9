//! A step has no type; who uses its output is not blamed too.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight = flights.reserve(cx, trip) compensate flights.cancel(cx, flight);
        step hotel: Hotel = hotels.reserve(cx, flight)
            probe hotels.find(cx)
            compensate hotels.cancel(cx, hotel);
    }
}

fn main() {}
