//! What every [`SagaLog`] must do, as cases that any log can be run through: yours, too.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # mod tests {
//! use saga_runtime::log::{SqliteLog as MyLog, conformance};
//!
//! # pub
//! async fn my_log_conforms() {
//!     let folder = tempfile::tempdir().unwrap();
//!     let open = |name: String| {
//!         let log = MyLog::open(folder.path().join(name)).unwrap();
//!         async { log }
//!     };
//!     // Every log: each case on an empty one of its own.
//!     let number = std::cell::Cell::new(0);
//!     conformance::check(|| open(format!("{}.db", number.replace(number.get() + 1)))).await;
//!     // A log that outlives its process: opened again by its name.
//!     conformance::check_reopened(|name| open(name.to_owned())).await;
//! }
//! # }
//! # #[cfg(feature = "sqlite")]
//! # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(tests::my_log_conforms());
//! ```
//!
//! | function | for | what it covers |
//! | --- | --- | --- |
//! | [`check`] | every log | records, begins, conflicts, repeated appends, the order in which sagas wake, locks, many at once |
//! | [`check_reopened`] | a log that outlives its process | all of it is there again, and the fencing epoch has grown |
//! | [`check_begin_in`] | a log with [`SagaLog::begin_in`] | a saga that is begun in a transaction of the user's |
//! | [`check_local`] | a [`Transactional`] log | effects that are committed with their record |
//!
//! Signals, cancels and what operators do are records like all others: a log has no inbox beside them.
//!
//! Each case panics where the log does otherwise: it is meant for tests.

#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test kit speaks by panics; its head says so"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{
    Append, AppendError, AppendLocal, Begin, Cursor, Damaged, HeldLock, History, LOCK_KEY_BYTES_MAX,
    LOCKS_MAX, LocalAnswer, LocalCall, LockCursor, Locks, LogError, RECORD_BYTES_MAX, Record, SagaLog,
    Status, Transactional, WAKE_MS_MAX, Wake,
};
use crate::definition::Fingerprint;
use crate::id::SagaId;

/// Runs every case, each on a fresh and empty log that `open` gives.
pub async fn check<L, F, Fut>(open: F)
where
    L: SagaLog,
    F: Fn() -> Fut,
    Fut: Future<Output = L>,
{
    an_unknown_saga_has_no_history(&open().await).await;
    what_is_appended_is_read_back(&open().await).await;
    any_text_is_read_back(&open().await).await;
    an_empty_batch_is_answered(&open().await).await;
    the_same_append_again_changes_nothing(&open().await).await;
    the_missing_part_of_an_append_is_added(&open().await).await;
    another_begin_is_told_what_exists(&open().await).await;
    a_gap_is_a_conflict(&open().await).await;
    other_records_at_the_same_place_are_a_conflict(&open().await).await;
    nothing_follows_an_end(&open().await).await;
    an_invalid_append_is_refused(&open().await).await;
    one_refused_append_does_not_hinder_the_others(&open().await).await;
    a_batch_may_append_to_one_saga_several_times(&open().await).await;
    unfinished_sagas_come_in_pages(&open().await).await;
    sagas_come_in_the_order_in_which_they_wake(&open().await).await;
    a_saga_wakes_when_its_last_append_says(&open().await).await;
    what_moves_between_two_pages_shifts_none(&open().await).await;
    a_lock_excludes_other_roots(&open().await).await;
    locks_are_taken_all_or_none(&open().await).await;
    sagas_of_one_root_share_their_locks(&open().await).await;
    an_end_lets_go_of_all_locks(&open().await).await;
    the_appends_of_a_batch_take_locks_in_their_order(&open().await).await;
    what_stands_already_takes_no_lock(&open().await).await;
    an_append_that_is_refused_takes_no_lock(&open().await).await;
    locks_are_listed_in_pages(&open().await).await;
    concurrent_appends_all_stand(open().await).await;
    of_concurrent_locks_one_wins(open().await).await;
    of_concurrent_begins_one_wins(open().await).await;
    a_transaction_of_another_kind_begins_nothing(&open().await).await;
    a_sound_log_names_no_damage(&open().await).await;
}

