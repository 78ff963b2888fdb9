//! A child saga has its own time-outs, retries and compensations.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        saga visit: u32 = Visit(trip.days)
            timeout 5s
            retry 3 times every 1s..1m
            keyed
            probe hotels.find(cx)
            compensate flights.pay(cx);
    }

    /// Compensated throughout.
    saga Visit(days: u32) -> u32 {
        with flights: Flights;
        step flight: Flight = flights.reserve(cx, &Trip { days: *days }) compensate flights.cancel(cx, flight);
        return { let _ = flight; days };
    }
}

fn main() {}
