//! The saga's output must survive a restart.

#[path = "../travel.rs"]
mod travel;
use travel::*;

pub struct Ticket {
    pub flight: Flight,
}

saga_runtime::saga! {
    saga Book(trip: Trip) -> Ticket {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
        return Ticket { flight };
    }
}

fn main() {}
