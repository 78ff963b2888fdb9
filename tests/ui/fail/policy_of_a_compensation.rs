//! Only policies stand behind the call of a compensation.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight) { timeuot 3s, keyed };
    }
}

fn main() {}
