//! The participant has no such method.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserv(cx, trip)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
