//! Participants over HTTP, on real sockets: what a client makes of an answer, what a service makes of a call, and a saga
//! of both.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod broken;
mod raw;
mod saga;
mod served;
mod service;
