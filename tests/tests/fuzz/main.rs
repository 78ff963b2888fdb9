//! Whatever comes from outside: no panic, an end, an answer that says what is wrong, and nothing done for what is.
//!
//! A case is drawn from a seed, so that a run is the same each time. To look for more:
//!
//! ```text
//! SAGA_FUZZ_CASES=1000000 SAGA_FUZZ_SEED=7 cargo test -p saga-tests --test fuzz histories -- --nocapture
//! ```
//!
//! What the macro is given is fuzzed where it is parsed (`saga-macros/src/expand/tests/fuzz.rs`), and the bytes of a log's
//! file in `corruption`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod cases;
mod histories;
