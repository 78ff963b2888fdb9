//! Options of `#[saga(…)]` that are none.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    #[saga(crate = saga_runtime, versoin = 2)]
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        pivot flight: Flight = flights.reserve(cx, trip);
    }
}

fn main() {}
