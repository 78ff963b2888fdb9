//! The inventory service: takes units from a shelf.

use rusqlite::Transaction;

use crate::money::Cents;
use crate::order::fulfilment::Pick;
use crate::order::kind::ServiceKind;
use crate::order::wire::{PICK, ReserveUnits};
use crate::service::answer::{Answer, Caller};
use crate::service::store::{self, Taken};

/// Takes units of one article from a shelf that has enough of them.
pub(super) fn reserve(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &ReserveUnits,
) -> rusqlite::Result<Answer> {
    let ReserveUnits { sku, quantity } = request;
    if *quantity < 1 {
        return Ok(Answer::refused(format!("{quantity} is no number of units: ask for 1 or more")));
    }
    let shelf = match store::take(tx, &sku.to_string(), *quantity)? {
        Taken::Item { item, .. } => item,
        Taken::Short { item, remaining } => {
            let reason =
                format!("{sku} is out of stock: {remaining} units left on shelf {item}, {quantity} wanted");
            return Ok(Answer::refused(reason));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("no shelf has {sku}"))),
    };
    let held = (&PICK, shelf.as_str(), *quantity, Cents(0));
    let pick = store::hold(tx, ServiceKind::Inventory, caller, held)?;
    Ok(Answer::done(Pick { pick, sku: sku.clone(), shelf, quantity: *quantity }))
}
