//! `return` builds another type.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) -> Itinerary {
        with flights: Flights, hotels: Hotels;
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
        return Itinerary { flight };
    }
}

fn main() {}
