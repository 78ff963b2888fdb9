//! Local calls: effects that are committed with their record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::kit::{answered, append, begun, end, held, history, id, local, locks, record, step};
use crate::log::{
    Append, AppendError, AppendLocal, LocalAnswer, LocalCall, RECORD_BYTES_MAX, Status, Transactional, Wake,
};

/// Effect and record, then again: as after an answer that was lost.
pub(super) async fn an_effect_stands_with_its_records_and_once<L: Transactional>(
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
pub(super) async fn an_effect_that_is_not_kept_is_undone_alone<L: Transactional>(
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
pub(super) async fn a_call_that_panics_leaves_nothing<L: Transactional>(
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
pub(super) async fn what_cannot_be_recorded_leaves_nothing<L: Transactional>(
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
pub(super) async fn no_call_is_made_in_a_wrong_place<L: Transactional>(log: &L) {
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
pub(super) async fn an_end_by_a_call_lets_go_of_locks<L: Transactional>(
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
pub(super) async fn a_call_for_other_transactions_is_not_made<L: Transactional>(log: &L) {
    struct Other;
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    match log.append_local(local("trip", 1, |_: &Other| true)).await {
        Err(AppendError::Invalid { cause, .. }) => assert!(cause.contains("Other"), "{cause}"),
        other => panic!("it is refused as invalid: {other:?}"),
    }
    assert_eq!(history(log, "trip").await.records.len(), 1);
}

/// Some keep, some undo, some panic, some only append.
pub(super) async fn calls_and_appends_of_many_share_the_log<L: Transactional>(
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
