//! What a child's data uses is named where its parent is declared.

#[path = "../travel.rs"]
mod travel;
use saga_runtime::SagaData;
use travel::*;

saga_runtime::saga! {
    saga Pay<M>(amount: M) {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
    }

    saga Trips<M: SagaData + Default>(trip: Trip) {
        with flights: Flights;
        pivot flight: Flight = flights.reserve(cx, trip);
        saga paid: () = Pay::<M>(M::default());
    }
}

fn main() {}
