//! A travel worker: sagas as a service, in front of any HTTP participants.
//!
//! It books trips: a flight, a hotel and a car, all of them or none. Each is compensated by key; there is no point of no
//! return.
//!
//! # What it is asked
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /sagas` with `{"id": "…", "trip": {…}}` | 201 once the saga is durable; 200 if the same was begun before; 409 if something else was, under this id. Without a `trip` a default one is booked |
//! | `GET /sagas/{id}` | 200 with a [`View`](service::View): status, residue, history; 404 if it was never begun |
//! | `POST /sagas/{id}/cancel` | 200 once it is recorded that the saga compensates; 409 if it is too late; 404 |
//! | `GET /healthz` | 200, or 503 while the worker drains |
//!
//! An id has 1 to 200 visible ASCII characters, percent-encoded where a path needs it. What is no such request is
//! answered 400, 404, 405 or 413. While the worker drains, and while its log is unavailable, it answers 503: try the same
//! again. Every error is `{"error": "…"}`.
//!
//! # What it asks its participants
//!
//! `POST URL/{flight,hotel,car}/{do,undo}` with `{"trip": {…}}`, and the headers
//!
//! | header | says |
//! | --- | --- |
//! | `Saga-Id` | the saga |
//! | `Idempotency-Key` | the effect: the same for every attempt. An undo has a key of its own |
//! | `Action-Key` | the `Idempotency-Key` of the do: for an undo, what to undo |
//! | `Attempt` | the number of the attempt, from 1; it never falls |
//! | `Fence` | the epoch of the log's writer: it grows with each start, so that calls of an earlier one can be told |
//! | `Worker` | the worker's name |
//!
//! | answer | counts as |
//! | --- | --- |
//! | 2xx | done; the body is the output, as JSON; none is `null` |
//! | 422 | refused: surely no effect, and it would be answered the same again |
//! | 409 | superseded: barred by the undo; surely no effect, now and later |
//! | 503, or no connection | surely no effect, worth another try |
//! | anything else: another status, a broken or late answer, a 2xx that is no JSON | nobody can say |
//!
//! An undo must be *final*: it is answered 2xx where there is nothing to undo, and a do that arrives after it is
//! answered 409. With `--keyed` a do must answer the same to the same key, with one effect, refusals included; then it is
//! repeated after a lost answer. Without, it never is: the saga turns back.
//!
//! | module | holds |
//! | --- | --- |
//! | [`arguments`] | the command line |
//! | [`saga`], [`trip`] | the declaration, with keyed participants and without; what is booked |
//! | [`participants`] | the client of the participants |
//! | [`service`] | the requests and their answers |
//! | [`run`] | the worker from its start to its end |

use std::process::ExitCode;

use clap::Parser;

use self::arguments::Arguments;
use crate::program;

pub mod arguments;
pub mod participants;
pub mod run;
pub mod saga;
pub mod service;
pub mod trip;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(async move { run::run(&arguments).await.map(|()| ExitCode::SUCCESS) })
}
