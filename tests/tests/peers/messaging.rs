//! Sagas over messages and queues: Camunda, dtm, `MassTransit`, Eventuate Tram, `NServiceBus`.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use saga_participant::rusqlite::Barrier;
use saga_participant::{Action, Answer, Compensated, Compensation, UndoError, WorkError};
use saga_runtime::coordinator::{SendError, Unclaimed};
use saga_runtime::log::{MemoryLog, SagaLog};
use saga_runtime::machine::Effect;
use saga_runtime::{Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::desk::{Desk, Mood};
use saga_tests::world::{Fault, Prudent, SLOW, Which, World};
use tokio::time::{Instant, sleep};

use super::scene::{action, begin, compensation, held, start, told};

const HOUR: Duration = Duration::from_hours(1);

/// Camunda 8 (docs, compensation events): all compensation handlers are invoked at once, in no order.
#[tokio::test(start_paused = true)]
async fn all_compensations_run_at_once() {
    let (log, world) = (MemoryLog::new(), World::new());
    world.script_all("car", Which::Action, Fault::Unreachable, 2);
    let steps = ["flight", "hotel", "car"];
    for step in steps {
        world.script(compensation(step, 1), Fault::Slow);
    }
    let (coordinator, begun) = (start(&log, &world).await, Instant::now());
    let outcome = begin(&coordinator, "s-1").await.outcome().await;
    assert!(matches!(outcome, Ok(Outcome::Compensated(_))), "{outcome:?}");
    // The third call of the car asks by the same key what became of the first two.
    assert_eq!(told(&world.calls()), "flight hotel car car car -car -hotel -flight");
    assert_eq!(world.most_in_flight(), 1);
    assert!(begun.elapsed() >= 3 * SLOW, "each waits for the one before");
    assert_eq!(held(&world), Vec::<String>::new());
}

/// A service of ours: seats in a file, beside the barrier.
struct Seats(Connection);

impl Seats {
    const BARRIER: Barrier = Barrier::new();

    /// The process of the service starts, for the first time or after a crash.
    fn start(path: &Path) -> Self {
        let database = Connection::open(path).unwrap();
        Self::BARRIER.create(&database).unwrap();
        database.execute_batch("CREATE TABLE IF NOT EXISTS seat (number INTEGER PRIMARY KEY)").unwrap();
        Self(database)
    }

    fn begin(&mut self) -> Transaction<'_> {
        self.0.transaction_with_behavior(TransactionBehavior::Immediate).unwrap()
    }

    fn reserve(&mut self) -> Answer<i64, ()> {
        let action = Action::new("BookTrip/s-1/flight", "reserve", &()).unwrap();
        let work = |tx: &Transaction<'_>| {
            tx.execute("INSERT INTO seat DEFAULT VALUES", ()).map_err(WorkError::failed)?;
            Ok(tx.last_insert_rowid())
        };
        Self::BARRIER.action(self.begin(), &action, work).unwrap().commit().unwrap()
    }

    /// Where `dies`, the process ends just before the commit.
    fn cancel(&mut self, dies: bool) -> Option<Compensated<i64>> {
        let key = "BookTrip/s-1/flight";
        let compensation = Compensation::new(key, "cancel", &()).unwrap();
        let undo = |tx: &Transaction<'_>, number: i64| {
            tx.execute("DELETE FROM seat WHERE number = ?1", [number]).map_err(UndoError::failed)?;
            Ok(number)
        };
        let answer = Self::BARRIER.compensation(self.begin(), &compensation, undo).unwrap();
        if dies { None } else { Some(answer.commit().unwrap()) }
    }

    fn held(&self) -> i64 {
        self.0.query_row("SELECT count(*) FROM seat", (), |row| row.get(0)).unwrap()
    }
}

/// dtm (issue 453, and `barrier.go`): after a rollback that comes first and a crash that follows it, the action is still
/// committed when it comes late; and a duplicate of an action is told success, without the output that was stored.
#[test]
fn an_action_is_committed_after_its_rollback_and_a_duplicate_gets_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let late = folder.path().join("late.db");
    // The rollback overtakes the action, the service dies in it or right after it, and it is sent again.
    for dies in [true, false] {
        let mut seats = Seats::start(&late);
        let answer = seats.cancel(dies);
        assert_eq!(answer, (!dies).then_some(Compensated::NothingToUndo));
    }
    let mut seats = Seats::start(&late);
    assert_eq!(seats.cancel(false), Some(Compensated::NothingToUndo));
    assert_eq!(seats.reserve(), Answer::Superseded);
    assert_eq!(seats.held(), 0);

    let twice = folder.path().join("twice.db");
    let first = Seats::start(&twice).reserve();
    let mut seats = Seats::start(&twice);
    assert_eq!(
        (&first, seats.reserve()),
        (&Answer::Done(1), Answer::Done(1)),
        "the duplicate is told the output"
    );
    assert_eq!(seats.held(), 1);
    // And so is a rollback, whose process dies first.
    assert_eq!(seats.cancel(true), None);
    let mut seats = Seats::start(&twice);
    assert_eq!((seats.held(), seats.cancel(false)), (1, Some(Compensated::Undone(1))));
    assert_eq!((seats.cancel(false), seats.reserve()), (Some(Compensated::Undone(1)), Answer::Superseded));
    assert_eq!(seats.held(), 0);
}

