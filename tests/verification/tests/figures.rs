//! The sagas of three, four, five and eight steps, with as many faults at once as they have been shown with.
//!
//! `cargo test --release -p saga-verification --features figures --test figures -- --nocapture` takes its time.

#![allow(clippy::panic, reason = "in a test a panic is the report")]

use std::time::Instant;

use saga_runtime::log::MemoryLog;
use saga_runtime::verify::Exploration;
use saga_runtime::{RunsOn, Saga};
use saga_verification::sagas::{eight, five, four, travel};

fn explored<S: Saga + RunsOn<MemoryLog>>(exploration: Exploration<S>, limits: [usize; 4]) {
    let [faults, crashes, log_faults, commands] = limits;
    let exploration = exploration.faults(faults).crashes(crashes).log_faults(log_faults).commands(commands);
    let start = Instant::now();
    let summary = exploration.run().unwrap_or_else(|violation| panic!("{violation}"));
    let name = S::DEFINITION.name;
    println!(
        "{name}, {faults} faults, {crashes} crashes, {log_faults} of the log, {commands} commands: {summary}, {:?}",
        start.elapsed()
    );
}

#[test]
fn travel_with_six_faults() {
    explored(travel(), [6, 0, 0, 0]);
    explored(travel(), [6, 1, 0, 0]);
    explored(travel(), [3, 1, 1, 1]);
    explored(travel(), [2, 2, 1, 1]);
}

#[test]
fn four_steps_with_five_faults() {
    explored(four(), [5, 0, 0, 0]);
    explored(four(), [2, 1, 1, 1]);
}

#[test]
fn five_steps_with_five_faults() {
    explored(five(), [5, 0, 0, 0]);
    explored(five(), [2, 1, 1, 1]);
}

#[test]
fn eight_steps_with_four_faults() {
    explored(eight(), [4, 0, 0, 0]);
    explored(eight(), [1, 1, 1, 1]);
}
