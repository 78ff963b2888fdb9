//! A lost reply could never be settled.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn reserve(_: &saga_runtime::Context) -> Result<Hotel, DeskError> {
    Ok(Hotel)
}

async fn pay(_: &saga_runtime::Context) -> Result<Receipt, DeskError> {
    Ok(Receipt)
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step hotel: Hotel = reserve(cx)
            compensate hotels.cancel(cx, hotel);
        pivot receipt: Receipt = pay(cx);
    }
}

fn main() {}
