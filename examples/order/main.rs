//! Fulfils the orders of `order/orders.jsonl`: each is paid and on its way, or nothing of it is.
//!
//! `cargo run --release --example order_fulfilment` does it; `--help` after a `--` tells what else there is.

use std::process::ExitCode;

fn main() -> ExitCode {
    saga_examples::order::program::main()
}
