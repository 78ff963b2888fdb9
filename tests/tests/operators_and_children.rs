//! What becomes of children, and of what runs by itself, when an operator suspends and closes sagas at bad moments.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::coordinator::{Act, Intervention, Operator};
use saga_runtime::log::{MemoryLog, SagaLog, Status};
use saga_runtime::machine::Cause;
use saga_runtime::{Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::desk::{Desk, Mood};
use saga_tests::logs::TestLog;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

saga! {
    /// Two steps, no pivot, a deadline.
    saga Plain() -> u32 {
        with desk: Desk;
        timeout 20s;
        deadline 30m;
        retry 1 times every 1s..10s;
        step a: u32 = desk.ask(cx) compensate desk.undo(cx);
        step b: u32 = desk.ask(cx) compensate desk.undo(cx);
        return a + b;
    }

    /// A child before its end.
    saga House() -> u32 {
        with desk: Desk;
        timeout 20s;
        retry 1 times every 1s..10s;
        step first: u32 = desk.ask(cx) compensate desk.undo(cx);
        saga room: u32 = Room();
        step last: u32 = desk.ask(cx) compensate desk.undo(cx);
        return first + room + last;
    }

    /// A child beside a step.
    saga Pair() -> u32 {
        with desk: Desk;
        timeout 20s;
        retry 1 times every 1s..10s;
        parallel {
            step x: u32 = desk.ask(cx) compensate desk.undo(cx);
            saga room: u32 = Room();
        }
        return x + room;
    }

    /// A child after its pivot.
    saga After() -> u32 {
        with desk: Desk;
        timeout 20s;
        retry 3 times every 1s..10s;
        pivot paid: u32 = desk.ask(cx);
        saga room: u32 = Room();
        step last: u32 = desk.ask(cx);
        return paid + room + last;
    }

    /// The child.
    saga Room() -> u32 {
        with desk: Desk;
        timeout 20s;
        retry 1 times every 1s..10s;
        step bed: u32 = desk.ask(cx) compensate desk.undo(cx);
        step key: u32 = desk.ask(cx) compensate desk.undo(cx);
        return bed + key;
    }

    /// A child that sleeps.
    saga Inn() -> u32 {
        with desk: Desk;
        saga nap: u32 = Nap();
        step last: u32 = desk.ask(cx) compensate desk.undo(cx);
        return nap + last;
    }

    /// Sleeps.
    saga Nap() -> u32 {
        with desk: Desk;
        step bed: u32 = desk.ask(cx) compensate desk.undo(cx);
        sleep 1h;
        step key: u32 = desk.ask(cx) compensate desk.undo(cx);
        return bed + key;
    }
}

async fn start(log: impl SagaLog, desk: &Desk, sagas_at_once: usize) -> Coordinator {
    let desk = || desk.clone();
    let builder = Coordinator::builder(log)
        .sagas_at_once(sagas_at_once)
        .register::<Plain>(PlainParticipants { desk: desk() })
        .register::<House>(HouseParticipants { desk: desk() })
        .register::<Pair>(PairParticipants { desk: desk() })
        .register::<After>(AfterParticipants { desk: desk() })
        .register::<Inn>(InnParticipants { desk: desk() })
        .register::<Nap>(NapParticipants { desk: desk() })
        .register::<Room>(RoomParticipants { desk: desk() });
    builder.start().await.unwrap()
}

async fn begin<S: Saga>(coordinator: &Coordinator, name: &str, input: S::Input) -> Handle<S> {
    coordinator.begin::<S>(name, input).await.unwrap().handle().unwrap().clone()
}

async fn find<S: Saga>(coordinator: &Coordinator, name: &str) -> Handle<S> {
    let found = coordinator.find::<S>(&SagaId::new(name).unwrap()).await.unwrap().unwrap();
    sleep(SECOND).await;
    found.handle().unwrap().clone()
}

fn ann() -> Operator {
    Operator { name: "ann".to_owned(), reason: "she says so".to_owned() }
}

async fn status_in_log(log: &MemoryLog, name: &str) -> Option<Status> {
    log.history(&SagaId::new(name).unwrap()).await.unwrap().map(|history| history.status)
}

/// `Close` waits for the attempt in flight; that attempt is the last compensation, so the saga ends by itself.
#[tokio::test(start_paused = true)]
async fn a_close_that_waits_while_the_saga_compensates_does_not_quarantine_it() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Refuses, "s/b");
    desk.becomes(Mood::Slow(10 * SECOND), "-s/a");
    let coordinator = start(log.clone(), &desk, 64).await;
    let saga = begin::<Plain>(&coordinator, "s", ()).await;
    sleep(SECOND).await;
    saga.operate(&ann(), Intervention::Suspend).await.unwrap();
    let closed = saga.operate(&ann(), Intervention::Close).await;
    let outcome = saga.outcome().await;
    assert_eq!(status_in_log(&log, "s").await, Some(Status::Compensated));
    assert!(matches!(outcome, Ok(Outcome::Compensated(_))), "{outcome:?}, operate: {closed:?}");
}

