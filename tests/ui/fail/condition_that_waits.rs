//! A condition is evaluated at once.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        if is_sunny(trip).await {
            step flight: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);
        }
    }
}

fn main() {}
