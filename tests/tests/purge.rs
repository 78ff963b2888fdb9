//! What becomes of sagas that ended long ago, and what never does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::coordinator::{
    BeginError, Builder, HandleError, Intervention, Operator, PurgeReport, Retention,
};
use saga_runtime::log::{
    Append, AppendError, Cursor, History, HistoryError, LockCursor, LockPage, LogError, LogFuture, MemoryLog,
    Page, Purged, SagaLog, SqliteLog, Status, Wake,
};
use saga_runtime::machine::Cause;
use saga_runtime::{Begun, Coordinator, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::desk::{Desk, Mood};
use saga_tests::logs::{TestLog, Unhurried};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What a trip is for, in an order of keys that a client may write otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    number: u32,
    name: String,
}

saga! {
    /// A step, and a pivot.
    saga Trip(order: Order) -> Order {
        with desk: Desk;
        timeout 5s;
        retry 1 times every 1s..10s;

        step flight: u32 = desk.ask(cx) compensate desk.undo(cx);
        pivot paid: u32 = desk.ask(cx);

        return Order { number: order.number + flight + paid, name: order.name };
    }

    /// Has a child before its end and one after its pivot.
    saga House(hours: u64) -> u32 {
        with desk: Desk;
        retry 1 times every 1s..10s;

        saga room: u32 = Room(*hours);
        pivot paid: u32 = desk.ask(cx);
        saga letter: u32 = Letter();

        return room + paid + letter;
    }

    /// Has a child.
    saga Room(hours: u64) -> u32 {
        with desk: Desk;
        retry 1 times every 1s..10s;

        step bed: u32 = desk.ask(cx) compensate desk.undo(cx);
        saga lamp: u32 = Lamp();
        sleep (Duration::from_hours(*hours));

        return bed + lamp;
    }

    /// Has none.
    saga Lamp() -> u32 {
        with desk: Desk;
        retry 1 times every 1s..10s;

        step bulb: u32 = desk.ask(cx) compensate desk.undo(cx);

        return bulb;
    }

    /// Ends by itself.
    saga Letter() -> u32 {
        with desk: Desk;
        retry 1 times every 1s..10s;

        pivot stamp: u32 = desk.ask(cx);

        return stamp;
    }
}

fn builder<L: SagaLog>(log: L, desk: &Desk) -> Builder<L> {
    let desk = || desk.clone();
    Coordinator::builder(log)
        .register::<Trip>(TripParticipants { desk: desk() })
        .register::<House>(HouseParticipants { desk: desk() })
        .register::<Room>(RoomParticipants { desk: desk() })
        .register::<Lamp>(LampParticipants { desk: desk() })
        .register::<Letter>(LetterParticipants { desk: desk() })
}

async fn start(log: impl SagaLog, desk: &Desk) -> Coordinator {
    builder(log, desk).start().await.unwrap()
}

fn id(text: &str) -> SagaId {
    SagaId::new(text).unwrap()
}

fn order(number: u32) -> Order {
    Order { number, name: "ann".to_owned() }
}

async fn run<S: Saga>(coordinator: &Coordinator, id: &str, input: S::Input) -> Outcome<S::Output> {
    coordinator.begin::<S>(id, input).await.unwrap().outcome().await.unwrap()
}

async fn purged(coordinator: &Coordinator, name: &str) -> Purged {
    match coordinator.history(&id(name)).await {
        Err(HistoryError::Purged(purged)) => *purged,
        other => panic!("{name}: {other:?}"),
    }
}

async fn purge(coordinator: &Coordinator, retention: Retention) -> [u64; 3] {
    let PurgeReport { purged, expired, left } = coordinator.purge(&retention).await.unwrap();
    [purged, expired, left]
}

/// Runs a test on each log.
macro_rules! on_each_log {
    ($($(#[$meta:meta])* $name:ident($log:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn on($log: impl SagaLog + Clone) $body

            #[tokio::test(start_paused = true)]
            async fn in_memory() {
                on(MemoryLog::new()).await;
            }

            #[tokio::test(start_paused = true)]
            async fn in_a_file() {
                let folder = tempfile::tempdir().unwrap();
                let log = SqliteLog::open(folder.path().join("trips.db")).unwrap();
                on(TestLog::new(Unhurried::new(log))).await;
            }
        }
    )*};
}

