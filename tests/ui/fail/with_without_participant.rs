//! `with` names a participant.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn reserve(_: &saga_runtime::Context, _: &Trip) -> Result<Flight, DeskError> {
    Ok(Flight)
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with;
        pivot flight: Flight = reserve(cx, trip) keyed;
    }
}

fn main() {}
