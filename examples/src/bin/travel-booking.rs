//! The example `travel_booking` once more, as a binary: cargo tells tests where binaries are, but not examples.

use std::process::ExitCode;

fn main() -> ExitCode {
    saga_examples::travel::program::main()
}
