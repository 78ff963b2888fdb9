//! The main job: fulfils all orders.

use std::process::ExitCode;

use comfy_table::Table;
use saga_runtime::Coordinator;
use saga_runtime::coordinator::Builder;
use saga_runtime::log::SqliteLog;

use super::arguments::FulfilmentOptions;
use super::report::orders_table;
use crate::desk::CrashPoint;
use crate::order::addresses::Addresses;
use crate::order::approver::Approver;
use crate::order::audit::Fulfilled;
use crate::order::desk::Desks;
use crate::order::fulfil::{self, DEFINITIONS};
use crate::order::fulfilment::Fulfilment;
use crate::order::kind::ServiceKind;
use crate::order::orders::Order;
use crate::order::orders_file;
use crate::order::saga::FulfilOrder;
use crate::program::arguments::parse_crash_point;
use crate::program::job::{self, Job, Settled};

/// An order, and what became of it.
pub(super) type FulfilledOrder = Settled<Order, Fulfilment>;

/// Does the main job. The exit code says whether every order came to its end and the audit found everything in order.
///
/// This is the one place where the saga is begun.
pub async fn fulfil(options: &FulfilmentOptions) -> anyhow::Result<ExitCode> {
    let orders = read_orders(options)?;
    let crash_after = options.crash_after.as_deref().map(crash_point).transpose()?;
    job::run(&FulfilOrders { crash_after }, &options.job, orders).await
}

fn read_orders(options: &FulfilmentOptions) -> anyhow::Result<Vec<Order>> {
    match &options.orders {
        Some(file) => Ok(orders_file::read_orders(file)?),
        None => orders_file::shipped_orders(),
    }
}

fn crash_point(text: &str) -> anyhow::Result<CrashPoint> {
    parse_crash_point(text, DEFINITIONS)
        .map_err(|mend| anyhow::anyhow!("there is no step `{text}` to crash after: {mend}"))
}

struct FulfilOrders {
    crash_after: Option<CrashPoint>,
}

impl Job for FulfilOrders {
    type Kind = ServiceKind;
    type Saga = FulfilOrder;
    type Owner = Fulfilled;

    const LOG: &'static str = "orders.db";

    fn register(
        &self,
        builder: Builder<SqliteLog>,
        addresses: &Addresses,
    ) -> anyhow::Result<Builder<SqliteLog>> {
        Ok(fulfil::register(builder, Desks::with_crash(addresses, self.crash_after.as_ref())?))
    }

    /// Plays the human who approves orders.
    async fn beside(
        &self,
        coordinator: &Coordinator,
        addresses: &Addresses,
        orders: &[Order],
    ) -> anyhow::Result<()> {
        let approver = Approver::new(addresses, orders)?;
        approver.work(async |saga, approval| fulfil::approve(coordinator, &saga, approval).await).await;
        Ok(())
    }

    fn table(&self, fulfilled: &[FulfilledOrder]) -> Table {
        orders_table(fulfilled)
    }

    fn owner(saga: &str, fulfilment: &Fulfilment) -> Fulfilled {
        Fulfilled { saga: saga.to_owned(), fulfilment: fulfilment.clone() }
    }
}
