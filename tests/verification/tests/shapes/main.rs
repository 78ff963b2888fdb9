//! Every shape that a saga of up to four steps can have, with a pivot at every place where one can stand, explored with
//! every three faults.
//!
//! `UPDATE_EXPECT=1 cargo test -p saga-verification --features shapes --test shapes` writes the sagas anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod draw;
#[rustfmt::skip]
mod sagas;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Instant;

use draw::{declarations, sequences};

/// How many faults, unless `SHAPE_FAULTS` says so.
const FAULTS: usize = 3;

/// How many steps, at most.
const STEPS: usize = 4;

#[test]
fn sagas_of_every_shape_are_sound_with_every_three_faults() {
    let faults = std::env::var("SHAPE_FAULTS").map_or(FAULTS, |text| text.parse().unwrap());
    let start = Instant::now();
    let summary = sagas::explore(faults);
    println!("{faults} faults: {summary}, {:?}", start.elapsed());
    assert!(summary.completed > 0 && summary.compensated > 0, "{summary}");
}

#[test]
fn the_sagas_are_those_of_every_shape() {
    let mut text = format!("{HEAD}saga! {{\n");
    let mut names = Vec::new();
    for steps in 1..=STEPS {
        for (number, nodes) in sequences(steps).iter().enumerate() {
            for (name, saga) in declarations(&format!("Shape{steps}Number{number}"), nodes) {
                writeln!(text, "{saga}").unwrap();
                names.push(name);
            }
        }
    }
    text.push_str("}\n\n");
    text.push_str("/// Explores all of them.\npub(crate) fn explore(faults: usize) -> Summary {\n    let mut all = Summary::default();\n");
    for name in &names {
        writeln!(text, "    add::<{name}>(&mut all, faults, || {name}Participants {{ sure: Prudent, careless: Careless }});").unwrap();
    }
    text.push_str("    all\n}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes/sagas.rs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "run it with UPDATE_EXPECT=1");
    println!("{} sagas", names.len());
}

const HEAD: &str = r#"//! Written by the test: a saga of every shape.

use saga_runtime::log::MemoryLog;
use saga_runtime::verify::{Summary, explore as explore_one};
use saga_runtime::{RunsOn, Saga, saga};
use saga_verification::sagas::{Careless, Prudent};

fn add<S: Saga<Input = ()> + RunsOn<MemoryLog>>(
    all: &mut Summary,
    faults: usize,
    participants: fn() -> S::Participants,
) {
    let exploration = explore_one::<S>(|| (), participants).faults(faults).crashes(0).log_faults(0).commands(0);
    let summary = exploration.run().unwrap_or_else(|violation| panic!("{violation}"));
    all.scenarios += summary.scenarios;
    all.states += summary.states;
    all.completed += summary.completed;
    all.compensated += summary.compensated;
    all.parked += summary.parked;
    all.joined += summary.joined;
}

"#;
