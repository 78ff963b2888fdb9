//! A step has no call.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight compensate flights.cancel(cx, flight);
        pivot receipt: Receipt = ;
    }
}

fn main() {}
