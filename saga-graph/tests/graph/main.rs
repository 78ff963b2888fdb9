//! What sagas draw: these, and any.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod any_saga;
mod drawings;
mod sagas;
