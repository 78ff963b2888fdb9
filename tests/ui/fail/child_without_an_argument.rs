//! A child saga is begun with all of its inputs, and no more.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        saga visit: u32 = Visit();
        saga longer: u32 = Visit(trip.days, trip.days);
        saga stay: () = Stay(trip.days);
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
