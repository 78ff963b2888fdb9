//! Only one arm of an `if` is taken.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        if trip.days > 3 {
            step flight: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);
        } else {
            step hotel: Hotel = hotels.reserve(cx, flight)
                compensate hotels.cancel_by_key(cx);
        }
    }
}

fn main() {}
