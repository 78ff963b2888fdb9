//! What a participant says its output is has to be data.

#[path = "../travel.rs"]
mod travel;
use saga_runtime::log::MemoryLog;
use saga_runtime::{Context, Coordinator, Keyed, SagaParameter};
use travel::*;

trait Bank: Keyed + Send + Sync + 'static {
    type Receipt;

    fn pay(&self, cx: &Context) -> impl Future<Output = Result<Self::Receipt, DeskError>> + Send;
}

saga_runtime::saga! {
    saga Pay<B: Bank>(trip: Trip) {
        with bank: B;
        pivot receipt: B::Receipt = bank.pay(cx);
    }
}

struct Paper;

impl SagaParameter for Flights {
    const NAME: &str = "Flights";
}

impl Bank for Flights {
    type Receipt = Paper;

    async fn pay(&self, _: &Context) -> Result<Paper, DeskError> {
        Ok(Paper)
    }
}

fn main() {
    let builder = Coordinator::builder(MemoryLog::new());
    let _ = builder.register::<Pay<Flights>>(PayParticipants { bank: Flights });
}
