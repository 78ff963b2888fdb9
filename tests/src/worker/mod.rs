//! The example `travel_worker` as a process, in front of participants that are the ledger of the audit.
//!
//! The ledger sees every call before the worker sees its answer, so it can do to the worker what it likes at the very
//! moment of an effect: lose the answer, stop the worker for a while, kill it.

pub mod audit;
pub mod http;
pub mod ledger;
pub mod life;
pub mod plan;
pub mod site;
