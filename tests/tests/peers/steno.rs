//! steno, the sagas of Oxide's control plane.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use allocation_counter::measure;
use saga_runtime::coordinator::Parked;
use saga_runtime::log::{Append, History, MemoryLog, SagaLog, Wake};
use saga_runtime::machine::{Cause, Effect};
use saga_runtime::{Context, Coordinator, Keyed, Outcome, SagaId, SagaStatus, StepError, saga};
use saga_tests::explore::{Plan, explore};
use saga_tests::logs::LogFault;
use saga_tests::run::{End, Scenario, run};
use saga_tests::sagas::Basket;
use saga_tests::world::{Fault, Which, World};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::scene::{Trip, action, begin, held, replay, start, told};

/// steno 0.5.0 (measured; steno issue 66, omicron issues 3085, 10177 and 10801): an effect is done, the process dies before
/// that is recorded, and the re-run meets a transient error. The saga is reported as cleanly rolled back while the seat is
/// still held: only nodes that have logged their success are undone.
#[test]
fn an_effect_is_leaked_when_the_rerun_after_a_crash_meets_a_transient_error() {
    let died_before_it_was_recorded = vec![(0, 3, LogFault::CrashBefore)];
    let report = replay(&Scenario {
        faults: vec![(action("hotel", 2), Fault::Transient)],
        log: died_before_it_was_recorded,
        ..Scenario::default()
    });
    assert_eq!(report.end, End::Compensated);
    // The doubt is settled by the same key, which tells what to undo.
    assert_eq!(told(&report.calls), "flight hotel hotel hotel -hotel -flight");
}

/// steno 0.5.0 (measured; omicron issues 3894 and 7623): a misspelt `lookup("…")` passes the validation of the saga, panics
/// when the node runs, and the saga's future never resolves.
#[test]
fn a_misspelt_lookup_panics_at_run_time_and_the_saga_never_resolves() {
    // Here it does not compile: these are cases of `mistakes_are_reported_and_the_rest_compiles`.
    let misspelt = include_str!("../../ui/fail/unknown_input.stderr");
    assert!(misspelt.contains("cannot find value `tripp`") && misspelt.contains("similar name exists"));
    let too_early = include_str!("../../ui/fail/output_of_a_later_step.stderr");
    assert!(too_early.contains("`flight` is the output of a later step"));
    // And a panic of the user's own code ends in an answer, with nothing held.
    let panics = vec![(action("second", 1), Fault::PanicBefore)];
    let report = run::<Basket>(&Scenario { faults: panics, ..Scenario::default() });
    let report = report.unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(report.end, End::Compensated);
    assert_eq!(told(&report.calls), "first second -second -first");
}

/// steno 0.5.0 (steno pull request 138): the first undo that fails stops all that remain.
#[tokio::test(start_paused = true)]
async fn the_first_undo_that_fails_stops_those_that_remain() {
    let (log, world) = (MemoryLog::new(), World::new());
    world.script(action("car", 1), Fault::Refuse);
    world.script_all("hotel", Which::Compensation, Fault::Refuse, 20);
    let coordinator = start(&log, &world).await;
    let trip = begin(&coordinator, "s-1").await;
    // As long as it fails, what is left to undo is shown and not given up.
    let SagaStatus::Parked(Parked { residue, .. }) = trip.settled().await else {
        panic!("{}", trip.status())
    };
    assert_eq!(residue, [("flight".into(), Effect::Done), ("hotel".into(), Effect::Done)]);
    assert_eq!(held(&world), ["Trip/s-1/flight", "Trip/s-1/hotel"]);
    let refused = Cause::Refused { step: "car", message: "sold out".to_owned() };
    assert_eq!(trip.outcome().await, Ok(Outcome::Compensated(refused)));
    assert_eq!(
        (world.count("hotel", Which::Compensation), world.count("flight", Which::Compensation)),
        (21, 1)
    );
    assert_eq!(held(&world), Vec::<String>::new());
}

