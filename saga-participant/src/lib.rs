//! What a service needs to take part in sagas: a **barrier** in its own database transaction, which gives every call
//! exactly one effect, or none.
//!
//! A saga calls a service again when an answer is lost, and compensates a call of which nobody knows what became. So a
//! service sees an action twice, two at once, a compensation before its action, and an action long after its compensation.
//! The barrier is one row per action in a table beside the service's own, written in the transaction of the work:
//!
//! | what arrives | what was there | what is done | what is answered |
//! | --- | --- | --- | --- |
//! | [`Action`] | nothing | the work, and its answer is stored | [`Answer::Done`] |
//! | | | the work, which refuses: what it wrote is undone, the refusal is stored | [`Answer::Refused`] |
//! | | | the work, which fails: all is rolled back | [`Error::Work`] |
//! | | the same action, done or refused | nothing | the stored answer, as the type that it was |
//! | | its compensation | nothing | [`Answer::Superseded`] |
//! | | a [`Probe`] of a later attempt, which found nothing | nothing | [`Answer::Superseded`] |
//! | | another request with the same key | nothing | [`Fault::OtherRequest`] |
//! | [`Compensation`] | the action, done | the undo, which is given the action's answer | [`Compensated::Undone`] |
//! | | the action, refused | nothing | [`Compensated::NothingToUndo`] |
//! | | nothing | a tombstone is written | [`Compensated::NothingToUndo`] |
//! | | the same compensation | nothing | the stored answer |
//! | [`Probe`] | the action, done and not compensated | nothing | its answer |
//! | | anything else | the attempts before the probe are barred | `None`: it is not done, and will not be |
//!
//! # A service
//!
//! ```
//! # #[cfg(feature = "rusqlite")] mod service {
//! use rusqlite::{Connection, TransactionBehavior::Immediate};
//! use saga_participant::rusqlite::Barrier;
//! use saga_participant::{Action, Answer, Compensated, Compensation, WorkError};
//! use serde::{Deserialize, Serialize};
//!
//! # type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
//! #[derive(Serialize)]
//! struct Reserve { flight: String, seats: i64 }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Reservation { number: i64 }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! enum Refusal { SoldOut { left: i64 } }
//!
//! const BARRIER: Barrier = Barrier::new();
//!
//! /// `key` is the caller's `cx.key()`, the same for every attempt.
//! fn reserve(database: &mut Connection, key: &str, request: &Reserve) -> Result<Answer<Reservation, Refusal>> {
//!     let action = Action::new(key, "reserve", request)?;
//!     let tx = database.transaction_with_behavior(Immediate)?;
//!     let answer = BARRIER.action(tx, &action, |tx| {
//!         let take = "UPDATE flight SET free = free - ?2 WHERE name = ?1 RETURNING free";
//!         // An error of the database fails the work: all is rolled back, and the next attempt does it.
//!         let free: i64 = tx.query_row(take, (&request.flight, request.seats), |row| row.get(0))?;
//!         if free < 0 {
//!             // A refusal is an answer: it is stored, and the update is undone.
//!             return Err(WorkError::Refused(Refusal::SoldOut { left: free + request.seats }));
//!         }
//!         let hold = "INSERT INTO reservation (flight, seats) VALUES (?1, ?2)";
//!         tx.execute(hold, (&request.flight, request.seats))?;
//!         Ok(Reservation { number: tx.last_insert_rowid() })
//!     })?;
//!     Ok(answer.commit()?) // there is no answer before the commit
//! }
//!
//! /// `action_key` is the caller's `cx.action_key()`.
//! fn cancel(database: &mut Connection, action_key: &str) -> Result<Compensated<()>> {
//!     let compensation = Compensation::new(action_key, "cancel", &())?;
//!     let tx = database.transaction_with_behavior(Immediate)?;
//!     let answer = BARRIER.compensation(tx, &compensation, |tx, reserved: Reservation| {
//!         let release = "DELETE FROM reservation WHERE number = ?1 RETURNING flight, seats";
//!         let released: (String, i64) =
//!             tx.query_row(release, [reserved.number], |row| Ok((row.get(0)?, row.get(1)?)))?;
//!         tx.execute("UPDATE flight SET free = free + ?2 WHERE name = ?1", released)?;
//!         Ok(())
//!     })?;
//!     Ok(answer.commit()?)
//! }
//!
//! # pub fn main() -> Result<()> {
//! let mut database = Connection::open_in_memory()?;
//! BARRIER.create(&database)?;
//! database.execute_batch(
//!     "CREATE TABLE flight (name TEXT PRIMARY KEY, free INTEGER NOT NULL);
//!      CREATE TABLE reservation (number INTEGER PRIMARY KEY, flight TEXT NOT NULL, seats INTEGER NOT NULL);
//!      INSERT INTO flight VALUES ('LX 2086', 3)",
//! )?;
//! let two = Reserve { flight: "LX 2086".into(), seats: 2 };
//! let (reserved, refused) = (Reservation { number: 1 }, Refusal::SoldOut { left: 1 });
//!
//! assert_eq!(reserve(&mut database, "BookTrip/t-1/flight", &two)?, Answer::Done(reserved));
//! assert_eq!(reserve(&mut database, "BookTrip/t-2/flight", &two)?, Answer::Refused(refused));
//! // Two duplicates, with a cancellation between: the refusal was answered, whatever has become free since.
//! assert_eq!(reserve(&mut database, "BookTrip/t-1/flight", &two)?, Answer::Done(Reservation { number: 1 }));
//! assert_eq!(cancel(&mut database, "BookTrip/t-1/flight")?, Compensated::Undone(()));
//! assert_eq!(
//!     reserve(&mut database, "BookTrip/t-2/flight", &two)?,
//!     Answer::Refused(Refusal::SoldOut { left: 1 }),
//! );
//! // A compensation that overtook its action.
//! assert_eq!(cancel(&mut database, "BookTrip/t-3/flight")?, Compensated::NothingToUndo);
//! assert_eq!(reserve(&mut database, "BookTrip/t-3/flight", &two)?, Answer::Superseded);
//! # Ok(()) }
//! # }
//! # #[cfg(feature = "rusqlite")] service::main().unwrap();
//! ```
//!
//! What the service tells its caller, and what the caller's error is to say about the effect:
//!
//! | here | over HTTP | for the saga |
//! | --- | --- | --- |
//! | [`Answer::Done`], [`Compensated`], what a probe found | 200 | done |
//! | [`Answer::Refused`], [`Answer::Superseded`] | 422, 409 | refused |
//! | [`ErrorKind::Transient`] | 503 | transient |
//! | [`ErrorKind::Unknown`], [`ErrorKind::Fault`] | 500, 422 | unknown |
//! | [`InvalidCall`] | 400 | unknown: what is wrong with this attempt says nothing about another one |
//!
//! A service on axum is spared that by the feature `axum`: its `saga_participant::axum` reads who calls, and makes of these
//! the responses that the runtime's `http::Client` understands. [`http`] is what the two agree upon.
//!
//! A saga may try again after a probe that found nothing: so the numbers of the attempts (`cx.attempt()`) are to be passed
//! on by [`Action::attempt`] and [`Probe::attempt`] wherever there is a probe.
//!
//! # What a service keeps to
//!
//! - All that the work does, it does in the transaction that it is given. What goes elsewhere, such as a mail, goes
//!   through an outbox table in it.
//! - The work ends neither the transaction nor the savepoint in which it runs.
//! - The types of answers stay readable as long as rows stay: a new field gets `#[serde(default)]`.
//! - A request is the same at each attempt, also to the service's next version: only what it says is remembered, as a hash.
//!
//! # How long it remembers
//!
//! For ever, if nothing is said. `forget` is for a coordinator that announces the end of a saga: its rows linger (for
//! [24 hours](Retention::linger), in which what is still on its way is barred), and go with the next `expire`. A
//! [horizon](Retention::horizon) lets rows go by their age, whatever became of their saga. It is a promise of the callers,
//! who send nothing later (`Builder::horizon` of `saga-runtime`), and is there as data to be told to them: what comes later
//! all the same is treated as new.
//!
//! # Databases
//!
//! | feature | module | transaction |
//! | --- | --- | --- |
//! | `rusqlite` | `saga_participant::rusqlite` | of [rusqlite](https://docs.rs/rusqlite) 0.39 to 0.42 |
//! | `sqlx` | `saga_participant::sqlx` | of [sqlx](https://docs.rs/sqlx) 0.9 on Postgres or SQLite, with the driver that your own dependency on sqlx names |
//! | `tokio-postgres` | `saga_participant::tokio_postgres` | of [tokio-postgres](https://docs.rs/tokio-postgres) 0.7 |
//!
//! None is on by default, nor is `axum`. For another database there is the pure core: [`Call::decide`] over a [`State`]. All modules
//! use the same table, so that a service may go from one library to another. On Postgres a duplicate waits at the unique
//! key until the first call is committed, and is then answered what that was answered; on SQLite calls wait for the one
//! writer.
//!
//! # Where the idea is from
//!
//! It is the *idempotent receiver* of Hohpe and Woolf (Enterprise Integration Patterns, 2003), which others call an *inbox*,
//! and the *sub-transaction barrier* of [dtm](https://github.com/dtm-labs/dtm), whose insertions tell a duplicate, an empty
//! compensation and a late action apart. What differs: in dtm a duplicate and a late action are both answered with a
//! success that says nothing; here a duplicate gets the stored, typed answer, and a late action is told that it is
//! superseded. Refusals are answers too, and stay. A compensation is given the answer of what it undoes. A key that comes
//! with another request is noticed. And no answer can be had before its commit.

