//! A call that cannot move between threads.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn book(_: &saga_runtime::Context) -> Result<Flight, DeskError> {
    let shared = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
    Ok(Flight)
}

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        read flight: Flight = book(cx);
    }
}

fn main() {}
