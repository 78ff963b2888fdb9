//! An output must survive a restart.

#[path = "../travel.rs"]
mod travel;
use travel::*;

pub struct Seat;

async fn reserve(_: &saga_runtime::Context) -> Result<Seat, DeskError> {
    Ok(Seat)
}

async fn cancel(_: &saga_runtime::Context, _: &Seat) -> Result<(), DeskError> {
    Ok(())
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step seat: Seat = reserve(cx)
            compensate cancel(cx, seat) keyed;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