/// steno up to 0.4 (steno issues 17, 461 and 462): two sources of truth in memory diverged, and recovery refused a legal log
/// as "permanently unrecoverable".
#[test]
fn recovery_refuses_a_legal_log() {
    // Whatever log a crash leaves, or a second one in the recovery: `run` has no start refused and nothing quarantined.
    let tally = explore::<Trip>(Plan { faults: 1, crashes: 2, ..Plan::default() });
    assert!(tally.scenarios > 2_000 && tally.parked == 0, "{tally:?}");
    assert!(tally.completed > 500 && tally.compensated > 500, "{tally:?}");
}

/// How many seats there are in memory, in whatever form.
static SEATS: AtomicUsize = AtomicUsize::new(0);

/// Counted as long as it is in memory.
struct Counted;

impl Default for Counted {
    fn default() -> Self {
        SEATS.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        SEATS.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Seat {
    row: u32,
    #[serde(skip)]
    _counted: Counted,
}

#[derive(Debug, thiserror::Error, StepError)]
#[error("sold out")]
#[outcome(refused)]
struct SoldOut;

struct Seats;

impl Keyed for Seats {}

#[allow(clippy::unused_async, reason = "a call of a saga is one")]
impl Seats {
    async fn reserve(&self, _cx: &Context, row: u32) -> Result<Seat, SoldOut> {
        if row % 4 == 3 { Err(SoldOut) } else { Ok(Seat { row, ..Seat::default() }) }
    }

    async fn cancel(&self, _cx: &Context, _seat: &Seat) -> Result<(), SoldOut> {
        Ok(())
    }
}

saga! {
    /// Some of them are refused at the second seat.
    saga Seating(row: u32) -> Seat {
        with seats: Seats;
        step first: Seat = seats.reserve(cx, *row & !3) compensate seats.cancel(cx, first);
        step second: Seat = seats.reserve(cx, *row) compensate seats.cancel(cx, second);
        return Seat { row: first.row + second.row, ..Seat::default() };
    }
}

/// steno 0.5.0 (measured): a finished saga is never freed, and keeps 14.8 KB each for ever.
#[test]
fn a_finished_saga_is_never_freed() {
    const SAGAS: u32 = 4_000;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let log = MemoryLog::new();
    let coordinator =
        Coordinator::builder(log.clone()).register::<Seating>(SeatingParticipants { seats: Seats });
    let coordinator = runtime.block_on(coordinator.start()).unwrap();
    let run = |numbers: std::ops::Range<u32>| {
        runtime.block_on(async {
            for number in numbers {
                let begun = coordinator.begin::<Seating>(format!("s-{number}"), number).await.unwrap();
                let is_completed = matches!(begun.outcome().await.unwrap(), Outcome::Completed(_));
                assert_eq!(is_completed, number % 4 != 3);
            }
            // Whoever has ended tells that first, and is let go then.
            sleep(Duration::from_secs(1)).await;
        });
    };
    run(0..SAGAS);
    let grown = measure(|| run(SAGAS..2 * SAGAS)).bytes_current;
    assert_eq!((coordinator.running(), SEATS.load(Ordering::SeqCst)), (0, 0));

    // A log in memory keeps the histories: that much is its own.
    let copy = MemoryLog::new();
    runtime.block_on(copy_all(&log, &copy, 0..SAGAS));
    let of_log = measure(|| runtime.block_on(copy_all(&log, &copy, SAGAS..2 * SAGAS))).bytes_current;
    let kept_for_each = (grown - of_log) / i64::from(SAGAS);
    println!("{grown} bytes, of which {of_log} in the log: {kept_for_each} for each of {SAGAS} sagas");
    assert!(kept_for_each.abs() < 64, "{kept_for_each} bytes are kept for each saga that has ended");
}

/// Writes the same histories into another log, each saga in as many appends.
async fn copy_all(from: &MemoryLog, to: &MemoryLog, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let id = SagaId::new(format!("s-{number}")).unwrap();
        let History { begin, records, status, .. } = from.history(&id).await.unwrap().unwrap();
        let append = Append {
            saga: id,
            begin: Some(begin),
            first_seq: 0,
            records,
            status,
            wake: Wake::Now,
            locks: None,
        };
        assert_eq!(to.append(vec![append]).await, [Ok(())]);
    }
}
