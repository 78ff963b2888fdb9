//! A child saga is begun by a call.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        saga visit: u32 = Visit;
        saga second: u32 = Visit { days: 3 };
        saga third: u32 = flights.visit(cx);
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
    }

    /// Compensated throughout.
    saga Visit(days: u32) -> u32 {
        with flights: Flights;
        step flight: Flight = flights.reserve(cx, &Trip { days: *days }) compensate flights.cancel(cx, flight);
        return { let _ = flight; days };
    }
}

fn main() {}
