//! A saga has a body.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) -> Itinerary;
}

fn main() {}
