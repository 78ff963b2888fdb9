//! The keyed services (flight, car, card): the same key gives the same answer, with one effect, refusals included.

use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::answer::{Answer, Caller};
use super::store::{self, Taken};
use crate::travel::stock::route;
use crate::travel::trip::{CarReservation, FlightReservation, Receipt, Voucher};
use crate::travel::values::Cents;
use crate::travel::wire::{
    CancelByKey, Cancelled, Charge, IssueVoucher, ReserveCar, ReserveSeats, ServiceKind, What,
};

/// Answers from the ledger if the key is known, else does `work` and keeps its answer.
pub(super) fn answer_once<R: Serialize>(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &R,
    work: impl FnOnce() -> rusqlite::Result<Answer>,
) -> rusqlite::Result<Answer> {
    let kind = std::any::type_name::<R>().rsplit("::").next().unwrap_or_default();
    let body = serde_json::to_string(request)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let request = format!("{kind} {body}");
    if let Some(call) = find_call(tx, &caller.key)? {
        return Ok(call.answer_again(&caller.key, &request));
    }
    let answer = work()?;
    tx.prepare_cached("INSERT INTO calls (key, request, status, answer) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![caller.key, request, answer.status, answer.body.to_string()])?;
    Ok(answer)
}

/// Undoes what was done for a key. If nothing was done yet, nothing ever will be: the row stays as a tombstone.
pub(super) fn cancel(tx: &Transaction<'_>, request: &CancelByKey) -> rusqlite::Result<Answer> {
    let key = &request.action_key;
    tx.prepare_cached(
        "INSERT INTO calls (key, barred) VALUES (?1, 1) ON CONFLICT (key) DO UPDATE SET barred = 1",
    )?
    .execute([key])?;
    let mut was_held = false;
    for number in store::held_by_key(tx, key)? {
        was_held |= store::release(tx, number)?;
    }
    Ok(Answer::done(Cancelled { was_held }))
}

/// Holds seats.
pub(super) fn reserve_seats(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &ReserveSeats,
) -> rusqlite::Result<Answer> {
    let ReserveSeats { from, to, date, seats } = request;
    if *seats < 1 {
        return Ok(Answer::refused(format!("{seats} is no number of seats: ask for 1 or more")));
    }
    let (flight, price) = match store::take(tx, &route(from, to, *date), *seats)? {
        Taken::Item { item, price } => (item, times(price, *seats)),
        Taken::Short { item, remaining } => {
            let reason = format!("flight {item} is sold out: {remaining} seats left, {seats} wanted");
            return Ok(Answer::refused(reason));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("no flight from {from} to {to} on {date}"))),
    };
    let held = (What::Reservation, flight.as_str(), *seats, price);
    let reservation = store::hold(tx, ServiceKind::Flight, caller, held)?;
    Ok(Answer::done(FlightReservation { reservation, flight, seats: *seats, price }))
}

/// Issues a voucher for seats that are held.
pub(super) fn issue_voucher(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &IssueVoucher,
) -> rusqlite::Result<Answer> {
    let reservation = &request.reservation;
    let held: Option<bool> = match store::reservation_number(ServiceKind::Flight, reservation) {
        None => None,
        Some(number) => tx
            .prepare_cached("SELECT cancelled FROM held WHERE number = ?1 AND what = 'reservation'")?
            .query_row([number], |row| row.get::<_, bool>(0).map(|cancelled| !cancelled))
            .optional()?,
    };
    match held {
        None => Ok(Answer::refused(format!("there is no reservation {reservation}"))),
        Some(false) => Ok(Answer::refused(format!("the reservation {reservation} is cancelled"))),
        Some(true) => {
            let held = (What::Voucher, reservation.as_str(), 1, Cents(0));
            let voucher = store::hold(tx, ServiceKind::Flight, caller, held)?;
            Ok(Answer::done(Voucher { voucher, reservation: reservation.clone() }))
        }
    }
}

/// Holds a car.
pub(super) fn reserve_car(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &ReserveCar,
) -> rusqlite::Result<Answer> {
    let ReserveCar { city, days, date, .. } = request;
    let (station, price) = match store::take(tx, &city.to_string(), 1)? {
        Taken::Item { item, price } => (item, times(price, i64::from(*days))),
        Taken::Short { item, .. } => {
            return Ok(Answer::refused(format!("no car left at {item} on {date}")));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("there is no station in {city}"))),
    };
    let held = (What::Reservation, station.as_str(), 1, price);
    let reservation = store::hold(tx, ServiceKind::Car, caller, held)?;
    Ok(Answer::done(CarReservation { reservation, station, days: *days, price }))
}

/// Charges a card.
pub(super) fn charge(tx: &Transaction<'_>, caller: &Caller, request: &Charge) -> rusqlite::Result<Answer> {
    let Charge { card, amount } = request;
    if amount.0 < 1 {
        return Ok(Answer::refused(format!("{amount} cannot be charged: ask for 0.01 or more")));
    }
    match store::take(tx, &card.0, amount.0)? {
        Taken::Item { .. } => {}
        Taken::Short { remaining, .. } => {
            let left = Cents(remaining);
            return Ok(Answer::refused(format!(
                "{card} is declined: {amount} wanted, {left} left of its limit"
            )));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("{card} is declined: there is no such card"))),
    }
    let held = (What::Charge, card.0.as_str(), amount.0, *amount);
    let receipt = store::hold(tx, ServiceKind::Card, caller, held)?;
    Ok(Answer::done(Receipt { receipt, card: card.clone(), amount: *amount }))
}

/// What the ledger knows of a key.
struct Call {
    request: Option<String>,
    answer: Option<Answer>,
    barred: bool,
}

impl Call {
    fn answer_again(self, key: &str, request: &str) -> Answer {
        if self.barred {
            return Answer::superseded(format!("`{key}` was cancelled: it will not be done any more"));
        }
        match (self.request, self.answer) {
            (Some(first), Some(answer)) if first == request => answer,
            _ => Answer::refused(format!(
                "`{key}` stands for another request already: give each request a key of its own"
            )),
        }
    }
}

fn find_call(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<Option<Call>> {
    tx.prepare_cached("SELECT request, status, answer, barred FROM calls WHERE key = ?1")?
        .query_row([key], |row| {
            let status: Option<u16> = row.get(1)?;
            let body = row.get::<_, Option<String>>(2)?.and_then(|text| serde_json::from_str(&text).ok());
            let answer = status.zip(body).map(|(status, body)| Answer { status, body });
            Ok(Call { request: row.get(0)?, answer, barred: row.get(3)? })
        })
        .optional()
}

/// The price of so many.
pub(super) fn times(price: Cents, number: i64) -> Cents {
    Cents(price.0.saturating_mul(number))
}
