//! A trait object of which nobody says that it answers by key.

#[path = "../travel.rs"]
mod travel;
use travel::*;

trait Desk: Send + Sync {
    fn pay(&self, cx: &saga_runtime::Context) -> Paying;
}

type Paying = std::pin::Pin<Box<dyn Future<Output = Result<Receipt, DeskError>> + Send>>;

saga_runtime::saga! {
    saga Book(trip: Trip) {
        with desk: dyn Desk;
        pivot receipt: Receipt = desk.pay(cx);
    }
}

fn main() {}
