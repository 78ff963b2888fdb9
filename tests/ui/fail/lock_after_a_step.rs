//! All locks are taken before anything is done.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
        lock trip.days;
    }
}

fn main() {}
