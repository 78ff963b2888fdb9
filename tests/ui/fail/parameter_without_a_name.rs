//! What a parameter of the data stands for is named for the log.

#[path = "../travel.rs"]
mod travel;
use saga_runtime::Coordinator;
use saga_runtime::log::MemoryLog;
use travel::*;

saga_runtime::saga! {
    saga Pay<M>(amount: M) {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Eur(u64);

fn main() {
    let builder = Coordinator::builder(MemoryLog::new());
    let _ = builder.register::<Pay<Eur>>(PayParticipants { flights: Flights });
}
