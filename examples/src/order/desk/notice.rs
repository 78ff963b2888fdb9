//! The client of the notice service.

use saga_runtime::{Context, Keyed};

use super::{Desk, DeskError};
use crate::order::fulfilment::{ApprovalRequest, Notice, Shipment};
use crate::order::kind::Operation;
use crate::order::orders::Order;
use crate::order::wire::{AskForApproval, Notify};

/// Writes to customers, and asks humans. The service is keyed.
#[derive(Debug, Clone)]
pub struct NoticeDesk(pub(super) Desk);

impl Keyed for NoticeDesk {}

impl NoticeDesk {
    /// Asks a human whether the order shall be fulfilled. The answer comes as a signal.
    pub async fn ask_for_approval(&self, cx: &Context, order: &Order) -> Result<ApprovalRequest, DeskError> {
        let request = AskForApproval { customer: order.customer.clone(), total: order.total() };
        self.0.call(cx, Operation::Ask, &request).await
    }

    /// Tells the customer that the parcel is on its way.
    pub async fn order_shipped(
        &self,
        cx: &Context,
        order: &Order,
        shipment: &Shipment,
    ) -> Result<Option<Notice>, DeskError> {
        let text = format!("Your order {} is on its way with {}.", order.id, shipment.parcel.lane);
        let notice: Notice =
            self.0.call(cx, Operation::Notify, &Notify { mail: order.mail.clone(), text }).await?;
        Ok(Some(notice))
    }
}
