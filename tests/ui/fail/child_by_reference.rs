//! A child saga is given its input for good, and a step sees its data by reference.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(days: u32, name: String) {
        with flights: Flights, hotels: Hotels;
        saga visit: u32 = Visit(days);
        saga stay: () = Stay(*days, name);
    }

    /// Compensated throughout.
    saga Visit(days: u32) -> u32 {
        with flights: Flights;
        step flight: Flight = flights.reserve(cx, &Trip { days: *days }) compensate flights.cancel(cx, flight);
        return { let _ = flight; days };
    }

    /// Compensated throughout.
    saga Stay(days: u32, room: String) {
        with flights: Flights;
        step flight: Flight = flights.reserve(cx, &Trip { days: *days + room.len() as u32 })
            compensate flights.cancel(cx, flight);
    }
}

fn main() {}
