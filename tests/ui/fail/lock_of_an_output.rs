//! Before the first step there is no output.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        lock "trips", flight.number;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
