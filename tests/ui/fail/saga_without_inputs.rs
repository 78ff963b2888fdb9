//! The inputs are written, be there none.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
