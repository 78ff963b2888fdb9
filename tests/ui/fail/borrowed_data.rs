//! Saga data owns itself.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(name: &'static [u8]) {
        with flights: Flights, hotels: Hotels;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
