//! `return` is said once, at the end.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) -> Itinerary {
        with flights: Flights, hotels: Hotels;
        return Itinerary { flight, hotel };
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
        step hotel: Hotel = hotels.reserve(cx, flight)
            probe hotels.find(cx)
            compensate hotels.cancel(cx, hotel);
        return Itinerary { flight, hotel };
    }
}

fn main() {}
