//! An input must survive a restart.

#[path = "../travel.rs"]
mod travel;
use travel::*;

pub struct Seat;

saga_runtime::saga! {
    saga Book(trip: Trip, seat: Seat) {
        with flights: Flights, hotels: Hotels;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
