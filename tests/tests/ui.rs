//! What the compiler says: one case per mistake that a user can make, with the message as it is shown, and what has to
//! compile without a word.
//!
//! `TRYBUILD=overwrite cargo test -p saga-tests --test ui` writes the messages anew. Read them as a user would.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fmt::Write;
use std::path::Path;

use saga_tests::random_sagas::{PRELUDE, saga};

/// How many random sagas are compiled, unless `RANDOM_SAGAS` says so: 200 of them take minutes.
const SAGAS: u64 = 40;

#[test]
fn mistakes_are_reported_and_the_rest_compiles() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.pass(random_sagas());
    cases.compile_fail("ui/fail/*.rs");
}

/// A program of random sagas, always the same ones. A warning in it is an error.
fn random_sagas() -> impl AsRef<Path> {
    // Nothing in it is used.
    let mut program =
        format!("//! Random sagas.\n#![deny(warnings, missing_docs)]\n#![allow(dead_code)]\n{PRELUDE}");
    let sagas = std::env::var("RANDOM_SAGAS").map_or(SAGAS, |number| number.parse().unwrap());
    for seed in 0..sagas {
        let saga = saga(&format!("Random{seed}"), &mut fastrand::Rng::with_seed(seed));
        writeln!(program, "saga_runtime::saga! {{ {saga} }}").unwrap();
    }
    program.push_str("fn main() {}\n");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("random_sagas.rs");
    std::fs::write(&path, program).unwrap();
    path
}
