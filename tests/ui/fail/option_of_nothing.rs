//! What is `Some` of nothing would come back as `None`.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Book(trip: Trip, gift: Option<()>) -> Vec<Option<Option<Receipt>>> {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
        return vec![gift.map(|()| Some(receipt))];
    }
}

fn main() {}