/// Runs the cases of a log that outlives its process. `open` opens the log of this name, and makes it if there is none;
/// who had it open before has dropped it.
pub async fn check_reopened<L, F, Fut>(open: F)
where
    L: SagaLog,
    F: Fn(&'static str) -> Fut,
    Fut: Future<Output = L>,
{
    each_writer_has_a_greater_epoch(&open).await;
    all_is_there_when_it_is_opened_again(&open).await;
}

/// Runs every case of sagas that are begun in a transaction of the user's, each on a fresh and empty log that `open`
/// gives. `within` begins a transaction on this log, calls [`SagaLog::begin_in`] with each of the appends, commits it if
/// it is told to and rolls it back otherwise, and gives the answers.
pub async fn check_begin_in<L, F, Fut, W>(open: F, within: W)
where
    L: SagaLog,
    F: Fn() -> Fut,
    Fut: Future<Output = L>,
    W: AsyncFn(&L, Vec<Append>, bool) -> Vec<Result<(), AppendError>>,
{
    a_saga_is_begun_by_the_commit(&open().await, &within).await;
    a_begin_in_a_transaction_keeps_the_rules(&open().await, &within).await;
}

/// Runs every case of local calls, each on a fresh and empty log that `open` gives. `write` has an effect of this name in
/// a transaction, and `read` reads the names of all effects that are committed, in their order.
pub async fn check_local<L, F, Fut, W, R>(open: F, write: W, read: R)
where
    L: Transactional,
    F: Fn() -> Fut,
    Fut: Future<Output = L>,
    W: Fn(&L::Tx, &str) + Clone + Send + 'static,
    R: AsyncFn(&L) -> Vec<String>,
{
    an_effect_stands_with_its_records_and_once(&open().await, write.clone(), &read).await;
    an_effect_that_is_not_kept_is_undone_alone(&open().await, write.clone(), &read).await;
    a_call_that_panics_leaves_nothing(&open().await, write.clone(), &read).await;
    what_cannot_be_recorded_leaves_nothing(&open().await, write.clone(), &read).await;
    no_call_is_made_in_a_wrong_place(&open().await).await;
    an_end_by_a_call_lets_go_of_locks(&open().await, write.clone(), &read).await;
    a_call_for_other_transactions_is_not_made(&open().await).await;
    calls_and_appends_of_many_share_the_log(open().await, write, read).await;
}

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

/// A saga that nobody has begun.
pub async fn an_unknown_saga_has_no_history(log: &impl SagaLog) {
    assert_eq!(log.history(&id("nobody")).await, Ok(None));
    assert_eq!(names(log, 10).await, Vec::<String>::new());
    let lost = next("nobody", 1, vec![record(1, "flight", "done", "1")], Status::Running);
    let expected = AppendError::Conflict { saga: id("nobody"), expected: 1, found: 0 };
    assert_eq!(append(log, lost).await, Err(expected));
    assert_eq!(log.history(&id("nobody")).await, Ok(None), "a refused append begins nothing");
}

/// Begin, append, end.
pub async fn what_is_appended_is_read_back(log: &impl SagaLog) {
    let begin = begun("trip", 10);
    assert_eq!(append(log, begin.clone()).await, Ok(()));
    let mut expected = History {
        saga: id("trip"),
        begin: begin.begin.clone().unwrap_or_else(|| panic!("it begins")),
        status: Status::Running,
        wake: Wake::Now,
        records: begin.records.clone(),
    };
    assert_eq!(history(log, "trip").await, expected);

    let more = vec![record(11, "flight", "done", "{}"), record(11, "hotel", "refused", "\"full\"")];
    assert_eq!(append(log, next("trip", 1, more.clone(), Status::Running)).await, Ok(()));
    expected.records.extend(more);
    assert_eq!(history(log, "trip").await, expected);

    let last = vec![record(12, "flight", "compensated", "null")];
    assert_eq!(append(log, next("trip", 3, last.clone(), Status::Compensated)).await, Ok(()));
    expected.records.extend(last);
    expected.status = Status::Compensated;
    expected.wake = Wake::Never;
    assert_eq!(history(log, "trip").await, expected);

    let short = Append { status: Status::Completed, ..begun("short", 13) };
    assert_eq!(append(log, short).await, Ok(()));
    assert_eq!(history(log, "short").await.status, Status::Completed, "a saga may end with its first append");
}

/// Absent, empty, long and foreign texts.
pub async fn any_text_is_read_back(log: &impl SagaLog) {
    let large = "ü".repeat(700_000);
    let texts =
        ["", " ", "null", "0", "\"quoted\" 'and' so on", "日本語 🚆 \u{0} \u{10FFFF}\r\n", large.as_str()];
    let mut records = Vec::new();
    for text in texts {
        records.push(Record {
            at_ms: 0,
            step: Some(text.into()),
            event: text.into(),
            data: Some(text.into()),
        });
        records.push(Record {
            at_ms: u64::from(u32::MAX),
            step: None,
            event: text.into(),
            data: Some(text.into()),
        });
        records.push(Record { at_ms: 1 << 62, step: Some(text.into()), event: text.into(), data: None });
    }
    let name = format!("!{}~", "x".repeat(SagaId::MAX_LENGTH - 2));
    let mut begin = begun(&name, 0);
    if let Some(begin) = &mut begin.begin {
        begin.definition = "Größe\u{0}".into();
    }
    begin.records.extend(records.iter().cloned());
    let expected = begin.clone();
    assert_eq!(append(log, begin).await, Ok(()));
    let found = history(log, &name).await;
    assert_eq!(Some(found.begin), expected.begin);
    assert!(found.records == expected.records, "every text is read back as it was written");
    assert_eq!(append(log, expected).await, Ok(()), "and is known again");
}

/// Nothing to do.
pub async fn an_empty_batch_is_answered(log: &impl SagaLog) {
    assert_eq!(log.append(Vec::new()).await, Vec::new());
}

/// An append whose answer was lost is made again.
pub async fn the_same_append_again_changes_nothing(log: &impl SagaLog) {
    let begin = begun("trip", 1);
    let flight = next("trip", 1, vec![record(2, "flight", "done", "1")], Status::Running);
    let end = next(
        "trip",
        2,
        vec![record(3, "hotel", "done", "2"), record(3, "car", "done", "3")],
        Status::Completed,
    );
    let all = [begin, flight, end];
    for (made, append_now) in all.iter().enumerate() {
        for again in &all[..=made] {
            assert_eq!(append(log, append_now.clone()).await, Ok(()));
            let before = history(log, "trip").await;
            let answer = append(log, again.clone()).await;
            // A begin that something has followed is somebody's saga, not an answer that was lost.
            if again.begin.is_some() && made > 0 {
                assert_eq!(answer, Err(AppendError::Exists(Box::new(before.clone()))));
            } else {
                assert_eq!(answer, Ok(()));
            }
            assert_eq!(history(log, "trip").await, before);
        }
    }
    assert_eq!(history(log, "trip").await.records.len(), 4);
    assert_eq!(names(log, 10).await, Vec::<String>::new(), "a saga that ended stays ended");
    assert_eq!(log.append(all[1..].to_vec()).await, [Ok(()), Ok(())], "in one batch, too");
}

/// A caller that remembers more than was written appends all that it remembers.
pub async fn the_missing_part_of_an_append_is_added(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let records: Vec<Record> = (2..6).map(|at_ms| record(at_ms, "flight", "done", "1")).collect();
    assert_eq!(append(log, next("trip", 1, records[..2].to_vec(), Status::Running)).await, Ok(()));
    assert_eq!(append(log, next("trip", 1, records.clone(), Status::Completed)).await, Ok(()));
    let found = history(log, "trip").await;
    assert_eq!(found.records[1..], records);
    assert_eq!(found.status, Status::Completed);
}

/// Two sagas want one id.
pub async fn another_begin_is_told_what_exists(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let flight = vec![record(2, "flight", "done", "1")];
    assert_eq!(append(log, next("trip", 1, flight, Status::Running)).await, Ok(()));
    let there = history(log, "trip").await;
    let exists = Err(AppendError::Exists(Box::new(there.clone())));

    let later = begun("trip", 7);
    assert_eq!(append(log, later).await, exists, "the same input at another time");
    let mut other = begun("trip", 1);
    if let Some(begin) = &mut other.begin {
        begin.definition = "Other".into();
    }
    assert_eq!(append(log, other).await, exists, "another definition");
    let mut other = begun("trip", 1);
    if let Some(begin) = &mut other.begin {
        begin.fingerprint = Fingerprint::parse("fedcba9876543210").unwrap_or(begin.fingerprint);
    }
    assert_eq!(append(log, other).await, exists, "another fingerprint");
    let mut other = begun("trip", 1);
    other.records.push(record(9, "hotel", "done", "1"));
    assert_eq!(append(log, other).await, exists, "other records behind the first");
    let other = Append { status: Status::Completed, ..begun("trip", 1) };
    assert_eq!(append(log, other).await, exists, "another status");
    assert_eq!(history(log, "trip").await, there);
}

/// A record is skipped.
pub async fn a_gap_is_a_conflict(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    for expected in [2, 3, u64::MAX] {
        let late = next("trip", expected, vec![record(2, "flight", "done", "1")], Status::Running);
        let conflict = AppendError::Conflict { saga: id("trip"), expected, found: 1 };
        assert_eq!(append(log, late).await, Err(conflict));
    }
    assert_eq!(history(log, "trip").await.records.len(), 1);
}

/// Somebody else has appended.
pub async fn other_records_at_the_same_place_are_a_conflict(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let flight = record(2, "flight", "done", "1");
    assert_eq!(append(log, next("trip", 1, vec![flight.clone()], Status::Running)).await, Ok(()));
    let before = history(log, "trip").await;
    let changed = [
        Record { at_ms: 3, ..flight.clone() },
        Record { step: None, ..flight.clone() },
        Record { event: "refused".into(), ..flight.clone() },
        Record { data: None, ..flight.clone() },
    ];
    let conflict = AppendError::Conflict { saga: id("trip"), expected: 1, found: 2 };
    for other in changed {
        let other = next("trip", 1, vec![other], Status::Running);
        assert_eq!(append(log, other).await, Err(conflict.clone()));
    }
    let other = next("trip", 1, vec![flight], Status::Completed);
    assert_eq!(append(log, other).await, Err(conflict), "the same record with another status");
    assert_eq!(history(log, "trip").await, before);
}

/// An end is an end.
pub async fn nothing_follows_an_end(log: &impl SagaLog) {
    for status in [Status::Completed, Status::Compensated, Status::Closed] {
        let name = status.as_str();
        assert_eq!(append(log, Append { status, ..begun(name, 1) }).await, Ok(()));
        for following in [Status::Running, Status::Completed, Status::Compensated, Status::Closed] {
            let more = next(name, 1, vec![record(2, "flight", "done", "1")], following);
            let conflict = AppendError::Conflict { saga: id(name), expected: 1, found: 1 };
            assert_eq!(append(log, more).await, Err(conflict));
        }
        assert_eq!(history(log, name).await.status, status);
    }
}

/// Appends that keep no log's rules.
pub async fn an_invalid_append_is_refused(log: &impl SagaLog) {
    assert_eq!(append(log, begun("there", 1)).await, Ok(()));
    let too_much = "x".repeat(RECORD_BYTES_MAX);
    let invalid = [
        Append { records: Vec::new(), ..begun("trip", 1) },
        Append { first_seq: 1, ..begun("trip", 1) },
        Append { begin: None, ..begun("trip", 1) },
        Append { begin: None, ..begun("there", 1) },
        begun("trip", u64::MAX),
        next("there", 1, Vec::new(), Status::Running),
        next("there", 1, vec![record(2, "flight", "done", &too_much)], Status::Running),
    ];
    for invalid in invalid {
        let answer = append(log, invalid).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    }
    assert_eq!(log.history(&id("trip")).await, Ok(None));
    assert_eq!(history(log, "there").await.records.len(), 1);
}

/// A batch with all kinds of refusals between good appends.
pub async fn one_refused_append_does_not_hinder_the_others(log: &impl SagaLog) {
    assert_eq!(append(log, begun("old", 1)).await, Ok(()));
    let answers = log
        .append(vec![
            begun("a", 2),
            next("old", 5, vec![record(2, "flight", "done", "1")], Status::Running),
            begun("old", 2),
            next("unknown", 1, vec![record(2, "flight", "done", "1")], Status::Running),
            Append { records: Vec::new(), ..begun("b", 2) },
            begun("c", 2),
            next("old", 1, vec![record(2, "flight", "done", "1")], Status::Running),
        ])
        .await;
    assert_eq!(answers.len(), 7);
    assert_eq!(answers[0], Ok(()));
    assert_eq!(answers[1], Err(AppendError::Conflict { saga: id("old"), expected: 5, found: 1 }));
    assert!(matches!(&answers[2], Err(AppendError::Exists(old)) if old.saga == id("old")), "{answers:?}");
    assert_eq!(answers[3], Err(AppendError::Conflict { saga: id("unknown"), expected: 1, found: 0 }));
    assert!(matches!(&answers[4], Err(AppendError::Invalid { .. })), "{answers:?}");
    assert_eq!(answers[5..], [Ok(()), Ok(())]);
    assert_eq!(names(log, 10).await, ["old", "a", "c"]);
    assert_eq!(history(log, "old").await.records.len(), 2);
}

/// The appends of a batch hold in their order.
pub async fn a_batch_may_append_to_one_saga_several_times(log: &impl SagaLog) {
    let step = |seq, name: &str, status| next("trip", seq, vec![record(2, name, "done", "1")], status);
    let answers = log
        .append(vec![
            begun("trip", 1),
            begun("trip", 1),
            step(1, "flight", Status::Running),
            step(1, "other", Status::Running),
            step(3, "late", Status::Running),
            step(2, "hotel", Status::Completed),
            step(3, "late", Status::Running),
            begun("trip", 9),
        ])
        .await;
    let conflict = |expected, found| Err(AppendError::Conflict { saga: id("trip"), expected, found });
    let there = history(log, "trip").await;
    assert_eq!(there.records.len(), 3);
    assert_eq!(there.status, Status::Completed);
    let exists = Err(AppendError::Exists(Box::new(there)));
    let expected = [Ok(()), Ok(()), Ok(()), conflict(1, 2), conflict(3, 2), Ok(()), conflict(3, 3), exists];
    assert_eq!(answers, expected);
}

/// Order of begin, ended ones left out, pages of every size.
pub async fn unfinished_sagas_come_in_pages(log: &impl SagaLog) {
    let mut running = Vec::new();
    // Names that do not sort as they are begun.
    for number in (0..20).rev() {
        let name = format!("trip-{number}");
        let status = if number % 7 == 3 { Status::Completed } else { Status::Running };
        assert_eq!(append(log, Append { status, ..begun(&name, 1) }).await, Ok(()));
        if status == Status::Running {
            running.push(name);
        }
    }
    for limit in [1, 2, 7, 16, 17, 18, 1000] {
        assert_eq!(names(log, limit).await, running, "pages of {limit}");
    }
    assert_eq!(names(log, 0).await, running, "a page has at least one saga");

    let first = log.unfinished(Wake::Now, None, 5).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        first.sagas[0].as_ref().ok(),
        Some(&history(log, &running[0]).await),
        "with all of its records"
    );
    for ended in [&running[1], &running[7]] {
        let end = next(ended, 1, vec![record(2, "flight", "compensated", "1")], Status::Compensated);
        assert_eq!(append(log, end).await, Ok(()));
    }
    assert_eq!(append(log, begun("new", 3)).await, Ok(()));
    let rest = log.unfinished(Wake::Now, first.next, 1000).await.unwrap_or_else(|error| panic!("{error}"));
    let rest: Vec<String> =
        rest.sagas.into_iter().flatten().map(|history| history.saga.to_string()).collect();
    let mut expected = running.clone();
    expected.remove(7);
    expected.push("new".into());
    assert_eq!(rest, expected[5..], "what changes between two pages shifts none");
    let behind = Cursor::behind(Wake::Never);
    let behind =
        log.unfinished(Wake::Never, Some(behind), 10).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(behind.sagas.is_empty() && behind.next.is_none(), "nothing lies behind the end");
}