on_each_log! {
    begin_answers_with_the_outcome_until_its_horizon_and_never_begins_again(log) {
        let desk = Desk::new();
        let coordinator = start(log, &desk).await;
        desk.becomes(Mood::Refuses, "full/paid");
        desk.becomes(Mood::Refuses, "closed/-flight");
        let done = run::<Trip>(&coordinator, "done", order(7)).await;
        let full = run::<Trip>(&coordinator, "full", order(7)).await;
        assert!(matches!(&full, Outcome::Compensated(Cause::Refused { step: "paid", .. })), "{full:?}");
        let cancelled = coordinator.begin::<House>("off", 2).await.unwrap();
        cancelled.handle().unwrap().cancel("no time").await.unwrap();
        let off = cancelled.outcome().await.unwrap();
        sleep(HOUR).await;

        let retention = Retention::new(HOUR * 2).horizon(DAY);
        assert_eq!(purge(&coordinator, retention).await, [0, 0, 0], "it is not time yet");
        sleep(HOUR * 2).await;
        let count = coordinator.purge(&retention).await.unwrap().purged;
        assert!(count >= 3, "{count}: and the children of the one that was cancelled");
        assert_eq!(purge(&coordinator, retention).await, [0, 0, 0], "once");

        let story = desk.story();
        for _ in 0..2 {
            let again = coordinator.begin::<Trip>("done", order(7)).await.unwrap();
            assert!(matches!(&again, Begun::Finished(outcome) if *outcome == done), "{again:?}");
            let again = coordinator.begin::<Trip>("full", order(7)).await.unwrap();
            assert!(matches!(&again, Begun::Finished(outcome) if *outcome == full), "{again:?}");
            let again = coordinator.begin::<House>("off", 2).await.unwrap();
            assert!(matches!(&again, Begun::Finished(outcome) if *outcome == off), "{again:?}");
            let found = coordinator.find::<Trip>(&id("done")).await.unwrap().unwrap();
            assert!(matches!(&found, Begun::Finished(outcome) if *outcome == done), "{found:?}");
        }
        let other = coordinator.begin::<Trip>("done", order(8)).await.unwrap_err();
        assert!(matches!(&other, BeginError::Conflict { difference, .. } if difference.contains("input")), "{other}");
        let other = coordinator.begin::<House>("done", 2).await.unwrap_err();
        assert!(matches!(&other, BeginError::Conflict { difference, .. } if difference.contains("`Trip`")), "{other}");
        let found = coordinator.find::<House>(&id("done")).await.unwrap_err();
        assert!(matches!(found, BeginError::Conflict { .. }), "{found}");
        let kept = purged(&coordinator, "done").await;
        assert_eq!((kept.status, kept.records, &*kept.begin.definition), (Status::Completed, 5, "Trip"));
        assert_eq!(kept.keep.outcome, r#"{"output":{"number":9,"name":"ann"}}"#);
        assert!(!format!("{:?}", kept.keep.input).contains("ann"), "of the input only a digest is kept");

        sleep(DAY).await;
        assert_eq!(purge(&coordinator, retention).await, [0, count, 0]);
        for input in [order(7), order(8)] {
            let gone = coordinator.begin::<Trip>("done", input).await.unwrap_err();
            assert_eq!(gone, BeginError::Expired { id: id("done") });
            assert!(gone.to_string().contains("choose another id"), "{gone}");
        }
        assert_eq!(coordinator.find::<Trip>(&id("full")).await.unwrap_err(), BeginError::Expired { id: id("full") });
        let gone = coordinator.history(&id("off")).await.unwrap_err();
        assert_eq!(gone, HistoryError::Expired { saga: id("off") });
        assert_eq!(desk.story(), story, "nothing was done a second time");
        assert_eq!(run::<Trip>(&coordinator, "new", order(7)).await, done, "new ids are free");
    }

    what_has_not_ended_is_never_purged(log) {
        let desk = Desk::new();
        let coordinator = start(log.clone(), &desk).await;
        desk.becomes(Mood::Mute, "parked/paid");
        let parked = coordinator.begin::<Trip>("parked", order(7)).await.unwrap();
        let status = parked.handle().unwrap().settled().await;
        assert!(matches!(status, SagaStatus::Parked(_)), "{status}");
        coordinator.begin::<House>("waits", 10_000).await.unwrap();
        sleep(HOUR).await;
        let by = Operator { name: "ann".into(), reason: "a test".into() };
        let suspended = coordinator.begin::<House>("suspended", 10_000).await.unwrap();
        suspended.handle().unwrap().operate(&by, Intervention::Suspend).await.unwrap();
        sleep(HOUR * 3).await;
        assert_eq!(purge(&coordinator, Retention::new(Duration::ZERO).horizon(HOUR)).await, [0, 0, 0]);
        for name in ["parked", "waits", "waits/room", "waits/room/lamp", "suspended"] {
            assert!(coordinator.history(&id(name)).await.unwrap().is_some(), "{name}");
        }

        // Closed by hand it has ended, and its residue is in what is kept.
        parked.handle().unwrap().operate(&by, Intervention::Close).await.unwrap();
        let Outcome::Closed(closed) = parked.outcome().await.unwrap() else { panic!() };
        assert!(!closed.residue.is_empty());
        sleep(HOUR).await;
        assert_eq!(purge(&coordinator, Retention::new(HOUR)).await, [1, 0, 0]);
        let again = coordinator.begin::<Trip>("parked", order(7)).await.unwrap();
        assert!(matches!(&again, Begun::Finished(Outcome::Closed(again)) if *again == closed), "{again:?}");
    }

    children_go_with_their_root(log) {
        let desk = Desk::new();
        let coordinator = start(log, &desk).await;
        desk.becomes(Mood::Busy, "h/letter/stamp");
        let house = coordinator.begin::<House>("h", 2).await.unwrap();
        let foreign = run::<Lamp>(&coordinator, "h/cellar", ()).await;
        assert_eq!(foreign, Outcome::Completed(1), "a saga of somebody else's, whatever it is called");
        sleep(DAY).await;
        assert_eq!(purge(&coordinator, Retention::new(HOUR)).await, [1, 0, 0], "the stranger's");
        for name in ["h", "h/room", "h/room/lamp"] {
            assert!(coordinator.history(&id(name)).await.unwrap().is_some(), "{name}: its root goes on");
        }
        purged(&coordinator, "h/cellar").await;
        desk.calms_down();
        house.handle().unwrap().retry().await.unwrap();
        assert_eq!(house.outcome().await, Ok(Outcome::Completed(4)));
        sleep(HOUR / 2).await;
        assert_eq!(purge(&coordinator, Retention::new(HOUR)).await, [0, 0, 0], "its root has just ended");
        sleep(HOUR).await;
        let family = ["h", "h/room", "h/room/lamp", "h/letter"].map(id);
        let records = coordinator.history(&family[0]).await.unwrap().unwrap().records.len() as u64;
        let PurgeReport { purged: count, left, .. } = coordinator.purge(&Retention::new(HOUR)).await.unwrap();
        assert_eq!((count >= 4, left), (true, 0));
        for id in &family {
            let kept = purged(&coordinator, id.as_str()).await;
            assert!(*id != family[0] || kept.records == records);
        }
        // Its key was used: as a saga of its own it must not be begun with it.
        let child = coordinator.begin::<Lamp>("h/room/lamp", ()).await.unwrap();
        assert!(matches!(child, Begun::Finished(Outcome::Completed(1))), "{child:?}");
    }

    a_coordinator_purges_by_itself_if_it_is_told_to(log) {
        let desk = Desk::new();
        let coordinator = builder(log.clone(), &desk).start().await.unwrap();
        let done = run::<Trip>(&coordinator, "old", order(7)).await;
        sleep(DAY * 1000).await;
        assert!(coordinator.history(&id("old")).await.unwrap().is_some(), "if nothing is said all is kept");
        coordinator.shutdown().await;
        let retention = Retention::new(HOUR).horizon(DAY);
        // A new clock: the one of the machine has hardly moved.
        let coordinator = builder(log, &desk).retention(retention).start().await.unwrap();
        sleep(HOUR * 2).await;
        purged(&coordinator, "old").await;
        assert_eq!(run::<Trip>(&coordinator, "old", order(7)).await, done);
        sleep(DAY).await;
        assert_eq!(coordinator.begin::<Trip>("old", order(7)).await.unwrap_err(), BeginError::Expired { id: id("old") });
        coordinator.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_go_in_small_transactions_and_one_that_stops_is_taken_up() {
    let (desk, log) = (Desk::new(), TestLog::new(MemoryLog::new()));
    let coordinator = start(log.clone(), &desk).await;
    for number in 0..330 {
        run::<Trip>(&coordinator, &format!("trip-{number}"), order(number)).await;
    }
    sleep(HOUR).await;
    let begun_at = tokio::time::Instant::now();
    let retention = Retention::new(HOUR);
    let (first, stopped) = tokio::join!(coordinator.purge(&retention), async {
        sleep(Duration::from_millis(12)).await;
        log.set_down(true);
        begun_at.elapsed()
    });
    assert!(first.is_err(), "{first:?} after {stopped:?}");
    log.set_down(false);
    let [purged, ..] = purge(&coordinator, Retention::new(HOUR)).await;
    assert!((1..330).contains(&purged), "{purged}: some were purged before");
    for number in 0..330 {
        let again = coordinator.begin::<Trip>(format!("trip-{number}"), order(number)).await.unwrap();
        assert!(matches!(again, Begun::Finished(Outcome::Completed(_))), "{again:?}");
        self::purged(&coordinator, &format!("trip-{number}")).await;
    }
}

/// Whose definition nobody has any more.
#[tokio::test(start_paused = true)]
async fn a_saga_that_is_not_registered_any_more_is_purged_too() {
    let (desk, log) = (Desk::new(), MemoryLog::new());
    desk.becomes(Mood::Refuses, "full/paid");
    let coordinator = start(log.clone(), &desk).await;
    let full = run::<Trip>(&coordinator, "full", order(7)).await;
    coordinator.shutdown().await;
    let coordinator = Coordinator::builder(log.clone()).start().await.unwrap();
    sleep(HOUR).await;
    assert_eq!(purge(&coordinator, Retention::new(HOUR)).await, [1, 0, 0]);
    coordinator.shutdown().await;
    let coordinator = start(log, &desk).await;
    assert_eq!(run::<Trip>(&coordinator, "full", order(7)).await, full);
}

#[tokio::test(start_paused = true)]
async fn a_handle_is_told_that_the_history_is_gone() {
    let (desk, log) = (Desk::new(), MemoryLog::new());
    let coordinator = start(log, &desk).await;
    let trip = coordinator.begin::<Trip>("s", order(7)).await.unwrap();
    let handle = trip.handle().unwrap().clone();
    let outcome = handle.outcome().await.unwrap();
    sleep(HOUR).await;
    assert_eq!(purge(&coordinator, Retention::new(HOUR)).await, [1, 0, 0]);
    let gone = handle.history().await.unwrap_err();
    assert!(matches!(gone, HandleError::Log(HistoryError::Purged(_))), "{gone}");
    assert!(gone.to_string().contains("only its outcome is kept"), "{gone}");
    assert_eq!(handle.outcome().await, Ok(outcome), "what it knows it still knows");
}

#[tokio::test]
async fn what_was_purged_is_not_begun_in_a_transaction_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trips.db");
    let desk = Desk::new();
    let coordinator = start(SqliteLog::open(&path).unwrap(), &desk).await;
    let done = run::<Trip>(&coordinator, "s", order(7)).await;
    let mut own = rusqlite::Connection::open(&path).unwrap();
    let none = Retention::new(Duration::ZERO);
    sleep(Duration::from_millis(5)).await;
    assert_eq!(purge(&coordinator, none).await, [1, 0, 0]);

    let transaction = own.transaction().unwrap();
    let pending = coordinator.begin_in::<Trip>(&transaction, "s", order(7)).unwrap();
    let other = coordinator.begin_in::<Trip>(&transaction, "s", order(8)).unwrap_err();
    assert!(matches!(other, BeginError::Conflict { .. }), "{other}");
    transaction.commit().unwrap();
    let begun = coordinator.started(pending).await.unwrap();
    assert!(matches!(&begun, Begun::Finished(outcome) if *outcome == done), "{begun:?}");

    assert_eq!(purge(&coordinator, none.horizon(Duration::ZERO)).await, [0, 1, 0]);
    let transaction = own.transaction().unwrap();
    let gone = coordinator.begin_in::<Trip>(&transaction, "s", order(7)).unwrap_err();
    assert_eq!(gone, BeginError::Expired { id: id("s") });
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_purge_says_so() {
    /// Does what every log has to, and no more.
    struct Plain(MemoryLog);
    impl SagaLog for Plain {
        fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
            self.0.append(batch)
        }
        fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
            self.0.history(id)
        }
        fn unfinished(
            &self,
            until: Wake,
            after: Option<Cursor>,
            limit: usize,
        ) -> LogFuture<'_, Result<Page, LogError>> {
            self.0.unfinished(until, after, limit)
        }
        fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
            self.0.next_wake(after_ms)
        }
        fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
            self.0.waiting(after_ms)
        }
        fn locks(
            &self,
            after: Option<LockCursor>,
            limit: usize,
        ) -> LogFuture<'_, Result<LockPage, LogError>> {
            self.0.locks(after, limit)
        }
    }
    let coordinator = start(Plain(MemoryLog::new()), &Desk::new()).await;
    let error = coordinator.purge(&Retention::new(HOUR)).await.unwrap_err();
    assert!(error.to_string().contains("cannot purge"), "{error}");
}
