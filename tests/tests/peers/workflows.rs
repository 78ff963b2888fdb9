//! Workflow engines with a server: Restate and Temporal.

use std::time::Duration;

use saga_runtime::coordinator::{Intervention, Operator};
use saga_runtime::log::MemoryLog;
use saga_runtime::machine::{Cause, Effect};
use saga_runtime::{CancelAnswer, Coordinator, Handle, Outcome, saga};
use saga_tests::logs::LogFault;
use saga_tests::run::{End, Scenario};
use saga_tests::world::{Fault, Place, Prudent, SLOW, Which, World};
use tokio::time::sleep;

use super::scene::{Trip, action, begin, compensation, held, replay, start, told, until_called};

/// Restate, the saga guide for Java (docs, guides/sagas): the text says that compensations run in reverse, and the code
/// iterates them forward.
#[test]
fn compensations_run_forward() {
    let refused = vec![(action("car", 1), Fault::Refuse)];
    let report = replay(&Scenario { faults: refused, ..Scenario::default() });
    assert_eq!((report.end, &*told(&report.calls)), (End::Compensated, "flight hotel car -hotel -flight"));
}

/// Temporal's Java `Saga` (sdk-java issue 305, open since 2021): compensations run in the scope that was cancelled, so that
/// on a cancel they do not run.
#[test]
fn on_a_cancel_no_compensation_runs() {
    for (cancelled, calls) in [
        ("flight", "flight -flight"),
        ("hotel", "flight hotel -hotel -flight"),
        ("car", "flight hotel car -car -hotel -flight"),
    ] {
        let place = action(cancelled, 1);
        let faults = vec![(place, Fault::Slow)];
        let report = replay(&Scenario { faults, cancel: Some(place), ..Scenario::default() });
        assert_eq!((report.end, &*told(&report.calls)), (End::Compensated, calls));
    }
}

/// Somebody cancels the trip while the call at `place` is in flight, which takes its time.
async fn cancelled(world: &World, trip: &Handle<Trip>, place: Place) -> CancelAnswer {
    until_called(world, place).await;
    trip.cancel("changed my mind").await.unwrap()
}

/// Temporal's Rust SDK 1.1, official `examples/saga` (measured: activities slowed, one cancel): the compensation of the
/// hotel was itself cancelled and its error only printed; the flight was booked after the cancel, and never undone.
#[tokio::test(start_paused = true)]
async fn a_cancel_ends_the_compensation_and_the_next_step_still_runs() {
    let (log, world) = (MemoryLog::new(), World::new());
    world.script(action("hotel", 1), Fault::Slow);
    for step in ["flight", "hotel"] {
        world.script(compensation(step, 1), Fault::Slow);
    }
    let coordinator = start(&log, &world).await;
    let trip = begin(&coordinator, "s-1").await;
    let first = cancelled(&world, &trip, action("hotel", 1)).await;
    // One more while it compensates changes nothing.
    let second = cancelled(&world, &trip, compensation("hotel", 1)).await;
    assert_eq!((first, second), (CancelAnswer::Cancelled, CancelAnswer::Cancelled));
    assert!(matches!(trip.outcome().await, Ok(Outcome::Compensated(Cause::Cancelled { .. }))));
    sleep(100 * SLOW).await;
    assert_eq!(told(&world.calls()), "flight hotel -hotel -flight", "nothing was booked after the cancel");
    assert_eq!(held(&world), Vec::<String>::new());
}

/// Restate's Rust SDK 0.13 (measured): a cancel reaches the awaited `ctx.run` although its action has completed, so that a
/// plain driver cancelled the flight and leaked the hotel; and a cancel during the compensation stopped the rest of it.
#[test]
fn a_cancel_hides_that_the_action_was_done() {
    // It takes effect, and its answer is under way, lost, or dies with the process when the cancel comes.
    for during in [Fault::Slow, Fault::LostReply] {
        let place = action("hotel", 1);
        let scenario = Scenario { faults: vec![(place, during)], cancel: Some(place), ..Scenario::default() };
        let report = replay(&scenario);
        assert_eq!(report.end, End::Compensated, "{report:?}");
        assert!(report.calls.contains(&compensation("hotel", 1)), "{report:?}");
        // The first append after the cancel, and all that follow.
        for append in 3..=5 {
            for crash in [LogFault::CrashBefore, LogFault::CrashAfter] {
                replay(&Scenario { log: vec![(0, append, crash)], ..scenario.clone() });
            }
        }
    }
    let faults = vec![(action("car", 1), Fault::Refuse), (compensation("hotel", 1), Fault::Slow)];
    let during = Some(compensation("hotel", 1));
    let report = replay(&Scenario { faults, cancel: during, ..Scenario::default() });
    assert_eq!((report.end, &*told(&report.calls)), (End::Compensated, "flight hotel car -hotel -flight"));
}

saga! {
    /// Has a minute.
    saga Hurried() -> u32 {
        with desk: Prudent;
        deadline 1m;
        timeout 5m;
        retry forever every 1s..1s;

        step flight: u32 = desk.reserve(cx) compensate desk.cancel(cx, flight);
        step hotel: u32 = desk.reserve(cx) compensate desk.cancel(cx, hotel);

        return flight + hotel;
    }
}

/// Temporal (its forum, threads 6190 and 8377): neither a terminate nor an execution time-out runs compensations, and nothing
/// says what is left.
#[tokio::test(start_paused = true)]
async fn a_terminated_or_timed_out_saga_keeps_what_it_has() {
    // It is out of time.
    let (log, world) = (MemoryLog::new(), World::new());
    world.script_all("hotel", Which::Action, Fault::Transient, 1_000);
    let participants = HurriedParticipants { desk: Prudent(world.clone()) };
    let coordinator = Coordinator::builder(log).register::<Hurried>(participants).start().await.unwrap();
    let hurried = coordinator.begin::<Hurried>("s-1", ()).await.unwrap().outcome().await.unwrap();
    assert_eq!(hurried, Outcome::Compensated(Cause::DeadlinePassed));
    assert_eq!(held(&world), Vec::<String>::new());

    // It cannot be brought to its end, and somebody ends it by hand: what it leaves is what they are told.
    let (log, world) = (MemoryLog::new(), World::new());
    world.script(action("car", 1), Fault::Refuse);
    world.script_all("hotel", Which::Compensation, Fault::Refuse, 1_000);
    let coordinator = start(&log, &world).await;
    let trip = begin(&coordinator, "s-1").await;
    trip.settled().await;
    let ann = Operator { name: "ann".to_owned(), reason: "the hotel is gone".to_owned() };
    trip.operate(&ann, Intervention::Close).await.unwrap();
    let Ok(Outcome::Closed(closed)) = trip.outcome().await else { panic!("{}", trip.status()) };
    assert_eq!(closed.residue, [("flight".into(), Effect::Done), ("hotel".into(), Effect::Done)]);
    sleep(Duration::from_hours(1)).await;
    assert_eq!(held(&world), ["Trip/s-1/flight", "Trip/s-1/hotel"]);
}
