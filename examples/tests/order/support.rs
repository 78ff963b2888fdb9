//! What the tests share: four services in this process, and their clients.

use saga_examples::order::audit::fetch_holdings;
use saga_examples::order::desk::{DeskError, Desks};
use saga_examples::order::fulfilment::Fulfilment;
use saga_examples::order::fulfilment::{Pick, Shipment};
use saga_examples::order::kind::ServiceKind;
use saga_examples::order::orders::Order;
use saga_examples::order::service::Services;
use saga_examples::service::faults;
use saga_examples::service::wire::{Held, Holdings};
use saga_runtime::{Context, FailureKind, SagaId, StepError};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) desks: Desks,
    pub(crate) directory: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap()).await
    }

    /// Ends the services and starts them again on the same databases.
    pub(crate) async fn restart(self) -> Self {
        let Self { services, directory, .. } = self;
        drop(services);
        Self::on(directory).await
    }

    async fn on(directory: TempDir) -> Self {
        let services = Services::start(directory.path()).await.unwrap();
        let desks = Desks::new(services.addresses()).unwrap();
        Self { services, desks, directory }
    }

    pub(crate) async fn fault(&self, text: &str) {
        faults::order(self.services.addresses(), &text.parse().unwrap()).await.unwrap();
    }

    pub(crate) async fn holdings(&self) -> Vec<Holdings<ServiceKind>> {
        fetch_holdings(self.services.addresses()).await.unwrap()
    }

    pub(crate) async fn held(&self, service: ServiceKind) -> Vec<Held> {
        let all = self.holdings().await;
        all.into_iter().find(|holdings| holdings.service == service).unwrap().held
    }

    pub(crate) async fn remaining(&self, service: ServiceKind, item: &str) -> i64 {
        let all = self.holdings().await;
        let of = all.into_iter().find(|holdings| holdings.service == service).unwrap();
        of.stock.iter().find(|level| level.item == item).unwrap().remaining
    }

    /// Picks what a line of an order asks for.
    pub(crate) async fn pick(&self, order: &Order, line: usize) -> Result<Pick, DeskError> {
        self.desks.inventory.reserve(&action(&order.id, PICKS[line], 1), &order.lines[line]).await
    }

    /// Fulfils an order, as the saga does it when nothing goes wrong.
    pub(crate) async fn fulfil(&self, order: &Order) -> Result<Fulfilment, DeskError> {
        let (desks, cx) = (&self.desks, |step| action(&order.id, step, 1));
        let authorization = desks.payments.authorize(&cx("authorization"), order).await?;
        let mut picks = Vec::new();
        for line in 0..order.lines.len() {
            picks.push(self.pick(order, line).await?);
        }
        let parcel = desks.shipping.pack(&cx("parcel"), order, &picks).await?;
        let label = desks.shipping.label(&cx("label"), order, &parcel).await?;
        let shipment = Shipment { parcel, label };
        let payment = desks.payments.capture(&cx("payment"), &authorization).await?;
        let dispatched = desks.shipping.dispatch(&cx("dispatched"), &shipment).await?;
        let notice = desks.notices.order_shipped(&cx("notice"), order, &shipment).await.unwrap_or(None);
        Ok(Fulfilment { picks, consent: None, shipment, payment, dispatched, notice })
    }
}

/// The steps that stand for the items of the saga's loop.
pub(crate) const PICKS: [&str; 4] = ["pick-0", "pick-1", "pick-2", "pick-3"];

/// An order of which everything can be had.
pub(crate) fn order(id: &str) -> Order {
    order_as(
        id,
        "CH",
        r#"{"sku":"desk-lamp","quantity":2,"price":4990},{"sku":"cable-usb-c","quantity":3,"price":1290}"#,
    )
}

pub(crate) fn order_as(id: &str, country: &str, lines: &str) -> Order {
    let json = format!(
        r#"{{"id":"{id}","customer":"Ada","mail":"ada@example.com","card":"card-3001",
            "destination":{{"street":"Seeweg 3","city":"8002 Zürich","country":"{country}"}},"lines":[{lines}]}}"#
    );
    serde_json::from_str(&json).unwrap()
}

pub(crate) fn action(saga: &str, step: &'static str, attempt: u32) -> Context {
    Context::action("FulfilOrder", SagaId::new(saga).unwrap(), step, attempt)
}

pub(crate) fn compensation(saga: &str, step: &'static str) -> Context {
    Context::compensation("FulfilOrder", SagaId::new(saga).unwrap(), step, 1)
}

pub(crate) fn kind<T>(result: &Result<T, DeskError>) -> Option<FailureKind> {
    result.as_ref().err().map(StepError::kind)
}

#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, DeskError>) -> String {
    match result {
        Err(DeskError::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}
