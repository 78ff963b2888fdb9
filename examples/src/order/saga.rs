//! The sagas: declarations from which `saga!` writes the state machines and their compensations.

use saga_runtime::saga;

use super::desk::{InventoryDesk, NoticeDesk, PaymentDesk, ShippingDesk};
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

        // The orders of a customer are fulfilled one after another.
        lock order.customer;

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

        /// Makes the shipment, which compensates with this saga as long as this one can.
        saga shipment: Shipment = ShipOrder(order.clone(), pick.clone());

        /// Takes the money: from here on the order goes out.
        pivot payment: Payment = payments.capture(cx, authorization);

        /// Hands the parcel over to its carrier.
        step dispatched: Dispatch = shipping.dispatch(cx, shipment);

        /// Tells the customer, if the customer can be told.
        step notice: Option<Notice> = notices.order_shipped(cx, order, shipment)
            else None;

        return Fulfilment { picks: pick, consent, shipment, payment, dispatched, notice };
    }

    /// Makes the shipment of an order: a parcel and its label, or neither.
    pub saga ShipOrder(order: Order, picks: Vec<Pick>) -> Shipment {
        with shipping: ShippingDesk;
        retry 5 times every 50ms..2s;
        timeout 5s;

        /// Packs what was picked.
        step parcel: Parcel = shipping.pack(cx, order, picks)
            compensate shipping.unpack(cx, parcel);

        /// Labels it: some carriers do not deliver everywhere.
        step label: Label = shipping.label(cx, order, parcel)
            compensate shipping.void_label(cx, order, label);

        return Shipment { parcel, label };
    }
}
