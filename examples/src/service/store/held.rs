//! What a service takes from its stock, holds, and gives back.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::money::Cents;
use crate::service::answer::Caller;
use crate::service::kind::ServiceKind;
use crate::service::wire::What;

/// In the column `cancelled`: not given back, but used up.
const SPENT: i64 = 2;

/// Something that is, or was, held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub number: i64,
    /// Which item of the stock; or else, what it stands for.
    pub item: String,
    /// How many.
    pub quantity: i64,
    /// What it costs.
    pub amount: Cents,
    /// Whether it was given back or used up.
    pub cancelled: bool,
}

/// What a call for stock gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// So many of this item, each for this price.
    Item {
        /// Which.
        item: String,
        /// For one.
        price: Cents,
    },
    /// There is such an item, but not enough of it.
    Short {
        /// Which.
        item: String,
        /// How many there are.
        remaining: i64,
    },
    /// Nobody sells this.
    NotSold,
}

/// Takes `quantity` of what `offer` names: of the cheapest item that has enough.
pub fn take(tx: &Transaction<'_>, offer: &str, quantity: i64) -> rusqlite::Result<Taken> {
    let best = tx
        .prepare_cached(
            "SELECT item, price, remaining FROM stock WHERE offer = ?1 ORDER BY remaining < ?2, price, item LIMIT 1",
        )?
        .query_row(params![offer, quantity], |row| Ok((row.get(0)?, Cents(row.get(1)?), row.get(2)?)))
        .optional()?;
    let Some((item, price, remaining)): Option<(String, Cents, i64)> = best else {
        return Ok(Taken::NotSold);
    };
    if remaining < quantity {
        return Ok(Taken::Short { item, remaining });
    }
    tx.prepare_cached("UPDATE stock SET remaining = remaining - ?2 WHERE item = ?1")?
        .execute(params![item, quantity])?;
    Ok(Taken::Item { item, price })
}

/// Holds something for `caller`, and answers the name for it.
pub fn hold(
    tx: &Transaction<'_>,
    service: impl ServiceKind,
    caller: &Caller,
    (what, item, quantity, amount): (&What, &str, i64, Cents),
) -> rusqlite::Result<String> {
    tx.prepare_cached(
        "INSERT INTO held (what, key, saga, item, quantity, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![what.name(), caller.key, caller.saga, item, quantity, amount.0])?;
    Ok(reservation_id(service, tx.last_insert_rowid()))
}

/// Gives back what is held under this number, if it is: what was taken from stock is there again.
pub fn release(tx: &Transaction<'_>, service: impl ServiceKind, number: i64) -> rusqlite::Result<bool> {
    let released: Option<(String, String, i64)> = tx
        .prepare_cached(
            "UPDATE held SET cancelled = 1 WHERE number = ?1 AND NOT cancelled RETURNING item, what, quantity",
        )?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((item, what, quantity)) = released else {
        return Ok(false);
    };
    if what_named(service, &what)?.is_from_stock() {
        tx.prepare_cached("UPDATE stock SET remaining = remaining + ?2 WHERE item = ?1")?
            .execute(params![item, quantity])?;
    }
    Ok(true)
}

/// What is, or was, held under this name, if it is of this sort.
pub fn find(
    tx: &Transaction<'_>,
    service: impl ServiceKind,
    id: &str,
    what: &What,
) -> rusqlite::Result<Option<Found>> {
    let Some(number) = reservation_number(service, id) else {
        return Ok(None);
    };
    tx.prepare_cached("SELECT item, quantity, amount, cancelled FROM held WHERE number = ?1 AND what = ?2")?
        .query_row(params![number, what.name()], |row| {
            let (item, quantity, amount) = (row.get(0)?, row.get(1)?, Cents(row.get(2)?));
            Ok(Found { number, item, quantity, amount, cancelled: row.get::<_, i64>(3)? != 0 })
        })
        .optional()
}

/// Uses up what is held under this number, if it is: nothing goes back to stock.
pub fn spend(tx: &Transaction<'_>, number: i64) -> rusqlite::Result<bool> {
    let spent = tx
        .prepare_cached("UPDATE held SET cancelled = ?2 WHERE number = ?1 AND cancelled = 0")?
        .execute(params![number, SPENT])?;
    Ok(spent > 0)
}

/// Whether anything that was held for `key` is used up.
pub fn is_spent(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM held WHERE key = ?1 AND cancelled = ?2")?.exists(params![key, SPENT])
}

/// The numbers of what is held for `key`, oldest first.
pub fn held_by_key(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<Vec<i64>> {
    tx.prepare_cached("SELECT number FROM held WHERE key = ?1 AND NOT cancelled ORDER BY number")?
        .query_map([key], |row| row.get(0))?
        .collect()
}

/// The service's name for what it holds under `number`.
pub fn reservation_id(service: impl ServiceKind, number: i64) -> String {
    format!("{service}-{number}")
}

/// The number of a reservation, if the name is one of this service's.
pub fn reservation_number(service: impl ServiceKind, id: &str) -> Option<i64> {
    id.strip_prefix(service.name())?.strip_prefix('-')?.parse().ok()
}

/// The sort of things that the column `what` names.
pub(super) fn what_named(service: impl ServiceKind, name: &str) -> rusqlite::Result<What> {
    let what = service.things().iter().find(|what| what.name() == name).cloned();
    what.ok_or_else(|| {
        let cause = format!("the {service} service holds no `{name}`");
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, cause.into())
    })
}