/// Those that have work to do first, those that time never wakes last; pages of every size, from any place on.
pub async fn sagas_come_in_the_order_in_which_they_wake(log: &impl SagaLog) {
    let begun_in_order = [
        ("noon", Wake::At(12)),
        ("signal", Wake::Never),
        ("work", Wake::Now),
        ("morning", Wake::At(8)),
        ("noon-2", Wake::At(12)),
        ("far", Wake::At(WAKE_MS_MAX)),
        ("first", Wake::At(1)),
        ("lock", Wake::Never),
        ("work-2", Wake::Now),
        ("noon-3", Wake::At(12)),
    ];
    for (name, wake) in begun_in_order {
        assert_eq!(append(log, Append { wake, ..begun(name, 1) }).await, Ok(()));
        assert_eq!(history(log, name).await.wake, wake, "it is read back");
    }
    let ended = Append { status: Status::Completed, wake: Wake::At(8), ..begun("ended", 1) };
    assert_eq!(append(log, ended).await, Ok(()));
    let mut ordered = begun_in_order;
    ordered.sort_by_key(|(_, wake)| *wake);

    let times = [0, 1, 2, 7, 8, 11, 12, 13, WAKE_MS_MAX - 1, WAKE_MS_MAX, u64::MAX].map(Wake::At);
    for until in times.into_iter().chain([Wake::Now, Wake::Never]) {
        let expected: Vec<&str> =
            ordered.iter().filter(|(_, wake)| *wake <= until).map(|(name, _)| *name).collect();
        for limit in [1, 2, 3, 4, 1000] {
            assert_eq!(names_until(log, until, limit).await, expected, "until {until:?} in pages of {limit}");
        }
        for after in times.into_iter().chain([Wake::Now, Wake::Never]) {
            let between = ordered.iter().filter(|(_, wake)| *wake > after && *wake <= until);
            let between: Vec<&str> = between.map(|(name, _)| *name).collect();
            let page = log.unfinished(until, Some(Cursor::behind(after)), 1000).await;
            let page = page.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(ids(page.sagas), between, "behind {after:?} until {until:?}");
        }
    }
    let next = async |after_ms| log.next_wake(after_ms).await;
    for (after_ms, expected) in
        [(0, Some(1)), (1, Some(8)), (7, Some(8)), (8, Some(12)), (11, Some(12)), (12, Some(WAKE_MS_MAX))]
    {
        assert_eq!(next(after_ms).await, Ok(expected), "the next after {after_ms}");
    }
    assert_eq!(next(WAKE_MS_MAX).await, Ok(None), "time does not wake what waits for something else");
    assert_eq!(next(u64::MAX).await, Ok(None));
    for (after_ms, expected) in [(0, 8), (1, 7), (8, 6), (12, 3), (WAKE_MS_MAX, 2), (u64::MAX, 2)] {
        assert_eq!(log.waiting(after_ms).await, Ok(expected), "wait longer than {after_ms}");
    }
}

