//! A name that several arms give to an output has one type.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        if trip.days > 3 {
            step held: Flight = flights.reserve(cx, trip)
                compensate flights.cancel(cx, held);
        } else {
            step held: Receipt = flights.pay(cx)
                compensate nothing;
        }
    }
}

fn main() {}
