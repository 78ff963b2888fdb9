//! What every log must do about purges.

use super::kit::names;
use super::{append, begun, history, id, locks, next, record};
use crate::id::SagaId;
use crate::log::{
    Append, AppendError, Cursor, History, HistoryError, Keep, Purge, Purged, SagaLog, Status, Wake,
};

/// A purge of the saga `name`, which has `records` records, that keeps its outcome.
pub fn purge(name: &str, records: u64) -> Purge {
    let keep = Keep { input: format!("the input of {name}"), outcome: "{\"output\":7}".to_owned() };
    Purge { saga: id(name), records, keep: Some(keep) }
}

/// Purges one, and answers as the log does.
pub async fn purge_one(log: &impl SagaLog, purge: Purge) -> Result<(), AppendError> {
    let mut answers = log.purge(vec![purge]).await;
    assert_eq!(answers.len(), 1, "one purge has one answer");
    answers.remove(0)
}

/// Begins the saga `name` at `at_ms` and ends it with a second record at `ended_at_ms`.
pub async fn ended(log: &impl SagaLog, name: &str, at_ms: u64, ended_at_ms: u64) {
    let end = next(name, 1, vec![record(ended_at_ms, "flight", "done", "1")], Status::Completed);
    assert_eq!(log.append(vec![begun(name, at_ms), end]).await, [Ok(()), Ok(())]);
}

/// The sagas that have ended at `until_ms` or before, read in pages of `limit`.
pub async fn all_ended(log: &impl SagaLog, until_ms: u64, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = log.ended(until_ms, after, limit).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(page.sagas.len() <= limit.max(1), "a page looks at no more than {limit} sagas");
        let names = page.sagas.into_iter().map(|saga| saga.unwrap_or_else(|error| panic!("{error}")));
        found.extend(names.map(|History { saga, .. }| saga.to_string()));
        let Some(next) = page.next else { return found };
        assert!(after.is_none_or(|after| after < next), "each page begins behind the one before");
        after = Some(next);
    }
}

/// What is kept is the answer to everybody.
pub async fn a_purged_saga_answers_with_what_is_kept(log: &impl SagaLog) {
    for status in [Status::Completed, Status::Compensated, Status::Closed] {
        let name = status.as_str();
        let end = next(name, 1, vec![record(9, "flight", "done", "1")], status);
        assert_eq!(log.append(vec![begun(name, 1), end.clone()]).await, [Ok(()), Ok(())]);
        let History { saga, begin, .. } = history(log, name).await;
        let keep = purge(name, 2).keep.unwrap_or_else(|| panic!("it keeps"));
        let purged = Purged { saga, begin, status, ended_at_ms: 9, records: 2, keep };
        assert_eq!(purge_one(log, purge(name, 2)).await, Ok(()));
        let found = log.history(&id(name)).await;
        assert_eq!(found, Err(HistoryError::Purged(Box::new(purged.clone()))));
        for again in
            [begun(name, 1), begun(name, 7), end, next(name, 2, vec![record(9, "a", "b", "1")], status)]
        {
            let answer = append(log, again).await;
            assert_eq!(answer, Err(AppendError::Purged(Box::new(purged.clone()))), "nothing follows");
        }
        assert_eq!(purge_one(log, purge(name, 2)).await, Ok(()), "it may be purged again");
        let other = Purge { keep: Some(Keep { input: "x".into(), outcome: "x".into() }), ..purge(name, 2) };
        assert_eq!(purge_one(log, other).await, Ok(()));
        let found = log.history(&id(name)).await;
        assert_eq!(found, Err(HistoryError::Purged(Box::new(purged))), "what is kept stays as it is");
    }
}

/// Past the horizon the id is all that is known, and for ever.
pub async fn an_id_that_has_expired_is_never_begun_again(log: &impl SagaLog) {
    let gone = |name: &str| Err(HistoryError::Expired { saga: id(name) });
    for (name, first) in [("once", None), ("twice", Some(purge("twice", 2)))] {
        ended(log, name, 1, 2).await;
        if let Some(first) = first {
            assert_eq!(purge_one(log, first).await, Ok(()));
        }
        assert_eq!(purge_one(log, Purge { keep: None, ..purge(name, 2) }).await, Ok(()));
        assert_eq!(log.history(&id(name)).await, gone(name));
        for again in
            [begun(name, 1), begun(name, 7), next(name, 2, vec![record(9, "a", "b", "1")], Status::Running)]
        {
            assert_eq!(append(log, again).await, Err(AppendError::Expired { saga: id(name) }));
        }
        for keep in [purge(name, 2).keep, None] {
            assert_eq!(purge_one(log, Purge { keep, ..purge(name, 2) }).await, Ok(()));
            assert_eq!(log.history(&id(name)).await, gone(name), "what is gone stays so");
        }
    }
    assert_eq!(append(log, begun("other", 1)).await, Ok(()), "other ids are free");
}

/// What runs, what nobody has begun, and what is not as it was read, is left alone.
pub async fn only_what_has_ended_is_purged(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    ended(log, "longer", 1, 2).await;
    let before = [history(log, "trip").await, history(log, "longer").await];
    ended(log, "old", 1, 2).await;
    let batch = vec![purge("trip", 1), purge("nobody", 0), purge("longer", 1), purge("old", 2)];
    let conflict = |name: &str, expected, found| AppendError::Conflict { saga: id(name), expected, found };
    let expected =
        [Err(conflict("trip", 1, 1)), Err(conflict("nobody", 0, 0)), Err(conflict("longer", 1, 2)), Ok(())];
    assert_eq!(log.purge(batch).await, expected, "one that is refused does not hinder the others");
    assert_eq!([history(log, "trip").await, history(log, "longer").await], before);
    assert_eq!(log.history(&id("nobody")).await, Ok(None));
    assert_eq!(log.purge(Vec::new()).await, Vec::new());
    let flight = next("trip", 1, vec![record(2, "flight", "done", "1")], Status::Running);
    assert_eq!(append(log, flight).await, Ok(()), "it goes on");
}

