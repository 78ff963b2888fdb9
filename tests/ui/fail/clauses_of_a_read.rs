//! A `read` has no effect that could be probed or compensated.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        read hotel: Option<Hotel> = hotels.find(cx)
            keyed
            probe hotels.find(cx)
            compensate hotels.cancel_by_key(cx);
    }
}

fn main() {}
