//! A `lock` is said for the whole saga.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        if trip.days > 3 {
            lock trip.days;
            step flight: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);
        }
    }
}

fn main() {}
