//! Before the pivot every effect has a compensation.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip);
        step hotel: Hotel = hotels.reserve(cx, flight)
            probe hotels.find(cx)
            compensate hotels.cancel(cx, hotel);
    }
}

fn main() {}
