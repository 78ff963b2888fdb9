//! Example sagas on real services:
//!
//! - [`travel`]: a flight, a hotel and a car, all of them or none;
//! - [`order`]: an order, paid and on its way, or nothing of it;
//! - [`worker`]: the trip once more, as a service that any participants can be plugged into.
//!
//! | module | holds what the examples share |
//! | --- | --- |
//! | [`service`] | the kit of which their HTTP services are made, and how services are run, found and made to fail |
//! | [`desk`] | the kit of which their clients, the sagas' participants, are made |
//! | [`lines`], [`fields`], [`money`] | input files, line by line and field by field; amounts |
//! | [`ending`] | runs sagas through a coordinator, and tells what became of them |
//! | [`mod@audit`] | what the services hold against what the completed sagas own, to the unit |
//! | [`program`] | the command line: progress, tables, the subcommands that run services |

pub mod audit;
pub mod desk;
pub mod ending;
pub mod fields;
pub mod lines;
pub mod money;
pub mod order;
pub mod program;
pub mod service;
pub mod travel;
pub mod worker;
