//! A saga that stands in for the declared one, with the same services and outcomes: what is a loop, a condition, a
//! signal and a child there is one participant here that does it all in order. A refusal says "surely no effect", so
//! these participants have to undo what came before it by themselves: the forms of the language spare one that.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use saga_examples::order::desk::{DeskError, Desks, InventoryDesk, NoticeDesk, PaymentDesk, ShippingDesk};
use saga_examples::order::fulfil::Fulfil;
use saga_examples::order::fulfilment::{
    Approval, Authorization, Consent, Dispatch, Fulfilment, Notice, Payment, Pick, Shipment, consent_of,
};
use saga_examples::order::orders::Order;
use saga_runtime::coordinator::Builder;
use saga_runtime::definition::Definition;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Context, Coordinator, Keyed, Saga, SagaId, saga};

use super::support::PICKS;

/// The answers that came in, by saga.
static ANSWERS: Mutex<Option<HashMap<String, Approval>>> = Mutex::new(None);

/// Picks all lines of an order, each under a key of its own.
pub(crate) struct Picker(InventoryDesk);

/// Asks the human, and waits for the answer.
pub(crate) struct Office(NoticeDesk);

/// Packs and labels.
pub(crate) struct Packer(ShippingDesk);

impl Keyed for Picker {}
impl Keyed for Office {}
impl Keyed for Packer {}

impl Picker {
    async fn reserve(&self, cx: &Context, order: &Order) -> Result<Vec<Pick>, DeskError> {
        let picks = self.reserve_all(cx, order).await;
        match &picks {
            Err(DeskError::Refused { .. }) => {
                self.release(cx, order).await.map_err(|error| in_doubt(&error))?;
            }
            Err(error) => return Err(in_doubt(error)),
            Ok(_) => {}
        }
        picks
    }

    async fn reserve_all(&self, cx: &Context, order: &Order) -> Result<Vec<Pick>, DeskError> {
        let mut picks = Vec::new();
        for (step, line) in PICKS.into_iter().zip(&order.lines) {
            let cx = Context::action(cx.definition(), cx.saga_id().clone(), step, cx.attempt());
            picks.push(self.0.reserve(&cx, line).await?);
        }
        Ok(picks)
    }

    async fn release(&self, cx: &Context, order: &Order) -> Result<(), DeskError> {
        for (step, line) in PICKS.into_iter().zip(&order.lines) {
            let cx = Context::compensation(cx.definition(), cx.saga_id().clone(), step, cx.attempt());
            let pick = Pick { pick: String::new(), sku: line.sku.clone(), shelf: String::new(), quantity: 0 };
            self.0.release(&cx, &pick).await?;
        }
        Ok(())
    }
}

impl Office {
    async fn consent(&self, cx: &Context, order: &Order) -> Result<Option<Consent>, DeskError> {
        if !order.needs_approval() {
            return Ok(None);
        }
        self.0.ask_for_approval(cx, order).await?;
        for _ in 0..50 {
            let answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
            if let Some(approval) = answers.get(cx.saga_id().as_str()) {
                let consent = consent_of(approval).await;
                return consent.map(Some).map_err(|error| refused(&error.to_string()));
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Err(refused("nobody has answered"))
    }
}

impl Packer {
    async fn ship(&self, cx: &Context, order: &Order, picks: &[Pick]) -> Result<Shipment, DeskError> {
        let shipment = self.ship_all(cx, order, picks).await;
        match &shipment {
            Err(DeskError::Refused { .. }) => self.undo(cx, order).await.map_err(|error| in_doubt(&error))?,
            Err(error) => return Err(in_doubt(error)),
            Ok(_) => {}
        }
        shipment
    }

    async fn ship_all(&self, cx: &Context, order: &Order, picks: &[Pick]) -> Result<Shipment, DeskError> {
        let cx = |step| Context::action("ShipOrder", cx.saga_id().clone(), step, cx.attempt());
        let parcel = self.0.pack(&cx("parcel"), order, picks).await?;
        let label = self.0.label(&cx("label"), order, &parcel).await?;
        Ok(Shipment { parcel, label })
    }

    async fn undo(&self, cx: &Context, order: &Order) -> Result<(), DeskError> {
        use saga_examples::order::fulfilment::{Label, Parcel};
        let cx = |step| Context::compensation("ShipOrder", cx.saga_id().clone(), step, cx.attempt());
        let (none, order) = (String::new, order.id.clone());
        let parcel =
            Parcel { parcel: none(), order, lane: none(), pieces: 1, cost: saga_examples::money::Cents(0) };
        self.0.void_label(&cx("label"), &Label { label: none(), parcel: none() }).await?;
        self.0.unpack(&cx("parcel"), &parcel).await
    }
}

/// Best effort: a customer who cannot be told is not told.
async fn told(
    notice: impl Future<Output = Result<Option<Notice>, DeskError>>,
) -> Result<Option<Notice>, DeskError> {
    Ok(notice.await.unwrap_or(None))
}

/// What came before the failure may be in effect.
fn in_doubt(error: &DeskError) -> DeskError {
    DeskError::Broken { service: "order", cause: error.to_string() }
}

fn refused(reason: &str) -> DeskError {
    DeskError::Refused { reason: reason.to_owned() }
}

saga! {
    /// Fulfils one order: it is paid and on its way, or nothing of it is.
    pub(crate) saga StandIn(order: Order) -> Fulfilment {
        with payments: PaymentDesk, picker: Picker, office: Office, packer: Packer, shipping: ShippingDesk,
            notices: NoticeDesk;
        retry 5 times every 5ms..50ms;

        step authorization: Authorization = payments.authorize(cx, order)
            compensate payments.void(cx, authorization);
        step picks: Vec<Pick> = picker.reserve(cx, order)
            compensate picker.release(cx, order);
        step consent: Option<Consent> = office.consent(cx, order)
            compensate nothing;
        step shipment: Shipment = packer.ship(cx, order, picks)
            compensate packer.undo(cx, order);
        pivot payment: Payment = payments.capture(cx, authorization);
        step dispatched: Dispatch = shipping.dispatch(cx, shipment);
        step notice: Option<Notice> = told(notices.order_shipped(cx, order, shipment)) keyed;

        return Fulfilment { picks, consent, shipment, payment, dispatched, notice };
    }
}

impl Fulfil for StandIn {
    const DEFINITIONS: &'static [&'static Definition] = &[StandIn::DEFINITION];

    fn register(builder: Builder<SqliteLog>, desks: Desks) -> Builder<SqliteLog> {
        let Desks { payments, inventory, shipping, notices } = desks;
        builder.register::<StandIn>(StandInParticipants {
            payments,
            picker: Picker(inventory),
            office: Office(notices.clone()),
            packer: Packer(shipping.clone()),
            shipping,
            notices,
        })
    }

    async fn approve(_: &Coordinator, saga: &SagaId, approval: Approval) -> anyhow::Result<()> {
        let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get_or_insert_default().insert(saga.to_string(), approval);
        Ok(())
    }
}
