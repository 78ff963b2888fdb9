//! A call uses the output that it is about to make.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step hotel: Hotel = hotels.reserve(cx, hotel)
            probe hotels.find(cx, hotel)
            compensate hotels.cancel(cx, hotel);
    }
}

fn main() {}