/// Each append says it anew, and a repeated one does not.
pub async fn a_saga_wakes_when_its_last_append_says(log: &impl SagaLog) {
    const NOW: u64 = 100;
    let waits =
        [Wake::Now, Wake::At(50), Wake::At(150), Wake::Never, Wake::Never, Wake::At(150), Wake::At(150)];
    let waits = waits.into_iter().chain([Wake::Now, Wake::Now, Wake::At(0), Wake::At(u64::MAX), Wake::Now]);
    assert_eq!(append(log, begun("other", 1)).await, Ok(()));
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let mut seq = 1;
    for wake in waits.clone() {
        let flight = next("trip", seq, vec![record(seq, "flight", "done", "1")], Status::Running);
        assert_eq!(append(log, Append { wake, ..flight.clone() }).await, Ok(()));
        let kept = match wake {
            Wake::At(0) => Wake::Now,
            Wake::At(u64::MAX) => Wake::At(WAKE_MS_MAX),
            wake => wake,
        };
        for other in waits.clone() {
            assert_eq!(append(log, Append { wake: other, ..flight.clone() }).await, Ok(()));
            assert_eq!(history(log, "trip").await.wake, kept, "what stands already changes nothing");
        }
        let awake = names_until(log, Wake::At(NOW), 10).await;
        assert_eq!(awake.iter().any(|name| name == "trip"), kept <= Wake::At(NOW), "{wake:?}");
        assert!(awake.iter().any(|name| name == "other"), "the other one is where it was");
        let at = if let Wake::At(ms) = kept { Some(ms) } else { None };
        assert_eq!(log.next_wake(0).await, Ok(at), "{wake:?}");
        assert_eq!(log.waiting(NOW).await, Ok(u64::from(kept > Wake::At(NOW))), "{wake:?}");
        seq += 1;
    }
    let more = |first, records, wake| {
        let records = (first..first + records).map(|at_ms| record(at_ms, "hotel", "done", "1")).collect();
        Append { wake, ..next("trip", first, records, Status::Running) }
    };
    assert_eq!(append(log, more(seq, 1, Wake::At(150))).await, Ok(()));
    assert_eq!(append(log, more(seq, 2, Wake::Never)).await, Ok(()), "the missing part is added");
    assert_eq!(history(log, "trip").await.wake, Wake::Never);
    assert_eq!(append(log, more(seq + 2, 1, Wake::At(150))).await, Ok(()));
    let end = next("trip", seq + 3, vec![record(seq + 3, "flight", "done", "1")], Status::Completed);
    assert_eq!(append(log, Append { wake: Wake::At(150), ..end }).await, Ok(()));
    assert_eq!(history(log, "trip").await.wake, Wake::Never, "an end is not driven any more");
    assert_eq!(names(log, 10).await, ["other"]);
    assert_eq!((log.next_wake(0).await, log.waiting(0).await), (Ok(None), Ok(0)));
}

/// One that is driven while pages are read moves, and no other one is shifted.
pub async fn what_moves_between_two_pages_shifts_none(log: &impl SagaLog) {
    for number in 0..8 {
        let wake = if number % 2 == 0 { Wake::At(10) } else { Wake::Now };
        assert_eq!(append(log, Append { wake, ..begun(&format!("trip-{number}"), 1) }).await, Ok(()));
    }
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = log.unfinished(Wake::At(10), after, 1).await.unwrap_or_else(|error| panic!("{error}"));
        after = page.next;
        for name in ids(page.sagas) {
            let done = next(&name, 1, vec![record(2, "flight", "done", "1")], Status::Running);
            assert_eq!(append(log, Append { wake: Wake::At(11), ..done }).await, Ok(()));
            found.push(name);
        }
        if after.is_none() {
            break;
        }
    }
    let order = [1, 3, 5, 7, 0, 2, 4, 6].map(|number| format!("trip-{number}"));
    assert_eq!(found, order);
    let order: Vec<String> = (0..8).map(|number| format!("trip-{number}")).collect();
    assert_eq!(names(log, 3).await, order, "now all of them wake at one time");
}

/// Whoever comes second is told who was first, with whatever append it takes them, and whatever the first one does but
/// end.
pub async fn a_lock_excludes_other_roots(log: &impl SagaLog) {
    let first = Append { locks: locks(&["seat"], "first"), ..begun("first", 1) };
    assert_eq!(append(log, first).await, Ok(()));
    assert_eq!(append(log, begun("second", 2)).await, Ok(()));
    let wants = |locks| Append { locks, ..step("second", 1) };
    assert_eq!(append(log, wants(locks(&["seat"], "second"))).await, locked("second", "seat", "first"));
    let third = || Append { locks: locks(&["seat"], "third"), ..begun("third", 3) };
    assert_eq!(append(log, third()).await, locked("third", "seat", "first"));
    assert_eq!(log.history(&id("third")).await, Ok(None), "it is not begun");
    for wake in [Wake::Never, Wake::At(9), Wake::Now] {
        let seq = history(log, "first").await.records.len() as u64;
        assert_eq!(append(log, Append { wake, ..step("first", seq) }).await, Ok(()));
        assert_eq!(append(log, third()).await, locked("third", "seat", "first"), "it is kept while it waits");
    }
    for other in ["Seat", "seat ", "sea", "seat\u{0}", "t"] {
        let seq = history(log, "second").await.records.len() as u64;
        let other = Append { locks: locks(&[other], "second"), ..step("second", seq) };
        assert_eq!(append(log, other).await, Ok(()), "another key is another lock");
    }
}

/// The first key in their order is told, whatever the order in which they are asked for.
pub async fn locks_are_taken_all_or_none(log: &impl SagaLog) {
    let holder = Append { locks: locks(&["d", "b"], "holder"), ..begun("holder", 1) };
    assert_eq!(append(log, holder).await, Ok(()));
    let wants = || Append { locks: locks(&["e", "d", "a", "b", "c"], "wants"), ..begun("wants", 2) };
    assert_eq!(append(log, wants()).await, locked("wants", "b", "holder"));
    assert_eq!(held(log, 10).await, ["b holder holder", "d holder holder"]);
    assert_eq!(append(log, end("holder", 1, Status::Completed)).await, Ok(()));
    assert_eq!(append(log, wants()).await, Ok(()));
    let all = ["a", "b", "c", "d", "e"].map(|key| format!("{key} wants wants"));
    assert_eq!(held(log, 10).await, all);
    // The most that an append takes, one of them twice.
    let long = "ü".repeat(LOCK_KEY_BYTES_MAX / 2);
    let mut keys: Vec<String> = (2..LOCKS_MAX).map(|number| format!("k{number:09}")).collect();
    keys.extend([long.clone(), long]);
    let many = Append { locks: Some(Locks { keys, root: id("many") }), ..begun("many", 3) };
    assert_eq!(append(log, many).await, Ok(()));
    assert_eq!(held(log, 400).await.len(), 5 + LOCKS_MAX - 1, "what is named twice is one lock");
}

