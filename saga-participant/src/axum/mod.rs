//! The barrier behind [axum](https://docs.rs/axum) 0.8: who calls is an extractor, and what is answered is a response.
//!
//! ```
//! # #[cfg(feature = "rusqlite")] mod service {
//! use std::sync::{Arc, Mutex, PoisonError};
//!
//! use axum::extract::State;
//! use axum::routing::post;
//! use axum::{Json, Router};
//! use rusqlite::Connection;
//! use rusqlite::TransactionBehavior::Immediate;
//! use saga_participant::axum::{Caller, Probed, Problem};
//! use saga_participant::rusqlite::Barrier;
//! use saga_participant::{Answer, Compensated, WorkError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Reserve { seats: i64 }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Reservation { number: i64 }
//!
//! #[derive(Serialize, Deserialize)]
//! struct SoldOut { left: i64 }
//!
//! const BARRIER: Barrier = Barrier::new();
//!
//! #[derive(Clone)]
//! struct Database(Arc<Mutex<Connection>>);
//!
//! impl Database {
//!     /// Runs `work` where it may block.
//!     async fn with<A: Send + 'static>(
//!         self,
//!         work: impl FnOnce(&mut Connection) -> Result<A, Problem> + Send + 'static,
//!     ) -> Result<A, Problem> {
//!         let with = move || work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
//!         // What has panicked may have been committed.
//!         tokio::task::spawn_blocking(with).await.unwrap_or_else(|panic| Err(Problem::unknown(panic)))
//!     }
//! }
//!
//! /// POST /seats
//! async fn reserve(
//!     State(database): State<Database>,
//!     caller: Caller,
//!     Json(request): Json<Reserve>,
//! ) -> Result<Answer<Reservation, SoldOut>, Problem> {
//!     let action = caller.action("reserve", &request)?;
//!     let work = move |connection: &mut Connection| {
//!         // Not even begun: surely no effect.
//!         let tx = connection.transaction_with_behavior(Immediate).map_err(Problem::transient)?;
//!         let answer = BARRIER.action(tx, &action, |tx| {
//!             let take = "UPDATE flight SET free = free - ?1 RETURNING free";
//!             let free: i64 = tx.query_row(take, [request.seats], |row| row.get(0))?;
//!             if free < 0 {
//!                 return Err(WorkError::Refused(SoldOut { left: free + request.seats }));
//!             }
//!             tx.execute("INSERT INTO reservation (seats) VALUES (?1)", [request.seats])?;
//!             Ok(Reservation { number: tx.last_insert_rowid() })
//!         })?;
//!         Ok(answer.commit()?)
//!     };
//!     database.with(work).await
//! }
//!
//! /// POST /seats/cancel
//! async fn cancel(State(database): State<Database>, caller: Caller) -> Result<Compensated<()>, Problem> {
//!     let compensation = caller.compensation("cancel", &())?;
//!     let work = move |connection: &mut Connection| {
//!         let tx = connection.transaction_with_behavior(Immediate).map_err(Problem::transient)?;
//!         let answer = BARRIER.compensation(tx, &compensation, |tx, reserved: Reservation| {
//!             let release = "DELETE FROM reservation WHERE number = ?1 RETURNING seats";
//!             let seats: i64 = tx.query_row(release, [reserved.number], |row| row.get(0))?;
//!             tx.execute("UPDATE flight SET free = free + ?1", [seats])?;
//!             Ok(())
//!         })?;
//!         Ok(answer.commit()?)
//!     };
//!     database.with(work).await
//! }
//!
//! /// POST /seats/find
//! async fn find(State(database): State<Database>, caller: Caller) -> Result<Probed<Reservation>, Problem> {
//!     let probe = caller.probe()?;
//!     let work = move |connection: &mut Connection| {
//!         let tx = connection.transaction_with_behavior(Immediate).map_err(Problem::transient)?;
//!         Ok(Probed(BARRIER.probe(tx, &probe)?.commit()?))
//!     };
//!     database.with(work).await
//! }
//!
//! # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = Connection::open_in_memory()?;
//! BARRIER.create(&connection)?;
//! let app: Router = Router::new()
//!     .route("/seats", post(reserve))
//!     .route("/seats/cancel", post(cancel))
//!     .route("/seats/find", post(find))
//!     .with_state(Database(Arc::new(Mutex::new(connection))));
//! # drop(app);
//! # Ok(()) }
//! # }
//! # #[cfg(feature = "rusqlite")] service::main().unwrap();
//! ```
//!
//! What is answered, and how a saga's client takes it ([`http`](crate::http) has the headers):
//!
//! | here | status | `Saga-Outcome` | for the saga |
//! | --- | --- | --- | --- |
//! | [`Answer::Done`], [`Compensated`], [`Probed`] | 200 | `done` | done |
//! | [`Answer::Refused`] | 422 | `refused` | refused |
//! | [`Answer::Superseded`] | 409 | `superseded` | refused |
//! | [`Error::Work`], [`Error::Database`], [`Problem::transient`] | 503, with `Retry-After` | `transient` | transient |
//! | [`Error::Commit`], [`Problem::unknown`] | 500 | `unknown` | unknown |
//! | [`Fault::OtherRequest`] | 422 | `fault` | unknown: it is tried again, shown as parked when the retries are spent, with these words |
//! | [`Fault`], otherwise | 500 | `fault` | the same |
//! | [`InvalidCall`], a header that is missing or malformed | 400 | `fault` | the same |
//! | anything else: a panic, axum's own rejections, a proxy's page | any | none | unknown |
//!
//! A compensation that is undone answers what the undo returned, and `null` if there was nothing to undo; a probe answers
//! what the action did, or `null`.
//!
//! Two calls with one key at the same time are the database's to order: on Postgres the second waits for the first and is
//! answered the same, on SQLite they wait for the one writer; one that waits too long is told 503.

mod caller;
mod problem;
mod response;

pub use caller::Caller;
pub use problem::{Cause, Problem};
pub use response::Probed;

#[cfg(doc)]
use crate::{Answer, Compensated, Error, Fault, InvalidCall};
