//! The payment service: sets money aside, takes it, or gives it up.

use rusqlite::Transaction;

use crate::money::{Card, Cents};
use crate::order::fulfilment::{Authorization, Payment};
use crate::order::kind::ServiceKind;
use crate::order::wire::{AUTHORIZATION, Authorize, Capture, PAYMENT};
use crate::service::answer::{Answer, Caller};
use crate::service::store::{self, Taken};

/// Sets money aside.
pub(super) fn authorize(
    tx: &Transaction<'_>,
    caller: &Caller,
    request: &Authorize,
) -> rusqlite::Result<Answer> {
    let Authorize { card, amount } = request;
    if amount.0 < 1 {
        return Ok(Answer::refused(format!("{amount} cannot be set aside: ask for 0.01 or more")));
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
    let held = (&AUTHORIZATION, card.0.as_str(), amount.0, *amount);
    let authorization = store::hold(tx, ServiceKind::Payment, caller, held)?;
    Ok(Answer::done(Authorization { authorization, card: card.clone(), amount: *amount }))
}

/// Takes the money that was set aside.
pub(super) fn capture(tx: &Transaction<'_>, caller: &Caller, request: &Capture) -> rusqlite::Result<Answer> {
    let authorization = &request.authorization;
    let Some(held) = store::find(tx, ServiceKind::Payment, authorization, &AUTHORIZATION)? else {
        return Ok(Answer::refused(format!("there is no authorization {authorization}")));
    };
    if !store::spend(tx, held.number)? {
        return Ok(Answer::refused(format!(
            "the authorization {authorization} is given up, or taken already"
        )));
    }
    // What was set aside on the card stays taken from its limit.
    let (card, amount) = (Card(held.item), held.amount);
    let payment = store::hold(tx, ServiceKind::Payment, caller, (&PAYMENT, &card.0, held.quantity, amount))?;
    Ok(Answer::done(Payment { payment, card, amount }))
}

/// What keeps an authorization from being given up: money that was taken can only be paid back, which is another
/// business.
pub(super) fn why_not_void(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<Option<String>> {
    let reason = || format!("the money of `{key}` is taken already: it can only be paid back");
    Ok(store::is_spent(tx, key)?.then(reason))
}
