//! What holds for the whole saga stands outside of `parallel`.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        parallel {
            retry never;
            step flight: Flight = flights.reserve(cx, trip) compensate flights.cancel(cx, flight);
        }
    }
}

fn main() {}
