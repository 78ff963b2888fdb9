//! The sagas' participants: a client for each service.

pub use self::inventory::InventoryDesk;
pub use self::notice::NoticeDesk;
pub use self::payment::PaymentDesk;
pub use self::shipping::ShippingDesk;
use super::addresses::Addresses;
use super::kind::{Operation, ServiceKind};
use crate::desk::{ClientError, client};
pub use crate::desk::{CrashPoint, DeskError};
use crate::service::wire::{CancelByKey, Cancelled};
use saga_runtime::Context;

mod inventory;
mod notice;
mod payment;
mod shipping;

/// A client of one of the four services.
type Desk = crate::desk::Desk<ServiceKind>;

/// All four participants.
#[derive(Debug, Clone)]
pub struct Desks {
    /// Takes money.
    pub payments: PaymentDesk,
    /// Takes goods from shelves.
    pub inventory: InventoryDesk,
    /// Sends parcels.
    pub shipping: ShippingDesk,
    /// Writes to people.
    pub notices: NoticeDesk,
}

impl Desks {
    /// Clients for the services at `addresses`.
    pub fn new(addresses: &Addresses) -> Result<Self, ClientError> {
        Self::with_crash(addresses, None)
    }

    /// The same, with a place where the process shall crash.
    pub fn with_crash(addresses: &Addresses, crash: Option<&CrashPoint>) -> Result<Self, ClientError> {
        let http = client()?;
        let desk = |service| Desk::new(service, &http, addresses, crash);
        Ok(Self {
            payments: PaymentDesk(desk(ServiceKind::Payment)),
            inventory: InventoryDesk(desk(ServiceKind::Inventory)),
            shipping: ShippingDesk(desk(ServiceKind::Shipping)),
            notices: NoticeDesk(desk(ServiceKind::Notice)),
        })
    }
}

/// Undoes by key what the step's action did, or may still do: if it is on its way, it is refused when it comes.
async fn undo(desk: &Desk, cx: &Context, operation: Operation) -> Result<(), DeskError> {
    undo_for(cx.saga_id().as_str(), desk, cx, operation).await
}

/// The same on behalf of the saga that this one is a part of.
async fn undo_for(saga: &str, desk: &Desk, cx: &Context, operation: Operation) -> Result<(), DeskError> {
    let action_key = cx.action_key().to_string();
    let _: Cancelled = desk.call_for(saga, cx, operation, &CancelByKey { action_key }).await?;
    Ok(())
}
