//! Books the trips of `travel/trips.jsonl`: a flight, a hotel and a car for each, all of them or none.
//!
//! `cargo run --release --example travel_booking` does it; `--help` after a `--` tells what else there is.

use std::process::ExitCode;

fn main() -> ExitCode {
    saga_examples::travel::program::main()
}
