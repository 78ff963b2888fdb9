//! Sagas: transactions over several services, declared once, type-checked, compensated and durable.
//!
//! - [`saga!`] declares a saga and writes its typed state machine;
//! - [`guide`] teaches the language, form by form, and says why the compiler says what it says;
//! - [`Coordinator`] executes sagas and resumes them after a crash;
//! - [`log`] keeps what happened: [`log::SqliteLog`] in a file, [`log::MemoryLog`] for tests;
//! - [`graph`] draws a declaration, what happens when something fails, and a recorded run;
//! - [`machine`] is the pure core: state, facts, what is next. It builds without the features below, without tokio and
//!   without a database.
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `macros` | yes | `saga!` and `#[derive(StepError)]` |
//! | `sqlite` | yes | `SqliteLog`, and `coordinator` |
//! | `coordinator` | by `sqlite` | the engine, on tokio |
//! | `verify` | no | explores what can go wrong with a saga, in a test |
//! | `reqwest` | no | `http`: the client of participants that are called over HTTP |

#[cfg(feature = "coordinator")]
pub mod coordinator;
pub mod data;
pub mod definition;
pub mod graph;
pub mod guide;
#[cfg(feature = "reqwest")]
pub mod http;
#[cfg(feature = "coordinator")]
pub mod log;
pub mod machine;

#[cfg(feature = "verify")]
pub mod verify;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

mod context;
mod error;
mod id;
mod parameter;
mod saga;

pub use context::{Context, IdempotencyKey};
#[cfg(feature = "coordinator")]
pub use coordinator::{
    BeginError, Begun, CancelAnswer, Coordinator, Handle, HandleError, Outcome, SagaStatus, StartError,
};
pub use data::SagaData;
pub use error::{Failure, FailureKind, RETRY_AFTER_MAX, StepError};
pub use id::{InvalidSagaId, SagaId};
pub use parameter::SagaParameter;
pub use saga::{Compensatable, Keyed, RunsOn, Saga, Signal, StateOf};
#[cfg(feature = "macros")]
pub use saga_macros::StepError;
#[cfg(feature = "macros")]
#[doc = include_str!("saga_macro.md")]
pub use saga_macros::saga;

/// The README's example compiles. Only under test: a package holds no README of the workspace.
#[cfg(all(doctest, feature = "sqlite", feature = "macros"))]
#[doc = include_str!("../../README.md")]
struct Readme;