/// The same of a child that its parent closes: the child ends compensated and its parent says that it is in doubt.
#[tokio::test(start_paused = true)]
async fn a_child_that_compensates_while_its_parent_is_closed_is_not_in_doubt() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Refuses, "h/last");
    desk.becomes(Mood::Slow(10 * SECOND), "-h/room/bed");
    let coordinator = start(log.clone(), &desk, 64).await;
    let house = begin::<House>(&coordinator, "h", ()).await;
    sleep(SECOND).await;
    house.operate(&ann(), Intervention::Suspend).await.unwrap();
    house.operate(&ann(), Intervention::Close).await.unwrap();
    let Ok(Outcome::Closed(closed)) = house.outcome().await else { panic!("{}", house.status()) };
    assert_eq!(status_in_log(&log, "h/room").await, Some(Status::Compensated));
    let residue = closed.residue.iter().map(|(step, effect)| format!("{step} {effect}")).collect::<Vec<_>>();
    assert_eq!((residue, coordinator.quarantined()), (vec!["first done".to_owned()], Vec::new()));
}

/// A saga that happens to have the id of a child that its parent never began is closed with the "parent".
#[tokio::test(start_paused = true)]
async fn a_stranger_is_not_closed() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Slow(10 * SECOND), "h/first");
    desk.becomes(Mood::Slow(19 * SECOND), "h/room/b");
    let coordinator = start(log.clone(), &desk, 64).await;
    let house = begin::<House>(&coordinator, "h", ()).await;
    sleep(SECOND).await;
    house.operate(&ann(), Intervention::Suspend).await.unwrap();
    sleep(10 * SECOND).await;
    let stranger = begin::<Plain>(&coordinator, "h/room", ()).await;
    sleep(SECOND).await;
    house.operate(&ann(), Intervention::Close).await.unwrap();
    let outcome = stranger.outcome().await;
    assert!(matches!(outcome, Ok(Outcome::Completed(2))), "{outcome:?}");
}

/// A child after the pivot is closed with a residue: its parent begins a second child at once.
#[tokio::test(start_paused = true)]
async fn a_child_after_the_pivot_that_was_closed_is_not_begun_a_second_time() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Refuses, "p/room/key");
    desk.becomes(Mood::Busy, "-p/room/bed");
    let coordinator = start(log.clone(), &desk, 64).await;
    let saga = begin::<After>(&coordinator, "p", ()).await;
    sleep(5 * MINUTE).await;
    let room = find::<Room>(&coordinator, "p/room").await;
    room.operate(&ann(), Intervention::Close).await.unwrap();
    sleep(5 * MINUTE).await;
    assert_eq!(status_in_log(&log, "p/room~2").await, None, "held: {:?}; {}", desk.held(), saga.status());
    assert!(matches!(saga.status(), SagaStatus::Parked(_)), "{}", saga.status());
}

/// Of a child that completed while its suspended parent did not look, nothing is in the parent's residue.
#[tokio::test(start_paused = true)]
async fn what_a_completed_child_did_is_in_the_residue_of_its_closed_parent() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Slow(10 * SECOND), "p/room/bed");
    let coordinator = start(log.clone(), &desk, 64).await;
    let saga = begin::<After>(&coordinator, "p", ()).await;
    sleep(SECOND).await;
    saga.operate(&ann(), Intervention::Suspend).await.unwrap();
    coordinator.shutdown().await;
    let coordinator = start(log.clone(), &desk, 64).await;
    sleep(5 * MINUTE).await;
    assert_eq!(status_in_log(&log, "p/room").await, Some(Status::Completed));
    let saga = find::<After>(&coordinator, "p").await;
    saga.operate(&ann(), Intervention::Close).await.unwrap();
    let Ok(Outcome::Closed(closed)) = saga.outcome().await else { panic!("{}", saga.status()) };
    let residue = closed.residue.iter().map(|(step, _)| step.to_string()).collect::<Vec<_>>();
    assert!(residue.iter().any(|step| step.starts_with("room")), "{residue:?}, held: {:?}", desk.held());
}

/// The parent waits in `close` with the only place that its child needs to hear of it.
#[tokio::test(start_paused = true)]
async fn a_parent_that_closes_its_child_does_not_keep_the_childs_place() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Slow(10 * SECOND), "q/x");
    let coordinator = start(log.clone(), &desk, 1).await;
    let pair = begin::<Pair>(&coordinator, "q", ()).await;
    sleep(SECOND).await;
    pair.operate(&ann(), Intervention::Suspend).await.unwrap();
    let closed = timeout(60 * MINUTE, pair.operate(&ann(), Intervention::Close)).await;
    assert!(closed.is_ok(), "hangs: {}, room: {:?}", pair.status(), status_in_log(&log, "q/room").await);
}

