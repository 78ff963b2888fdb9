//! The travel saga on real services and a real log, through everything that can go wrong, with the audit as the
//! oracle: whatever happens, a trip ends with everything or with nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use saga_examples::travel::booking::{self, Ending};
use saga_examples::travel::desk::Desks;
use saga_examples::travel::saga::BookTrip;
use saga_examples::travel::trip::{Itinerary, Trip};
use saga_runtime::log::{
    Append, AppendError, Cursor, History, HistoryError, LockCursor, LockPage, LogError, LogFuture, Page,
    SagaLog, SqliteLog, Wake,
};
use saga_runtime::{Coordinator, RunsOn, Saga, SagaId, SagaStatus};
use saga_tests::travel::{World, hasty, trip, until};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const COMPLETED: &str = "completed";
const COMPENSATED: &str = "compensated";

/// What makes a trip compensate when everything else is booked.
const DECLINE: &str = "card:charge:refuse";

/// How long a trip may take whatever happens.
const PATIENCE: Duration = Duration::from_mins(1);

/// A saga of the example's form.
trait Trips: Saga<Input = Trip, Output = Itinerary, Participants: From<Desks>> + RunsOn<SqliteLog> {}
impl<S> Trips for S where
    S: Saga<Input = Trip, Output = Itinerary, Participants: From<Desks>> + RunsOn<SqliteLog>
{
}

