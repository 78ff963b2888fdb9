//! Before the pivot a child saga can turn until its parent ends.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with flights: Flights, hotels: Hotels;
        saga payment: Receipt = Payment();
        step flight: Flight = flights.reserve(cx, trip)
            compensate flights.cancel(cx, flight);
        pivot receipt: Receipt = flights.pay(cx);
    }

    saga Payment() -> Receipt {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
        return receipt;
    }
}

fn main() {}
