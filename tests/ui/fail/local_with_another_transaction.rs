//! A `local` call takes the log's own transaction.

use std::convert::Infallible;

struct OtherTx;

fn note(_: &OtherTx) -> Result<(), Infallible> {
    Ok(())
}

saga_runtime::saga! {
    saga Note(days: u32) {
        local note: () = note(tx);
    }
}

fn main() {}
