//! What goes wrong with other saga libraries and engines, replayed on this one.
//!
//! One test for each failure, named after it: what it says happens there, and does not happen here. Each quotes who, which
//! version, and where that is written or whether it was measured, as of November 2026; the facts may have changed since.
//! The participants' ledger is the judge, not what the saga says of itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod embedded;
mod load;
mod messaging;
mod model;
mod scene;
mod steno;
mod workflows;
