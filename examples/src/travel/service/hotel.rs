//! The hotel service is careless: a repeated reserve books again. But it can be probed.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::service::answer::{Answer, Caller};
use crate::service::store::{self, Taken};
use crate::service::wire::Cancelled;
use crate::travel::trip::HotelReservation;
use crate::travel::values::Cents;
use crate::travel::wire::{CancelReservation, Found, RESERVATION, ReserveRooms, ServiceKind};

/// Holds rooms: once more with each call that no probe has barred.
pub(super) fn reserve(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &ReserveRooms,
) -> rusqlite::Result<Answer> {
    let ReserveRooms { city, arrival, nights, rooms } = request;
    let below: Option<u32> = tx
        .prepare_cached("SELECT below FROM bars WHERE key = ?1")?
        .query_row([&caller.key], |row| row.get(0))
        .optional()?;
    if below.is_some_and(|below| caller.attempt < below) {
        let Caller { key, attempt, .. } = caller;
        let reason =
            format!("attempt {attempt} of `{key}` was probed meanwhile: it will not be done any more");
        return Ok(Answer::superseded(reason));
    }
    if *rooms < 1 || *nights < 1 {
        let reason = format!("{rooms} rooms for {nights} nights cannot be had: ask for 1 or more");
        return Ok(Answer::refused(reason));
    }
    let (hotel, price) = match store::take(tx, &city.to_string(), *rooms)? {
        Taken::Item { item, price } => (item, price.times(*rooms).times(i64::from(*nights))),
        Taken::Short { item, remaining } => {
            let reason = format!("{item} is full from {arrival}: {remaining} rooms left, {rooms} wanted");
            return Ok(Answer::refused(reason));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("there is no hotel in {city}"))),
    };
    let held = (&RESERVATION, hotel.as_str(), *rooms, price);
    let reservation = store::hold(tx, ServiceKind::Hotel, caller, held)?;
    tx.prepare_cached("INSERT INTO nights (reservation, nights) VALUES (?1, ?2)")?
        .execute(params![reservation, nights])?;
    Ok(Answer::done(HotelReservation { reservation, hotel, rooms: *rooms, nights: *nights, price }))
}

/// Tells what is held for the key, and bars every attempt before this one in the same transaction: a late one
/// can then change nothing any more, so that the answer stays true.
pub(super) fn probe(tx: &Transaction<'_>, caller: &Caller) -> rusqlite::Result<Answer> {
    tx.prepare_cached(
        "INSERT INTO bars (key, below) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET below = max(below, excluded.below)",
    )?
    .execute(params![caller.key, caller.attempt])?;
    let reservation = match store::held_by_key(tx, &caller.key)?.first() {
        Some(&number) => Some(reservation(tx, number)?),
        None => None,
    };
    Ok(Answer::done(Found { reservation }))
}

/// Gives rooms back.
pub(super) fn cancel(tx: &Transaction<'_>, request: &CancelReservation) -> rusqlite::Result<Answer> {
    let id = &request.reservation;
    let number = store::reservation_number(ServiceKind::Hotel, id);
    let is_known = match number {
        Some(number) => tx.prepare_cached("SELECT 1 FROM held WHERE number = ?1")?.exists([number])?,
        None => false,
    };
    match number {
        Some(number) if is_known => {
            Ok(Answer::done(Cancelled { was_held: store::release(tx, ServiceKind::Hotel, number)? }))
        }
        _ => Ok(Answer::refused(format!("there is no reservation {id}"))),
    }
}

fn reservation(tx: &Transaction<'_>, number: i64) -> rusqlite::Result<HotelReservation> {
    let reservation = store::reservation_id(ServiceKind::Hotel, number);
    let nights = tx
        .prepare_cached("SELECT nights FROM nights WHERE reservation = ?1")?
        .query_row([&reservation], |row| row.get(0))?;
    tx.prepare_cached("SELECT item, quantity, amount FROM held WHERE number = ?1")?.query_row(
        [number],
        |row| {
            Ok(HotelReservation {
                reservation: reservation.clone(),
                hotel: row.get(0)?,
                rooms: row.get(1)?,
                nights,
                price: Cents(row.get(2)?),
            })
        },
    )
}