/// A saga that takes again what it has, and one that it has called. Each holds it until it ends itself.
pub async fn sagas_of_one_root_share_their_locks(log: &impl SagaLog) {
    let parent = Append { locks: locks(&["b", "a", "b"], "parent"), ..begun("parent", 1) };
    assert_eq!(append(log, parent).await, Ok(()));
    let again = Append { locks: locks(&["c", "b"], "parent"), ..step("parent", 1) };
    assert_eq!(append(log, again).await, Ok(()));
    let child = Append { locks: locks(&["b", "d"], "parent"), ..begun("child", 2) };
    assert_eq!(append(log, child).await, Ok(()));
    let family =
        ["a parent parent", "b parent parent", "b child parent", "c parent parent", "d child parent"];
    assert_eq!(held(log, 10).await, family);

    let other = |key| Append { locks: locks(&[key], "other"), ..begun("other", 3) };
    assert_eq!(append(log, other("b")).await, locked("other", "b", "parent"), "the one that was begun first");
    assert_eq!(append(log, end("parent", 2, Status::Completed)).await, Ok(()));
    assert_eq!(held(log, 10).await, ["b child parent", "d child parent"]);
    assert_eq!(append(log, other("b")).await, locked("other", "b", "child"));
    let grandchild = Append { locks: locks(&["d"], "parent"), ..begun("grandchild", 4) };
    assert_eq!(append(log, grandchild).await, Ok(()), "its root has ended, and is its root");
    assert_eq!(append(log, end("child", 1, Status::Compensated)).await, Ok(()));
    assert_eq!(append(log, other("d")).await, locked("other", "d", "grandchild"));
    assert_eq!(append(log, other("b")).await, Ok(()));
}

/// Each way to end, and the append that begins, locks and ends.
pub async fn an_end_lets_go_of_all_locks(log: &impl SagaLog) {
    for status in [Status::Completed, Status::Compensated, Status::Closed] {
        let name = status.as_str();
        let waits = format!("{name}-waits");
        let takes = Append { locks: locks(&["x", "y"], name), ..begun(name, 1) };
        assert_eq!(append(log, takes).await, Ok(()));
        let more = Append { locks: locks(&["z"], name), ..step(name, 1) };
        assert_eq!(append(log, more).await, Ok(()));
        let waiting = || Append { locks: locks(&["z", "y"], &waits), ..begun(&waits, 2) };
        assert_eq!(append(log, waiting()).await, locked(&waits, "y", name));
        let last = Append { locks: locks(&["w"], name), ..end(name, 2, status) };
        assert_eq!(append(log, last).await, Ok(()), "the last append may name some, and lets go of them");
        assert_eq!(held(log, 10).await, Vec::<String>::new());
        assert_eq!(append(log, waiting()).await, Ok(()));
        let short = format!("{name}-short");
        let short = |key| Append { status, locks: locks(&[key], &short), ..begun(&short, 3) };
        assert_eq!(
            append(log, short("y")).await,
            locked(&format!("{name}-short"), "y", &waits),
            "one that ends at once needs them all the same"
        );
        assert_eq!(append(log, short("x")).await, Ok(()));
        assert_eq!(held(log, 10).await, [format!("y {waits} {waits}"), format!("z {waits} {waits}")]);
        assert_eq!(append(log, end(&waits, 1, Status::Completed)).await, Ok(()));
        assert_eq!(held(log, 10).await, Vec::<String>::new());
    }
}

/// What an append takes is taken for the next one, and what it lets go is free.
pub async fn the_appends_of_a_batch_take_locks_in_their_order(log: &impl SagaLog) {
    let takes = |name: &str| Append { locks: locks(&["seat"], name), ..begun(name, 1) };
    let answers = log
        .append(vec![
            takes("a"),
            takes("b"),
            begun("c", 1),
            Append { locks: locks(&["seat"], "c"), ..step("c", 1) },
            end("a", 1, Status::Completed),
            Append { locks: locks(&["seat"], "c"), ..step("c", 1) },
            takes("d"),
            end("c", 2, Status::Compensated),
            takes("b"),
        ])
        .await;
    let expected = [
        Ok(()),
        locked("b", "seat", "a"),
        Ok(()),
        locked("c", "seat", "a"),
        Ok(()),
        Ok(()),
        locked("d", "seat", "c"),
        Ok(()),
        Ok(()),
    ];
    assert_eq!(answers, expected);
    assert_eq!(held(log, 10).await, ["seat b b"]);
    assert_eq!(history(log, "c").await.records.len(), 3);
    assert_eq!(log.history(&id("d")).await, Ok(None));
}

/// An append whose answer was lost is made again, while the saga holds its locks and after it has ended.
pub async fn what_stands_already_takes_no_lock(log: &impl SagaLog) {
    let takes = Append { locks: locks(&["x"], "trip"), ..begun("trip", 1) };
    let more = Append { locks: locks(&["y", "x"], "trip"), ..step("trip", 1) };
    for append_now in [&takes, &takes, &more, &more] {
        assert_eq!(append(log, append_now.clone()).await, Ok(()));
    }
    assert_eq!(held(log, 10).await, ["x trip trip", "y trip trip"]);
    let other = Append { locks: locks(&["z"], "trip"), ..more.clone() };
    assert_eq!(append(log, other).await, Ok(()), "the records count");
    assert_eq!(held(log, 10).await, ["x trip trip", "y trip trip"], "and change nothing");

    let longer = next(
        "trip",
        1,
        vec![record(1, "flight", "done", "1"), record(2, "car", "done", "1")],
        Status::Running,
    );
    let longer = Append { locks: locks(&["z", "y"], "trip"), ..longer };
    assert_eq!(append(log, longer).await, Ok(()), "the missing part is added, with its locks");
    assert_eq!(held(log, 10).await, ["x trip trip", "y trip trip", "z trip trip"]);

    let last = end("trip", 3, Status::Completed);
    assert_eq!(append(log, last.clone()).await, Ok(()));
    let next = Append { locks: locks(&["x", "y"], "next"), ..begun("next", 3) };
    assert_eq!(append(log, next).await, Ok(()));
    assert_eq!(append(log, more).await, Ok(()), "it stands, though its locks are another's by now");
    assert_eq!(append(log, last).await, Ok(()), "and its end does not end what another holds");
    let exists = append(log, takes).await;
    assert!(
        matches!(exists, Err(AppendError::Exists(_))),
        "what exists is told, and not the lock: {exists:?}"
    );
    assert_eq!(held(log, 10).await, ["x next next", "y next next"]);
}

