//! What this version does not have it refuses by name.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        local note: u32 = write(tx);
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
