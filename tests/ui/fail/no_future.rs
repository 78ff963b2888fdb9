//! A call that is not asynchronous.

#[path = "../travel.rs"]
mod travel;
use travel::*;

fn book(_: &saga_runtime::Context) -> Result<Flight, DeskError> {
    Ok(Flight)
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        read flight: Flight = book(cx);
    }
}

fn main() {}
