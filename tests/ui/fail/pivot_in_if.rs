//! Whether the pivot is passed has to be certain.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        if trip.days > 3 {
            pivot receipt: Receipt = flights.pay(cx);
        }
    }
}

fn main() {}
