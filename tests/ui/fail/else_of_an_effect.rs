//! Before the pivot a step that fails turns the saga.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight)
            else Flight;
        pivot receipt: Receipt = flights.pay(cx) else Receipt;
    }
}

fn main() {}