/// What is purged leaves no gap in which another saga could be lost.
pub async fn a_purge_leaves_no_place_behind(log: &impl SagaLog) {
    let takes = Append { locks: locks(&["seat"], "old"), ..begun("old", 1) };
    let end = next("old", 1, vec![record(2, "flight", "done", "1")], Status::Completed);
    assert_eq!(log.append(vec![begun("first", 1), takes, end]).await, [Ok(()), Ok(()), Ok(())]);
    let page = log.unfinished(Wake::Never, None, 1).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((page.sagas.len(), page.next), (1, None));
    let last = log.ended(9, None, 9).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(last.sagas.len(), 1);
    assert_eq!(purge_one(log, purge("old", 2)).await, Ok(()), "the one that was begun last");
    // Behind the place that was free, and ahead of none that a reader has passed.
    let takes = Append { locks: locks(&["seat"], "new"), ..begun("new", 3) };
    assert_eq!(append(log, takes).await, Ok(()), "and holds no lock");
    assert_eq!(names(log, 1).await, ["first", "new"]);
    assert_eq!(history(log, "new").await.records, begun("new", 3).records, "nothing of the old one is in it");
    let held = log.locks(None, 9).await.unwrap_or_else(|error| panic!("{error}")).locks;
    let holders: Vec<String> = held.into_iter().flatten().map(|lock| lock.holder.to_string()).collect();
    assert_eq!(holders, ["new"]);
    let end = next("new", 1, vec![record(4, "flight", "done", "1")], Status::Completed);
    assert_eq!(append(log, end).await, Ok(()));
    assert_eq!(all_ended(log, 9, 1).await, ["new"]);
}

/// By the time of their ends, in the order of their begins.
pub async fn ended_sagas_come_in_pages(log: &impl SagaLog) {
    for (number, end) in [5, 3, 9, 4, 9, 5].into_iter().enumerate() {
        ended(log, &format!("trip-{number}"), 1, end).await;
        assert_eq!(append(log, begun(&format!("runs-{number}"), 1)).await, Ok(()));
    }
    ended(log, "late", 6, 7).await;
    let expected = ["trip-0", "trip-1", "trip-3", "trip-5"];
    for limit in [0, 1, 2, 3, 12, 13, 1000] {
        assert_eq!(all_ended(log, 5, limit).await, expected, "pages of {limit}");
    }
    assert_eq!(all_ended(log, 2, 10).await, Vec::<String>::new());
    assert_eq!(purge_one(log, purge("trip-1", 2)).await, Ok(()));
    assert_eq!(all_ended(log, 5, 2).await, ["trip-0", "trip-3", "trip-5"]);
}

/// Those that ended first, and no more than was asked for.
pub async fn outcomes_expire_in_the_order_of_the_ends(log: &impl SagaLog) {
    for (name, end) in [("c", 30), ("a", 10), ("d", 40), ("b", 20)] {
        ended(log, name, 1, end).await;
    }
    let purges = ["c", "a", "b"].map(|name| purge(name, 2));
    assert_eq!(log.purge(purges.to_vec()).await, [Ok(()), Ok(()), Ok(())]);
    let expired = async || {
        let mut expired = Vec::new();
        for name in ["a", "b", "c", "d"] {
            if matches!(log.history(&id(name)).await, Err(HistoryError::Expired { .. })) {
                expired.push(name);
            }
        }
        expired
    };
    assert_eq!(log.expire(9, 10).await, Ok(0));
    assert_eq!(log.expire(100, 1).await, Ok(1));
    assert_eq!(expired().await, ["a"]);
    assert_eq!(log.expire(20, 10).await, Ok(1));
    assert_eq!(expired().await, ["a", "b"]);
    assert_eq!(log.expire(100, 10).await, Ok(1), "what is not purged does not expire");
    assert_eq!(expired().await, ["a", "b", "c"]);
    assert_eq!(log.expire(u64::MAX, 10).await, Ok(0));
    assert_eq!(history(log, "d").await.records.len(), 2);
}

/// The ids that begin with a prefix, running or not.
pub async fn ids_are_listed_by_their_beginning(log: &impl SagaLog) {
    for name in ["s", "s/b", "s/a", "s/a/x", "s0", "s.", "t/a", "s/~", "S/a"] {
        ended(log, name, 1, 2).await;
    }
    assert_eq!(append(log, begun("s/runs", 1)).await, Ok(()));
    assert_eq!(purge_one(log, purge("s/b", 2)).await, Ok(()));
    for limit in [0, 1, 2, 100] {
        let mut found: Vec<SagaId> = Vec::new();
        loop {
            let page = log.ids("s/", found.last(), limit).await.unwrap_or_else(|error| panic!("{error}"));
            assert!(page.len() <= limit.max(1));
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let found: Vec<&str> = found.iter().map(SagaId::as_str).collect();
        assert_eq!(found, ["s/a", "s/a/x", "s/runs", "s/~"], "pages of {limit}");
    }
}
