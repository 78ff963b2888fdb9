//! Support for the tests.

pub mod barrier;
pub mod contest;
pub mod desk;
pub mod explore;
pub mod local_sagas;
pub mod logs;
pub mod process;
pub mod random_sagas;
pub mod run;
pub mod sagas;
pub mod shop;
pub mod world;

pub mod travel;
pub mod travel_process;

#[cfg(unix)]
pub mod worker;
