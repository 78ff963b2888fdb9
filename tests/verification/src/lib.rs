//! The sagas that the tests of the verification kit explore.

pub mod program;
pub mod sagas;
