//! Retries that are none.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        step a: Receipt = flights.pay(cx) compensate nothing retry 0 times;
        step b: Receipt = flights.pay(cx) compensate nothing retry forevr;
        step c: Receipt = flights.pay(cx) compensate nothing retry 5;
        step d: Receipt = flights.pay(cx) compensate nothing retry 5 times evry 1s..2s;
        step e: Receipt = flights.pay(cx) compensate nothing retry 5 times every 1s;
        step f: Receipt = flights.pay(cx) compensate nothing retry 5 times every 2s..1s;
        step g: Receipt = flights.pay(cx) compensate nothing retry 5 times every 0s..1s;
        step h: Receipt = flights.pay(cx) compensate nothing retry;
    }
}

fn main() {}