saga! {
    /// Two things at once, each of which takes two steps.
    saga Tour() -> u32 {
        with desk: Desk;
        retry 1 times every 100ms..200ms;

        parallel {
            {
                step bus: u32 = desk.ask(cx) compensate desk.undo(cx);
                step guide: u32 = desk.ask(cx) compensate desk.undo(cx);
            }
            {
                step hotel: u32 = desk.ask(cx) compensate desk.undo(cx);
                step dinner: u32 = desk.ask(cx) compensate desk.undo(cx);
            }
        }
        pivot paid: u32 = desk.ask(cx);

        return bus + guide + hotel + dinner + paid;
    }
}

/// `MassTransit`'s Courier and Cloudflare Workflows (read): the chain of compensations stops at the first that fails.
#[tokio::test(start_paused = true)]
async fn the_chain_of_compensations_stops_at_the_first_that_fails() {
    let desk = Desk::new();
    desk.becomes(Mood::Refuses, "s-1/paid");
    desk.becomes(Mood::Refuses, "-s-1/guide");
    let builder =
        Coordinator::builder(MemoryLog::new()).register::<Tour>(TourParticipants { desk: desk.clone() });
    let coordinator = builder.start().await.unwrap();
    let begun = coordinator.begin::<Tour>("s-1", ()).await.unwrap();
    let tour = begun.handle().unwrap();
    sleep(HOUR).await;
    // It keeps nothing but what it has to be done before. What that is, is shown.
    assert_eq!(desk.held(), ["s-1/bus", "s-1/guide"]);
    let SagaStatus::Parked(parked) = tour.status() else { panic!("{}", tour.status()) };
    assert_eq!(parked.residue, [("bus".into(), Effect::Done), ("guide".into(), Effect::Done)]);
    desk.calms_down();
    assert!(matches!(tour.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(desk.held(), Vec::<String>::new());
}

mod before {
    use super::{Prudent, saga};

    saga! {
        pub(super) saga Pack(order: u32) -> u32 {
            with desk: Prudent;
            step carton: u32 = desk.reserve(cx) compensate desk.cancel(cx, carton);
            step label: u32 = desk.reserve(cx) compensate desk.cancel(cx, label);
            step stamp: u32 = desk.reserve(cx) compensate desk.cancel(cx, stamp);
            return order + carton + label + stamp;
        }
    }
}

mod after {
    use super::{Prudent, saga};

    saga! {
        pub(super) saga Pack(order: u32) -> u32 {
            with desk: Prudent;
            step label: u32 = desk.reserve(cx) compensate desk.cancel(cx, label);
            step carton: u32 = desk.reserve(cx) compensate desk.cancel(cx, carton);
            step stamp: u32 = desk.reserve(cx) compensate desk.cancel(cx, stamp);
            return order + carton + label + stamp;
        }
    }
}

/// Eventuate Tram (read): the state of a saga is the *index* of a step, so that reordering steps breaks those that run.
#[tokio::test(start_paused = true)]
async fn reordered_steps_break_the_sagas_that_run() {
    let (log, world) = (MemoryLog::new(), World::new());
    let desk = || Prudent(world.clone());
    world.script(action("label", 1), Fault::Slow);
    let builder = Coordinator::builder(log.clone());
    let builder = builder.register::<before::Pack>(before::PackParticipants { desk: desk() });
    let coordinator = builder.start().await.unwrap();
    drop(coordinator.begin::<before::Pack>("s-1", 7).await.unwrap());
    coordinator.shutdown().await;
    world.heal();
    let until_then = (world.calls(), held(&world));
    assert_eq!(until_then.1, ["Pack/s-1/carton", "Pack/s-1/label"]);

    // The program knows the steps in another order: it leaves what it could only continue wrongly, and says so.
    let builder = Coordinator::builder(log.clone());
    let builder = builder.register::<after::Pack>(after::PackParticipants { desk: desk() });
    let coordinator = builder.start().await.unwrap();
    let left = Unclaimed {
        id: SagaId::new("s-1").unwrap(),
        definition: "Pack".to_owned(),
        fingerprint: before::Pack::DEFINITION.fingerprint(),
        registered: vec![after::Pack::DEFINITION.fingerprint()],
    };
    assert_eq!((&coordinator.recovery().unclaimed, coordinator.recovery().resumed), (&vec![left], 0));
    sleep(HOUR).await;
    assert_eq!((world.calls(), held(&world)), until_then);
    coordinator.shutdown().await;

    // It knows both: what was begun in the one order ends in it, and new ones take the other.
    let builder = Coordinator::builder(log);
    let builder = builder.register::<before::Pack>(before::PackParticipants { desk: desk() });
    let builder = builder.register::<after::Pack>(after::PackParticipants { desk: desk() });
    let coordinator = builder.start().await.unwrap();
    let old = coordinator.find::<before::Pack>(&SagaId::new("s-1").unwrap()).await.unwrap().unwrap();
    assert!(matches!(old.outcome().await, Ok(Outcome::Completed(_))));
    let new = coordinator.begin::<after::Pack>("s-2", 7).await.unwrap();
    assert!(matches!(new.outcome().await, Ok(Outcome::Completed(_))));
    assert_eq!(told(&world.calls()), "carton label stamp label carton stamp");
    assert_eq!(held(&world).len(), 6);
}

saga! {
    /// Waits for the money, and then some days before it packs.
    saga Order() -> u32 {
        with desk: Desk;

        step goods: u32 = desk.ask(cx) compensate desk.undo(cx);
        receive paid: u32 within 24h;
        sleep 72h;
        step parcel: u32 = desk.ask(cx) compensate desk.undo(cx);

        return goods + paid + parcel;
    }
}

async fn order(log: &MemoryLog, desk: &Desk) -> (Coordinator, Handle<Order>) {
    let builder =
        Coordinator::builder(log.clone()).register::<Order>(OrderParticipants { desk: desk.clone() });
    let coordinator = builder.start().await.unwrap();
    let order = coordinator.begin::<Order>("s-1", ()).await.unwrap().handle().unwrap().clone();
    (coordinator, order)
}

/// `MassTransit` (issues 3551, 4947 and 6131): an event in a state that does not expect it is an error at run time, which
/// faults the message.
#[tokio::test(start_paused = true)]
async fn an_event_that_its_state_does_not_expect_fails_at_run_time() {
    // Here it does not compile: these are cases of `mistakes_are_reported_and_the_rest_compiles`.
    let transition = include_str!("../../ui/fail/transition_of_another_position.stderr");
    assert!(transition.contains("no method named `compensated` found for struct `BookFlightStep`"));
    assert!(transition.contains("no method named `done` found for struct `BookHotelCompensation`"));
    let signal = include_str!("../../ui/fail/signal_of_another_saga.stderr");
    assert!(signal.contains("expected `ApprovedSignal`, found `OtherSignal`"));

    // A signal of its own that comes twice, or when all is over, is answered, and changes nothing.
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let (_coordinator, order) = order(&log, &desk).await;
    order.send(OrderSignal::Paid(5)).await.unwrap();
    sleep(HOUR).await;
    let twice = order.send(OrderSignal::Paid(6)).await;
    assert!(matches!(&twice, Err(SendError::TooLate { reason, .. }) if !reason.is_empty()), "{twice:?}");
    assert_eq!(order.outcome().await, Ok(Outcome::Completed(1 + 5 + 1)));
    let late = order.send(OrderSignal::Paid(7)).await;
    assert!(matches!(&late, Err(SendError::TooLate { reason, .. }) if reason == "completed"), "{late:?}");
    assert_eq!(desk.held(), ["s-1/goods", "s-1/parcel"]);
}

/// `NServiceBus` (issue 7239): a time-out that was requested cannot be revoked, and comes when it is long meaningless.
#[tokio::test(start_paused = true)]
async fn a_timeout_comes_although_its_signal_came_before() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let (coordinator, order) = order(&log, &desk).await;
    sleep(HOUR).await;
    order.send(OrderSignal::Paid(5)).await.unwrap();
    sleep(HOUR).await;
    // One timer is left: that of the sleep, in 71 hours.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let due = log.next_wake(0).await.unwrap().map(Duration::from_millis).unwrap();
    assert!(due > now + 70 * HOUR, "{due:?}, and now is {now:?}");
    assert_eq!((log.waiting(0).await, coordinator.running()), (Ok(1), 0));
    let before = order.history().await.unwrap().records.len();
    // The time at which it would have come is long over.
    sleep(60 * HOUR).await;
    assert_eq!(order.history().await.unwrap().records.len(), before);
    assert_eq!(desk.story(), ["s-1/goods"]);
    assert_eq!(order.outcome().await, Ok(Outcome::Completed(1 + 5 + 1)));
    assert_eq!((log.next_wake(0).await, desk.story().len()), (Ok(None), 2));
}
