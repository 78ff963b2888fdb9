//! What makes a service keyed: the barrier of the participants' kit, in the transaction of the work. The same key gives
//! the same answer, with one effect, refusals included. And barred: a compensation leaves a tombstone under the key, at
//! which a late action is refused.

use rusqlite::Transaction;
use saga_participant::rusqlite::{Barrier, Uncommitted};
use saga_participant::{Action, Compensated, Compensation, Error, Fault, InvalidCall, WorkError};
use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, Caller};
use super::kind::{ServiceKind, Word};
use super::store;
use super::wire::{CancelByKey, Cancelled};

/// The barrier of each service. Nobody announces the end of a saga here: it remembers for ever.
pub(super) const BARRIER: Barrier = Barrier::new();

/// Does `work` once per key, and answers what was answered then each time.
pub(super) fn answer_once(
    tx: Transaction<'_>,
    caller: &Caller,
    operation: impl Word,
    request: &impl Serialize,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Answer>,
) -> Answer {
    let action = match Action::new(&caller.key, &operation.to_string(), request)
        .and_then(|action| action.of_saga(&caller.saga))
    {
        Ok(action) => action.attempt(caller.attempt),
        Err(mistake) => return invalid(&mistake),
    };
    let answer = BARRIER
        .action(tx, &action, |tx| {
            let Answer { status, body } = work(tx)?;
            match status {
                200 => Ok(body),
                422 => Err(WorkError::Refused(body)),
                _ => Err(WorkError::failed(format!("the work ended with {status}: {body}"))),
            }
        })
        .and_then(Uncommitted::commit);
    match answer {
        Ok(saga_participant::Answer::Done(body)) => Answer { status: 200, body },
        Ok(saga_participant::Answer::Refused(body)) => Answer { status: 422, body },
        Ok(saga_participant::Answer::Superseded) => {
            Answer::superseded(format!("`{}` was cancelled: it will not be done any more", caller.key))
        }
        Err(error) => failed(&error),
    }
}

/// Undoes what was done for a key. If nothing was done yet, nothing ever will be.
pub(super) fn cancel(
    tx: Transaction<'_>,
    service: impl ServiceKind,
    caller: &Caller,
    operation: impl Word,
    request: &CancelByKey,
) -> Answer {
    let key = &request.action_key;
    let compensation = match Compensation::new(key, &operation.to_string(), request)
        .and_then(|compensation| compensation.of_saga(&caller.saga))
    {
        Ok(compensation) => compensation,
        Err(mistake) => return invalid(&mistake),
    };
    let cancelled = BARRIER
        .compensation(tx, &compensation, |tx, _answer: Value| {
            let mut was_held = false;
            for number in store::held_by_key(tx, key)? {
                was_held |= store::release(tx, service, number)?;
            }
            Ok(Cancelled { was_held })
        })
        .and_then(Uncommitted::commit);
    match cancelled {
        Ok(Compensated::Undone(cancelled)) => Answer::done(cancelled),
        Ok(Compensated::NothingToUndo) => Answer::done(Cancelled { was_held: false }),
        Err(error) => failed(&error),
    }
}

fn invalid(mistake: &InvalidCall) -> Answer {
    Answer::refused(mistake.to_string())
}

fn failed(error: &Error) -> Answer {
    if let Some(Fault::OtherRequest { key, .. }) = error.fault() {
        // Of this request there is no effect: the other one keeps its own.
        let reason =
            format!("`{key}` stands for another request already: give each request a key of its own");
        return Answer::refused(reason);
    }
    Answer::broken(error)
}
