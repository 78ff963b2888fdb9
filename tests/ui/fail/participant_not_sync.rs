//! A participant that cannot be shared between threads.

#[path = "../travel.rs"]
mod travel;
use travel::*;

pub struct Desk {
    pub flights: Flights,
    pub calls: std::cell::Cell<u32>,
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with desk: Desk;
        read receipt: Receipt = desk.flights.pay(cx);
    }
}

fn main() {}
