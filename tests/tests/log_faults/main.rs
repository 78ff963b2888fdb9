//! The example `travel_worker`, and a process with deadlines and timers, while their storage and their clock fail: nothing
//! goes on past what is durable, new sagas are told why, all go on when it is over, and nothing leaks.
//!
//! `scripts/with-log-faults` gives what they need: a small file system, libfiu, libfaketime.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a desk answers as a service does")]

mod clock;
mod storage;

use std::path::PathBuf;

/// What the script has put there.
fn given(variable: &str) -> PathBuf {
    let given = std::env::var_os(variable);
    given.unwrap_or_else(|| panic!("no {variable}: run this by scripts/with-log-faults")).into()
}
