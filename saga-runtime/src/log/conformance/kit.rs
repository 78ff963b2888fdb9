//! What the cases are written with: for the further tests of a log as well.

use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::{
    Append, AppendError, AppendLocal, Begin, Cursor, Damaged, HeldLock, History, LocalAnswer, LocalCall,
    LockCursor, Locks, LogError, Record, SagaLog, Status, Wake,
};

/// A saga id.
pub fn id(text: &str) -> SagaId {
    SagaId::new(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A record with a step and data.
pub fn record(at_ms: u64, step: &str, event: &str, data: &str) -> Record {
    Record { at_ms, step: Some(step.into()), event: event.into(), data: Some(data.into()) }
}

/// The append that begins the saga `name` at `at_ms`, with its input as the one record.
pub fn begun(name: &str, at_ms: u64) -> Append {
    let fingerprint = Fingerprint::parse("0123456789abcdef").unwrap_or_else(|| panic!("it is a fingerprint"));
    let input =
        Record { at_ms, step: None, event: "begun".into(), data: Some(format!("{{\"at\":{at_ms}}}")) };
    Append {
        saga: id(name),
        begin: Some(Begin { definition: "BookTrip".into(), fingerprint }),
        first_seq: 0,
        records: vec![input],
        status: Status::Running,
        wake: Wake::Now,
        locks: None,
    }
}

/// An append that goes on with the saga `name` from record `first_seq`, and leaves it with work to do.
pub fn next(name: &str, first_seq: u64, records: Vec<Record>, status: Status) -> Append {
    Append { saga: id(name), begin: None, first_seq, records, status, wake: Wake::Now, locks: None }
}

/// The locks `keys` for the family of the saga `root`.
pub fn locks(keys: &[&str], root: &str) -> Option<Locks> {
    Some(Locks { keys: keys.iter().copied().map(Into::into).collect(), root: id(root) })
}

/// Appends one, and answers as the log does.
pub async fn append(log: &impl SagaLog, append: Append) -> Result<(), AppendError> {
    let mut answers = log.append(vec![append]).await;
    assert_eq!(answers.len(), 1, "one append has one answer");
    answers.remove(0)
}

/// A local call of the saga `name` whose record has number `first_seq`: `call` has its effect and says whether it is
/// kept, and `done` is recorded.
pub fn local<Tx: 'static>(
    name: &str,
    first_seq: u64,
    mut call: impl FnMut(&Tx) -> bool + Send + 'static,
) -> AppendLocal {
    let call = LocalCall::new(move |tx: &Tx| LocalAnswer { keep: call(tx), ..answered(first_seq) });
    AppendLocal { saga: id(name), first_seq, call }
}

/// The history of a saga that must be there and sound.
pub async fn history(log: &impl SagaLog, name: &str) -> History {
    match log.history(&id(name)).await {
        Ok(Some(history)) => history,
        other => panic!("saga `{name}` must be there: {other:?}"),
    }
}

/// All unfinished sagas, read in pages of `limit`.
pub async fn all_unfinished(
    log: &impl SagaLog,
    limit: usize,
) -> Result<Vec<Result<History, Damaged>>, LogError> {
    all_until(log, Wake::Never, limit).await
}

/// All unfinished sagas that wake by `until`, read in pages of `limit`.
pub async fn all_until(
    log: &impl SagaLog,
    until: Wake,
    limit: usize,
) -> Result<Vec<Result<History, Damaged>>, LogError> {
    let mut found = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = log.unfinished(until, after, limit).await?;
        assert!(page.sagas.len() <= limit.max(1), "a page has at most {limit} sagas");
        found.extend(page.sagas);
        let Some(next) = page.next else { return Ok(found) };
        assert!(after.is_none_or(|after| after < next), "each page begins behind the one before");
        after = Some(next);
    }
}

pub(super) fn answered(seq: u64) -> LocalAnswer {
    let records = vec![record(seq, "stock", "done", "1")];
    LocalAnswer { keep: true, records, status: Status::Running, wake: Wake::Now }
}

pub(super) fn step(name: &str, seq: u64) -> Append {
    next(name, seq, vec![record(1, "flight", "done", "1")], Status::Running)
}

pub(super) fn end(name: &str, seq: u64, status: Status) -> Append {
    next(name, seq, vec![record(9, "last", "done", "1")], status)
}

pub(super) fn locked(saga: &str, key: &str, holder: &str) -> Result<(), AppendError> {
    Err(AppendError::Locked { saga: id(saga), key: key.into(), holder: id(holder) })
}

/// All locks that are held, as `key holder root`, read in pages of `limit`.
pub(super) async fn held(log: &impl SagaLog, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut after: Option<LockCursor> = None;
    loop {
        let page = log.locks(after.clone(), limit).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(page.locks.len() <= limit.max(1), "a page has at most {limit} locks");
        for lock in page.locks {
            let HeldLock { key, holder, root } = lock.unwrap_or_else(|error| panic!("{error}"));
            found.push(format!("{key} {holder} {root}"));
        }
        let Some(next) = page.next else { return found };
        assert!(after.is_none_or(|after| after < next), "each page begins behind the one before");
        after = Some(next);
    }
}

/// The ids of all unfinished sagas, in the order that the log gives them.
pub(super) async fn names(log: &impl SagaLog, limit: usize) -> Vec<String> {
    names_until(log, Wake::Never, limit).await
}

pub(super) async fn names_until(log: &impl SagaLog, until: Wake, limit: usize) -> Vec<String> {
    ids(all_until(log, until, limit).await.unwrap_or_else(|error| panic!("{error}")))
}

pub(super) fn ids(sagas: Vec<Result<History, Damaged>>) -> Vec<String> {
    let name =
        |saga: Result<History, Damaged>| saga.unwrap_or_else(|error| panic!("{error}")).saga.to_string();
    sagas.into_iter().map(name).collect()
}
