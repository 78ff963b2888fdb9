//! The saga: one declaration, from which `saga!` writes the state machine and its compensations.

use std::convert::Infallible;
use std::future::{Ready, ready};

use saga_runtime::coordinator::{Builder, SendError};
use saga_runtime::definition::Definition;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Begun, Coordinator, Saga, SagaId, saga};

use super::desk::{Desks, InventoryDesk, NoticeDesk, PaymentDesk, ShippingDesk};
use super::fulfil::Fulfil;
use super::fulfilment::{
    Approval, ApprovalRequest, Authorization, Consent, Dispatch, Fulfilment, Label, Notice, Parcel, Payment,
    Pick, Shipment, consent_of,
};
use super::orders::{APPROVAL_TIME, GRACE_PERIOD, Order, OrderLine};

saga! {
    /// Fulfils one order: it is paid and on its way, or nothing of it is.
    pub saga FulfilOrder(order: Order) -> Fulfilment {
        with payments: PaymentDesk, inventory: InventoryDesk, shipping: ShippingDesk, notices: NoticeDesk;
        deadline 2h;
        retry 5 times every 50ms..2s;
        timeout 5s;

        /// Sets the money aside.
        step authorization: Authorization = payments.authorize(cx, order)
            compensate payments.void(cx, authorization);

        for line: OrderLine in order.lines.clone() {
            /// Takes the goods from a shelf, line by line.
            step pick: Pick = inventory.reserve(cx, line)
                compensate inventory.release(cx, pick);
        }

        if order.needs_approval() {
            /// Asks a human. A question that nobody needs any more does no harm.
            step request: ApprovalRequest = notices.ask_for_approval(cx, order)
                compensate nothing;

            /// No answer is a no.
            receive approval: Approval within (APPROVAL_TIME);

            /// And so is a no.
            read consent: Consent = consent_of(approval);
        }

        /// The customer may still cancel.
        sleep (GRACE_PERIOD);

        /// Packs what was picked.
        step parcel: Parcel = shipping.pack(cx, order, pick)
            compensate shipping.unpack(cx, parcel);

        /// Labels it: some carriers do not deliver everywhere.
        step label: Label = shipping.label(cx, order, parcel)
            compensate shipping.void_label(cx, label);

        read shipment: Shipment = joined(parcel, label);

        /// Takes the money: from here on the order goes out.
        pivot payment: Payment = payments.capture(cx, authorization);

        /// Hands the parcel over to its carrier.
        step dispatched: Dispatch = shipping.dispatch(cx, shipment);

        /// Tells the customer, if the customer can be told.
        step notice: Option<Notice> = notices.order_shipped(cx, order, shipment)
            else None;

        return Fulfilment { picks: pick, consent, shipment, payment, dispatched, notice };
    }
}

/// What is sent: a parcel with a label.
fn joined(parcel: &Parcel, label: &Label) -> Ready<Result<Shipment, Infallible>> {
    ready(Ok(Shipment { parcel: parcel.clone(), label: label.clone() }))
}

impl Fulfil for FulfilOrder {
    const DEFINITIONS: &'static [&'static Definition] = &[FulfilOrder::DEFINITION];

    fn register(builder: Builder<SqliteLog>, desks: Desks) -> Builder<SqliteLog> {
        let Desks { payments, inventory, shipping, notices } = desks;
        builder.register::<FulfilOrder>(FulfilOrderParticipants { payments, inventory, shipping, notices })
    }

    async fn approve(coordinator: &Coordinator, saga: &SagaId, approval: Approval) -> anyhow::Result<()> {
        let found = coordinator.find::<Self>(saga).await?;
        let Some(Begun::Started(handle) | Begun::Attached(handle)) = found else {
            return Ok(());
        };
        match handle.send(FulfilOrderSignal::Approval(approval)).await {
            Ok(()) | Err(SendError::TooLate { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
