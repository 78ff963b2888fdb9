//! There is no such participant.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flight_desk.reserve(cx, trip)
            compensate flightss.cancel(cx, flight);
    }
}

fn main() {}
