//! A call is half typed; the other steps are still checked.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.
            compensate flights.cancel(cx, flight);

        step hotel: Hotel = hotels.reserve(cx, flight)
            compensate hotels.cancel_by_key(cx);
    }
}

fn main() {}