#[cfg(any(feature = "rusqlite", feature = "sqlx", feature = "tokio-postgres"))]
mod sql;
#[cfg(any(feature = "rusqlite", feature = "sqlx", feature = "tokio-postgres"))]
mod typed;

mod action;
mod answer;
mod call;
mod compensation;
mod error;
mod probe;
mod request;
mod retention;
mod row;
mod state;

#[cfg(feature = "axum")]
pub mod axum;
pub mod http;
#[cfg(feature = "rusqlite")]
pub mod rusqlite;
#[cfg(feature = "sqlx")]
pub mod sqlx;
#[cfg(feature = "tokio-postgres")]
pub mod tokio_postgres;

pub use action::{Action, ActionThen, Work};
pub use answer::{Answer, Compensated, UndoError, WorkError};
pub use call::{Call, CallKind, Decision, InvalidCall, KEY_LENGTH_MAX, SAGA_LENGTH_MAX};
pub use compensation::{Compensation, CompensationThen, Undo};
pub use error::{Error, ErrorKind, Fault};
pub use probe::{Probe, ProbeThen};
pub use retention::{Retention, seconds};
pub use row::Row;
#[cfg(any(feature = "rusqlite", feature = "sqlx", feature = "tokio-postgres"))]
pub use sql::{POSTGRES_SCHEMA, SQLITE_SCHEMA};
pub use state::State;

#[cfg(test)]
mod tests;
