//! What makes a service keyed: the same key gives the same answer, with one effect, refusals included. And barred:
//! a compensation leaves a tombstone under the key, at which a late action is refused.

use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::answer::{Answer, Caller};
use super::kind::ServiceKind;
use super::store;
use super::wire::{CancelByKey, Cancelled};

/// Answers from the ledger if the key is known, else does `work` and keeps its answer.
pub fn answer_once<R: Serialize>(
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
pub fn cancel(
    tx: &Transaction<'_>,
    service: impl ServiceKind,
    request: &CancelByKey,
) -> rusqlite::Result<Answer> {
    let key = &request.action_key;
    bar(tx, key)?;
    let mut was_held = false;
    for number in store::held_by_key(tx, key)? {
        was_held |= store::release(tx, service, number)?;
    }
    Ok(Answer::done(Cancelled { was_held }))
}

/// Lets nothing be done for a key any more.
pub fn bar(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO calls (key, barred) VALUES (?1, 1) ON CONFLICT (key) DO UPDATE SET barred = 1",
    )?
    .execute([key])?;
    Ok(())
}

/// What the ledger knows of a key.
struct KnownCall {
    request: Option<String>,
    answer: Option<Answer>,
    barred: bool,
}

impl KnownCall {
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

fn find_call(tx: &Transaction<'_>, key: &str) -> rusqlite::Result<Option<KnownCall>> {
    tx.prepare_cached("SELECT request, status, answer, barred FROM calls WHERE key = ?1")?
        .query_row([key], |row| {
            let status: Option<u16> = row.get(1)?;
            let body = row.get::<_, Option<String>>(2)?.and_then(|text| serde_json::from_str(&text).ok());
            let answer = status.zip(body).map(|(status, body)| Answer { status, body });
            Ok(KnownCall { request: row.get(0)?, answer, barred: row.get(3)? })
        })
        .optional()
}
