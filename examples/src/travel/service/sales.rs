//! The keyed services (flight, car, card): what they do once per key.

use rusqlite::{OptionalExtension, Transaction};

use crate::service::answer::{Answer, Caller};
use crate::service::store::{self, Taken};
use crate::travel::stock::route;
use crate::travel::trip::{CarReservation, FlightReservation, Receipt, Voucher};
use crate::travel::values::Cents;
use crate::travel::wire::{
    CHARGE, Charge, IssueVoucher, RESERVATION, ReserveCar, ReserveSeats, ServiceKind, VOUCHER,
};

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
        Taken::Item { item, price } => (item, price.times(*seats)),
        Taken::Short { item, remaining } => {
            let reason = format!("flight {item} is sold out: {remaining} seats left, {seats} wanted");
            return Ok(Answer::refused(reason));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("no flight from {from} to {to} on {date}"))),
    };
    let held = (&RESERVATION, flight.as_str(), *seats, price);
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
            let held = (&VOUCHER, reservation.as_str(), 1, Cents(0));
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
        Taken::Item { item, price } => (item, price.times(i64::from(*days))),
        Taken::Short { item, .. } => {
            return Ok(Answer::refused(format!("no car left at {item} on {date}")));
        }
        Taken::NotSold => return Ok(Answer::refused(format!("there is no station in {city}"))),
    };
    let held = (&RESERVATION, station.as_str(), 1, price);
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
    let held = (&CHARGE, card.0.as_str(), amount.0, *amount);
    let receipt = store::hold(tx, ServiceKind::Card, caller, held)?;
    Ok(Answer::done(Receipt { receipt, card: card.clone(), amount: *amount }))
}
