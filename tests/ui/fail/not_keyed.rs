//! A participant that does not promise to answer by key.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step hotel: Hotel = hotels.reserve(cx, &Flight)
            compensate hotels.cancel(cx, hotel);
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
