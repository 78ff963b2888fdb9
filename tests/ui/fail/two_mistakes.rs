//! Mistakes are reported all at once, those of rustc as well.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip);

        step hotel: Flight = hotels.reserve(cx, flight)
            compensate hotels.cancel_by_key(cx, 2);

        pivot receipt: Receipt = flights.pay(cx).await;
    }
}

fn main() {}
