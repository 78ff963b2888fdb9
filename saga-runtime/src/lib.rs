//! Runtime.
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod context;
#[cfg(feature = "coordinator")]
pub mod coordinator;
pub mod data;
pub mod definition;
mod error;
mod id;
#[cfg(feature = "coordinator")]
pub mod log;
pub mod machine;
mod saga;

pub use context::{Context, IdempotencyKey};
#[cfg(feature = "coordinator")]
pub use coordinator::{Begun, CancelAnswer, Coordinator, Handle, Outcome, SagaStatus};
pub use data::SagaData;
pub use error::{Failure, FailureKind, StepError};
pub use id::{InvalidSagaId, SagaId};
pub use saga::{Keyed, Saga, StateOf};
#[cfg(feature = "macros")]
pub use saga_macros::{StepError, saga};
