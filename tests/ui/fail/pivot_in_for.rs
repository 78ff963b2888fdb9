//! A pivot is passed once.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        for day: u32 in 0..trip.days {
            pivot receipt: Receipt = flights.pay(cx);
        }
    }
}

fn main() {}
