//! A signal is written to the log.

#[path = "../travel.rs"]
mod travel;
use travel::*;

pub struct Signal;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        receive approval: Signal within 24h;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
