//! A saga is sent only the signals that it receives.

#[path = "../travel.rs"]
mod travel;
use travel::*;

saga_runtime::saga! {
    saga Approved(trip: Trip) {
        with flights: Flights;
        receive approval: bool within 24h;
        pivot receipt: Receipt = flights.pay(cx);
    }

    saga Other(trip: Trip) {
        with flights: Flights;
        receive payment: u64 within 24h;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

async fn approve(handle: saga_runtime::Handle<Approved>) {
    let _ = handle.send(OtherSignal::Payment(7)).await;
    let _ = handle.send(ApprovedSignal::Payment(7)).await;
}

fn main() {}
