//! A saga has one deadline.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        deadline 30m;
        deadline 1h;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
