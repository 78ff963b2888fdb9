//! Sagas that are begun in a transaction of the user's.

use super::kit::{append, begun, end, held, history, id, locked, locks, names, record, step};
use crate::log::{Append, AppendError, SagaLog, Status};

/// Whatever a log has transactions on, it is not this.
pub async fn a_transaction_of_another_kind_begins_nothing(log: &impl SagaLog) {
    struct Other;
    let answer = log.begin_in(&Other, &begun("trip", 1));
    assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    assert_eq!(log.history(&id("trip")).await, Ok(None));
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
}

/// And by nothing before it.
pub(super) async fn a_saga_is_begun_by_the_commit<L: SagaLog>(
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
pub(super) async fn a_begin_in_a_transaction_keeps_the_rules<L: SagaLog>(
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
