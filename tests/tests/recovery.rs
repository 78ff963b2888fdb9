//! What a coordinator makes of the log that it finds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::sync::Arc;

use saga_runtime::coordinator::HandleError;
use saga_runtime::log::{
    Append, Begin, Cursor, Damaged, History, HistoryError, LockCursor, LockPage, LogError, LogFuture,
    MemoryLog, Page, Record, SagaLog, SqliteLog, Status, Wake,
};
use saga_runtime::{Begun, Coordinator, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::logs::{LogFault, TestLog, Unhurried};
use saga_tests::run::{End, Scenario, run_on};
use saga_tests::sagas::{Basket, Shape, Trip};
use saga_tests::world::{Fault, Place, Prudent, Which, World};

fn record(step: Option<&str>, event: &str, data: Option<&str>) -> Record {
    Record { at_ms: 1, step: step.map(str::to_owned), event: event.to_owned(), data: data.map(str::to_owned) }
}

/// A record: its step, its event, its data.
type Line<'a> = (Option<&'a str>, &'a str, Option<&'a str>);

/// Writes a saga that is not finished.
async fn write<S: Saga>(log: &MemoryLog, id: &str, records: &[Line<'_>]) {
    let begin = Begin { definition: S::DEFINITION.name.to_owned(), fingerprint: S::DEFINITION.fingerprint() };
    let append = Append {
        saga: SagaId::new(id).unwrap(),
        begin: Some(begin),
        first_seq: 0,
        records: records.iter().map(|(step, event, data)| record(*step, event, *data)).collect(),
        status: Status::Running,
        wake: Wake::Now,
        locks: None,
    };
    assert_eq!(log.append(vec![append]).await, [Ok(())]);
}

const BEGUN: Line<'static> = (None, "begun", Some(r#"{"trip":7}"#));

async fn start(log: impl SagaLog, world: &World) -> Coordinator {
    Coordinator::builder(log).register::<Trip>(Trip::participants(world)).start().await.unwrap()
}

async fn found(coordinator: &Coordinator, id: &str) -> Begun<Trip> {
    coordinator.find::<Trip>(&SagaId::new(id).unwrap()).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_history_that_cannot_be_continued_is_quarantined_with_its_cause_and_the_others_go_on() {
    let log = MemoryLog::new();
    let bad: &[(&str, &[Line<'_>], &str)] = &[
        ("no-input", &[(None, "cancelled", Some("{}"))], "does not begin with the input"),
        ("bad-input", &[(None, "begun", Some(r#"{"trip":"seven"}"#))], "u32"),
        ("no-json", &[(None, "begun", Some("{"))], "input"),
        ("bad-output", &[BEGUN, (Some("flight"), "done", Some("[]"))], "flight is no `u32`"),
        ("no-output", &[BEGUN, (Some("flight"), "done", None)], "missing"),
        ("no-such-step", &[BEGUN, (Some("train"), "done", Some("1"))], "no step `train`"),
        ("no-such-event", &[BEGUN, (Some("flight"), "teleported", None)], "teleported"),
        ("illegal", &[BEGUN, (Some("voucher"), "done", Some("1"))], "record 1"),
        (
            "twice",
            &[BEGUN, (Some("flight"), "done", Some("1")), (Some("flight"), "done", Some("1"))],
            "record 2",
        ),
        ("ended", &[BEGUN, (Some("flight"), "refused", Some(r#"{"definitive":true}"#))], "ended"),
    ];
    for (id, records, _) in bad {
        write::<Trip>(&log, id, records).await;
    }
    write::<Trip>(&log, "good", &[BEGUN]).await;
    let world = World::new();
    let coordinator = start(log.clone(), &world).await;
    let recovery = coordinator.recovery();
    assert_eq!(recovery.resumed, 1);
    for (id, records, word) in bad {
        let (_, cause) = recovery.quarantined.iter().find(|(quarantined, _)| quarantined == id).unwrap();
        assert!(cause.contains(word), "{id}: {cause}");
        let answer = coordinator.find::<Trip>(&SagaId::new(id).unwrap()).await;
        assert!(answer.is_err() || !matches!(answer, Ok(Some(Begun::Finished(_)))), "{id}: {answer:?}");
        let history = log.history(&SagaId::new(id).unwrap()).await.unwrap().unwrap();
        assert_eq!(history.records.len(), records.len(), "{id} stays as it is");
    }
    assert_eq!(found(&coordinator, "good").await.outcome().await, Ok(Outcome::Completed(7)));
    assert!(world.calls().len() <= 7, "no call was made for a saga that cannot be continued: {world:?}");
}

#[tokio::test(start_paused = true)]
async fn a_saga_of_an_unknown_definition_waits_and_is_named() {
    let world = World::new();
    let log = MemoryLog::new();
    write::<Basket>(&log, "basket", &[(None, "begun", Some(r#"{"basket":7}"#))]).await;
    let coordinator = start(log.clone(), &world).await;
    let unclaimed = &coordinator.recovery().unclaimed[0];
    assert_eq!((unclaimed.definition.as_str(), unclaimed.id.as_str()), ("Basket", "basket"));
    assert!(unclaimed.registered.is_empty());
    coordinator.shutdown().await;
    let builder = Coordinator::builder(log).register::<Basket>(Basket::participants(&world));
    let coordinator = builder.start().await.unwrap();
    let begun = coordinator.find::<Basket>(&SagaId::new("basket").unwrap()).await.unwrap().unwrap();
    // Nobody knows that its first step was never sent, and nobody may ask a careless desk twice.
    assert!(matches!(begun.outcome().await, Ok(Outcome::Compensated(_))));
    assert!(world.held().is_empty());
}

mod changed {
    use super::*;

    saga! {
        /// Is called as another, and looks different.
        pub(super) saga Trip(trip: u32) {
            with desk: Prudent;
            step flight: u32 = desk.reserve(cx) compensate desk.cancel(cx, flight);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_saga_whose_definition_has_changed_waits_for_the_one_that_it_was_begun_as() {
    let log = MemoryLog::new();
    write::<Trip>(&log, "s", &[BEGUN]).await;
    let desk = Prudent(World::new());
    let builder =
        Coordinator::builder(log.clone()).register::<changed::Trip>(changed::TripParticipants { desk });
    let coordinator = builder.start().await.unwrap();
    let unclaimed = &coordinator.recovery().unclaimed[0];
    assert_eq!(unclaimed.registered, [changed::Trip::DEFINITION.fingerprint()]);
    assert!(coordinator.begin::<changed::Trip>("s", 7).await.is_err());
    coordinator.shutdown().await;
    let coordinator = start(log, &World::new()).await;
    assert_eq!(found(&coordinator, "s").await.outcome().await, Ok(Outcome::Completed(7)));
}

/// A log in which one more saga is damaged.
struct DamagedLog(MemoryLog);

impl DamagedLog {
    fn damaged() -> Damaged {
        Damaged { saga: "damaged".to_owned(), cause: "the checksum of record 3 is wrong".to_owned() }
    }
}

impl SagaLog for DamagedLog {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), saga_runtime::log::AppendError>>> {
        self.0.append(batch)
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        Box::pin(async move {
            if id.as_str() == "damaged" { Err(Self::damaged().into()) } else { self.0.history(id).await }
        })
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move {
            let mut page = self.0.unfinished(until, after, limit).await?;
            page.sagas.insert(0, Err(Self::damaged()));
            Ok(page)
        })
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        self.0.next_wake(after_ms)
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        self.0.waiting(after_ms)
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        self.0.locks(after, limit)
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_saga_is_quarantined_and_the_others_go_on() {
    let log = MemoryLog::new();
    write::<Trip>(&log, "good", &[BEGUN]).await;
    let coordinator = start(DamagedLog(log), &World::new()).await;
    let recovery = coordinator.recovery();
    assert_eq!(recovery.resumed, 1);
    assert_eq!(recovery.quarantined[0].0, "damaged");
    assert!(coordinator.find::<Trip>(&SagaId::new("damaged").unwrap()).await.is_err());
    assert_eq!(found(&coordinator, "good").await.outcome().await, Ok(Outcome::Completed(7)));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_keeps_the_coordinator_from_starting() {
    let log = TestLog::new(MemoryLog::new());
    log.set_down(true);
    let started = Coordinator::builder(log).register::<Trip>(Trip::participants(&World::new())).start().await;
    assert!(started.unwrap_err().to_string().contains("unavailable"));
}

#[tokio::test(start_paused = true)]
async fn thousands_of_sagas_resume_and_each_ends_once() {
    // More than are read at once.
    let log = MemoryLog::new();
    for number in 0..2500 {
        write::<Trip>(&log, &format!("s-{number}"), &[BEGUN]).await;
    }
    let world = World::new();
    let coordinator = start(log, &world).await;
    assert_eq!(coordinator.recovery().resumed, 2500);
    while coordinator.running() > 0 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(world.held().len(), 2500 * Trip::EFFECTS.len());
    assert!(world.held().values().all(|count| *count == 1));
}

#[tokio::test(start_paused = true)]
async fn a_crash_counts_as_an_attempt_so_that_crash_loops_end() {
    // Each start dies in the middle of the flight's call. Its retries are spent, and the doubt is settled.
    let world = World::new();
    world.script_all("flight", Which::Action, Fault::NeverArrives, 3);
    let log = MemoryLog::new();
    for life in 0..3 {
        let (log, world) = (log.clone(), world.clone());
        let life = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
                let coordinator = start(log, &world).await;
                if life == 0 {
                    coordinator.begin::<Trip>("s", 7).await.unwrap();
                }
                while world.count("flight", Which::Action) <= life {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            });
        });
        life.join().unwrap();
    }
    let coordinator = start(log, &world).await;
    let outcome = found(&coordinator, "s").await.outcome().await;
    assert!(matches!(outcome, Ok(Outcome::Compensated(_))), "{outcome:?}");
    assert_eq!(world.attempts("flight", Which::Action), [1, 2, 3, 4], "no attempt number came twice");
    assert!(world.held().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_was_quarantined_by_a_conflict_goes_on_after_a_restart() {
    // Somebody else writes to the same log: the saga stops, and nothing of it is lost.
    let world = World::new();
    world.script(Place { step: "flight", which: Which::Action, nth: 1 }, Fault::Slow);
    let log = MemoryLog::new();
    let coordinator = start(TestLog::new(log.clone()), &world).await;
    let begun = coordinator.begin::<Trip>("s", 7).await.unwrap();
    write_stranger(&log).await;
    assert!(matches!(begun.outcome().await, Err(HandleError::Quarantined { .. })));
    coordinator.shutdown().await;
    let coordinator = start(log, &world).await;
    assert_eq!(found(&coordinator, "s").await.outcome().await, Ok(Outcome::Completed(7)));
    assert_eq!(world.effects("Trip/s/flight"), 1);
}

/// Writes a record that no driver of this process knows of.
async fn write_stranger(log: &MemoryLog) {
    let stranger = Append {
        saga: SagaId::new("s").unwrap(),
        begin: None,
        first_seq: 1,
        records: vec![Record {
            at_ms: u64::try_from(i64::MAX).unwrap(),
            ..record(Some("flight"), "failed", Some(r#"{"outcome":"unknown"}"#))
        }],
        status: Status::Running,
        wake: Wake::Now,
        locks: None,
    };
    assert_eq!(log.append(vec![stranger]).await, [Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_saga_that_can_go_on_after_all_is_no_longer_listed() {
    let world = World::new();
    world.script(Place { step: "flight", which: Which::Action, nth: 1 }, Fault::Slow);
    let log = MemoryLog::new();
    let coordinator = start(log.clone(), &world).await;
    let begun = coordinator.begin::<Trip>("s", 7).await.unwrap();
    write_stranger(&log).await;
    assert!(begun.outcome().await.is_err());
    assert_eq!(coordinator.quarantined().len(), 1);
    assert_eq!(found(&coordinator, "s").await.outcome().await, Ok(Outcome::Completed(7)));
    assert_eq!(coordinator.quarantined(), []);
}

#[tokio::test(start_paused = true)]
async fn what_ended_is_not_resumed() {
    let log = TestLog::new(MemoryLog::new());
    let world = World::new();
    let coordinator = start(log.clone(), &world).await;
    coordinator.begin::<Trip>("s", 7).await.unwrap().outcome().await.unwrap();
    coordinator.shutdown().await;
    let coordinator = start(log, &world).await;
    assert_eq!((coordinator.recovery().resumed, coordinator.running()), (0, 0));
    assert!(matches!(found(&coordinator, "s").await, Begun::Finished(Outcome::Completed(7))));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_free_once_its_coordinator_has_shut_down_even_while_handles_are_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sagas.db");
    let world = World::new();
    world.script(Place { step: "flight", which: Which::Action, nth: 1 }, Fault::Slow);
    let coordinator = start(Unhurried::new(SqliteLog::open(&path).unwrap()), &world).await;
    let begun = coordinator.begin::<Trip>("s", 7).await.unwrap();
    coordinator.shutdown().await;
    let coordinator = start(Unhurried::new(SqliteLog::open(&path).unwrap()), &world).await;
    assert_eq!(begun.handle().unwrap().status(), SagaStatus::Stopped);
    assert_eq!(found(&coordinator, "s").await.outcome().await, Ok(Outcome::Completed(7)));
}

/// Crashes at every append, on a file that is opened again each time.
#[test]
fn a_file_survives_a_crash_at_every_append() {
    let mut scenarios = 0;
    for (step, fault) in [("hotel", Fault::LostReply), ("car", Fault::Refuse), ("receipt", Fault::LostReply)]
    {
        for append in 1..20 {
            let mut story = 0;
            for crash in [LogFault::CrashBefore, LogFault::CrashAfter, LogFault::Unconfirmed] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("sagas.db");
                let open = || -> Result<Arc<dyn SagaLog>, String> {
                    Ok(Arc::new(Unhurried::new(SqliteLog::open(&path).map_err(|error| error.to_string())?)))
                };
                let faults = vec![(Place { step, which: Which::Action, nth: 1 }, fault)];
                let scenario = Scenario { faults, log: vec![(0, append, crash)], ..Scenario::default() };
                let report = run_on::<Trip>(&scenario, &open).unwrap_or_else(|broken| panic!("{broken}"));
                assert!(!matches!(report.end, End::Parked(_)));
                story = report.story.len();
                scenarios += 1;
            }
            // The crash never came: the saga has fewer appends.
            if story == 1 && append > 12 {
                break;
            }
        }
    }
    println!("{scenarios} scenarios on files");
}

/// The process that takes the saga up again dies as well: at each of its appends, or the log does not confirm it, or each
/// further life dies at its first append until one does not.
#[test]
fn a_file_survives_a_crash_at_every_append_of_its_recovery() {
    let mut scenarios = 0;
    for (step, fault) in [("hotel", Fault::LostReply), ("car", Fault::Refuse)] {
        for append in [2, 4, 6] {
            for again in 1..=12 {
                let mut lives = 0;
                for crash in [LogFault::CrashBefore, LogFault::CrashAfter, LogFault::Unconfirmed] {
                    let folder = tempfile::tempdir().unwrap();
                    let path = folder.path().join("sagas.db");
                    let open = || -> Result<Arc<dyn SagaLog>, String> {
                        Ok(Arc::new(Unhurried::new(
                            SqliteLog::open(&path).map_err(|error| error.to_string())?,
                        )))
                    };
                    let faults = vec![(Place { step, which: Which::Action, nth: 1 }, fault)];
                    let mut log = vec![(0, append, LogFault::CrashAfter), (1, again, crash)];
                    if again == 1 {
                        log.extend((2..6).map(|life| (life, 1, crash)));
                    }
                    let scenario = Scenario { faults, log, ..Scenario::default() };
                    let report = run_on::<Trip>(&scenario, &open).unwrap_or_else(|broken| panic!("{broken}"));
                    assert!(!matches!(report.end, End::Parked(_)));
                    lives = lives.max(report.story.len());
                    scenarios += 1;
                }
                // The second crash never came: the recovery has fewer appends.
                if lives == 2 {
                    break;
                }
            }
        }
    }
    println!("{scenarios} scenarios on files");
    assert!(scenarios > 60, "{scenarios}");
}
