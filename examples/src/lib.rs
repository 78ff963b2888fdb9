//! Example sagas on real services. The first is [`travel`]: a flight, a hotel and a car, all of them or none.
//!
//! | module | holds what the examples share |
//! | --- | --- |
//! | [`service`] | the kit of which their HTTP services are made, and how services are run, found and made to fail |
//! | [`desk`] | the kit of which their clients, the sagas' participants, are made |
//! | [`lines`], [`money`] | input files; amounts |
//! | [`ending`] | runs sagas through a coordinator, and tells what became of them |
//! | [`mod@audit`] | what the services hold against what the completed sagas own, to the unit |
//! | [`program`] | the command line: progress, tables, the subcommands that run services |

pub mod audit;
pub mod desk;
pub mod ending;
pub mod lines;
pub mod money;
pub mod program;
pub mod service;
pub mod travel;
