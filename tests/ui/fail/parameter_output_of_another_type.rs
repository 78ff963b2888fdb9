//! One parameter of the data is not another.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Change<M, N>(from: M, to: N) -> N {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
        return from;
    }
}

fn main() {}
