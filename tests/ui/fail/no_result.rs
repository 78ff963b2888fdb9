//! A call that cannot fail does not say so.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn book(_: &saga_runtime::Context) -> Flight {
    Flight
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = book(cx)
            compensate flights.cancel(cx, flight) keyed;
    }
}

fn main() {}
