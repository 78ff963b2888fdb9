//! One parameter of the data is not another.

#[path = "../travel.rs"]
mod travel;
use travel::*;

async fn change<M, N>(_: &M) -> Result<(M, N), DeskError> {
    Err(DeskError::SoldOut)
}

saga_runtime::saga! {
    saga Change<M, N>(amount: M) -> N {
        with flights: Flights;
        read changed: (N, M) = change(amount);
        return changed.1;
    }
}

fn main() {}
