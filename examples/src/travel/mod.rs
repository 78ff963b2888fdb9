//! Travel booking: four HTTP services with a database each, and the saga that books a trip through all of them.
//!
//! | module | holds |
//! | --- | --- |
//! | [`trip`], [`values`], [`trips_file`] | what is booked, and the JSON Lines file that it is read from |
//! | [`wire`], [`stock`], [`fault`] | what the services speak, what they sell, how they can be made to fail |
//! | [`service`], [`addresses`] | what the services do, and where they are |
//! | [`desk`] | the clients: the saga's participants |
//! | [`saga`] | the declaration |
//! | [`booking`] | runs trips through the coordinator, and tells what became of them |
//! | [`mod@audit`] | what a completed trip owns of each service |
//! | [`program`] | the command line program `travel_booking` |

pub mod addresses;
pub mod audit;
pub mod booking;
pub mod desk;
pub mod fault;
pub mod program;
pub mod saga;
pub mod service;
pub mod stock;
pub mod trip;
pub mod trips_file;
pub mod values;
pub mod wire;

pub use crate::service::{faults, supervise};

/// All four services in this process.
pub mod services {
    pub use super::service::Services;
    pub use crate::service::database;
}
