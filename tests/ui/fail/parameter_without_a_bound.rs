//! What a type of the data asks of its parameter, the saga asks as well.

#[path = "../travel.rs"]
mod travel;
use serde::{Deserialize, Serialize};
use travel::*;

trait Money {}

#[derive(Serialize, Deserialize)]
struct Debit<M: Money> {
    amount: M,
}

fn debit<M: Money>(amount: &M) -> Result<Debit<M>, DeskError> {
    let _ = amount;
    Err(DeskError::SoldOut)
}

saga_runtime::saga! {
    saga Pay<M>(amount: M) {
        with flights: Flights;
        read debit: Debit<M> = async { debit(amount) };
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
