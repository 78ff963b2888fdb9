//! `Option`s of which two values are the same in the log.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip, is_paid: Option<()>) -> Vec<Option<Option<u32>>> {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
        return vec![Some(is_paid.map(|()| 1))];
    }
}

fn main() {}
