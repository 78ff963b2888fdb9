//! What operators can do about a saga, when, and what the log keeps of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::coordinator::{Act, Intervention, OperateError, Operator};
use saga_runtime::log::{MemoryLog, SagaLog, SqliteLog, Status};
use saga_runtime::machine::{Cause, Effect};
use saga_runtime::{Begun, Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::desk::{Desk, Mood};
use saga_tests::logs::Unhurried;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

saga! {
    /// Two steps before the pivot, one after it.
    saga Trip() -> u32 {
        with desk: Desk;
        timeout 5s;
        retry 1 times every 1s..10s;

        step flight: u32 = desk.ask(cx) compensate desk.undo(cx);
        step hotel: u32 = desk.ask(cx) compensate desk.undo(cx);
        pivot paid: u32 = desk.ask(cx);
        step voucher: u32 = desk.ask(cx);

        return flight + hotel + paid + voucher;
    }

    /// Has a child before its end, waits, and locks.
    saga House(minutes: u64) -> u32 {
        with desk: Desk;
        lock "house";
        deadline 30m;
        retry 1 times every 1s..10s;

        step first: u32 = desk.ask(cx) compensate desk.undo(cx);
        saga room: u32 = Room();
        sleep (Duration::from_mins(*minutes));
        step last: u32 = desk.ask(cx) compensate desk.undo(cx);

        return first + room + last;
    }

    /// What a house has.
    saga Room() -> u32 {
        with desk: Desk;
        retry 1 times every 1s..10s;

        step bed: u32 = desk.ask(cx) compensate desk.undo(cx);
        step key: u32 = desk.ask(cx) compensate desk.undo(cx);

        return bed + key;
    }
}

async fn start(log: impl SagaLog, desk: &Desk) -> Coordinator {
    let desk = || desk.clone();
    let builder = Coordinator::builder(log)
        .register::<Trip>(TripParticipants { desk: desk() })
        .register::<House>(HouseParticipants { desk: desk() })
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
    Operator { name: "ann".to_owned(), reason: "the hotel says so on the phone".to_owned() }
}

/// What can be done with a step, as `action done of hotel`.
async fn about_steps<S: Saga>(handle: &Handle<S>) -> Vec<String> {
    let offers = handle.offers().await.unwrap().into_iter();
    offers.filter_map(|offer| Some(format!("{} of {}", offer.act, offer.step?))).collect()
}

/// What can be done with the saga as a whole.
async fn about_saga<S: Saga>(handle: &Handle<S>) -> Vec<Act> {
    let offers = handle.offers().await.unwrap().into_iter();
    offers.filter(|offer| offer.step.is_none()).map(|offer| offer.act).collect()
}

/// The log's records, as `hotel operator: compensation done, ann`.
async fn interventions<S: Saga>(handle: &Handle<S>) -> Vec<String> {
    let history = handle.history().await.unwrap();
    let records = history.records.into_iter().filter(|record| record.event == "operator");
    let words = records.map(|record| {
        let data = serde_json::from_str::<serde_json::Value>(&record.data.unwrap()).unwrap();
        let word = |name: &str| data[name].as_str().unwrap().to_owned();
        assert_eq!(word("reason"), ann().reason);
        format!("{}: {}, {}", record.step.unwrap_or_default(), word("act"), word("operator"))
    });
    words.collect()
}

fn named(step: &str) -> String {
    step.to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_pivot_in_doubt_is_resolved_either_way() {
    for took_place in [true, false] {
        let desk = Desk::new();
        desk.becomes(Mood::Mute, "s/paid");
        let coordinator = start(MemoryLog::new(), &desk).await;
        let trip = begin::<Trip>(&coordinator, "s", ()).await;
        sleep(MINUTE).await;
        assert!(matches!(trip.status(), SagaStatus::Parked(_)), "{}", trip.status());
        assert_eq!(about_steps(&trip).await, ["action done of paid", "action not done of paid"]);
        if took_place {
            let done = Intervention::ActionDone { step: named("paid"), output: "7".to_owned() };
            assert_eq!(trip.operate(&ann(), done).await, Ok(()));
            assert_eq!(trip.outcome().await, Ok(Outcome::Completed(1 + 1 + 7 + 1)));
            assert_eq!(interventions(&trip).await, ["paid: action done, ann"]);
        } else {
            let not_done = Intervention::ActionNotDone { step: named("paid") };
            assert_eq!(trip.operate(&ann(), not_done).await, Ok(()));
            assert!(matches!(trip.outcome().await, Ok(Outcome::Compensated(Cause::GaveUp { .. }))));
            assert_eq!(desk.held(), ["s/paid"], "the operator was wrong, and it is recorded who it was");
            assert_eq!(interventions(&trip).await, ["paid: action not done, ann"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_done_or_undone_by_hand_is_not_tried_again() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    desk.becomes(Mood::Refuses, "s/voucher");
    let trip = begin::<Trip>(&coordinator, "s", ()).await;
    assert!(matches!(trip.settled().await, SagaStatus::Parked(_)));
    assert_eq!(about_steps(&trip).await, ["action done of voucher"]);
    let done = Intervention::ActionDone { step: named("voucher"), output: "5".to_owned() };
    assert_eq!(trip.operate(&ann(), done).await, Ok(()));
    assert_eq!(trip.outcome().await, Ok(Outcome::Completed(1 + 1 + 1 + 5)));

    desk.becomes(Mood::Busy, "-t/hotel");
    desk.becomes(Mood::Refuses, "t/paid");
    let trip = begin::<Trip>(&coordinator, "t", ()).await;
    sleep(MINUTE).await;
    assert_eq!(about_steps(&trip).await, ["compensation done of hotel"], "{}", trip.status());
    let undone = Intervention::CompensationDone { step: named("hotel") };
    assert_eq!(trip.operate(&ann(), undone).await, Ok(()));
    assert!(matches!(trip.outcome().await, Ok(Outcome::Compensated(Cause::Refused { .. }))));
    assert_eq!(interventions(&trip).await, ["hotel: compensation done, ann"]);
    assert!(desk.story().contains(&"-t/flight".to_owned()) && !desk.story().contains(&"-t/hotel".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_is_about_an_attempt_in_flight_waits_for_its_end() {
    let desk = Desk::new();
    desk.becomes(Mood::Refuses, "s/paid");
    desk.becomes(Mood::Busy, "-s/hotel");
    let coordinator = start(MemoryLog::new(), &desk).await;
    let trip = begin::<Trip>(&coordinator, "s", ()).await;
    sleep(MINUTE).await;
    let undone = || Intervention::CompensationDone { step: named("hotel") };
    // Nobody answers for a minute: after five seconds the attempt is given up, and the operator is right.
    desk.becomes(Mood::Slow(MINUTE), "-s/hotel");
    trip.retry().await.unwrap();
    sleep(SECOND).await;
    let asked = tokio::time::Instant::now();
    assert_eq!(trip.operate(&ann(), undone()).await, Ok(()));
    assert_eq!(asked.elapsed().as_secs(), 4);
    assert!(matches!(trip.outcome().await, Ok(Outcome::Compensated(_))));

    // The attempt gets it done after all.
    desk.becomes(Mood::Refuses, "t/paid");
    desk.becomes(Mood::Busy, "-t/hotel");
    let trip = begin::<Trip>(&coordinator, "t", ()).await;
    sleep(MINUTE).await;
    desk.becomes(Mood::Slow(3 * SECOND), "-t/hotel");
    desk.becomes(Mood::Slow(3 * SECOND), "-t/flight");
    trip.retry().await.unwrap();
    sleep(SECOND).await;
    let late = trip.operate(&ann(), undone()).await;
    assert!(matches!(late, Err(OperateError::NotOffered { .. })), "{late:?}");
    assert_eq!(interventions(&trip).await, Vec::<String>::new());
    assert!(matches!(trip.outcome().await, Ok(Outcome::Compensated(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_legal_changes_nothing_and_is_answered_with_what_is() {
    let desk = Desk::new();
    desk.becomes(Mood::Mute, "s/paid");
    let coordinator = start(MemoryLog::new(), &desk).await;
    let trip = begin::<Trip>(&coordinator, "s", ()).await;
    sleep(MINUTE).await;
    let before = trip.history().await.unwrap().records.len();
    let step = || named("flight");
    for wrong in [
        Intervention::ActionDone { step: step(), output: "7".to_owned() },
        Intervention::ActionNotDone { step: step() },
        Intervention::CompensationDone { step: step() },
        Intervention::CompensationDone { step: named("paid") },
        Intervention::ActionDone { step: named("train"), output: "7".to_owned() },
        Intervention::Resume,
    ] {
        let refused = trip.operate(&ann(), wrong.clone()).await;
        let Err(OperateError::NotOffered { offered, .. }) = &refused else {
            panic!("{wrong:?}: {refused:?}")
        };
        assert!(offered.iter().any(|offer| offer.act == Act::ActionNotDone), "{offered:?}");
    }
    let unreadable = Intervention::ActionDone { step: named("paid"), output: "\"seven\"".to_owned() };
    let refused = trip.operate(&ann(), unreadable).await.unwrap_err();
    assert!(refused.to_string().contains("paid is no `u32`"), "{refused}");
    for nobody in [Operator { name: " ".to_owned(), ..ann() }, Operator { reason: String::new(), ..ann() }] {
        assert_eq!(trip.operate(&nobody, Intervention::Retry).await, Err(OperateError::Unexplained));
    }
    let now = trip.history().await.unwrap().records;
    assert!(now[before..].iter().all(|record| record.event != "operator"), "{now:?}");
    assert!(matches!(trip.status(), SagaStatus::Parked(_)));

    desk.calms_down();
    assert_eq!(trip.operate(&ann(), Intervention::Retry).await, Ok(()));
    assert_eq!(trip.outcome().await, Ok(Outcome::Completed(4)));
    let late = trip.operate(&ann(), Intervention::Cancel).await;
    assert!(matches!(late, Err(OperateError::NotOffered { .. })), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_suspended_saga_starts_nothing_until_it_is_resumed_across_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sagas.db");
    let desk = Desk::new();
    let coordinator = start(Unhurried::new(SqliteLog::open(&path).unwrap()), &desk).await;
    desk.becomes(Mood::Slow(4 * SECOND), "s/hotel");
    let trip = begin::<Trip>(&coordinator, "s", ()).await;
    sleep(SECOND).await;
    assert_eq!(trip.operate(&ann(), Intervention::Suspend).await, Ok(()));
    assert_eq!(trip.status(), SagaStatus::Suspended(ann()));
    sleep(10 * MINUTE).await;
    assert_eq!(
        desk.story(),
        ["s/flight", "s/hotel"],
        "what was in flight has ended, and nothing came after it"
    );
    assert_eq!(coordinator.running(), 0, "it holds no task");
    coordinator.shutdown().await;

    let coordinator = start(Unhurried::new(SqliteLog::open(&path).unwrap()), &desk).await;
    sleep(10 * MINUTE).await;
    assert_eq!((coordinator.recovery().resumed, desk.story().len()), (0, 2));
    let trip = find::<Trip>(&coordinator, "s").await;
    assert_eq!(trip.status(), SagaStatus::Suspended(ann()));
    assert_eq!(about_saga(&trip).await, [Act::Retry, Act::Resume, Act::Cancel, Act::Close]);
    assert_eq!(trip.operate(&ann(), Intervention::Resume).await, Ok(()));
    assert_eq!(trip.outcome().await, Ok(Outcome::Completed(4)));
    assert_eq!(interventions(&trip).await, [": suspend, ann", ": resume, ann"]);
    assert_eq!(desk.held().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_saga_that_is_cancelled_compensates_when_it_is_resumed() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    let house = begin::<House>(&coordinator, "h", 10).await;
    sleep(MINUTE).await;
    assert_eq!(house.operate(&ann(), Intervention::Suspend).await, Ok(()));
    let other = begin::<House>(&coordinator, "i", 0).await;
    sleep(60 * MINUTE).await;
    assert_eq!(house.status(), SagaStatus::Suspended(ann()), "its deadline waits, and so does its timer");
    assert!(
        matches!(other.outcome().await, Ok(Outcome::Compensated(Cause::DeadlinePassed))),
        "it keeps its lock"
    );
    assert_eq!(house.operate(&ann(), Intervention::Cancel).await, Ok(()));
    sleep(MINUTE).await;
    assert_eq!(desk.held(), ["h/first", "h/room/bed", "h/room/key"]);
    assert_eq!(house.operate(&ann(), Intervention::Resume).await, Ok(()));
    let Ok(Outcome::Compensated(Cause::Cancelled { reason })) = house.outcome().await else {
        panic!("{}", house.status())
    };
    assert_eq!(reason, "ann: the hotel says so on the phone");
    assert_eq!(desk.held(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_is_closed_says_what_may_still_be_in_effect_and_ends_for_good() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Refuses, "s/paid");
    desk.becomes(Mood::Busy, "-s/hotel");
    let coordinator = start(log.clone(), &desk).await;
    let trip = begin::<Trip>(&coordinator, "s", ()).await;
    assert!(!about_saga(&trip).await.contains(&Act::Close), "it goes on by itself");
    sleep(MINUTE).await;
    assert_eq!(trip.operate(&ann(), Intervention::Close).await, Ok(()));
    let Ok(Outcome::Closed(closed)) = trip.outcome().await else { panic!("{}", trip.status()) };
    assert_eq!(closed.by, ann());
    let residue = closed.residue.iter().map(|(step, effect)| (&**step, *effect)).collect::<Vec<_>>();
    assert_eq!(residue, [("flight", Effect::Done), ("hotel", Effect::Done)]);
    desk.calms_down();
    sleep(60 * MINUTE).await;
    assert_eq!(desk.held(), ["s/flight", "s/hotel"], "nothing was done any more");
    assert_eq!(log.history(trip.id()).await.unwrap().unwrap().status, Status::Closed);
    coordinator.shutdown().await;

    let coordinator = start(log, &desk).await;
    let again = coordinator.begin::<Trip>("s", ()).await.unwrap();
    assert!(matches!(&again, Begun::Finished(Outcome::Closed(found)) if *found == closed), "{again:?}");
    let expected =
        "closed by ann: the hotel says so on the phone (may still be in effect: `flight` done, `hotel` done)";
    assert_eq!(closed.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_parent_is_closed_with_its_children_and_its_lock_is_free() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Refuses, "h/last");
    desk.becomes(Mood::Busy, "-h/room/key");
    let coordinator = start(log.clone(), &desk).await;
    let house = begin::<House>(&coordinator, "h", 1).await;
    sleep(5 * MINUTE).await;
    assert!(matches!(house.status(), SagaStatus::Parked(_)), "{}", house.status());
    let next = begin::<House>(&coordinator, "i", 0).await;
    sleep(SECOND).await;
    assert!(matches!(next.status(), SagaStatus::WaitsForLock { .. }));
    assert_eq!(house.operate(&ann(), Intervention::Close).await, Ok(()));
    let Ok(Outcome::Closed(closed)) = house.outcome().await else { panic!("{}", house.status()) };
    let residue = closed.residue.iter().map(|(step, _)| &**step).collect::<Vec<_>>();
    assert_eq!(residue, ["first", "room/bed", "room/key"]);
    for name in ["h", "h/room"] {
        let history = log.history(&SagaId::new(name).unwrap()).await.unwrap().unwrap();
        assert_eq!(history.status, Status::Closed, "{name}");
    }
    assert_eq!(next.outcome().await, Ok(Outcome::Completed(4)));
    assert_eq!((coordinator.running(), coordinator.quarantined()), (0, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn what_is_about_a_childs_step_reaches_the_child() {
    let desk = Desk::new();
    desk.becomes(Mood::Refuses, "h/last");
    desk.becomes(Mood::Busy, "-h/room/key");
    let coordinator = start(MemoryLog::new(), &desk).await;
    let house = begin::<House>(&coordinator, "h", 1).await;
    sleep(5 * MINUTE).await;
    let undone = Intervention::CompensationDone { step: named("room/key") };
    assert_eq!(house.operate(&ann(), undone).await, Ok(()));
    assert!(matches!(house.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(desk.held(), ["h/room/key"], "the operator says that it is not");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_closed_with_a_residue_leaves_its_parent_in_need_of_an_operator() {
    let desk = Desk::new();
    desk.becomes(Mood::Refuses, "h/last");
    desk.becomes(Mood::Busy, "-h/room/key");
    let coordinator = start(MemoryLog::new(), &desk).await;
    let house = begin::<House>(&coordinator, "h", 1).await;
    sleep(5 * MINUTE).await;
    let room = find::<Room>(&coordinator, "h/room").await;
    assert_eq!(room.operate(&ann(), Intervention::Close).await, Ok(()));
    sleep(5 * MINUTE).await;
    assert_eq!(about_steps(&house).await, ["compensation done of room"], "{}", house.status());
    assert!(house.status().to_string().contains("was closed by ann"), "{}", house.status());
    let undone = Intervention::CompensationDone { step: named("room") };
    assert_eq!(house.operate(&ann(), undone).await, Ok(()));
    assert!(matches!(house.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(desk.held(), ["h/room/bed", "h/room/key"]);
}