/// Whatever it is refused for.
pub async fn an_append_that_is_refused_takes_no_lock(log: &impl SagaLog) {
    let holder = Append { locks: locks(&["taken"], "holder"), ..begun("holder", 1) };
    assert_eq!(append(log, holder).await, Ok(()));
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let before = history(log, "trip").await;
    let wants = |keys: &[&str]| Append { locks: locks(keys, "trip"), ..step("trip", 1) };
    let keys =
        |count: usize| Some(Locks { keys: (0..count).map(|n| n.to_string()).collect(), root: id("trip") });
    let invalid = [
        wants(&[]),
        wants(&["free", ""]),
        wants(&["free", &"x".repeat(LOCK_KEY_BYTES_MAX + 1)]),
        Append { locks: keys(LOCKS_MAX + 1), ..step("trip", 1) },
        Append { records: Vec::new(), ..wants(&["free"]) },
    ];
    for invalid in invalid {
        let answer = append(log, invalid).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    }
    let gap = Append { first_seq: 3, ..wants(&["free"]) };
    let conflict = AppendError::Conflict { saga: id("trip"), expected: 3, found: 1 };
    assert_eq!(append(log, gap).await, Err(conflict));
    let gap = Append { first_seq: 3, ..wants(&["taken"]) };
    let conflict = AppendError::Conflict { saga: id("trip"), expected: 3, found: 1 };
    assert_eq!(append(log, gap).await, Err(conflict), "what waiting does not mend comes first");
    let unknown = Append { saga: id("nobody"), ..wants(&["free"]) };
    assert!(append(log, unknown).await.is_err());
    let other = Append { locks: locks(&["free"], "trip"), ..begun("trip", 9) };
    assert!(matches!(append(log, other).await, Err(AppendError::Exists(_))));
    let answers = log.append(vec![begun("other", 1), wants(&["free", "taken"]), step("other", 1)]).await;
    assert_eq!(answers, [Ok(()), locked("trip", "taken", "holder"), Ok(())], "it hinders no other one");
    assert_eq!(history(log, "trip").await, before);
    assert_eq!(held(log, 10).await, ["taken holder holder"]);
}

/// Pages of every size, from any place on.
pub async fn locks_are_listed_in_pages(log: &impl SagaLog) {
    let mut expected = Vec::new();
    for (number, keys) in [["b", "ä", "z"], ["c", "b", "日"], ["Z", "b", "a\u{0}"]].iter().enumerate() {
        let name = format!("trip-{number}");
        let takes = Append { locks: locks(keys, "root"), ..begun(&name, 1) };
        assert_eq!(append(log, takes).await, Ok(()));
        expected.extend(keys.map(|key| (key.to_owned(), number, format!("{key} {name} root"))));
    }
    expected.sort();
    let expected: Vec<String> = expected.into_iter().map(|(_, _, text)| text).collect();
    for limit in [0, 1, 2, 3, 8, 9, 10, 1000] {
        assert_eq!(held(log, limit).await, expected, "pages of {limit}");
    }
    let from = LockCursor { key: "b".into(), begun: u64::MAX };
    let page = log.locks(Some(from), 1000).await.unwrap_or_else(|error| panic!("{error}"));
    let keys: Vec<String> = page.locks.into_iter().flatten().map(|lock| lock.key).collect();
    assert_eq!(keys, ["c", "z", "ä", "日"], "behind the holders of one key");
    let behind = LockCursor { key: "\u{10FFFF}".into(), begun: 0 };
    let page = log.locks(Some(behind), 10).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(page.locks.is_empty() && page.next.is_none(), "nothing lies behind the end");
}

/// Many tasks, a saga each, one lock.
pub async fn of_concurrent_locks_one_wins(log: impl SagaLog) {
    let log = Arc::new(log);
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let (log, name) = (Arc::clone(&log), format!("trip-{number}"));
            tokio::spawn(async move {
                let takes = Append { locks: locks(&["seat"], &name), ..begun(&name, number) };
                append(&*log, takes).await
            })
        })
        .collect();
    let mut wins = 0;
    for task in tasks {
        match task.await.unwrap_or_else(|error| panic!("{error}")) {
            Ok(()) => wins += 1,
            Err(AppendError::Locked { key, .. }) => assert_eq!(key, "seat"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(wins, 1);
    assert_eq!(held(&*log, 10).await.len(), 1);
}

/// Many tasks, a saga each.
pub async fn concurrent_appends_all_stand(log: impl SagaLog) {
    const SAGAS: u64 = 64;
    const STEPS: u64 = 8;
    let log = Arc::new(log);
    let tasks: Vec<_> =
        (0..SAGAS).map(|number| tokio::spawn(run_one(Arc::clone(&log), number, STEPS))).collect();
    for task in tasks {
        task.await.unwrap_or_else(|error| panic!("{error}"));
    }
    for number in 0..SAGAS {
        let name = format!("trip-{number}");
        let found = history(&*log, &name).await;
        assert_eq!(found.records.len() as u64, STEPS + 1);
        assert!(
            found.records.iter().map(|record| record.at_ms).eq(number..=number + STEPS),
            "in their order"
        );
        assert_eq!(found.status, Status::Completed);
    }
    assert_eq!(names(&*log, 10).await, Vec::<String>::new());
}

/// Many tasks, one id.
pub async fn of_concurrent_begins_one_wins(log: impl SagaLog) {
    let log = Arc::new(log);
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { append(&*log, begun("trip", number)).await })
        })
        .collect();
    let mut wins = 0;
    for (number, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap_or_else(|error| panic!("{error}")) {
            Ok(()) => {
                wins += 1;
                assert_eq!(history(&*log, "trip").await.records[0].at_ms, number as u64);
            }
            Err(AppendError::Exists(there)) => assert_eq!(*there, history(&*log, "trip").await),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(wins, 1);
}

/// Whatever a log has transactions on, it is not this.
pub async fn a_transaction_of_another_kind_begins_nothing(log: &impl SagaLog) {
    struct Other;
    let answer = log.begin_in(&Other, &begun("trip", 1));
    assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    assert_eq!(log.history(&id("trip")).await, Ok(None));
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
}

/// Whatever is in it.
pub async fn a_sound_log_names_no_damage(log: &impl SagaLog) {
    assert_eq!(log.check().await, Ok(Vec::new()));
    let wakes = [Wake::Now, Wake::At(7), Wake::Never];
    for (number, wake) in (1..).zip(wakes) {
        let name = format!("trip-{number}");
        let locks = locks(&[&name], &name);
        assert_eq!(append(log, Append { wake, locks, ..begun(&name, number) }).await, Ok(()));
        assert_eq!(log.check().await, Ok(Vec::new()));
        assert_eq!(append(log, Append { wake, ..step(&name, 1) }).await, Ok(()));
        assert_eq!(log.check().await, Ok(Vec::new()));
    }
    for status in [Status::Completed, Status::Compensated, Status::Closed] {
        let name = format!("{status}");
        assert_eq!(append(log, begun(&name, 1)).await, Ok(()));
        assert_eq!(append(log, end(&name, 1, status)).await, Ok(()));
        assert_eq!(log.check().await, Ok(Vec::new()));
    }
}

async fn run_one(log: Arc<impl SagaLog>, number: u64, steps: u64) {
    let name = format!("trip-{number}");
    assert_eq!(append(&*log, begun(&name, number)).await, Ok(()));
    for seq in 1..=steps {
        let status = if seq == steps { Status::Completed } else { Status::Running };
        let done = record(number + seq, "flight", "done", "{\"seat\":\"12A\"}");
        assert_eq!(append(&*log, next(&name, seq, vec![done], status)).await, Ok(()));
        if seq == steps / 2 {
            assert_eq!(
                history(&*log, &name).await.records.len() as u64,
                seq + 1,
                "what is answered is there"
            );
        }
    }
}

/// Effect and record, then again: as after an answer that was lost.
async fn an_effect_stands_with_its_records_and_once<L: Transactional>(
    log: &L,
    write: impl Fn(&L::Tx, &str) + Clone + Send + 'static,
    read: &impl AsyncFn(&L) -> Vec<String>,
) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let writes = |name: &'static str, seq| {
        let write = write.clone();
        local("trip", seq, move |tx: &L::Tx| {
            write(tx, name);
            true
        })
    };
    let first = answered(1).records;
    assert_eq!(log.append_local(writes("a", 1)).await, Ok(first.clone()));
    assert_eq!(read(log).await, ["a"]);
    assert_eq!(history(log, "trip").await.records[1..], first);
    assert_eq!(log.append_local(writes("other", 1)).await, Ok(first.clone()), "what stands is the answer");
    assert_eq!(log.append_local(writes("b", 2)).await, Ok(answered(2).records));
    assert_eq!(append(log, step("trip", 3)).await, Ok(()));
    let standing = history(log, "trip").await.records;
    for seq in [1, 2, 3] {
        let found = log.append_local(writes("other", seq)).await;
        assert_eq!(
            found,
            Ok(standing[usize::try_from(seq).unwrap_or(9)..].to_vec()),
            "all from its place on"
        );
    }
    assert_eq!(append(log, end("trip", 4, Status::Completed)).await, Ok(()));
    let found = log.append_local(writes("other", 4)).await.map(|records| records.len());
    assert_eq!(found, Ok(1), "though the saga has ended since");
    assert_eq!(read(log).await, ["a", "b"], "each was called once");
}

