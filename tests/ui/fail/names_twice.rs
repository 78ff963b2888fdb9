//! Each name stands for one thing.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip, cx: u32) {
        with flights: Flights, trip: Hotels;

        step flight_a: Flight = flights.reserve(cx, trip) compensate nothing;
        step flight_a: Flight = flights.reserve(cx, trip) compensate nothing;
        step flightA: Flight = flights.reserve(cx, trip) compensate nothing;
        step flights: Flight = flights.reserve(cx, trip) compensate nothing;
    }

    saga Book() {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
