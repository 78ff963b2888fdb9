//! Child sagas: how they are begun, held, turned and released, and what their parents show of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::sync::Arc;
use std::time::Duration;

use saga_runtime::coordinator::{Builder, StartError};
use saga_runtime::log::{MemoryLog, SagaLog, SqliteLog, Status};
use saga_runtime::machine::Cause;
use saga_runtime::{Begun, CancelAnswer, Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::desk::{Desk, Mood};
use saga_tests::logs::{TestLog, Unhurried};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

saga! {
    /// Begins a child before its pivot, waits, and begins another one after it.
    saga House(minutes: u64, minutes_of_room: u64) -> u32 {
        with desk: Desk;
        timeout 5s;
        retry 1 times every 1s..1m;

        step first: u32 = desk.ask(cx) compensate desk.undo(cx);
        saga room: u32 = Room(*minutes_of_room);
        sleep (Duration::from_mins(*minutes));
        step second: u32 = desk.ask(cx) compensate desk.undo(cx);
        pivot paid: u32 = desk.ask(cx);
        saga letter: u32 = Letter();

        return first + room + second + paid + letter;
    }

    /// Has a child itself, and is compensated throughout.
    saga Room(minutes: u64) -> u32 {
        with desk: Desk;
        timeout 5s;
        retry 1 times every 1s..1m;

        step bed: u32 = desk.ask(cx) compensate desk.undo(cx);
        saga lamp: u32 = Lamp();
        sleep (Duration::from_mins(*minutes));
        step key: u32 = desk.ask(cx) compensate desk.undo(cx);

        return bed + lamp + key;
    }

    /// Has five minutes, and needs none.
    saga Lamp() -> u32 {
        with desk: Desk;
        deadline 5m;
        retry 1 times every 1s..1m;

        step bulb: u32 = desk.ask(cx) compensate desk.undo(cx);

        return bulb;
    }

    /// Ends by itself: it has a pivot.
    saga Letter() -> u32 {
        with desk: Desk;
        retry 1 times every 1s..1m;

        step paper: u32 = desk.ask(cx) compensate desk.undo(cx);
        pivot stamp: u32 = desk.ask(cx);
        step post: u32 = desk.ask(cx);

        return paper + stamp + post;
    }

    /// Children of items, of branches and of an arm.
    saga Street(lamps: u32) -> u32 {
        with desk: Desk;
        retry 1 times every 1s..1m;

        for number: u32 in 0..*lamps {
            saga lamp: u32 = Lamp();
        }
        parallel {
            saga left: u32 = Room(1);
            {
                step gate: u32 = desk.ask(cx) compensate desk.undo(cx);
                saga right: u32 = Room(2);
            }
            if *lamps > 1 {
                saga big: u32 = Lamp();
            }
        }
        step end: u32 = desk.ask(cx) compensate desk.undo(cx);
        parallel for number: u32 in 0..*lamps limit 2 {
            saga late: u32 = Lamp();
        }

        return lamp.iter().sum::<u32>() + left + gate + right + big.unwrap_or(0) + end + late.len() as u32;
    }

    /// Does not wait for its child for ever.
    saga Impatient() -> u32 {
        deadline 10m;

        saga room: u32 = Room(30);

        return room;
    }
}

/// All that a house holds in the end.
const WHOLE: [&str; 9] = [
    "h/first",
    "h/letter/paper",
    "h/letter/post",
    "h/letter/stamp",
    "h/paid",
    "h/room/bed",
    "h/room/key",
    "h/room/lamp/bulb",
    "h/second",
];

fn builder<L: SagaLog>(log: L, desk: &Desk) -> Builder<L> {
    let desk = || desk.clone();
    Coordinator::builder(log)
        .register::<House>(HouseParticipants { desk: desk() })
        .register::<Room>(RoomParticipants { desk: desk() })
        .register::<Lamp>(LampParticipants { desk: desk() })
        .register::<Letter>(LetterParticipants { desk: desk() })
        .register::<Street>(StreetParticipants { desk: desk() })
        .register::<Impatient>(ImpatientParticipants {})
}

async fn start(log: impl SagaLog, desk: &Desk) -> Coordinator {
    builder(log, desk).start().await.unwrap()
}

fn id(text: &str) -> SagaId {
    SagaId::new(text).unwrap()
}

async fn begin<S: Saga>(coordinator: &Coordinator, name: &str, input: S::Input) -> Handle<S> {
    coordinator.begin::<S>(name, input).await.unwrap().handle().unwrap().clone()
}

async fn find<S: Saga>(coordinator: &Coordinator, name: &str) -> Handle<S> {
    let found = coordinator.find::<S>(&id(name)).await.unwrap().unwrap();
    // It shows how it stands as soon as it has looked.
    sleep(SECOND).await;
    found.handle().unwrap().clone()
}

async fn log_status(log: &impl SagaLog, name: &str) -> Status {
    log.history(&id(name)).await.unwrap().unwrap().status
}

/// Why a saga compensated, which must not have completed.
async fn why<S: Saga<Output = u32>>(handle: &Handle<S>) -> String {
    let outcome = tokio::time::timeout(Duration::from_hours(9), handle.outcome()).await;
    let Ok(outcome) = outcome else { panic!("{} does not end: {}", handle.id(), handle.status()) };
    match outcome.unwrap() {
        Outcome::Compensated(cause) => cause.to_string(),
        Outcome::Completed(output) => panic!("it completed with {output}"),
        Outcome::Closed(closed) => panic!("it was {closed}"),
    }
}

fn parked(status: &SagaStatus) -> (Vec<&str>, Vec<&str>) {
    match status {
        SagaStatus::Parked(parked) => (
            parked.calls.iter().map(|call| &*call.step).collect(),
            parked.residue.iter().map(|(step, _)| &**step).collect(),
        ),
        status => panic!("it is not parked, but {status}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_gives_its_output_and_ends_with_its_parent() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let house = begin::<House>(&coordinator, "h", (10, 10)).await;
    sleep(MINUTE).await;
    assert_eq!(desk.story(), ["h/first", "h/room/bed", "h/room/lamp/bulb"]);
    assert_eq!(coordinator.running(), 0, "the child sleeps, and its parent holds no task either");
    assert_eq!(house.status(), SagaStatus::Running);
    sleep(10 * MINUTE).await;
    assert_eq!(coordinator.running(), 0, "the child is held, and its parent sleeps");
    for name in ["h/room", "h/room/lamp"] {
        assert_eq!(log_status(&log, name).await, Status::Running, "{name} is held");
    }
    assert_eq!(house.outcome().await, Ok(Outcome::Completed(1 + 3 + 1 + 1 + 3)));
    assert_eq!(desk.held(), WHOLE);
    let order = ["h/room/key", "h/second", "h/paid", "h/letter/paper", "h/letter/stamp", "h/letter/post"];
    assert_eq!(desk.story()[3..], order);
    for name in ["h/room", "h/room/lamp", "h/letter"] {
        assert_eq!(log_status(&log, name).await, Status::Completed, "{name}");
    }
    sleep(100 * MINUTE).await;
    assert_eq!((coordinator.running(), coordinator.quarantined()), (0, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_held_child_waits_for_its_parent_and_nobody_else_turns_it() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let house = begin::<House>(&coordinator, "h", (10, 0)).await;
    sleep(MINUTE).await;
    let room = find::<Room>(&coordinator, "h/room").await;
    assert_eq!(room.status(), SagaStatus::Held);
    assert_eq!(room.status().to_string(), "held until its parent ends");
    assert_eq!(room.cancel("mine").await, Ok(CancelAnswer::TooLate));
    assert_eq!(room.retry().await, Ok(()), "there is nothing to try");
    assert!(matches!(coordinator.begin::<Room>("h/room", 0).await, Ok(Begun::Attached(_))));
    assert!(coordinator.begin::<Room>("h/room", 1).await.is_err(), "another input is a conflict");
    let early = tokio::time::timeout(8 * MINUTE, room.outcome()).await;
    assert!(early.is_err(), "its outcome is its parent's to decide: {early:?}");
    assert_eq!(coordinator.running(), 0);
    assert!(matches!(house.outcome().await, Ok(Outcome::Completed(_))));
    assert_eq!(room.outcome().await, Ok(Outcome::Completed(3)));
    assert!(matches!(
        coordinator.begin::<Room>("h/room", 0).await,
        Ok(Begun::Finished(Outcome::Completed(3)))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_done_is_compensated_when_a_later_step_of_its_parent_fails() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Refuses, "h/second");
    let coordinator = start(log.clone(), &desk).await;
    let house = begin::<House>(&coordinator, "h", (10, 0)).await;
    sleep(MINUTE).await;
    let room = find::<Room>(&coordinator, "h/room").await;
    assert!(why(&house).await.contains("second"));
    assert_eq!(
        desk.story()[4..],
        ["-h/room/key", "-h/room/lamp/bulb", "-h/room/bed", "-h/first"],
        "latest first, in the child as in its parent"
    );
    assert_eq!(why(&room).await, "cancelled: saga `h` compensates");
    for name in ["h/room", "h/room/lamp"] {
        assert_eq!(log_status(&log, name).await, Status::Compensated, "{name}");
    }
    assert!(log.history(&id("h/letter")).await.unwrap().is_none(), "it was never begun");
    assert_eq!(coordinator.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_cancels_a_parent_turns_the_child_that_runs() {
    for seen in [true, false] {
        let desk = Desk::new();
        let coordinator = start(MemoryLog::new(), &desk).await;
        let house = begin::<House>(&coordinator, "h", (10, 10)).await;
        sleep(MINUTE).await;
        let room = if seen { Some(find::<Room>(&coordinator, "h/room").await) } else { None };
        assert_eq!(house.cancel("no more").await, Ok(CancelAnswer::Cancelled));
        assert_eq!(why(&house).await, "cancelled: no more");
        assert_eq!(desk.story()[3..], ["-h/room/lamp/bulb", "-h/room/bed", "-h/first"]);
        if let Some(room) = room {
            assert_eq!(why(&room).await, "cancelled: saga `h` compensates");
        }
        assert_eq!(coordinator.running(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_the_parent_turns_its_child_and_one_of_the_child_its_parent() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    let impatient = begin::<Impatient>(&coordinator, "i", ()).await;
    assert_eq!(impatient.outcome().await, Ok(Outcome::Compensated(Cause::DeadlinePassed)));
    assert_eq!(desk.story()[2..], ["-i/room/lamp/bulb", "-i/room/bed"]);

    // The lamp is held for longer than its deadline: it has done everything in time.
    let house = begin::<House>(&coordinator, "h", (10, 10)).await;
    assert!(matches!(house.outcome().await, Ok(Outcome::Completed(_))));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_refused_turns_its_parent() {
    let desk = Desk::new();
    desk.becomes(Mood::Refuses, "h/room/lamp/bulb");
    let coordinator = start(MemoryLog::new(), &desk).await;
    let house = begin::<House>(&coordinator, "h", (0, 0)).await;
    let why = why(&house).await;
    assert_eq!(
        why,
        "`room` was refused: `Room` has no effect: `lamp` was refused: `Lamp` has no effect: `bulb` was refused: no"
    );
    assert_eq!(desk.story(), ["h/first", "h/room/bed", "-h/room/bed", "-h/first"]);
}

#[tokio::test(start_paused = true)]
async fn after_the_pivot_a_refused_child_parks_its_parent_and_each_attempt_is_a_child_of_its_own() {
    for restarts in [false, true] {
        let (log, desk) = (MemoryLog::new(), Desk::new());
        desk.becomes(Mood::Refuses, "h/letter/stamp");
        desk.becomes(Mood::Refuses, "h/letter~2/paper");
        let mut coordinator = start(log.clone(), &desk).await;
        let mut house = begin::<House>(&coordinator, "h", (0, 0)).await;
        for attempts in [1, 2] {
            sleep(MINUTE).await;
            if restarts {
                coordinator.shutdown().await;
                coordinator = start(log.clone(), &desk).await;
                house = find::<House>(&coordinator, "h").await;
            }
            let status = house.status();
            assert_eq!(parked(&status).0, ["letter"], "{status}");
            assert!(status.to_string().contains(&format!("after {attempts} attempts")), "{status}");
            assert!(status.to_string().contains("waits for an operator"), "{status}");
            assert_eq!(house.cancel("too late").await, Ok(CancelAnswer::TooLate));
            house.retry().await.unwrap();
        }
        assert!(matches!(house.outcome().await, Ok(Outcome::Completed(_))));
        let letters = ["h/letter", "h/letter~2", "h/letter~3"];
        let ends = [Status::Compensated, Status::Compensated, Status::Completed];
        for (letter, end) in letters.into_iter().zip(ends) {
            assert_eq!(log_status(&log, letter).await, end, "{letter}");
        }
        let held = desk.held().into_iter().filter(|what| what.contains("letter")).collect::<Vec<_>>();
        assert_eq!(held, ["h/letter~3/paper", "h/letter~3/post", "h/letter~3/stamp"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_child_cannot_get_done_is_shown_by_its_parent_and_tried_again_through_it() {
    let desk = Desk::new();
    desk.becomes(Mood::Refuses, "h/letter/post");
    let coordinator = start(MemoryLog::new(), &desk).await;
    let house = begin::<House>(&coordinator, "h", (0, 0)).await;
    let status = house.settled().await;
    assert_eq!(parked(&status).0, ["letter/post"], "{status}");
    assert!(parked(&status).1.contains(&"letter/stamp"), "{status}");
    desk.calms_down();
    house.retry().await.unwrap();
    assert!(matches!(house.outcome().await, Ok(Outcome::Completed(_))));

    desk.becomes(Mood::Refuses, "i/second");
    desk.becomes(Mood::Busy, "-i/room/lamp/bulb");
    let house = begin::<House>(&coordinator, "i", (0, 0)).await;
    sleep(10 * MINUTE).await;
    let status = house.status();
    assert_eq!(parked(&status).0, ["room/lamp/bulb"], "{status}");
    assert!(parked(&status).1.contains(&"room/bed"), "{status}");
    assert_eq!(desk.story().last().unwrap(), "-i/room/key");
    desk.calms_down();
    house.retry().await.unwrap();
    sleep(SECOND).await;
    assert!(why(&house).await.contains("second"), "{}", house.status());
    assert!(desk.held().iter().all(|what| what.starts_with("h/")), "{:?}", desk.held());
}

#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_go_on_is_shown_by_its_parent_with_the_reason_as_long_as_that_holds() {
    for compensates in [false, true] {
        let (log, desk) = (TestLog::new(MemoryLog::new()), Desk::new());
        let coordinator = start(log.clone(), &desk).await;
        if compensates {
            desk.becomes(Mood::Refuses, "h/second");
        }
        let house = begin::<House>(&coordinator, "h", (5, 5)).await;
        sleep(if compensates { 7 } else { 2 } * MINUTE).await;
        assert_eq!(house.status(), SagaStatus::Running);
        log.set_damaged("h/room", true);
        sleep(10 * MINUTE).await;
        let status = house.status();
        let (calls, residue) = parked(&status);
        assert_eq!(calls, ["room"], "{status}");
        assert!(status.to_string().contains("the checksum of record 0 is wrong"), "{status}");
        assert!(residue.contains(&"room") && residue.contains(&"first"), "{status}");
        log.set_damaged("h/room", false);
        sleep(MINUTE).await;
        assert!(!matches!(house.status(), SagaStatus::Parked(_)), "{}", house.status());
        if compensates {
            assert!(why(&house).await.contains("second"));
            assert_eq!(desk.held(), Vec::<String>::new());
        } else {
            assert!(matches!(house.outcome().await, Ok(Outcome::Completed(_))));
            assert_eq!(desk.held(), WHOLE);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn children_of_items_branches_and_arms_are_sagas_of_their_own() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let street = begin::<Street>(&coordinator, "s", 2).await;
    assert_eq!(street.outcome().await, Ok(Outcome::Completed(2 + 3 + 1 + 3 + 1 + 1 + 2)));
    for name in
        ["s/lamp[0]", "s/lamp[1]", "s/left", "s/left/lamp", "s/right", "s/big", "s/late[0]", "s/late[1]"]
    {
        assert_eq!(log_status(&log, name).await, Status::Completed, "{name}");
    }
    assert_eq!(desk.held().len(), 2 + 3 + 1 + 3 + 1 + 1 + 2);

    for refused in ["end", "late[1]/bulb", "right/lamp/bulb", "big/bulb", "lamp[1]/bulb", "gate"] {
        let (log, desk) = (MemoryLog::new(), Desk::new());
        desk.becomes(Mood::Refuses, &format!("s/{refused}"));
        let coordinator = start(log.clone(), &desk).await;
        let street = begin::<Street>(&coordinator, "s", 2).await;
        why(&street).await;
        assert_eq!(desk.held(), Vec::<String>::new(), "{refused}");
        assert!(log.unfinished(saga_runtime::log::Wake::Never, None, 9).await.unwrap().sagas.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_saga_under_a_childs_id_is_left_alone() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    // One that runs, one that has ended, and one of another kind.
    let own = begin::<Room>(&coordinator, "a/room", 60).await;
    let ended = begin::<Room>(&coordinator, "b/room", 0).await;
    begin::<Lamp>(&coordinator, "c/room", ()).await;
    assert!(matches!(ended.outcome().await, Ok(Outcome::Completed(3))));
    for name in ["a", "b", "c"] {
        let house = begin::<House>(&coordinator, name, (0, 60)).await;
        let why = why(&house).await;
        assert!(why.contains(&format!("the id `{name}/room` is another saga's")), "{why}");
        assert_eq!(desk.story().iter().filter(|what| what.contains(&format!("-{name}/room"))).count(), 0);
    }
    assert!(matches!(own.outcome().await, Ok(Outcome::Completed(3))));

    begin::<Letter>(&coordinator, "d/letter", ()).await;
    let house = begin::<House>(&coordinator, "d", (0, 0)).await;
    assert_eq!(parked(&house.settled().await).0, ["letter"]);
    house.retry().await.unwrap();
    assert!(matches!(house.outcome().await, Ok(Outcome::Completed(_))));
    assert!(desk.held().contains(&"d/letter~2/stamp".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn children_that_are_not_registered_are_named_at_the_start() {
    let desk = Desk::new();
    let builder = || Coordinator::builder(MemoryLog::new());
    let house = || HouseParticipants { desk: desk.clone() };
    let room = || RoomParticipants { desk: desk.clone() };
    let error = builder().register::<House>(house()).start().await.unwrap_err();
    assert!(
        matches!(&error, StartError::ChildNotRegistered { parent, child } if parent == "House" && child == "Room"),
        "{error}"
    );
    let registered = builder().register::<House>(house()).register::<Room>(room());
    let error = registered.start().await.unwrap_err().to_string();
    assert!(error.contains("which is not registered: add `.register::<"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_parent_leaves_its_place_to_its_child() {
    let desk = Desk::new();
    let coordinator =
        builder(MemoryLog::new(), &desk).sagas_at_once(1).calls_at_once(1).start().await.unwrap();
    let streets = ["s", "t", "u"];
    let mut handles = Vec::new();
    for name in streets {
        handles.push(begin::<Street>(&coordinator, name, 2).await);
    }
    for street in handles {
        assert_eq!(street.outcome().await, Ok(Outcome::Completed(13)));
    }
}

#[test]
fn threads_that_turn_many_children_at_once_leave_nothing() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_time().build().unwrap().block_on(async {
        let desk = Desk::new();
        let coordinator = start(MemoryLog::new(), &desk).await;
        let mut houses = Vec::new();
        for number in 0..2000 {
            desk.becomes(Mood::Refuses, &format!("{number}/second"));
            houses.push(begin::<House>(&coordinator, &number.to_string(), (0, 0)).await);
        }
        for house in houses {
            let outcome = tokio::time::timeout(30 * SECOND, house.outcome()).await;
            let Ok(outcome) = outcome else { panic!("{} does not end: {}", house.id(), house.status()) };
            assert!(matches!(outcome, Ok(Outcome::Compensated(_))), "{outcome:?}");
        }
        assert_eq!(desk.held(), Vec::<String>::new());
    });
}

/// How a house comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing is in its way.
    Done,
    /// A later step is refused when the child is held.
    Refused,
    /// Its child is refused.
    ChildRefused,
    /// The compensation of the child takes its time.
    HardToUndo,
    /// The child after the pivot takes its time.
    HardToEnd,
}

/// A house whose coordinator is stopped after `minutes`, and started again: nothing of its end changes.
fn stopped_after(open: &dyn Fn() -> Arc<dyn SagaLog>, way: Way, minutes: u64, dies: bool) {
    let desk = Desk::new();
    match way {
        Way::Done => {}
        Way::Refused => desk.becomes(Mood::Refuses, "h/second"),
        Way::ChildRefused => desk.becomes(Mood::Refuses, "h/room/key"),
        Way::HardToUndo => {
            desk.becomes(Mood::Refuses, "h/second");
            desk.becomes(Mood::Busy, "-h/room/lamp/bulb");
        }
        Way::HardToEnd => desk.becomes(Mood::Busy, "h/letter/post"),
    }
    for life in 0..2 {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        let coordinator = runtime.block_on(async {
            let coordinator = start(TestLog::over(open()), &desk).await;
            let begun = coordinator.begin::<House>("h", (3, 3)).await.unwrap();
            if life == 0 {
                sleep(Duration::from_mins(minutes)).await;
                if dies {
                    return Some(coordinator);
                }
            } else {
                sleep(20 * MINUTE).await;
                desk.calms_down();
                if let Some(handle) = begun.handle() {
                    handle.retry().await.unwrap();
                }
                let outcome = tokio::time::timeout(60 * MINUTE, begun.outcome()).await;
                let completes = matches!(way, Way::Done | Way::HardToEnd);
                match outcome.unwrap_or_else(|_| panic!("{way:?} {minutes} {dies}: it does not end")).unwrap()
                {
                    Outcome::Completed(9) if completes => assert_eq!(desk.held(), WHOLE),
                    Outcome::Compensated(_) if !completes => assert_eq!(desk.held(), Vec::<String>::new()),
                    outcome => panic!("{way:?} {minutes} {dies}: {outcome:?}"),
                }
                assert_eq!((coordinator.running(), coordinator.quarantined()), (0, Vec::new()));
            }
            coordinator.shutdown().await;
            None
        });
        drop(runtime);
        drop(coordinator);
    }
}

const WAYS: [Way; 5] = [Way::Done, Way::Refused, Way::ChildRefused, Way::HardToUndo, Way::HardToEnd];

#[test]
fn parents_and_children_go_on_after_a_restart_at_any_time() {
    for way in WAYS {
        for minutes in 0..10 {
            for dies in [false, true] {
                let log = MemoryLog::new();
                stopped_after(&|| Arc::new(log.clone()), way, minutes, dies);
            }
        }
    }
}

#[test]
fn parents_and_children_in_a_file_go_on_after_a_restart() {
    for way in WAYS {
        for (minutes, dies) in [(1, true), (4, false), (4, true), (8, true)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("sagas.db");
            let open = || Arc::new(Unhurried::new(SqliteLog::open(&path).unwrap())) as Arc<dyn SagaLog>;
            stopped_after(&open, way, minutes, dies);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_leaves_no_room_for_those_of_the_children_is_refused_at_once() {
    let coordinator = builder(MemoryLog::new(), &Desk::default()).start().await.unwrap();
    let begun = coordinator.begin::<House>("h".repeat(180), (0, 0)).await;
    let error = begun.unwrap_err().to_string();
    assert!(error.contains("its child sagas are named after it"), "{error}");
    assert!(coordinator.begin::<Lamp>("l".repeat(180), ()).await.is_ok());
}
