//! Runtime.
pub mod definition;
pub mod id;
#[cfg(feature = "coordinator")]
pub mod log;
