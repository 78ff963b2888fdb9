//! An error does not say whether the effect took place.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn book(_: &saga_runtime::Context) -> Result<Flight, std::io::Error> {
    Ok(Flight)
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        read flight: Flight = book(cx);
    }
}

fn main() {}
