//! The example `order_fulfilment` once more, as a binary: cargo tells tests where binaries are, but not examples.

use std::process::ExitCode;

fn main() -> ExitCode {
    saga_examples::order::program::main()
}
