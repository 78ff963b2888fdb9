//! A probe answers an `Option` of the output.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn reserve(_: &saga_runtime::Context) -> Result<Hotel, DeskError> {
    Ok(Hotel)
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step hotel: Hotel = reserve(cx)
            probe hotels.cancel_by_key(cx)
            compensate hotels.cancel(cx, hotel);
    }
}

fn main() {}
