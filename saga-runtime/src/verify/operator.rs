//! An operator who knows how things stand: does and says nothing that is not so.

use super::network::Explored;
use super::scenario::Intervened;
use super::world::{Account, World};
use crate::coordinator::{Act, Handle, Intervention, Offer, OperateError, Operator};
use crate::saga::Saga;

/// Who they are.
pub(super) fn ann() -> Operator {
    Operator { name: "ann".to_owned(), reason: "has looked at what the participants hold".to_owned() }
}

/// Intervenes, if that is still possible.
pub(super) async fn operate<S: Saga>(handle: &Handle<S>, intervention: Intervention) -> Result<(), String> {
    match handle.operate(&ann(), intervention).await {
        Ok(()) | Err(OperateError::NotOffered { .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Looks at a saga that needs an operator: does what the scenario says, or has it tried again.
pub(super) async fn look<S: Saga>(handle: &Handle<Explored<S>>, world: &World) -> Result<(), String> {
    let offers = handle.offers().await.map_err(|error| error.to_string())?;
    let possible = offers.iter().filter_map(|offer| possible(offer, world)).collect();
    let Some((intervened, step)) = world.operator_does(possible).await else {
        return operate(handle, Intervention::Retry).await;
    };
    let step = step.unwrap_or_default();
    let intervention = match intervened {
        Intervened::Cancelled => Intervention::Cancel,
        Intervened::Closed => Intervention::Close,
        Intervened::ActionDone => {
            let output = with_account(world, &step, output).flatten();
            Intervention::ActionDone { step, output: output.unwrap_or_default() }
        }
        Intervened::ActionNotDone => {
            // What was sent until now has no effect any more.
            with_account(world, &step, |account| account.barred_below = account.attempt + 1);
            Intervention::ActionNotDone { step }
        }
        Intervened::CompensationDone => {
            with_account(world, &step, |account| {
                account.held.clear();
                account.closed = true;
            });
            Intervention::CompensationDone { step }
        }
    };
    operate(handle, intervention).await
}

/// What of the offers is so, or can be made so.
fn possible(offer: &Offer, world: &World) -> Option<(Intervened, Option<String>)> {
    let step = offer.step.as_deref();
    let held = |step: &str| with_account(world, step, |account| account.held.len()).unwrap_or_default();
    let intervened = match (offer.act, step) {
        (Act::Cancel, None) => Intervened::Cancelled,
        (Act::Close, None) => Intervened::Closed,
        (Act::ActionDone, Some(step)) if held(step) == 1 => Intervened::ActionDone,
        (Act::ActionNotDone, Some(step)) if held(step) == 0 => Intervened::ActionNotDone,
        (Act::CompensationDone, Some(_)) => Intervened::CompensationDone,
        _ => return None,
    };
    Some((intervened, step.map(str::to_owned)))
}

/// The output of the effect that holds, as JSON.
fn output(account: &mut Account) -> Option<String> {
    use crate::machine::FactKind;
    account.held.first().and_then(|fact| match &fact.kind {
        FactKind::Done(output) => Some(output.clone()),
        _ => None,
    })
}

fn with_account<T>(world: &World, step: &str, with: impl FnOnce(&mut Account) -> T) -> Option<T> {
    world.inner_accounts(|accounts| accounts.values_mut().find(|account| account.step == step).map(with))
}
