//! Behind a `for` there is an output for each item.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        for day: u32 in 0..trip.days {
            step flight: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);
        }
        step hotel: Hotel = hotels.reserve(cx, flight)
            compensate hotels.cancel_by_key(cx);
    }
}

fn main() {}
