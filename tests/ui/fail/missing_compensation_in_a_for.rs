//! Before the pivot every effect has a compensation, wherever it stands.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        for day: u32 in 0..trip.days {
            step flight: Flight = flights.reserve(cx, trip);
        }
        if trip.days > 3 {
            step other: Flight = flights.reserve(cx, trip);
        }
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
