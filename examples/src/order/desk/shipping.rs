//! The client of the shipping service.

use saga_runtime::{Context, Keyed};

use super::{Desk, DeskError, undo_for};
use crate::order::fulfilment::{Dispatch, Label, Parcel, Pick, Shipment};
use crate::order::kind::Operation;
use crate::order::orders::Order;
use crate::order::wire::{HandOver, MakeLabel, Pack};

/// Sends parcels. The service is keyed.
///
/// It makes parcels and labels for orders: a saga that is a part of the order's is not its concern.
#[derive(Debug, Clone)]
pub struct ShippingDesk(pub(super) Desk);

impl Keyed for ShippingDesk {}

impl ShippingDesk {
    /// Packs what was picked.
    pub async fn pack(&self, cx: &Context, order: &Order, picks: &[Pick]) -> Result<Parcel, DeskError> {
        let request = Pack {
            order: order.id.clone(),
            country: order.destination.country.clone(),
            pieces: picks.iter().map(|pick| pick.quantity).sum(),
        };
        self.0.call_for(&order.id, cx, Operation::Pack, &request).await
    }

    /// Takes the parcel apart.
    pub async fn unpack(&self, cx: &Context, parcel: &Parcel) -> Result<(), DeskError> {
        undo_for(&parcel.order, &self.0, cx, Operation::Unpack).await
    }

    /// Makes the parcel's label.
    pub async fn label(&self, cx: &Context, order: &Order, parcel: &Parcel) -> Result<Label, DeskError> {
        let destination = order.destination.clone();
        let request = MakeLabel { parcel: parcel.parcel.clone(), destination };
        self.0.call_for(&order.id, cx, Operation::Label, &request).await
    }

    /// Tears the label up.
    pub async fn void_label(&self, cx: &Context, order: &Order, _label: &Label) -> Result<(), DeskError> {
        undo_for(&order.id, &self.0, cx, Operation::Void).await
    }

    /// Hands the parcel over to its carrier.
    pub async fn dispatch(&self, cx: &Context, shipment: &Shipment) -> Result<Dispatch, DeskError> {
        let Shipment { parcel, label } = shipment;
        let request = HandOver { parcel: parcel.parcel.clone(), label: label.label.clone() };
        self.0.call_for(&parcel.order, cx, Operation::Dispatch, &request).await
    }
}
