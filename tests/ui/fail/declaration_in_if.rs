//! What is said for the whole saga cannot stand in an arm.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        if trip.days > 3 {
            deadline 30m;
            step flight: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);
        }
    }
}

fn main() {}
