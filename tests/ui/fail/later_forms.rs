//! Forms that this version does not have yet.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        deadline 30m;

        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);

        if trip.days > 1 {
            step hotel: Hotel = hotels.reserve(cx, flight) compensate nothing;
        }

        read days: u32 = calendar(cx, hotel) else 1;
    }
}

fn main() {}
