//! What the four services do when they are called.

use rusqlite::Transaction;

use super::wire::{Operation, ServiceKind};
use crate::service::answer::{Answer, Call};

mod hotel;
mod sales;

/// One of the four services.
pub type Service = crate::service::Service<ServiceKind>;

/// Which service, on which database, at which port.
pub type ServiceOptions = crate::service::ServiceOptions<ServiceKind>;

/// All four in this process.
pub type Services = crate::service::threads::Services<ServiceKind>;

/// The hotel's own tables.
pub(super) const SCHEMA: &str = "
    -- Attempts that a probe has barred: all below this number.
    CREATE TABLE bars (key TEXT PRIMARY KEY, below INTEGER NOT NULL) STRICT;
    CREATE TABLE nights (reservation TEXT PRIMARY KEY, nights INTEGER NOT NULL) STRICT;
";

/// Does what a service is asked. All but the hotel are keyed.
pub(super) fn perform(
    service: ServiceKind,
    tx: Transaction<'_>,
    call: &Call<ServiceKind>,
) -> rusqlite::Result<Answer> {
    match (service, call.operation) {
        (ServiceKind::Hotel, Operation::Reserve) => {
            call.careless(tx, |tx, request| hotel::reserve(tx, &call.caller, request))
        }
        (ServiceKind::Hotel, Operation::Probe) => {
            call.careless(tx, |tx, _: &serde_json::Value| hotel::probe(tx, &call.caller))
        }
        (ServiceKind::Hotel, Operation::Cancel) => call.careless(tx, hotel::cancel),
        (_, Operation::Cancel) => call.cancel(tx, service, |_, _| Ok(None)),
        (ServiceKind::Flight, Operation::Reserve) => call.once(tx, sales::reserve_seats),
        (ServiceKind::Flight, Operation::Voucher) => call.once(tx, sales::issue_voucher),
        (ServiceKind::Car, Operation::Reserve) => call.once(tx, sales::reserve_car),
        (ServiceKind::Card, Operation::Charge) => call.once(tx, sales::charge),
        _ => Ok(call.not_offered(service)),
    }
}
