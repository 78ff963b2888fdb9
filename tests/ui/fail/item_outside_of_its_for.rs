//! An item exists in its `for`.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        for day: u32 in 0..trip.days {
            step flight: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, flight);
        }
        step later: Flight = flights.reserve(cx, &Trip { days: *day })
            compensate flights.cancel(cx, later);
    }
}

fn main() {}
