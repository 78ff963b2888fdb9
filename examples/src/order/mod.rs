//! Order fulfilment: payment, inventory, shipping and notices as four HTTP services with a database each, and the saga
//! that takes an order through all of them, with a lock, a child, a loop, a human, a timer and a best effort.
//!
//! | module | holds |
//! | --- | --- |
//! | [`orders`], [`values`], [`orders_file`] | what is ordered, and the JSON Lines file that it is read from |
//! | [`fulfilment`] | what becomes of it |
//! | [`kind`], [`wire`], [`stock`] | the services, what they speak, what they have |
//! | [`service`], [`addresses`] | what the services do, and where they are |
//! | [`desk`] | the clients: the sagas' participants |
//! | [`saga`] | the declarations |
//! | [`fulfil`] | registers the sagas, and brings them the human's answers |
//! | [`approver`] | plays the human who approves orders |
//! | [`mod@audit`] | what a completed order owns of each service |
//! | [`program`] | the command line program `order_fulfilment` |

pub mod addresses;
pub mod approver;
pub mod audit;
pub mod desk;
pub mod fulfil;
pub mod fulfilment;
pub mod kind;
pub mod orders;
pub mod orders_file;
pub mod program;
pub mod saga;
pub mod service;
pub mod stock;
pub mod values;
pub mod wire;
