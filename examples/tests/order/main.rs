//! Order fulfilment: its services, its audit, its program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod audit;
mod fulfilment;
mod program;
mod services;
mod support;
