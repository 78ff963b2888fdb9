//! What a parameter of the data stands for is data.

#[path = "../travel.rs"]
mod travel;
use saga_runtime::{Coordinator, SagaParameter};
use saga_runtime::log::MemoryLog;
use travel::*;

saga_runtime::saga! {
    saga Pay<M>(amount: M) {
        with flights: Flights;
        pivot receipt: Receipt = flights.pay(cx);
    }
}

struct Eur(u64);

impl SagaParameter for Eur {
    const NAME: &str = "Eur";
}

fn main() {
    let builder = Coordinator::builder(MemoryLog::new());
    let _ = builder.register::<Pay<Eur>>(PayParticipants { flights: Flights });
}
