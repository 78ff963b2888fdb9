//! What outlives the process.

use super::kit::{append, begun, end, held, history, locked, locks, names, names_until, step};
use crate::log::{Append, SagaLog, Status, Wake};

/// A participant that has seen one refuses all calls of those before.
pub(super) async fn each_writer_has_a_greater_epoch<L: SagaLog, Fut: Future<Output = L>>(
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
pub(super) async fn all_is_there_when_it_is_opened_again<L: SagaLog, Fut: Future<Output = L>>(
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
