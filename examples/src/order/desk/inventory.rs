//! The client of the inventory service.

use saga_runtime::{Context, Keyed};

use super::{Desk, DeskError, undo};
use crate::order::fulfilment::Pick;
use crate::order::kind::Operation;
use crate::order::orders::OrderLine;
use crate::order::wire::ReserveUnits;

/// Takes goods from shelves. The service is keyed.
#[derive(Debug, Clone)]
pub struct InventoryDesk(pub(super) Desk);

impl Keyed for InventoryDesk {}

impl InventoryDesk {
    /// Takes what one line of an order asks for.
    pub async fn reserve(&self, cx: &Context, line: &OrderLine) -> Result<Pick, DeskError> {
        let request = ReserveUnits { sku: line.sku.clone(), quantity: i64::from(line.quantity) };
        self.0.call(cx, Operation::Reserve, &request).await
    }

    /// Puts it back.
    pub async fn release(&self, cx: &Context, _pick: &Pick) -> Result<(), DeskError> {
        undo(&self.0, cx, Operation::Release).await
    }
}
