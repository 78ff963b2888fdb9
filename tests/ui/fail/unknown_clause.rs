//! A clause goes by another name.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip)
            undo flights.cancel(cx, flight);

        step hotel: Hotel = hotels.reserve(cx, flight)
            because hotels.find(cx)
            compensate hotels.cancel_by_key(cx);
    }
}

fn main() {}
