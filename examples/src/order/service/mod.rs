//! What the four services do when they are called. All of them are keyed, and barred by their compensations.

use rusqlite::Transaction;

pub(super) use self::notice::questions;
use super::kind::{Operation, ServiceKind};
use crate::service::answer::{Answer, Call};

mod inventory;
mod notice;
mod payment;
mod shipping;

/// One of the four services.
pub type Service = crate::service::Service<ServiceKind>;

/// Which service, on which database, at which port.
pub type ServiceOptions = crate::service::ServiceOptions<ServiceKind>;

/// All four in this process.
pub type Services = crate::service::threads::Services<ServiceKind>;

/// The services' own tables.
pub(super) const SCHEMA: &str = "
    -- Parcels, and the orders that they are for.
    CREATE TABLE parcels (parcel TEXT PRIMARY KEY, purchase TEXT NOT NULL, pieces INTEGER NOT NULL) STRICT;
    -- Questions to humans. They are not held for anybody: one that nobody needs any more does no harm.
    CREATE TABLE questions (
        number   INTEGER PRIMARY KEY,
        saga     TEXT NOT NULL,
        customer TEXT NOT NULL,
        total    INTEGER NOT NULL
    ) STRICT;
";

/// Does what a service is asked.
pub(super) fn perform(
    service: ServiceKind,
    tx: Transaction<'_>,
    call: &Call<ServiceKind>,
) -> rusqlite::Result<Answer> {
    match (service, call.operation) {
        (ServiceKind::Payment, Operation::Authorize) => call.once(tx, payment::authorize),
        (ServiceKind::Payment, Operation::Capture) => call.once(tx, payment::capture),
        (ServiceKind::Payment, Operation::Void) => call.cancel(tx, service, payment::why_not_void),
        (ServiceKind::Inventory, Operation::Reserve) => call.once(tx, inventory::reserve),
        (ServiceKind::Inventory, Operation::Release) => call.cancel(tx, service, |_, _| Ok(None)),
        (ServiceKind::Shipping, Operation::Pack) => call.once(tx, shipping::pack),
        (ServiceKind::Shipping, Operation::Label) => call.once(tx, shipping::make_label),
        (ServiceKind::Shipping, Operation::Dispatch) => call.once(tx, shipping::dispatch),
        (ServiceKind::Shipping, Operation::Unpack) => call.cancel(tx, service, shipping::why_not_unpack),
        (ServiceKind::Shipping, Operation::Void) => call.cancel(tx, service, shipping::why_not_void),
        (ServiceKind::Notice, Operation::Ask) => call.once(tx, notice::ask),
        (ServiceKind::Notice, Operation::Notify) => call.once(tx, notice::notify),
        _ => Ok(call.not_offered(service)),
    }
}