/// The record stands, and so do the effects of others.
async fn an_effect_that_is_not_kept_is_undone_alone<L: Transactional>(
    log: &L,
    write: impl Fn(&L::Tx, &str) + Clone + Send + 'static,
    read: &impl AsyncFn(&L) -> Vec<String>,
) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    for (seq, keep) in [(1, true), (2, false), (3, true)] {
        let write = write.clone();
        let call = local("trip", seq, move |tx: &L::Tx| {
            write(tx, &seq.to_string());
            keep
        });
        assert_eq!(log.append_local(call).await, Ok(answered(seq).records));
    }
    assert_eq!(read(log).await, ["1", "3"]);
    assert_eq!(history(log, "trip").await.records.len(), 4);
}

/// Nothing of it, and all of the others.
async fn a_call_that_panics_leaves_nothing<L: Transactional>(
    log: &L,
    write: impl Fn(&L::Tx, &str) + Clone + Send + 'static,
    read: &impl AsyncFn(&L) -> Vec<String>,
) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let before = history(log, "trip").await;
    let wild = write.clone();
    let panics = local("trip", 1, move |tx: &L::Tx| {
        wild(tx, "panic");
        panic!("the stock is negative")
    });
    match log.append_local(panics).await {
        Err(AppendError::LocalFailed { saga, cause }) => {
            assert_eq!(saga, id("trip"));
            assert!(cause.contains("the stock is negative"), "{cause}");
        }
        other => panic!("it is told: {other:?}"),
    }
    assert_eq!(history(log, "trip").await, before);
    let again = local("trip", 1, move |tx: &L::Tx| {
        write(tx, "again");
        true
    });
    assert_eq!(log.append_local(again).await, Ok(answered(1).records));
    assert_eq!(read(log).await, ["again"]);
}

/// Records that keep no log's rules.
async fn what_cannot_be_recorded_leaves_nothing<L: Transactional>(
    log: &L,
    write: impl Fn(&L::Tx, &str) + Clone + Send + 'static,
    read: &impl AsyncFn(&L) -> Vec<String>,
) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let too_much = "x".repeat(RECORD_BYTES_MAX);
    for records in
        [Vec::new(), vec![record(1, "flight", "done", &too_much)], vec![record(u64::MAX, "", "", "")]]
    {
        let write = write.clone();
        let call = LocalCall::new(move |tx: &L::Tx| {
            write(tx, "effect");
            LocalAnswer { records: records.clone(), ..answered(1) }
        });
        let answer = log.append_local(AppendLocal { saga: id("trip"), first_seq: 1, call }).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    }
    assert_eq!(read(log).await, Vec::<String>::new());
    assert_eq!(history(log, "trip").await.records.len(), 1);
}

/// A gap, an unknown saga, a begin, an end.
async fn no_call_is_made_in_a_wrong_place<L: Transactional>(log: &L) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    assert_eq!(append(log, Append { status: Status::Completed, ..begun("ended", 1) }).await, Ok(()));
    let calls = Arc::new(AtomicU32::new(0));
    let call = |name: &str, seq| {
        let calls = Arc::clone(&calls);
        local(name, seq, move |_: &L::Tx| {
            calls.fetch_add(1, Ordering::Relaxed);
            true
        })
    };
    for (name, expected, found) in
        [("trip", 2, 1), ("trip", u64::MAX, 1), ("ended", 1, 1), ("ended", 2, 1), ("nobody", 1, 0)]
    {
        let conflict = Err(AppendError::Conflict { saga: id(name), expected, found });
        assert_eq!(log.append_local(call(name, expected)).await, conflict);
    }
    for name in ["trip", "nobody"] {
        let answer = log.append_local(call(name, 0)).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "no call begins a saga: {answer:?}");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(log.history(&id("nobody")).await, Ok(None));
}

/// Status and time to wake are the answer's.
async fn an_end_by_a_call_lets_go_of_locks<L: Transactional>(
    log: &L,
    write: impl Fn(&L::Tx, &str) + Clone + Send + 'static,
    read: &impl AsyncFn(&L) -> Vec<String>,
) {
    assert_eq!(append(log, Append { locks: locks(&["seat"], "trip"), ..begun("trip", 1) }).await, Ok(()));
    for (seq, status, wake) in [(1, Status::Running, Wake::At(7)), (2, Status::Compensated, Wake::Now)] {
        assert_eq!(held(log, 10).await, ["seat trip trip"]);
        let write = write.clone();
        let call = LocalCall::new(move |tx: &L::Tx| {
            write(tx, &seq.to_string());
            LocalAnswer { status, wake, ..answered(seq) }
        });
        let call = AppendLocal { saga: id("trip"), first_seq: seq, call };
        assert_eq!(log.append_local(call).await, Ok(answered(seq).records));
        let wake = if status == Status::Running { wake } else { Wake::Never };
        let found = history(log, "trip").await;
        assert_eq!((found.status, found.wake), (status, wake));
    }
    assert_eq!(held(log, 10).await, Vec::<String>::new());
    assert_eq!(read(log).await, ["1", "2"]);
}

/// Refused, with both types told.
async fn a_call_for_other_transactions_is_not_made<L: Transactional>(log: &L) {
    struct Other;
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    match log.append_local(local("trip", 1, |_: &Other| true)).await {
        Err(AppendError::Invalid { cause, .. }) => assert!(cause.contains("Other"), "{cause}"),
        other => panic!("it is refused as invalid: {other:?}"),
    }
    assert_eq!(history(log, "trip").await.records.len(), 1);
}

/// Some keep, some undo, some panic, some only append.
async fn calls_and_appends_of_many_share_the_log<L: Transactional>(
    log: L,
    write: impl Fn(&L::Tx, &str) + Clone + Send + 'static,
    read: impl AsyncFn(&L) -> Vec<String>,
) {
    const STEPS: u64 = 6;
    let one = async |number: u64| {
        let name = format!("trip-{number}");
        assert_eq!(append(&log, begun(&name, 1)).await, Ok(()));
        for seq in 1..=STEPS {
            let kind = (number + seq) % 4;
            if kind != 0 {
                let (write, text) = (write.clone(), format!("{number} {seq}"));
                let call = local(&name, seq, move |tx: &L::Tx| {
                    write(tx, &text);
                    assert!(kind != 3, "this one panics");
                    kind == 1
                });
                assert_eq!(log.append_local(call).await.is_err(), kind == 3);
            }
            if kind == 0 || kind == 3 {
                assert_eq!(append(&log, step(&name, seq)).await, Ok(()));
            }
        }
    };
    futures_util::future::join_all((0..32).map(|number| Box::pin(one(number)))).await;
    let mut found = read(&log).await;
    found.sort();
    let expected = (0..32).flat_map(|number| (1..=STEPS).map(move |seq| (number, seq)));
    let expected = expected.filter(|(number, seq)| (number + seq) % 4 == 1);
    let mut expected: Vec<String> = expected.map(|(number, seq)| format!("{number} {seq}")).collect();
    expected.sort();
    assert_eq!(found, expected);
    for number in 0..32 {
        assert_eq!(history(&log, &format!("trip-{number}")).await.records.len() as u64, STEPS + 1);
    }
}

