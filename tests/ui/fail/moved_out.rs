//! Data is lent to a call, not given.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn book(_: &saga_runtime::Context, _: Trip) -> Result<Flight, DeskError> {
    Ok(Flight)
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        pivot flight: Flight = book(cx, trip) keyed;
    }
}

fn main() {}
