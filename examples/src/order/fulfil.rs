//! The saga that fulfils orders, as far as the program has to know it.

use saga_runtime::coordinator::Builder;
use saga_runtime::definition::Definition;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Coordinator, Saga, SagaId};

use super::desk::Desks;
use super::fulfilment::{Approval, Fulfilment};
use super::orders::Order;

/// A saga that fulfils an order: [`FulfilOrder`](super), or in tests one that stands in for it.
pub trait Fulfil: Saga<Input = Order, Output = Fulfilment> {
    /// The declarations that it is made of: itself, and its children.
    const DEFINITIONS: &'static [&'static Definition];

    /// Registers it, and its children.
    fn register(builder: Builder<SqliteLog>, desks: Desks) -> Builder<SqliteLog>;

    /// Gives it the human's answer. It is fine that a saga which has ended takes no answer any more.
    fn approve(
        coordinator: &Coordinator,
        saga: &SagaId,
        approval: Approval,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
}
