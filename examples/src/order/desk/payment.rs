//! The client of the payment service.

use saga_runtime::{Context, Keyed};

use super::{Desk, DeskError, undo};
use crate::order::fulfilment::{Authorization, Payment};
use crate::order::kind::Operation;
use crate::order::orders::Order;
use crate::order::wire::{Authorize, Capture};

/// Takes money from cards. The service is keyed.
#[derive(Debug, Clone)]
pub struct PaymentDesk(pub(super) Desk);

impl Keyed for PaymentDesk {}

impl PaymentDesk {
    /// Sets aside what the order costs.
    pub async fn authorize(&self, cx: &Context, order: &Order) -> Result<Authorization, DeskError> {
        let request = Authorize { card: order.card.clone(), amount: order.total() };
        self.0.call(cx, Operation::Authorize, &request).await
    }

    /// Gives the money up.
    pub async fn void(&self, cx: &Context, _authorization: &Authorization) -> Result<(), DeskError> {
        undo(&self.0, cx, Operation::Void).await
    }

    /// Takes the money that was set aside.
    pub async fn capture(&self, cx: &Context, authorization: &Authorization) -> Result<Payment, DeskError> {
        let request = Capture { authorization: authorization.authorization.clone() };
        self.0.call(cx, Operation::Capture, &request).await
    }
}