/// Books a trip for each case, all at the same time: the faults of a case are for its trip only. Then closes the books.
async fn check<S: Trips>(cases: &[(&[&str], &'static str)]) {
    check_after::<S>(cases, Duration::ZERO).await;
}

/// The same with calls that are held back for as long.
async fn check_after<S: Trips>(cases: &[(&[&str], &'static str)], held_back: Duration) {
    let world = World::new().await.unwrap();
    let coordinator = world.coordinator::<S>().await.unwrap();
    let mut expected = Vec::new();
    for (faults, word) in cases {
        let id = faults.join("+");
        for fault in *faults {
            world.fault(&format!("{fault}@{id}")).await.unwrap();
        }
        expected.push((id, *word));
    }
    book_all::<S>(&coordinator, expected.iter().map(|(id, _)| id.clone())).await;
    if held_back > Duration::ZERO {
        world.until_late_calls_have_landed(held_back).await.unwrap();
    }
    world.close::<S>(coordinator, &expected).await.unwrap();
}

/// Books these trips at the same time, and waits until all have ended.
async fn book_all<S: Trips>(coordinator: &Coordinator, ids: impl Iterator<Item = String>) {
    let mut trips = JoinSet::new();
    for id in ids {
        let coordinator = coordinator.clone();
        trips.spawn(async move {
            let begun = coordinator.begin::<S>(&id, trip(&id)).await.unwrap();
            tokio::time::timeout(PATIENCE, begun.outcome()).await.unwrap_or_else(|_| panic!("{id} hangs"))
        });
    }
    while let Some(outcome) = trips.join_next().await {
        outcome.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_trip_is_booked() {
    let world = World::new().await.unwrap();
    let coordinator = world.coordinator::<BookTrip>().await.unwrap();
    let Ending::Completed(itinerary) = booking::book::<BookTrip>(&coordinator, &trip("t")).await else {
        panic!("not completed");
    };
    // One seat, one room for two nights, one car for two days.
    assert_eq!(itinerary.receipt.amount.0, 100 + 400 + 600);
    assert_eq!(itinerary.voucher.reservation, itinerary.flight.reservation);
    world.close::<BookTrip>(coordinator, &[("t".to_owned(), COMPLETED)]).await.unwrap();
}

#[tokio::test]
async fn a_trip_without_a_car_is_booked_or_undone_without_one() {
    let world = World::new().await.unwrap();
    let coordinator = world.coordinator::<BookTrip>().await.unwrap();
    world.fault(&format!("{DECLINE}@declined")).await.unwrap();
    let without = |id: &str| Trip { wants_car: false, ..trip(id) };
    let booked = booking::book::<BookTrip>(&coordinator, &without("booked")).await;
    let Ending::Completed(itinerary) = booked else { panic!("{booked}") };
    assert_eq!((itinerary.car, itinerary.receipt.amount.0), (None, 100 + 400));
    booking::book::<BookTrip>(&coordinator, &without("declined")).await;
    let expected = [("booked".to_owned(), COMPLETED), ("declined".to_owned(), COMPENSATED)];
    world.close::<BookTrip>(coordinator, &expected).await.unwrap();
}

#[tokio::test]
async fn the_same_trip_is_booked_once_and_another_of_its_name_is_refused() {
    let world = World::new().await.unwrap();
    let coordinator = world.coordinator::<BookTrip>().await.unwrap();
    let first = booking::book::<BookTrip>(&coordinator, &trip("t")).await;
    assert_eq!(booking::book::<BookTrip>(&coordinator, &trip("t")).await, first);
    let other = Trip { nights: 9, ..trip("t") };
    let Ending::NotBegun { cause } = booking::book::<BookTrip>(&coordinator, &other).await else {
        panic!("two trips of one name");
    };
    assert!(cause.contains("`t` was begun already, with another input"), "{cause}");
    world.close::<BookTrip>(coordinator, &[("t".to_owned(), COMPLETED)]).await.unwrap();
}

#[tokio::test]
async fn a_refusal_before_the_point_of_no_return_undoes_everything() {
    check::<BookTrip>(&[
        (&["flight:reserve:refuse"], COMPENSATED),
        (&["hotel:reserve:refuse"], COMPENSATED),
        (&["car:reserve:refuse"], COMPENSATED),
        (&["hotel:reserve:refuse", "car:reserve:refuse"], COMPENSATED),
        (&[DECLINE], COMPENSATED),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_after_the_point_of_no_return_waits_for_an_operator_and_undoes_nothing() {
    let world = World::new().await.unwrap();
    let coordinator = world.coordinator::<BookTrip>().await.unwrap();
    world.fault("flight:voucher:refuse").await.unwrap();
    let begun = coordinator.begin::<BookTrip>("t", trip("t")).await.unwrap();
    let SagaStatus::Parked(parked) = begun.handle().unwrap().settled().await else { panic!("not parked") };
    let residue: Vec<&str> = parked.residue.iter().map(|(step, _)| &**step).collect();
    assert_eq!(residue, ["flight", "hotel", "car", "receipt"]);
    let id = SagaId::new("t").unwrap();
    let endings = booking::close_books::<BookTrip>(coordinator, [id]).await;
    assert_eq!(endings["t"].word(), "parked", "{}", endings["t"]);
    let error = world.audit(&endings).await.unwrap_err().to_string();
    assert_eq!(error.lines().count(), 4, "{error}");
    assert!(error.contains("flight-1 is held for a trip that is parked"), "{error}");
}

#[tokio::test]
async fn a_refused_compensation_is_asked_for_again() {
    check::<BookTrip>(&[
        (&[DECLINE, "flight:cancel:refuse"], COMPENSATED),
        (&[DECLINE, "hotel:cancel:refuse:2"], COMPENSATED),
        (&[DECLINE, "car:cancel:refuse"], COMPENSATED),
    ])
    .await;
}

#[tokio::test]
async fn a_lost_reply_changes_nothing() {
    check::<BookTrip>(&[
        (&["flight:reserve:lose-reply"], COMPLETED),
        (&["hotel:reserve:lose-reply"], COMPLETED),
        (&["hotel:reserve:lose-reply", "hotel:probe:lose-reply"], COMPLETED),
        (&["car:reserve:lose-reply"], COMPLETED),
        (&["hotel:reserve:lose-reply", "car:reserve:lose-reply:2"], COMPLETED),
        (&["card:charge:lose-reply"], COMPLETED),
        (&["flight:voucher:lose-reply"], COMPLETED),
        (&[DECLINE, "flight:reserve:lose-reply"], COMPENSATED),
        (&[DECLINE, "hotel:reserve:lose-reply"], COMPENSATED),
        (&[DECLINE, "car:reserve:lose-reply"], COMPENSATED),
        (&["hotel:reserve:refuse", "car:reserve:lose-reply"], COMPENSATED),
        (&["car:reserve:refuse", "hotel:reserve:lose-reply"], COMPENSATED),
        (&[DECLINE, "flight:cancel:lose-reply"], COMPENSATED),
        (&[DECLINE, "hotel:cancel:lose-reply"], COMPENSATED),
        (&[DECLINE, "car:cancel:lose-reply"], COMPENSATED),
    ])
    .await;
}

#[tokio::test]
async fn a_dropped_call_changes_nothing() {
    check::<BookTrip>(&[
        (&["flight:reserve:drop"], COMPLETED),
        (&["hotel:reserve:drop"], COMPLETED),
        (&["hotel:reserve:drop", "hotel:probe:drop"], COMPLETED),
        (&["car:reserve:drop"], COMPLETED),
        (&["card:charge:drop"], COMPLETED),
        (&["flight:voucher:drop"], COMPLETED),
        (&[DECLINE, "flight:cancel:drop"], COMPENSATED),
        (&[DECLINE, "hotel:cancel:drop"], COMPENSATED),
        (&[DECLINE, "car:cancel:drop"], COMPENSATED),
    ])
    .await;
}

#[tokio::test]
async fn a_service_that_is_away_for_less_than_the_retries_changes_nothing() {
    check::<BookTrip>(&[
        (&["flight:reserve:unavailable:3"], COMPLETED),
        (&["hotel:reserve:unavailable:3"], COMPLETED),
        (&["car:reserve:unavailable:3"], COMPLETED),
        (&["hotel:reserve:lose-reply", "hotel:probe:unavailable:3"], COMPLETED),
        (&["card:charge:unavailable:3"], COMPLETED),
        (&["flight:voucher:unavailable:3"], COMPLETED),
        (&[DECLINE, "flight:cancel:unavailable:3"], COMPENSATED),
        (&[DECLINE, "hotel:cancel:unavailable:3"], COMPENSATED),
        (&[DECLINE, "car:cancel:unavailable:3"], COMPENSATED),
    ])
    .await;
}

/// The hasty saga makes 4 attempts.
#[tokio::test]
async fn a_service_that_is_away_for_more_than_the_retries_turns_the_trip_before_the_charge_and_delays_it_after()
 {
    check::<hasty::BookTrip>(&[
        (&["flight:reserve:unavailable:4"], COMPENSATED),
        (&["hotel:reserve:unavailable:4"], COMPENSATED),
        (&["car:reserve:unavailable:4"], COMPENSATED),
        (&["hotel:reserve:unavailable:4", "car:reserve:lose-reply"], COMPENSATED),
        (&["card:charge:unavailable:4"], COMPENSATED),
        (&["flight:voucher:unavailable:7"], COMPLETED),
        (&[DECLINE, "flight:cancel:unavailable:7"], COMPENSATED),
        (&[DECLINE, "hotel:cancel:unavailable:7"], COMPENSATED),
        (&[DECLINE, "car:cancel:unavailable:7"], COMPENSATED),
        (
            &["car:reserve:unavailable:4", "hotel:cancel:unavailable:7", "flight:cancel:unavailable:5"],
            COMPENSATED,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_doubt_that_outlasts_the_retries_is_settled_before_anything_is_undone() {
    check::<hasty::BookTrip>(&[
        (&["flight:reserve:lose-reply:6"], COMPENSATED),
        (&["flight:reserve:drop:6"], COMPENSATED),
        (&["car:reserve:lose-reply:6"], COMPENSATED),
        (&["car:reserve:drop:6"], COMPENSATED),
        // The probes count as attempts: two of each.
        (&["hotel:reserve:drop:2"], COMPENSATED),
        (&["hotel:reserve:lose-reply", "hotel:probe:drop:6"], COMPENSATED),
        (&["hotel:reserve:drop", "hotel:probe:lose-reply:6"], COMPENSATED),
        // The charge may have been made: from here on there is no way back.
        (&["card:charge:lose-reply:6"], COMPLETED),
        (&["card:charge:drop:6"], COMPLETED),
        (&["flight:voucher:lose-reply:6"], COMPLETED),
        (&["flight:voucher:drop:6"], COMPLETED),
        (&[DECLINE, "flight:cancel:lose-reply:6"], COMPENSATED),
        (&[DECLINE, "hotel:cancel:lose-reply:6"], COMPENSATED),
        (&[DECLINE, "car:cancel:drop:6"], COMPENSATED),
    ])
    .await;
}

#[tokio::test]
async fn a_call_that_lands_after_its_time_out_or_its_compensation_changes_nothing() {
    const SLOW: &str = "slow(1000)";
    let case = |orders: &[&str], word| {
        (orders.iter().map(|order| order.replace("SLOW", SLOW)).collect::<Vec<_>>(), word)
    };
    let cases = [
        case(&["flight:reserve:SLOW"], COMPLETED),
        case(&["hotel:reserve:SLOW"], COMPLETED),
        case(&["car:reserve:SLOW"], COMPLETED),
        case(&["card:charge:SLOW"], COMPLETED),
        case(&["flight:voucher:SLOW"], COMPLETED),
        // Compensated within a second: then the first call lands.
        case(&[DECLINE, "flight:reserve:SLOW"], COMPENSATED),
        case(&[DECLINE, "hotel:reserve:SLOW"], COMPENSATED),
        case(&[DECLINE, "car:reserve:SLOW"], COMPENSATED),
        case(&["car:reserve:refuse", "hotel:reserve:SLOW"], COMPENSATED),
        case(&["hotel:reserve:refuse", "car:reserve:SLOW"], COMPENSATED),
        case(&["flight:reserve:SLOW:4"], COMPENSATED),
        case(&["hotel:reserve:SLOW:2"], COMPENSATED),
        case(&["car:reserve:SLOW:4"], COMPENSATED),
        case(&[DECLINE, "flight:cancel:SLOW"], COMPENSATED),
        case(&[DECLINE, "hotel:cancel:SLOW"], COMPENSATED),
        case(&[DECLINE, "car:cancel:SLOW"], COMPENSATED),
    ];
    let orders: Vec<Vec<&str>> =
        cases.iter().map(|(orders, _)| orders.iter().map(String::as_str).collect()).collect();
    let cases: Vec<(&[&str], &str)> =
        orders.iter().zip(&cases).map(|(orders, (_, word))| (orders.as_slice(), *word)).collect();
    check_after::<hasty::BookTrip>(&cases, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_service_that_never_answers_parks_the_trip_until_it_does() {
    let world = World::new().await.unwrap();
    let coordinator = world.coordinator::<hasty::BookTrip>().await.unwrap();
    // The probe bars the hotel's attempts: nothing hangs there.
    let cases: [(&[&str], &str, bool); 9] = [
        (&["flight:reserve:hang:always"], COMPENSATED, true),
        (&["hotel:reserve:hang:always"], COMPENSATED, false),
        (&["car:reserve:hang:always"], COMPENSATED, true),
        (&["hotel:reserve:lose-reply", "hotel:probe:hang:always"], COMPENSATED, true),
        (&["card:charge:hang:always"], COMPLETED, true),
        (&["flight:voucher:hang:always"], COMPLETED, true),
        (&[DECLINE, "flight:cancel:hang:always"], COMPENSATED, true),
        (&[DECLINE, "hotel:cancel:hang:always"], COMPENSATED, true),
        (&[DECLINE, "car:cancel:hang:always"], COMPENSATED, true),
    ];
    let mut handles = Vec::new();
    let mut expected = Vec::new();
    for (faults, word, parks) in cases {
        let id = faults.join("+");
        for fault in faults {
            world.fault(&format!("{fault}@{id}")).await.unwrap();
        }
        let begun = coordinator.begin::<hasty::BookTrip>(&id, trip(&id)).await.unwrap();
        handles.push((begun.handle().unwrap().clone(), parks));
        expected.push((id, word));
    }
    for (handle, parks) in &handles {
        let settled = tokio::time::timeout(PATIENCE, handle.settled()).await.unwrap();
        assert_eq!(matches!(settled, SagaStatus::Parked(_)), *parks, "{}: {settled}", handle.id());
        if let SagaStatus::Parked(parked) = settled {
            assert!(parked.calls.iter().all(|call| call.goes_on), "{parked}");
            let silence = format!("no answer within {:?}", hasty::TIMEOUT);
            assert!(parked.calls[0].message.contains(&silence), "{parked}");
        }
    }
    world.mend().await.unwrap();
    for (handle, _) in &handles {
        handle.retry().await.unwrap();
        tokio::time::timeout(PATIENCE, handle.outcome()).await.unwrap().unwrap();
    }
    drop(handles);
    world.close::<hasty::BookTrip>(coordinator, &expected).await.unwrap();
}

#[tokio::test]
async fn a_service_that_dies_before_or_after_its_work_changes_nothing() {
    let world = World::new().await.unwrap();
    let coordinator = world.coordinator::<BookTrip>().await.unwrap();
    let mut expected = Vec::new();
    for death in ["die-before", "die-after"] {
        for (operation, word) in [
            ("flight:reserve", COMPLETED),
            ("hotel:reserve", COMPLETED),
            ("car:reserve", COMPLETED),
            ("card:charge", COMPLETED),
            ("flight:voucher", COMPLETED),
            ("flight:cancel", COMPENSATED),
            ("hotel:cancel", COMPENSATED),
            ("car:cancel", COMPENSATED),
        ] {
            let id = format!("{operation}:{death}");
            // One after the other: a service that dies takes down what others ask of it.
            until(async || Ok(world.fault(&format!("{id}@{id}")).await.is_ok())).await.unwrap();
            if word == COMPENSATED {
                world.fault(&format!("{DECLINE}@{id}")).await.unwrap();
            }
            book_all::<BookTrip>(&coordinator, std::iter::once(id.clone())).await;
            expected.push((id, word));
        }
    }
    until(async || Ok(world.faults_left().await.is_ok())).await.unwrap();
    world.close::<BookTrip>(coordinator, &expected).await.unwrap();
}

/// A log that falls silent at its append number `at`: made durable or not, it is never answered, and no later one is.
struct CrashingLog {
    log: SqliteLog,
    at: usize,
    durable: bool,
    appends: AtomicUsize,
    crashed: Arc<Notify>,
}

impl SagaLog for CrashingLog {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            let number = self.appends.fetch_add(1, Ordering::Relaxed);
            if number < self.at {
                return self.log.append(batch).await;
            }
            if number == self.at {
                if self.durable {
                    self.log.append(batch).await;
                }
                self.crashed.notify_one();
            }
            std::future::pending().await
        })
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        self.log.history(id)
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        self.log.unfinished(until, after, limit)
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        self.log.next_wake(after_ms)
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        self.log.waiting(after_ms)
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        self.log.locks(after, limit)
    }
}

/// Crashes the coordinator of one trip at every append, before and after it is durable, and resumes.
fn crash_at_every_append(faults: &[&str], word: &str) {
    let outside = Runtime::new().unwrap();
    let world = outside.block_on(World::new()).unwrap();
    let mut appends = 0;
    let mut endings = BTreeMap::new();
    for at in 0.. {
        let mut ended = false;
        for durable in [false, true] {
            let id = format!("{word}-{at}-{durable}");
            for fault in faults {
                outside.block_on(world.fault(&format!("{fault}@{id}"))).unwrap();
            }
            ended |= crash_and_resume(&outside, &world, &id, (at, durable), word, &mut endings);
        }
        if ended {
            appends = at;
            break;
        }
    }
    assert!((7..=12).contains(&appends), "{appends} appends");
    outside.block_on(world.audit(&endings)).unwrap();
}

/// Whether the trip had ended before the crash came.
fn crash_and_resume(
    outside: &Runtime,
    world: &World,
    id: &str,
    (at, durable): (usize, bool),
    word: &str,
    endings: &mut BTreeMap<String, Ending>,
) -> bool {
    let file = world.log(&format!("{id}.db"));
    let crashed = Arc::new(Notify::new());
    let log = SqliteLog::open(&file).unwrap();
    let log = CrashingLog { log, at, durable, appends: AtomicUsize::new(0), crashed: Arc::clone(&crashed) };
    let inside = Runtime::new().unwrap();
    let ended = inside.block_on(async {
        let coordinator = world.coordinator_on::<BookTrip, _>(log).await.unwrap();
        let trip = trip(id);
        tokio::select! {
            () = crashed.notified() => false,
            ending = booking::book::<BookTrip>(&coordinator, &trip) => {
                assert_eq!(ending.word(), word, "{id}: {ending}");
                true
            }
        }
    });
    // Here the process ends: calls in flight break off, and what is not in the log is forgotten.
    drop(inside);
    outside.block_on(async {
        let coordinator = world.coordinator_on::<BookTrip, _>(SqliteLog::open(&file).unwrap()).await.unwrap();
        let accepted = at > 0 || durable;
        let under_way = accepted && !ended;
        // The very last append may be durable: then nothing is left to resume.
        assert!(coordinator.recovery().resumed <= usize::from(under_way), "{id}");
        let ending = booking::book::<BookTrip>(&coordinator, &trip(id)).await;
        assert_eq!(ending.word(), word, "{id}: {ending}");
        let ids = [id].map(|id| SagaId::new(id).unwrap());
        let closed = booking::close_books::<BookTrip>(coordinator, ids).await;
        assert_eq!(closed[id], ending);
        endings.extend(closed);
    });
    ended
}

#[test]
fn a_crash_at_any_record_of_a_booked_trip() {
    crash_at_every_append(&[], COMPLETED);
}

#[test]
fn a_crash_at_any_record_of_a_compensated_trip() {
    crash_at_every_append(&[DECLINE], COMPENSATED);
}

#[test]
fn a_crash_at_any_record_of_a_trip_in_doubt() {
    crash_at_every_append(&["hotel:reserve:lose-reply"], COMPLETED);
}