/// A participant that has seen one refuses all calls of those before.
async fn each_writer_has_a_greater_epoch<L: SagaLog, Fut: Future<Output = L>>(
    open: &impl Fn(&'static str) -> Fut,
) {
    let mut before = 0;
    for number in 0..4 {
        let log = open("epochs").await;
        let epoch = log.epoch();
        assert!(epoch > before, "epoch {epoch} after {before}");
        assert_eq!(append(&log, begun(&format!("trip-{number}"), 1)).await, Ok(()));
        assert_eq!(log.epoch(), epoch, "it is the same as long as the log is open");
        before = epoch;
    }
}

/// Records, status, times to wake, locks; and a retry across the restart is one.
async fn all_is_there_when_it_is_opened_again<L: SagaLog, Fut: Future<Output = L>>(
    open: &impl Fn(&'static str) -> Fut,
) {
    let log = open("again").await;
    let waits = [("work", Wake::Now), ("noon", Wake::At(12)), ("signal", Wake::Never)];
    for (name, wake) in waits {
        assert_eq!(append(&log, Append { locks: locks(&[name], name), ..begun(name, 1) }).await, Ok(()));
        assert_eq!(append(&log, Append { wake, ..step(name, 1) }).await, Ok(()));
    }
    assert_eq!(append(&log, Append { locks: locks(&["seat"], "ended"), ..begun("ended", 1) }).await, Ok(()));
    assert_eq!(append(&log, end("ended", 1, Status::Compensated)).await, Ok(()));
    let all = ["work", "noon", "signal", "ended"];
    let mut before = Vec::new();
    for name in all {
        before.push(history(&log, name).await);
    }
    for _ in 0..2 {
        drop(open("another").await);
    }
    drop(log);

    let log = open("again").await;
    for (name, before) in all.into_iter().zip(&before) {
        assert_eq!(history(&log, name).await, *before);
    }
    assert_eq!(names(&log, 10).await, ["work", "noon", "signal"]);
    assert_eq!(names_until(&log, Wake::At(11), 10).await, ["work"]);
    assert_eq!((log.next_wake(0).await, log.waiting(0).await), (Ok(Some(12)), Ok(2)));
    assert_eq!(held(&log, 10).await, ["noon noon noon", "signal signal signal", "work work work"]);
    assert_eq!(log.check().await, Ok(Vec::new()));
    let late = Append { locks: locks(&["noon"], "late"), ..begun("late", 2) };
    assert_eq!(append(&log, late.clone()).await, locked("late", "noon", "noon"));
    assert_eq!(append(&log, step("noon", 1)).await, Ok(()), "what stands already");
    assert_eq!(append(&log, end("noon", 2, Status::Completed)).await, Ok(()));
    assert_eq!(append(&log, late).await, Ok(()));
    drop(log);

    let log = open("again").await;
    assert_eq!(names(&log, 10).await, ["work", "late", "signal"]);
    assert_eq!(append(&log, end("noon", 2, Status::Completed)).await, Ok(()), "an end that was not answered");
    assert_eq!(history(&log, "noon").await.records.len(), 3);
}

/// And by nothing before it.
async fn a_saga_is_begun_by_the_commit<L: SagaLog>(
    log: &L,
    within: &impl AsyncFn(&L, Vec<Append>, bool) -> Vec<Result<(), AppendError>>,
) {
    let mut begin = begun("trip", 1);
    begin.records.push(record(1, "flight", "not sent", "null"));
    assert_eq!(within(log, vec![begin.clone()], false).await, [Ok(())]);
    assert_eq!(log.history(&id("trip")).await, Ok(None), "it was rolled back");
    assert_eq!(names(log, 10).await, Vec::<String>::new());

    let twice = vec![begin.clone(), begun("other", 2), begin.clone()];
    assert_eq!(within(log, twice, true).await, [Ok(()), Ok(()), Ok(())], "the same again is the same");
    assert_eq!(names(log, 10).await, ["trip", "other"]);
    assert_eq!(history(log, "trip").await.records, begin.records);
    assert_eq!(append(log, begin.clone()).await, Ok(()), "whoever begins it");
    assert_eq!(within(log, vec![begin.clone()], true).await, [Ok(())]);
    assert_eq!(append(log, step("trip", 2)).await, Ok(()), "it goes on as any other");
    assert_eq!(append(log, begun("third", 3)).await, Ok(()));
    assert_eq!(names(log, 10).await, ["trip", "other", "third"]);
}

/// Those of [`SagaLog::append`].
async fn a_begin_in_a_transaction_keeps_the_rules<L: SagaLog>(
    log: &L,
    within: &impl AsyncFn(&L, Vec<Append>, bool) -> Vec<Result<(), AppendError>>,
) {
    let one = async |append: Append| within(log, vec![append], true).await.remove(0);
    let holder = Append { locks: locks(&["seat"], "holder"), ..begun("holder", 1) };
    assert_eq!(one(holder).await, Ok(()), "with its locks");
    assert_eq!(held(log, 10).await, ["seat holder holder"]);
    let there = Box::new(history(log, "holder").await);
    assert_eq!(one(begun("holder", 7)).await, Err(AppendError::Exists(there)));
    let late = Append { locks: locks(&["seat"], "late"), ..begun("late", 2) };
    assert_eq!(one(late.clone()).await, locked("late", "seat", "holder"));
    for invalid in [step("holder", 1), Append { records: Vec::new(), ..begun("empty", 1) }] {
        let answer = one(invalid).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    }
    assert_eq!(names(log, 10).await, ["holder"]);
    assert_eq!(append(log, end("holder", 1, Status::Completed)).await, Ok(()));
    assert_eq!(one(late).await, Ok(()));
    assert_eq!(held(log, 10).await, ["seat late late"]);
}

fn answered(seq: u64) -> LocalAnswer {
    let records = vec![record(seq, "stock", "done", "1")];
    LocalAnswer { keep: true, records, status: Status::Running, wake: Wake::Now }
}

fn step(name: &str, seq: u64) -> Append {
    next(name, seq, vec![record(1, "flight", "done", "1")], Status::Running)
}

fn end(name: &str, seq: u64, status: Status) -> Append {
    next(name, seq, vec![record(9, "last", "done", "1")], status)
}

fn locked(saga: &str, key: &str, holder: &str) -> Result<(), AppendError> {
    Err(AppendError::Locked { saga: id(saga), key: key.into(), holder: id(holder) })
}

/// All locks that are held, as `key holder root`, read in pages of `limit`.
async fn held(log: &impl SagaLog, limit: usize) -> Vec<String> {
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
async fn names(log: &impl SagaLog, limit: usize) -> Vec<String> {
    names_until(log, Wake::Never, limit).await
}

async fn names_until(log: &impl SagaLog, until: Wake, limit: usize) -> Vec<String> {
    ids(all_until(log, until, limit).await.unwrap_or_else(|error| panic!("{error}")))
}

fn ids(sagas: Vec<Result<History, Damaged>>) -> Vec<String> {
    let name =
        |saga: Result<History, Damaged>| saga.unwrap_or_else(|error| panic!("{error}")).saga.to_string();
    sagas.into_iter().map(name).collect()
}
