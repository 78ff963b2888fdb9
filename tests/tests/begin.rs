//! The four answers of `begin`, and what becomes of them when the log has troubles.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::coordinator::BeginError;
use saga_runtime::log::{MemoryLog, SagaLog};
use saga_runtime::{Begun, Coordinator, InvalidSagaId, Outcome, SagaId, saga};
use saga_tests::logs::{LogFault, TestLog};
use saga_tests::sagas::{Basket, Payment, Shape, Trip};
use saga_tests::world::{Fault, Place, Prudent, Which, World};
use serde::{Deserialize, Serialize};

fn slow_flight() -> World {
    let world = World::new();
    world.script_all("flight", Which::Action, Fault::Slow, 1000);
    world
}

/// As a log whose clock does not stand still: see [`TestLog`].
fn log() -> TestLog {
    TestLog::new(MemoryLog::new())
}

async fn start(log: impl SagaLog, world: &World) -> Coordinator {
    let builder = Coordinator::builder(log).register::<Trip>(Trip::participants(world));
    builder.register::<Basket>(Basket::participants(world)).start().await.unwrap()
}

fn conflicts<T: std::fmt::Debug>(answer: Result<T, BeginError>, word: &str) {
    match answer {
        Err(error @ BeginError::Conflict { .. }) => assert!(error.to_string().contains(word), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_saga_is_started_then_attached_to_then_finished() {
    let coordinator = start(log(), &slow_flight()).await;
    let first = coordinator.begin::<Trip>("s", 7).await.unwrap();
    assert!(matches!(first, Begun::Started(_)), "{first:?}");
    let second = coordinator.begin::<Trip>("s", 7).await.unwrap();
    assert!(matches!(second, Begun::Attached(_)), "{second:?}");
    assert_eq!(first.outcome().await, Ok(Outcome::Completed(7)));
    assert_eq!(second.outcome().await, Ok(Outcome::Completed(7)));
    let third = coordinator.begin::<Trip>("s", 7).await.unwrap();
    assert!(matches!(third, Begun::Finished(Outcome::Completed(7))), "{third:?}");
}

#[tokio::test(start_paused = true)]
async fn a_compensated_saga_is_finished_and_not_begun_again() {
    let world = World::new();
    world.script(Place { step: "car", which: Which::Action, nth: 1 }, Fault::Refuse);
    let coordinator = start(log(), &world).await;
    let first = coordinator.begin::<Trip>("s", 7).await.unwrap().outcome().await;
    let again = coordinator.begin::<Trip>("s", 7).await.unwrap();
    assert!(matches!(again, Begun::Finished(_)), "{again:?}");
    assert_eq!(again.outcome().await, first);
    assert_eq!(world.count("flight", Which::Action), 1);
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_ended_is_not_executed_again_within_the_same_millisecond() {
    // On the log itself. In virtual time all of it happens while the clock of the machine hardly moves.
    for round in 0..50 {
        let world = World::new();
        let coordinator = start(MemoryLog::new(), &world).await;
        coordinator.begin::<Basket>("s", 7).await.unwrap().outcome().await.unwrap();
        let again = coordinator.begin::<Basket>("s", 7).await.unwrap();
        assert!(matches!(again, Begun::Finished(_)), "round {round}: {again:?}");
        assert_eq!(world.calls().len(), 3, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_hundred_that_begin_the_same_at_once_one_starts_it() {
    let world = slow_flight();
    let coordinator = start(log(), &world).await;
    let mut tasks = Vec::new();
    for _ in 0..100 {
        let coordinator = coordinator.clone();
        tasks.push(tokio::spawn(async move { coordinator.begin::<Trip>("s", 7).await.unwrap() }));
    }
    let mut started = 0;
    for task in tasks {
        let begun = task.await.unwrap();
        started += usize::from(matches!(begun, Begun::Started(_)));
        assert_eq!(begun.outcome().await, Ok(Outcome::Completed(7)));
    }
    assert_eq!(started, 1);
    assert_eq!(world.calls().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_that_begin_the_same_at_once_start_it_once() {
    for round in 0..20 {
        let world = World::new();
        let coordinator = start(log(), &world).await;
        let begin = || {
            let coordinator = coordinator.clone();
            tokio::spawn(async move { coordinator.begin::<Basket>("s", 7).await.unwrap() })
        };
        let tasks = (0..20).map(|_| begin()).collect::<Vec<_>>();
        let mut started = 0;
        for task in tasks {
            let begun = task.await.unwrap();
            started += usize::from(matches!(begun, Begun::Started(_)));
            assert_eq!(begun.outcome().await, Ok(Outcome::Completed(7)));
        }
        assert_eq!((started, world.calls().len()), (1, 3), "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_input_or_another_saga_under_the_same_id_is_a_conflict() {
    for finished in [false, true] {
        let coordinator = start(log(), &slow_flight()).await;
        let begun = coordinator.begin::<Trip>("s", 7).await.unwrap();
        if finished {
            begun.outcome().await.unwrap();
        }
        conflicts(coordinator.begin::<Trip>("s", 8).await, "another input");
        conflicts(coordinator.begin::<Basket>("s", 7).await, "`Trip`");
    }
}

/// What a saga is begun with.
#[derive(Serialize, Deserialize)]
struct Order {
    #[serde(flatten)]
    lines: std::collections::HashMap<String, u32>,
}

saga! {
    /// Its input is a map.
    saga Ordered(order: Order, tag: String) {
        with desk: Prudent;
        step goods: u32 = desk.reserve(cx) compensate desk.cancel(cx, goods);
    }
}

saga! {
    /// Its input is a big number.
    saga Big(number: u128) {
        with desk: Prudent;
        step goods: u32 = desk.reserve(cx) compensate desk.cancel(cx, goods);
    }
}

async fn with_inputs(log: impl SagaLog) -> Coordinator {
    let desk = || Prudent(World::new());
    let builder = Coordinator::builder(log).register::<Ordered>(OrderedParticipants { desk: desk() });
    builder.register::<Big>(BigParticipants { desk: desk() }).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_order_of_keys_is_no_difference() {
    // A map's own order changes from one instance to the next.
    let coordinator = with_inputs(log()).await;
    let order = || Order { lines: (0..20).map(|line| (format!("line-{line}"), line)).collect() };
    coordinator.begin::<Ordered>("s", (order(), "x".to_owned())).await.unwrap();
    for _ in 0..20 {
        coordinator.begin::<Ordered>("s", (order(), "x".to_owned())).await.unwrap();
    }
    conflicts(coordinator.begin::<Ordered>("s", (order(), "y".to_owned())).await, "another input");
}

#[tokio::test(start_paused = true)]
async fn big_numbers_are_compared_to_the_last_digit() {
    let coordinator = with_inputs(log()).await;
    coordinator.begin::<Big>("s", u128::MAX).await.unwrap();
    conflicts(coordinator.begin::<Big>("s", u128::MAX - 1).await, "another input");
}

#[tokio::test(start_paused = true)]
async fn an_id_that_cannot_be_one_is_refused() {
    let coordinator = start(log(), &World::new()).await;
    for id in ["", "a b", "ä", "a\n", &"x".repeat(SagaId::MAX_LENGTH + 1)] {
        let answer = coordinator.begin::<Trip>(id, 7).await;
        assert!(matches!(answer, Err(BeginError::InvalidId(InvalidSagaId { .. }))), "{id:?}: {answer:?}");
    }
    coordinator.begin::<Trip>("x".repeat(SagaId::MAX_LENGTH), 7).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_is_not_registered_is_refused_by_name() {
    let coordinator = start(log(), &World::new()).await;
    let error = coordinator.begin::<Payment>("s", 7).await.unwrap_err();
    assert!(error.to_string().contains("register::<Payment>"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_after_the_shutdown() {
    let log = log();
    let coordinator = start(log.clone(), &World::new()).await;
    coordinator.clone().shutdown().await;
    assert_eq!(coordinator.begin::<Trip>("s", 7).await.unwrap_err(), BeginError::ShuttingDown);
    assert_eq!(log.appends(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_begin_whose_caller_gives_up_goes_on() {
    let world = World::new();
    let log = log();
    log.set_delay(Duration::from_secs(1));
    let coordinator = start(log.clone(), &world).await;
    let given_up = tokio::time::timeout(Duration::from_millis(1), coordinator.begin::<Trip>("s", 7)).await;
    assert!(given_up.is_err());
    let begun = coordinator.begin::<Trip>("s", 7).await.unwrap();
    assert!(matches!(begun, Begun::Attached(_)), "{begun:?}");
    assert_eq!(begun.outcome().await, Ok(Outcome::Completed(7)));
    assert_eq!(world.calls().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_log_is_said_clearly_and_begin_works_again_when_it_is_back() {
    let world = World::new();
    let log = log();
    let coordinator = start(log.clone(), &world).await;
    log.set_down(true);
    let error = coordinator.begin::<Trip>("s", 7).await.unwrap_err();
    assert!(matches!(error, BeginError::Log(_)));
    assert!(error.to_string().contains("begin the saga again"), "{error}");
    assert_eq!((coordinator.running(), world.calls().len()), (0, 0));
    log.set_down(false);
    let begun = coordinator.begin::<Trip>("s", 7).await.unwrap();
    assert!(matches!(begun, Begun::Started(_)), "{begun:?}");
    assert_eq!(begun.outcome().await, Ok(Outcome::Completed(7)));
}

#[tokio::test(start_paused = true)]
async fn a_begin_that_was_durable_although_nobody_could_say_so_goes_on_when_it_is_begun_again() {
    let world = World::new();
    let coordinator = start(log().with(1, LogFault::Unconfirmed), &world).await;
    assert!(matches!(coordinator.begin::<Trip>("s", 7).await, Err(BeginError::Log(_))));
    conflicts(coordinator.begin::<Trip>("s", 8).await, "another input");
    // Within the same millisecond it is the same begin once more, later it is one that attaches.
    let begun = coordinator.begin::<Trip>("s", 7).await.unwrap();
    assert!(matches!(begun, Begun::Started(_) | Begun::Attached(_)), "{begun:?}");
    assert_eq!(begun.outcome().await, Ok(Outcome::Completed(7)));
    assert_eq!(world.count("flight", Which::Action), 1);
}

#[tokio::test(start_paused = true)]
async fn a_begin_that_was_durable_although_nobody_could_say_so_is_found() {
    let coordinator = start(log().with(1, LogFault::Unconfirmed), &World::new()).await;
    assert!(matches!(coordinator.begin::<Trip>("s", 7).await, Err(BeginError::Log(_))));
    let found = coordinator.find::<Trip>(&SagaId::new("s").unwrap()).await.unwrap().unwrap();
    assert_eq!(found.outcome().await, Ok(Outcome::Completed(7)));
    assert!(coordinator.find::<Trip>(&SagaId::new("t").unwrap()).await.unwrap().is_none());
}
