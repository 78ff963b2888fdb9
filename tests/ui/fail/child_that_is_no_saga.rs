//! What a `saga` step begins is declared by `saga!`.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        saga itinerary: u32 = Itinerary(*trip);
        saga days: u32 = days(trip.days);
        saga visit: u32 = Vist(trip.days);
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

fn days(days: u32) -> u32 {
    days
}

fn main() {}
