//! The sagas that fulfil orders, at a coordinator.

use saga_runtime::coordinator::{Builder, SendError};
use saga_runtime::definition::Definition;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Begun, Coordinator, Saga, SagaId};

use super::desk::Desks;
use super::fulfilment::Approval;
use super::saga::{
    FulfilOrder, FulfilOrderParticipants, FulfilOrderSignal, ShipOrder, ShipOrderParticipants,
};

/// The declarations of which the fulfilment of an order is made.
pub const DEFINITIONS: &[&Definition] = &[FulfilOrder::DEFINITION, ShipOrder::DEFINITION];

/// Registers the saga, and its child.
pub fn register(builder: Builder<SqliteLog>, desks: Desks) -> Builder<SqliteLog> {
    let Desks { payments, inventory, shipping, notices } = desks;
    builder
        .register::<ShipOrder>(ShipOrderParticipants { shipping: shipping.clone() })
        .register::<FulfilOrder>(FulfilOrderParticipants { payments, inventory, shipping, notices })
}

/// Gives the saga of an order the human's answer. It is fine that one which has ended takes no answer any more.
pub async fn approve(coordinator: &Coordinator, saga: &SagaId, approval: Approval) -> anyhow::Result<()> {
    let found = coordinator.find::<FulfilOrder>(saga).await?;
    let Some(Begun::Started(handle) | Begun::Attached(handle)) = found else {
        return Ok(());
    };
    match handle.send(FulfilOrderSignal::Approval(approval)).await {
        Ok(()) | Err(SendError::TooLate { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
