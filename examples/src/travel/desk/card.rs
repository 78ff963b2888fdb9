//! The client of the card service.

use saga_runtime::{Context, Keyed};

use super::{Desk, DeskError};
use crate::travel::trip::{Card, Receipt};
use crate::travel::values::Cents;
use crate::travel::wire::{Charge, Operation};

/// Charges cards. The service is keyed.
#[derive(Debug, Clone)]
pub struct CardDesk(pub(super) Desk);

impl Keyed for CardDesk {}

impl CardDesk {
    /// Charges the amount.
    pub async fn charge(&self, cx: &Context, card: &Card, amount: Cents) -> Result<Receipt, DeskError> {
        self.0.call(cx, Operation::Charge, &Charge { card: card.clone(), amount }).await
    }
}
