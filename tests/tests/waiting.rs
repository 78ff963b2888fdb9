//! Sagas that wait: they stay in the log, and are driven when they wake.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a desk answers at once")]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use saga_runtime::log::{
    Append, AppendError, Begin, Cursor, Damaged, History, HistoryError, LockCursor, LockPage, LogError,
    LogFuture, MemoryLog, Page, Record, SagaLog, SqliteLog, Status, Wake,
};
use saga_runtime::{Begun, CancelAnswer, Coordinator, Outcome, Saga, SagaId, SagaStatus, StepError, saga};
use saga_tests::logs::{TestLog, Unhurried};
use saga_tests::sagas::{Basket, Shape, Trip};
use saga_tests::world::World;
use tokio::time::sleep;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// That time from now on, as logs have it.
fn after(duration: Duration) -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + duration;
    u64::try_from(time.as_millis()).unwrap()
}

fn id(text: &str) -> SagaId {
    SagaId::new(text).unwrap()
}

/// Writes a saga that has its input, and wakes at `wake`.
async fn write<S: Saga>(log: &impl SagaLog, id: &str, input: &str, wake: Wake) {
    let begin = Begin { definition: S::DEFINITION.name.to_owned(), fingerprint: S::DEFINITION.fingerprint() };
    let begun = Record { at_ms: 1, step: None, event: "begun".to_owned(), data: Some(input.to_owned()) };
    let append = Append {
        saga: SagaId::new(id).unwrap(),
        begin: Some(begin),
        first_seq: 0,
        records: vec![begun],
        status: Status::Running,
        wake,
        locks: None,
    };
    assert_eq!(log.append(vec![append]).await, [Ok(())]);
}

