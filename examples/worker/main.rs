//! A travel worker: books trips that come over HTTP, at participants that are reached over HTTP.
//!
//! `cargo run --release --example travel_worker -- --help` tells how it is run.

use std::process::ExitCode;

fn main() -> ExitCode {
    saga_examples::worker::main()
}
