//! Durations that are none.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step a: Receipt = flights.pay(cx) compensate nothing timeout 5;
        step b: Receipt = flights.pay(cx) compensate nothing timeout 5min;
        step c: Receipt = flights.pay(cx) compensate nothing timeout 30m1h;
        step d: Receipt = flights.pay(cx) compensate nothing timeout 5 s;
        step e: Receipt = flights.pay(cx) compensate nothing timeout 0s;
        step f: Receipt = flights.pay(cx) compensate nothing timeout LIMIT;
        step g: Receipt = flights.pay(cx) compensate nothing timeout 0.5ns;
        step h: Receipt = flights.pay(cx) compensate nothing timeout;
    }
}

fn main() {}
