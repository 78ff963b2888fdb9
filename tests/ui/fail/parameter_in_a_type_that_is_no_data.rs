//! A type with parameters is data as any other is.

#[path = "../travel.rs"]
mod travel;
use travel::*;

struct Debit<M> {
    amount: M,
}

async fn debit<M>(amount: &M) -> Result<Debit<M>, DeskError> {
    let _ = amount;
    Err(DeskError::SoldOut)
}

saga_runtime::saga! {
    saga Pay<M>(amount: M) {
        with flights: Flights;
        step debit: Debit<M> = debit(amount) compensate nothing;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

fn main() {}
