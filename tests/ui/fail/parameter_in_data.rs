//! A parameter of a saga is no type of its data.

#[path = "../travel.rs"]
mod travel;
use saga_runtime::Keyed;
use travel::*;

saga_runtime::saga! {
    saga Book<T: Keyed + Send + Sync>(trip: Trip, extra: Vec<T>) {
        with flights: Flights, other: T;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
