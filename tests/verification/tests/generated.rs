//! Random sagas, in which by chance everything goes wrong.
//!
//! `PROGRAMS=10000 PROGRAM_SEED=7 cargo test -p saga-verification --test generated` explores more of them, and others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Instant;

use fastrand::Rng;
use saga_runtime::log::MemoryLog;
use saga_runtime::verify::{Exploration, Summary};
use saga_runtime::{RunsOn, Saga};
use saga_verification::program::{Program, Stage, paid, plain};

/// How many programs of each kind, unless `PROGRAMS` says so.
const PROGRAMS: u64 = 200;

/// How many scenarios of each.
const SEEDS: u64 = 100;

/// How many stages, at most.
const STAGES: usize = 6;

#[test]
fn random_programs_are_sound_whatever_goes_wrong() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (programs, first) = (number("PROGRAMS", PROGRAMS), number("PROGRAM_SEED", 0));
    let start = Instant::now();
    let (mut plainly, mut payings) = (Summary::default(), Summary::default());
    for seed in first..first + programs {
        let mut rng = Rng::with_seed(seed);
        add(&mut plainly, sampled(plain, Program::random(&mut rng, STAGES), seed));
        add(&mut payings, sampled(paid, Program::random(&mut rng, STAGES), seed));
    }
    println!(
        "{programs} programs that can turn: {plainly}\n{programs} with a pivot: {payings}\n{:?}",
        start.elapsed()
    );
    for summary in [plainly, payings] {
        assert!(summary.completed > 0 && summary.compensated > 0 && summary.closed > 0, "{summary}");
    }
}

/// A program that once was not as it should be: what a parent showed of a child that could not go on stood there for ever.
#[test]
fn what_a_parent_shows_of_a_child_ends_with_that_child() {
    let program = Program { stages: Vec::new(), after: vec![Stage::Child, Stage::Child] };
    let replayed = paid(program).replay("append 0 13 lost; deadline at house[1]/paid action 1");
    assert!(replayed.is_ok(), "{}", replayed.unwrap_err());
}

fn sampled<S: Saga + RunsOn<MemoryLog>>(
    exploration: impl Fn(Program) -> Exploration<S>,
    program: Program,
    seed: u64,
) -> Summary {
    let written = format!("{program:?}");
    let explored = exploration(program).faults(6).crashes(2).log_faults(2).commands(2);
    let sampled = explored.sample(seed * SEEDS..(seed + 1) * SEEDS);
    sampled.unwrap_or_else(|violation| panic!("{written}\n{violation}"))
}

fn add(to: &mut Summary, summary: Summary) {
    to.scenarios += summary.scenarios;
    to.completed += summary.completed;
    to.compensated += summary.compensated;
    to.parked += summary.parked;
    to.closed += summary.closed;
}
