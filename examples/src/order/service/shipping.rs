//! The shipping service: parcels, their labels, and their way.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::money::Cents;
use crate::order::fulfilment::{Dispatch, Label, Parcel};
use crate::order::kind::ServiceKind;
use crate::order::wire::{HANDOVER, HandOver, LABEL, MakeLabel, PARCEL, Pack};
use crate::service::answer::{Answer, Caller};
use crate::service::store::{self, Taken};
use crate::service::wire::What;

/// How an address begins at which no carrier delivers.
const POST_OFFICE_BOX: &str = "PO Box";

/// Makes a parcel that goes by the cheapest carrier to the country.
pub(super) fn pack(tx: &Transaction<'_>, caller: &Caller, request: &Pack) -> rusqlite::Result<Answer> {
    let Pack { order, country, pieces } = request;
    if *pieces < 1 {
        return Ok(Answer::refused(format!("a parcel with {pieces} pieces cannot be made: pack 1 or more")));
    }
    let (lane, cost) = match store::take(tx, &country.to_string(), 1)? {
        Taken::Item { item, price } => (item, price),
        Taken::Short { item, .. } => {
            return Ok(Answer::refused(format!("{item} takes no more parcels")));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("no carrier delivers to {country}"))),
    };
    let parcel = store::hold(tx, ServiceKind::Shipping, caller, (&PARCEL, &lane, 1, cost))?;
    tx.prepare_cached("INSERT INTO parcels (parcel, purchase, pieces) VALUES (?1, ?2, ?3)")?
        .execute(params![parcel, order, pieces])?;
    Ok(Answer::done(Parcel { parcel, order: order.clone(), lane, pieces: *pieces, cost }))
}

/// Makes a label for a parcel, if its carrier delivers there.
pub(super) fn make_label(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &MakeLabel,
) -> rusqlite::Result<Answer> {
    let MakeLabel { parcel, destination } = request;
    let Some(held) = find_held(tx, parcel, &PARCEL)? else {
        return Ok(Answer::refused(format!("there is no parcel {parcel}")));
    };
    if destination.street.starts_with(POST_OFFICE_BOX) {
        let (lane, street) = (held.item, &destination.street);
        return Ok(Answer::refused(format!("{lane} cannot deliver at {street}: it needs a street")));
    }
    let label = store::hold(tx, ServiceKind::Shipping, caller, (&LABEL, parcel, 1, Cents(0)))?;
    Ok(Answer::done(Label { label, parcel: parcel.clone() }))
}

/// Hands a parcel over to its carrier.
pub(super) fn dispatch(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &HandOver,
) -> rusqlite::Result<Answer> {
    let HandOver { parcel, label } = request;
    if find_held(tx, parcel, &PARCEL)?.is_none() {
        return Ok(Answer::refused(format!("there is no parcel {parcel}")));
    }
    if find_held(tx, label, &LABEL)?.is_none_or(|held| held.item != *parcel) {
        return Ok(Answer::refused(format!("the parcel {parcel} has no label {label}")));
    }
    let dispatch = store::hold(tx, ServiceKind::Shipping, caller, (&HANDOVER, parcel, 1, Cents(0)))?;
    Ok(Answer::done(Dispatch { dispatch, parcel: parcel.clone() }))
}

/// What keeps a parcel from being taken apart: it is on its way.
pub(super) fn why_not_unpack(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<Option<String>> {
    for number in store::held_by_key(tx, key)? {
        let parcel = store::reservation_id(ServiceKind::Shipping, number);
        if is_dispatched(tx, &parcel)? {
            return Ok(Some(format!("the parcel {parcel} is on its way")));
        }
    }
    Ok(None)
}

/// What keeps a label from being torn up: its parcel is on its way.
pub(super) fn why_not_void(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<Option<String>> {
    for number in store::held_by_key(tx, key)? {
        let label = store::reservation_id(ServiceKind::Shipping, number);
        let Some(held) = find_held(tx, &label, &LABEL)? else {
            continue;
        };
        if is_dispatched(tx, &held.item)? {
            return Ok(Some(format!("the parcel {} is on its way", held.item)));
        }
    }
    Ok(None)
}

fn is_dispatched(tx: &Transaction<'_>, parcel: &str) -> rusqlite::Result<bool> {
    let dispatched: Option<i64> = tx
        .prepare_cached("SELECT number FROM held WHERE what = ?1 AND item = ?2")?
        .query_row(params![HANDOVER.name(), parcel], |row| row.get(0))
        .optional()?;
    Ok(dispatched.is_some())
}

fn find_held(tx: &Transaction<'_>, id: &str, what: &What) -> rusqlite::Result<Option<store::Found>> {
    let found = store::find(tx, ServiceKind::Shipping, id, what)?;
    Ok(found.filter(|found| !found.cancelled))
}