async fn write_trip(log: &impl SagaLog, id: &str, wake: Wake) {
    write::<Trip>(log, id, r#"{"trip":7}"#, wake).await;
}

async fn start(log: impl SagaLog, world: &World) -> Coordinator {
    Coordinator::builder(log).register::<Trip>(Trip::participants(world)).start().await.unwrap()
}

async fn found(coordinator: &Coordinator, name: &str) -> Begun<Trip> {
    coordinator.find::<Trip>(&id(name)).await.unwrap().unwrap()
}

async fn history(log: &impl SagaLog, name: &str) -> History {
    log.history(&id(name)).await.unwrap().unwrap()
}

/// How many of its sagas have ended.
async fn ended(log: &impl SagaLog, names: &[&str]) -> usize {
    let mut ended = 0;
    for name in names {
        ended += usize::from(history(log, name).await.status == Status::Completed);
    }
    ended
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_waits_stays_in_the_log_until_it_wakes() {
    let log = MemoryLog::new();
    write_trip(&log, "sleeps", Wake::At(after(HOUR))).await;
    write_trip(&log, "hears", Wake::Never).await;
    write_trip(&log, "works", Wake::Now).await;
    write_trip(&log, "late", Wake::At(1)).await;
    let world = World::new();
    let coordinator = start(log.clone(), &world).await;
    let recovery = coordinator.recovery();
    assert_eq!((recovery.resumed, recovery.waiting), (2, 2));
    assert_eq!(coordinator.running(), 2, "what waits is in the log alone");

    sleep(HOUR.saturating_sub(MINUTE)).await;
    assert_eq!(coordinator.running(), 0);
    assert_eq!(ended(&log, &["works", "late"]).await, 2);
    for name in ["sleeps", "hears"] {
        assert_eq!(history(&log, name).await.records.len(), 1, "{name} is untouched");
    }
    sleep(2 * MINUTE).await;
    assert_eq!(ended(&log, &["sleeps"]).await, 1);
    assert_eq!(world.effects("Trip/sleeps/flight"), 1);

    sleep(1000 * HOUR).await;
    assert_eq!(history(&log, "hears").await.records.len(), 1, "time does not wake it");
}

saga! {
    /// Sleeps, and then asks what to say.
    saga Napping(hours: u64) -> String {
        sleep (Duration::from_hours(*hours));
        receive word: String within 48h;
        read seen: u64 = async { Ok::<_, Infallible>(*hours) };
        return format!("{word} after {seen} h");
    }
}

async fn napping(log: &MemoryLog) -> Coordinator {
    Coordinator::builder(log.clone()).register::<Napping>(NappingParticipants {}).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_begins_to_wait_is_let_go_and_goes_on_when_it_wakes() {
    let log = MemoryLog::new();
    let coordinator = napping(&log).await;
    for number in 0..10 {
        drop(coordinator.begin::<Napping>(format!("n-{number}"), 2).await.unwrap());
    }
    let seen = coordinator.begin::<Napping>("seen", 2).await.unwrap();
    sleep(MINUTE).await;
    assert_eq!(coordinator.running(), 0, "none holds a task while it sleeps");
    let handle = seen.handle().unwrap();
    assert_eq!(handle.status(), SagaStatus::Running);

    sleep(3 * HOUR).await;
    assert_eq!(coordinator.running(), 0, "nor while it waits for a signal");
    let before = history(&log, "seen").await.records.len();
    handle.send(NappingSignal::Word("rested".to_owned())).await.unwrap();
    assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed("rested after 2 h".to_owned()));
    assert!(history(&log, "seen").await.records.len() > before);

    let unseen = coordinator.find::<Napping>(&id("n-3")).await.unwrap().unwrap();
    unseen.handle().unwrap().send(NappingSignal::Word("so".to_owned())).await.unwrap();
    assert_eq!(unseen.outcome().await.unwrap(), Outcome::Completed("so after 2 h".to_owned()));

    sleep(48 * HOUR).await;
    let n_4 = coordinator.find::<Napping>(&id("n-4")).await.unwrap().unwrap();
    assert!(matches!(n_4.outcome().await.unwrap(), Outcome::Compensated(_)), "nobody told it in time");
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_was_let_go_is_cancelled_and_survives_a_restart() {
    let log = MemoryLog::new();
    let coordinator = napping(&log).await;
    let begun = coordinator.begin::<Napping>("cancelled", 2).await.unwrap();
    drop(coordinator.begin::<Napping>("restarted", 2).await.unwrap());
    sleep(MINUTE).await;
    let answer = begun.handle().unwrap().cancel("no more").await.unwrap();
    assert_eq!(answer, CancelAnswer::Cancelled);
    coordinator.shutdown().await;

    let coordinator = napping(&log).await;
    assert_eq!((coordinator.recovery().resumed, coordinator.recovery().waiting), (0, 1));
    let restarted = coordinator.find::<Napping>(&id("restarted")).await.unwrap().unwrap();
    restarted.handle().unwrap().send(NappingSignal::Word("early".to_owned())).await.unwrap();
    assert_eq!(restarted.outcome().await.unwrap(), Outcome::Completed("early after 2 h".to_owned()));
}

/// A desk that is away for as many calls as it was told.
#[derive(Clone)]
struct Away(Arc<AtomicU32>);

#[derive(Debug, thiserror::Error, StepError)]
#[error("the desk is away")]
#[outcome(transient)]
struct IsAway;

impl Away {
    async fn knock(&self) -> Result<(), IsAway> {
        let away = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        away.map_or(Ok(()), |_| Err(IsAway))
    }
}

saga! {
    saga Patient() {
        with desk: Away;
        step door: () = desk.knock() retry 3 times every 1h..1h compensate nothing;
        read after: () = async { Ok::<_, Infallible>(()) };
    }
}

#[tokio::test(start_paused = true)]
async fn a_far_retry_holds_no_task_and_is_made_when_it_is_due() {
    let log = MemoryLog::new();
    let left = Arc::new(AtomicU32::new(2));
    let desk = PatientParticipants { desk: Away(Arc::clone(&left)) };
    let coordinator = Coordinator::builder(log.clone()).register::<Patient>(desk).start().await.unwrap();
    let begun = coordinator.begin::<Patient>("patient", ()).await.unwrap();
    sleep(MINUTE).await;
    assert_eq!((coordinator.running(), left.load(Ordering::SeqCst)), (0, 1));
    sleep(HOUR).await;
    assert_eq!((coordinator.running(), left.load(Ordering::SeqCst)), (0, 0));
    sleep(HOUR).await;
    assert_eq!(begun.outcome().await.unwrap(), Outcome::Completed(()));
}

#[tokio::test(start_paused = true)]
async fn each_saga_wakes_at_its_own_time() {
    let log = MemoryLog::new();
    let names = ["a", "b", "c", "d", "e"];
    // Not in the order in which they were begun, and two at one time.
    for (name, hours) in names.into_iter().zip([3, 1, 4, 1, 5]) {
        write_trip(&log, name, Wake::At(after(hours * HOUR))).await;
    }
    let coordinator = start(log.clone(), &World::new()).await;
    sleep(MINUTE).await;
    for expected in [0, 2, 2, 3, 4, 5] {
        assert_eq!(ended(&log, &names).await, expected);
        assert_eq!(coordinator.running(), 0);
        sleep(HOUR).await;
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_that_wake_at_one_time_end_once_each() {
    // More than are read at once.
    let log = MemoryLog::new();
    let noon = after(HOUR);
    for number in 0..2500 {
        write_trip(&log, &format!("s-{number}"), Wake::At(noon)).await;
    }
    let world = World::new();
    let builder = Coordinator::builder(log).register::<Trip>(Trip::participants(&world));
    let coordinator = builder.sagas_at_once(10).start().await.unwrap();
    assert_eq!((coordinator.recovery().waiting, coordinator.running()), (2500, 0));
    sleep(2 * HOUR).await;
    assert_eq!(coordinator.running(), 0);
    assert_eq!(world.held().len(), 2500 * Trip::EFFECTS.len());
    assert!(world.held().values().all(|count| *count == 1));
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_waits_is_attached_to_and_driven_once() {
    let log = MemoryLog::new();
    for name in ["begun", "found"] {
        write_trip(&log, name, Wake::At(after(HOUR))).await;
    }
    write_trip(&log, "hears", Wake::Never).await;
    let world = World::new();
    let coordinator = start(log.clone(), &world).await;
    assert_eq!(coordinator.recovery().waiting, 3);
    let begun = coordinator.begin::<Trip>("begun", 7).await.unwrap();
    assert!(matches!(begun, Begun::Attached(_)), "{begun:?}");
    assert_eq!(begun.outcome().await, Ok(Outcome::Completed(7)));
    for name in ["found", "hears"] {
        assert_eq!(found(&coordinator, name).await.outcome().await, Ok(Outcome::Completed(7)));
    }
    assert!(coordinator.begin::<Trip>("hears", 8).await.is_err(), "another input is a conflict");
    sleep(2 * HOUR).await;
    assert!(world.held().values().all(|count| *count == 1));
    assert_eq!((coordinator.running(), coordinator.quarantined()), (0, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_begin_that_comes_to_nothing_when_a_saga_wakes_does_not_keep_it_from_waking() {
    let memory = MemoryLog::new();
    let log = TestLog::new(memory.clone());
    write_trip(&memory, "s", Wake::At(after(HOUR))).await;
    let noon_here = tokio::time::Instant::now() + HOUR;
    let world = World::new();
    let coordinator = start(log.clone(), &world).await;
    log.set_delay(Duration::from_secs(10));
    tokio::time::sleep_until(noon_here - Duration::from_secs(5)).await;
    let begun = coordinator.begin::<Trip>("s", 8).await;
    assert!(begun.is_err(), "the id is taken: {begun:?}");
    assert!(tokio::time::Instant::now() > noon_here);
    sleep(HOUR).await;
    assert_eq!(ended(&memory, &["s"]).await, 1);
    assert!(world.held().values().all(|count| *count == 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_driven_when_it_wakes_is_shown() {
    let log = MemoryLog::new();
    let noon = Wake::At(after(HOUR));
    write::<Basket>(&log, "basket", r#"{"basket":7}"#, noon).await;
    write::<Trip>(&log, "bad", r#"{"trip":"seven"}"#, noon).await;
    write_trip(&log, "good", noon).await;
    let coordinator = start(DamagedAtNoon(log.clone()), &World::new()).await;
    let recovery = coordinator.recovery().clone();
    assert_eq!((recovery.waiting, &recovery.unclaimed, &recovery.quarantined), (3, &vec![], &vec![]));
    assert_eq!((coordinator.unclaimed(), coordinator.quarantined()), (vec![], vec![]));

    sleep(2 * HOUR).await;
    let unclaimed = coordinator.unclaimed();
    assert_eq!((unclaimed.len(), unclaimed[0].id.as_str()), (1, "basket"));
    assert_eq!(unclaimed[0].definition, "Basket");
    let mut quarantined = coordinator.quarantined();
    quarantined.sort();
    let names: Vec<&str> = quarantined.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(names, ["bad", "damaged"]);
    assert!(quarantined[0].1.contains("u32"), "{quarantined:?}");
    assert_eq!(ended(&log, &["good"]).await, 1, "and the others go on");
    for name in ["basket", "bad"] {
        assert_eq!(history(&log, name).await.records.len(), 1, "{name} stays as it is");
    }
}

/// Where one that wakes is damaged.
struct DamagedAtNoon(MemoryLog);

impl SagaLog for DamagedAtNoon {
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
        Box::pin(async move {
            let mut page = self.0.unfinished(until, after, limit).await?;
            if !page.sagas.is_empty() {
                let cause = "the checksum of record 3 is wrong".to_owned();
                page.sagas.insert(0, Err(Damaged { saga: "damaged".to_owned(), cause }));
            }
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
async fn sagas_that_wake_wait_for_their_log() {
    let memory = MemoryLog::new();
    for (name, hours) in [("first", 1), ("second", 2), ("third", 20)] {
        write_trip(&memory, name, Wake::At(after(hours * HOUR))).await;
    }
    let log = TestLog::new(memory.clone());
    let coordinator = start(log.clone(), &World::new()).await;
    log.set_down(true);
    sleep(10 * HOUR).await;
    assert_eq!(ended(&memory, &["first", "second"]).await, 0);
    log.set_down(false);
    sleep(MINUTE).await;
    assert_eq!(ended(&memory, &["first", "second"]).await, 2);
    sleep(11 * HOUR).await;
    assert_eq!(ended(&memory, &["third"]).await, 1);
    assert_eq!(coordinator.quarantined(), []);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_no_saga_that_waits() {
    let log = MemoryLog::new();
    write_trip(&log, "sleeps", Wake::At(after(HOUR))).await;
    write_trip(&log, "hears", Wake::Never).await;
    for dropped in [false, true] {
        let coordinator = start(log.clone(), &World::new()).await;
        let before = tokio::time::Instant::now();
        if dropped {
            drop(coordinator);
            sleep(2 * HOUR).await;
        } else {
            coordinator.shutdown().await;
            assert!(before.elapsed() < MINUTE);
        }
        assert_eq!(history(&log, "sleeps").await.records.len(), 1, "nobody wakes it");
    }
}

/// A log that takes ten seconds to answer what it has read at once.
struct SlowPages(MemoryLog);

impl SagaLog for SlowPages {
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
        Box::pin(async move {
            let page = self.0.unfinished(until, after, limit).await;
            sleep(Duration::from_secs(10)).await;
            page
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
async fn what_has_changed_since_a_page_was_read_is_not_driven_from_there() {
    let log = MemoryLog::new();
    let noon = after(HOUR);
    for name in ["found", "left"] {
        write_trip(&log, name, Wake::At(noon)).await;
    }
    let world = World::new();
    let noon_here = tokio::time::Instant::now() + HOUR;
    let coordinator = start(SlowPages(log.clone()), &world).await;
    tokio::time::sleep_until(noon_here + Duration::from_secs(5)).await;
    assert_eq!(ended(&log, &["found", "left"]).await, 0, "the page is on its way");
    assert_eq!(found(&coordinator, "found").await.outcome().await, Ok(Outcome::Completed(7)));
    sleep(MINUTE).await;
    assert_eq!(ended(&log, &["found", "left"]).await, 2);
    assert_eq!((coordinator.running(), coordinator.quarantined()), (0, vec![]));
    assert!(world.held().values().all(|count| *count == 1));
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_waits_in_a_file_wakes_in_the_next_life_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sagas.db");
    let log = SqliteLog::open(&path).unwrap();
    write_trip(&log, "sleeps", Wake::At(after(HOUR))).await;
    write_trip(&log, "hears", Wake::Never).await;
    drop(log);
    for life in 0..2 {
        let coordinator = start(Unhurried::new(SqliteLog::open(&path).unwrap()), &World::new()).await;
        assert_eq!(coordinator.recovery().waiting, 2);
        if life == 1 {
            sleep(2 * HOUR).await;
            assert!(matches!(found(&coordinator, "sleeps").await, Begun::Finished(Outcome::Completed(7))));
        }
        coordinator.shutdown().await;
    }
    let log = SqliteLog::open(&path).unwrap();
    assert_eq!(history(&log, "hears").await.records.len(), 1);
}
