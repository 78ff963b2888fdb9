//! What a type of the data asks of its parameter, the saga asks as well.

#[path = "../travel.rs"]
mod travel;
use saga_runtime::Context;
use serde::{Deserialize, Serialize};
use travel::*;

trait Money {}

#[derive(Serialize, Deserialize)]
struct Debit<M: Money> {
    amount: M,
}

async fn ask<T>(_: &Context) -> Result<T, DeskError> {
    Err(DeskError::SoldOut)
}

saga_runtime::saga! {
    saga Pay<M>(amount: M) {
        with flights: Flights;
        read debit: Debit<M> = ask(cx);
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