/// The deadline passed long ago; what was suspended before `return` completes all the same.
#[tokio::test(start_paused = true)]
async fn a_deadline_that_passed_meanwhile_is_looked_at_when_the_saga_is_resumed() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Slow(10 * SECOND), "s/b");
    let coordinator = start(log.clone(), &desk, 64).await;
    let saga = begin::<Plain>(&coordinator, "s", ()).await;
    sleep(SECOND).await;
    saga.operate(&ann(), Intervention::Suspend).await.unwrap();
    sleep(60 * MINUTE).await;
    saga.operate(&ann(), Intervention::Resume).await.unwrap();
    let outcome = saga.outcome().await;
    assert!(matches!(outcome, Ok(Outcome::Compensated(Cause::DeadlinePassed))), "{outcome:?}");
}

/// A child that could not be closed with its parent goes on forward, and stays held.
#[tokio::test(start_paused = true)]
async fn a_child_that_could_not_be_closed_does_nothing_new_once_its_parent_is_closed() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk, 64).await;
    let inn = begin::<Inn>(&coordinator, "i", ()).await;
    sleep(SECOND).await;
    inn.operate(&ann(), Intervention::Suspend).await.unwrap();
    drop(inn);
    coordinator.shutdown().await;
    let test = TestLog::new(log.clone());
    let coordinator = start(test.clone(), &desk, 64).await;
    let inn = find::<Inn>(&coordinator, "i").await;
    test.set_damaged("i/nap", true);
    inn.operate(&ann(), Intervention::Close).await.unwrap();
    test.set_damaged("i/nap", false);
    let residue = inn.outcome().await;
    sleep(120 * MINUTE).await;
    let nap = status_in_log(&log, "i/nap").await;
    assert_eq!((desk.held(), nap), (vec!["i/nap/bed".to_owned()], Some(Status::Closed)), "{residue:?}");
}

/// A parent that waits for a child which an operator suspended does not say so, and cannot be closed.
#[tokio::test(start_paused = true)]
async fn a_parent_shows_that_its_child_is_suspended() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Slow(10 * SECOND), "h/room/bed");
    let coordinator = start(log, &desk, 64).await;
    let house = begin::<House>(&coordinator, "h", ()).await;
    sleep(SECOND).await;
    find::<Room>(&coordinator, "h/room").await.operate(&ann(), Intervention::Suspend).await.unwrap();
    sleep(60 * MINUTE).await;
    let offers = house.offers().await.unwrap();
    assert!(
        house.status() != SagaStatus::Running && offers.iter().any(|offer| offer.act == Act::Close),
        "{}: {offers:?}",
        house.status()
    );
}

/// The process ends between the child's `closed` and the parent's; the operator resumes the parent instead.
#[tokio::test(start_paused = true)]
async fn a_close_that_was_interrupted_does_not_leave_a_parent_that_completes_over_a_closed_child() {
    use saga_tests::logs::LogFault;
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let test = TestLog::new(log.clone());
    desk.becomes(Mood::Slow(10 * SECOND), "h/last");
    let coordinator = start(test.clone(), &desk, 64).await;
    let house = begin::<House>(&coordinator, "h", ()).await;
    sleep(SECOND).await;
    house.operate(&ann(), Intervention::Suspend).await.unwrap();
    sleep(20 * SECOND).await;
    // Both say that they are to end before they do.
    let parents = test.appends() + 4;
    let _test = test.clone().with(parents, LogFault::CrashBefore);
    let lost = timeout(MINUTE, house.operate(&ann(), Intervention::Close)).await;
    assert!(lost.is_err() && status_in_log(&log, "h/room").await == Some(Status::Closed));
    std::mem::forget(coordinator);

    let coordinator = start(log.clone(), &desk, 64).await;
    sleep(60 * MINUTE).await;
    assert_eq!(coordinator.quarantined(), Vec::new());
    assert_eq!(status_in_log(&log, "h").await, Some(Status::Closed), "what was begun is brought to its end");
}

/// The operator closes a saga while its coordinator drains: its child is not closed, and goes on at the next start.
#[tokio::test(start_paused = true)]
async fn a_close_during_a_shutdown_closes_the_children_or_nothing() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Slow(10 * SECOND), "q/x");
    desk.becomes(Mood::Slow(5 * SECOND), "q/room/bed");
    let coordinator = start(log.clone(), &desk, 64).await;
    let pair = begin::<Pair>(&coordinator, "q", ()).await;
    sleep(SECOND).await;
    pair.operate(&ann(), Intervention::Suspend).await.unwrap();
    let closing = pair.clone();
    let closing = tokio::spawn(async move {
        sleep(SECOND).await;
        closing.operate(&ann(), Intervention::Close).await
    });
    coordinator.shutdown().await;
    let closed = closing.await.unwrap();
    let parent = status_in_log(&log, "q").await;
    let coordinator = start(log.clone(), &desk, 64).await;
    sleep(60 * MINUTE).await;
    assert!(
        parent != Some(Status::Closed) || !desk.held().contains(&"q/room/key".to_owned()),
        "operate: {closed:?}; parent {parent:?}; room {:?}; held {:?}; running {}",
        status_in_log(&log, "q/room").await,
        desk.held(),
        coordinator.running()
    );
}
