//! One name in two arms, in one of them for each item.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights;
        if trip.days > 3 {
            step receipt: Receipt = flights.pay(cx) compensate nothing;
        } else {
            for day: u32 in 0..trip.days {
                step receipt: Receipt = flights.pay(cx) compensate nothing;
            }
        }
    }
}

fn main() {}
