//! A saga has a step.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) -> Trip {
        return trip;
    }
}

fn main() {}
