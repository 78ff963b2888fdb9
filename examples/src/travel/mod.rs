//! Travel booking: four HTTP services with a database each, and the saga that books a trip through all of them.
//!
//! | module | holds |
//! | --- | --- |
//! | [`trip`], [`values`], [`trips_file`] | what is booked, and the JSON Lines file that it is read from |
//! | [`wire`], [`stock`], [`fault`], [`faults`] | what the services speak, what they sell, how they can be made to fail |
//! | [`service`], [`services`], [`supervise`] | one service; all four in this process; all four as processes |
//! | [`addresses`] | where the services are |
//! | [`desk`] | the clients: the saga's participants |
//! | [`saga`] | the declaration |
//! | [`booking`] | runs trips through the coordinator, and tells what became of them |
//! | [`mod@audit`] | what the services hold against what the completed trips own, to the unit |
//! | [`program`] | the command line program `travel_booking` |

pub mod addresses;
pub mod audit;
pub mod booking;
pub mod desk;
pub mod fault;
pub mod faults;
pub mod program;
pub mod saga;
pub mod service;
pub mod services;
pub mod stock;
pub mod supervise;
pub mod trip;
pub mod trips_file;
pub mod values;
pub mod wire;
