//! The coordinator, in virtual time: how it executes a saga, and what it does when things go wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::coordinator::{HandleError, Parked};
use saga_runtime::log::{History, MemoryLog, SagaLog};
use saga_runtime::machine::{CallKind, Cause, Effect, State};
use saga_runtime::{Begun, CancelAnswer, Coordinator, Handle, Outcome, RunsOn, SagaId, SagaStatus, saga};
use saga_tests::logs::{LogFault, TestLog};
use saga_tests::sagas::{Basket, Nest, Parcel, Payment, Quote, Shape, Tour, Trip};
use saga_tests::world::{Fault, Place, Prudent, SLOW, Which, World};
use tokio::time::Instant;

const fn action(step: &'static str, nth: u32) -> Place {
    Place { step, which: Which::Action, nth }
}

const fn compensation(step: &'static str, nth: u32) -> Place {
    Place { step, which: Which::Compensation, nth }
}

async fn start<S: Shape + RunsOn<L>, L: SagaLog>(log: L, world: &World) -> Coordinator {
    Coordinator::builder(log).register::<S>(S::participants(world)).start().await.unwrap()
}

async fn begin<S: Shape>(coordinator: &Coordinator, id: &str) -> Handle<S> {
    coordinator.begin::<S>(id, 7).await.unwrap().handle().unwrap().clone()
}

/// The records that the log of a running saga holds.
async fn story_now<S: Shape>(handle: &Handle<S>) -> Vec<String> {
    words(handle.history().await.unwrap())
}

/// A saga in a world of its own.
async fn alone<S: Shape>(world: &World) -> (Coordinator, Handle<S>) {
    let coordinator = start::<S, _>(TestLog::new(MemoryLog::new()), world).await;
    let handle = begin::<S>(&coordinator, "s").await;
    (coordinator, handle)
}

async fn ends<S: Shape>(world: &World) -> Outcome<u32> {
    let (_coordinator, handle) = alone::<S>(world).await;
    handle.outcome().await.unwrap()
}

fn refused(step: &'static str) -> Outcome<u32> {
    Outcome::Compensated(Cause::Refused { step, message: "sold out".to_owned() })
}

/// The saga that another coordinator began.
async fn resumed<S: Shape>(coordinator: &Coordinator, id: &str) -> Begun<S> {
    coordinator.find::<S>(&SagaId::new(id).unwrap()).await.unwrap().unwrap()
}

/// The records of a saga: `flight done`.
async fn story(log: &MemoryLog, id: &str) -> Vec<String> {
    words(log.history(&SagaId::new(id).unwrap()).await.unwrap().unwrap())
}

fn words(history: History) -> Vec<String> {
    let records = history.records.into_iter();
    records.map(|record| record.step.map_or(String::new(), |step| step + " ") + &record.event).collect()
}

async fn until_parked<S: Shape>(handle: &Handle<S>) -> Parked {
    match handle.settled().await {
        SagaStatus::Parked(parked) => parked,
        status => panic!("{status}"),
    }
}

/// Lets time pass, and everything that is due in it happen.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

mod success {
    use super::*;

    async fn completes_with_its_appends<S: Shape>() {
        let world = World::new();
        let log = TestLog::new(MemoryLog::new());
        let coordinator = start::<S, _>(log.clone(), &world).await;
        let handle = begin::<S>(&coordinator, "s").await;
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
        assert_eq!(log.appends(), S::APPENDS, "{:?}", log.story());
        assert!(matches!(handle.state().await, Ok(State::Completed)));
        assert_eq!(coordinator.running(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn n_steps_cost_n_plus_one_appends() {
        completes_with_its_appends::<Basket>().await;
        completes_with_its_appends::<Nest>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_last_step_that_is_the_pivot_costs_no_further_append() {
        completes_with_its_appends::<Payment>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_explicit_pivot_costs_one_more() {
        completes_with_its_appends::<Trip>().await;
        completes_with_its_appends::<Tour>().await;
        completes_with_its_appends::<Quote>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_coordinator_decides_costs_none() {
        completes_with_its_appends::<Parcel>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_branches_of_a_parallel_run_at_the_same_time() {
        let world = World::new();
        for step in ["alone", "left", "right"] {
            world.script(action(step, 1), Fault::Slow);
        }
        let started = Instant::now();
        assert_eq!(ends::<Nest>(&world).await, Outcome::Completed(7));
        assert_eq!(started.elapsed(), SLOW);
    }
}

mod retries {
    use super::*;

    saga! {
        /// Has many retries.
        saga Patient(number: u32) -> u32 {
            with desk: Prudent;
            timeout 1s;
            retry 4 times every 100ms..400ms;

            step only: u32 = desk.reserve(cx) compensate desk.cancel(cx, only);

            return number + only - only;
        }
    }

    impl Shape for Patient {
        const EFFECTS: &'static [&'static str] = &["only"];
        const APPENDS: usize = 2;

        fn participants(world: &World) -> PatientParticipants {
            PatientParticipants { desk: Prudent(world.clone()) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_back_off_doubles_up_to_its_cap() {
        let world = World::new();
        world.script_all("only", Which::Action, Fault::Transient, 4);
        let started = Instant::now();
        assert_eq!(ends::<Patient>(&world).await, Outcome::Completed(7));
        let full = Duration::from_millis(100 + 200 + 400 + 400);
        assert!((full / 2..=full + Duration::from_millis(5)).contains(&started.elapsed()), "{started:?}");
        assert_eq!(world.attempts("only", Which::Action), [1, 2, 3, 4, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_is_unknown_after_its_timeout() {
        let world = World::new();
        world.script(action("only", 1), Fault::NeverArrives);
        let (_coordinator, handle) = alone::<Patient>(&world).await;
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
        let failed = &handle.history().await.unwrap().records[1];
        assert_eq!(failed.data.as_deref(), Some(r#"{"outcome":"unknown","message":"no answer within 1s"}"#));
    }

    #[tokio::test(start_paused = true)]
    async fn a_keyed_call_is_repeated_with_the_same_key_and_takes_effect_once() {
        let world = World::new();
        world.script(action("flight", 1), Fault::LostReply);
        assert_eq!(ends::<Trip>(&world).await, Outcome::Completed(7));
        assert_eq!(world.attempts("flight", Which::Action), [1, 2]);
        assert_eq!(world.effects("Trip/s/flight"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_keyed_is_probed_after_a_lost_reply_and_not_repeated() {
        let world = World::new();
        world.script(action("hotel", 1), Fault::LostReply);
        assert_eq!(ends::<Trip>(&world).await, Outcome::Completed(7));
        assert_eq!(world.attempts("hotel", Which::Action), [1]);
        assert_eq!(world.attempts("hotel", Which::Probe), [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_keyed_is_repeated_only_after_the_probe_found_nothing() {
        let world = World::new();
        world.script(action("ticket", 1), Fault::Late);
        assert_eq!(ends::<Quote>(&world).await, Outcome::Completed(7));
        assert_eq!(world.attempts("ticket", Which::Probe), [2]);
        assert_eq!(world.attempts("ticket", Which::Action), [1, 3]);
        world.settle_down();
        assert_eq!(world.effects("Quote/s/ticket"), 1, "the probe barred the late one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_careless_desk_is_never_asked_twice_after_a_lost_reply() {
        for fault in [Fault::LostReply, Fault::Garbled, Fault::Unreachable, Fault::PanicAfter] {
            let world = World::new();
            world.script(action("second", 1), fault);
            let outcome = ends::<Basket>(&world).await;
            assert!(
                matches!(&outcome, Outcome::Compensated(Cause::GaveUp { step: "second", message }) if message.len() > 20),
                "{outcome:?}"
            );
            assert_eq!(world.count("second", Which::Action), 1, "{fault:?}");
            assert_eq!(world.count("second", Which::Compensation), 1, "{fault:?}: it may have taken effect");
            assert!(world.held().is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_careless_desk_is_asked_again_after_a_failure_that_surely_had_no_effect() {
        let world = World::new();
        world.script(action("second", 1), Fault::Transient);
        assert_eq!(ends::<Basket>(&world).await, Outcome::Completed(7));
        assert_eq!(world.attempts("second", Which::Action), [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_no_of_a_keyed_desk_after_a_lost_request_is_definitive() {
        let world = World::new();
        world.script(action("car", 1), Fault::Late);
        world.script(action("car", 2), Fault::Refuse);
        assert_eq!(ends::<Trip>(&world).await, refused("car"));
        assert_eq!(world.count("car", Which::Compensation), 0);
        world.settle_down();
        assert!(world.held().is_empty(), "{world:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn spent_retries_compensate_what_is_in_doubt_and_not_what_surely_never_was() {
        for (fault, settled) in [(Fault::Transient, 0), (Fault::Unreachable, 1), (Fault::Garbled, 1)] {
            let world = World::new();
            world.script_all("car", Which::Action, fault, 2);
            let outcome = ends::<Trip>(&world).await;
            assert!(
                matches!(outcome, Outcome::Compensated(Cause::GaveUp { step: "car", .. })),
                "{outcome:?}"
            );
            assert_eq!(world.count("car", Which::Action), 2 + settled, "{fault:?}: settled by the same key");
            assert_eq!(world.count("car", Which::Compensation), settled, "{fault:?}");
            assert_eq!(world.count("flight", Which::Compensation), 1, "{fault:?}");
            assert!(world.held().is_empty(), "{world:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_doubt_is_settled_at_once_when_the_saga_turns_whatever_its_back_off() {
        // The car waits for its second attempt, which is due in up to 20 s, when the hotel says no.
        let world = World::new();
        world.script(action("car", 1), Fault::Garbled);
        world.script(action("hotel", 1), Fault::Refuse);
        let coordinator = Coordinator::builder(MemoryLog::new())
            .register::<Relaxed>(RelaxedParticipants { desk: Prudent(world.clone()) })
            .start()
            .await
            .unwrap();
        let started = Instant::now();
        let begun = coordinator.begin::<Relaxed>("s", ()).await.unwrap();
        begun.outcome().await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        assert!(world.held().is_empty());
    }

    saga! {
        /// Takes its time between attempts.
        saga Relaxed() {
            with desk: Prudent;
            retry 3 times every 20s..20s;

            parallel {
                step car: u32 = desk.reserve(cx) compensate desk.cancel(cx, car) { timeout 60s };
                step hotel: u32 = desk.reserve(cx) compensate desk.cancel(cx, hotel);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_back_off_of_the_way_forward_is_forgotten_on_the_way_back() {
        // It would be due while the compensation is in flight, and the coordinator would turn in circles.
        let world = World::new();
        world.script(action("car", 1), Fault::Unreachable);
        world.script(compensation("car", 1), Fault::NeverArrives);
        world.script(action("hotel", 1), Fault::Refuse);
        let coordinator = Coordinator::builder(MemoryLog::new())
            .register::<ByKey>(ByKeyParticipants { desk: Prudent(world.clone()) })
            .start()
            .await
            .unwrap();
        let begun = coordinator.begin::<ByKey>("s", ()).await.unwrap();
        assert!(matches!(begun.outcome().await, Ok(Outcome::Compensated(_))));
        assert_eq!(world.attempts("car", Which::Compensation), [1, 2]);
    }

    saga! {
        /// Compensates by key.
        pub(super) saga ByKey() {
            with desk: Prudent;
            retry 3 times every 1s..1s;

            parallel {
                step car: u32 = desk.reserve(cx) compensate desk.cancel(cx, &0);
                step hotel: u32 = desk.reserve(cx) compensate desk.cancel(cx, &0);
            }
        }
    }
}

mod pivot {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pivot_that_surely_had_no_effect_is_given_up() {
        let world = World::new();
        world.script_all("receipt", Which::Action, Fault::Transient, 2);
        let outcome = ends::<Trip>(&world).await;
        assert!(
            matches!(outcome, Outcome::Compensated(Cause::GaveUp { step: "receipt", .. })),
            "{outcome:?}"
        );
        assert!(world.held().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pivot_in_doubt_is_never_abandoned() {
        let world = World::new();
        world.script_all("receipt", Which::Action, Fault::Unreachable, 1000);
        let (_coordinator, handle) = alone::<Trip>(&world).await;
        let parked = until_parked(&handle).await;
        assert!(parked.calls[0].goes_on && parked.calls[0].step == "receipt", "{parked}");
        assert!(parked.residue.contains(&("receipt".into(), Effect::InDoubt)), "{parked}");
        pass(Duration::from_mins(1)).await;
        assert!(world.count("receipt", Which::Action) > 100, "it is tried on");
        world.heal();
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
        assert_eq!(world.effects("Trip/s/receipt"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_after_the_pivot_parks_until_an_operator_tries_again() {
        let world = World::new();
        world.script(action("ticket", 1), Fault::Refuse);
        let (_coordinator, handle) = alone::<Quote>(&world).await;
        let parked = until_parked(&handle).await;
        assert!(!parked.calls[0].goes_on && parked.calls[0].message == "sold out", "{parked}");
        let done = |step: &'static str| (step.into(), Effect::Done);
        assert_eq!(parked.residue, [done("seat"), done("room"), done("pay")]);
        pass(Duration::from_hours(24)).await;
        assert_eq!(world.count("ticket", Which::Action), 1, "nobody tries it again by himself");
        handle.retry().await.unwrap();
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
        assert_eq!(world.attempts("ticket", Which::Action), [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_after_the_pivot_is_tried_until_it_is_done() {
        let world = World::new();
        world.script_all("voucher", Which::Action, Fault::Transient, 20);
        let (_coordinator, handle) = alone::<Trip>(&world).await;
        assert!(until_parked(&handle).await.calls[0].goes_on);
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
        assert_eq!(world.count("voucher", Which::Action), 21);
    }

    #[tokio::test(start_paused = true)]
    async fn the_residue_names_what_is_in_flight_too() {
        // The invoice is not answered yet when the ticket is refused for good.
        let world = World::new();
        world.script(action("ticket", 1), Fault::Refuse);
        world.script(action("invoice", 1), Fault::LostReply);
        let (_coordinator, handle) = alone::<Tour>(&world).await;
        let parked = until_parked(&handle).await;
        assert!(parked.residue.contains(&("invoice".into(), Effect::InDoubt)), "{parked}");
    }
}

mod compensations {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_compensation_that_fails_is_tried_for_ever_and_shown() {
        let world = World::new();
        world.script(action("car", 1), Fault::Refuse);
        world.script_all("flight", Which::Compensation, Fault::Refuse, 10_000);
        let (_coordinator, handle) = alone::<Trip>(&world).await;
        let parked = until_parked(&handle).await;
        assert_eq!(
            (parked.calls[0].kind, parked.calls[0].goes_on),
            (CallKind::Compensation, true),
            "{parked}"
        );
        assert_eq!(parked.residue, [("flight".into(), Effect::Done)]);
        pass(Duration::from_mins(1)).await;
        assert!(world.count("flight", Which::Compensation) > 100);
        assert!(matches!(handle.status(), SagaStatus::Parked(_)), "never reported as compensated with a gap");
        world.heal();
        assert_eq!(handle.outcome().await, Ok(refused("car")));
        assert!(world.held().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_compensation_that_fails_does_not_keep_other_branches_from_theirs() {
        let world = World::new();
        world.script(action("receipt", 1), Fault::Refuse);
        world.script_all("car", Which::Compensation, Fault::Transient, 10_000);
        let (_coordinator, handle) = alone::<Trip>(&world).await;
        until_parked(&handle).await;
        let held = world.held().into_keys().collect::<Vec<_>>();
        assert_eq!(
            held,
            ["Trip/s/car", "Trip/s/flight"],
            "the hotel is given back, the flight waits for the car"
        );
        world.heal();
        assert_eq!(handle.outcome().await, Ok(refused("receipt")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_in_a_compensation_waits_for_an_operator() {
        let world = World::new();
        world.script(action("car", 1), Fault::Refuse);
        world.script(compensation("flight", 1), Fault::PanicAfter);
        let (_coordinator, handle) = alone::<Trip>(&world).await;
        let parked = until_parked(&handle).await;
        assert!(!parked.calls[0].goes_on && parked.calls[0].message.contains("panicked"), "{parked}");
        pass(Duration::from_hours(1)).await;
        assert_eq!(world.count("flight", Which::Compensation), 1);
        handle.retry().await.unwrap();
        assert_eq!(handle.outcome().await, Ok(refused("car")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_parked_says_why_also_after_a_restart() {
        let world = World::new();
        world.script(action("car", 1), Fault::Refuse);
        world.script(compensation("flight", 1), Fault::PanicBefore);
        let log = MemoryLog::new();
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        let before = until_parked(&begin::<Trip>(&coordinator, "s").await).await;
        coordinator.shutdown().await;
        let coordinator = start::<Trip, _>(log, &world).await;
        let after = until_parked(resumed::<Trip>(&coordinator, "s").await.handle().unwrap()).await;
        assert_eq!(after, before);
    }

    #[tokio::test(start_paused = true)]
    async fn an_action_that_panics_is_in_doubt() {
        for fault in [Fault::PanicBefore, Fault::PanicAfter] {
            let world = World::new();
            world.script(action("flight", 1), fault);
            assert_eq!(ends::<Trip>(&world).await, Outcome::Completed(7));
            assert_eq!(world.effects("Trip/s/flight"), 1);
            assert_eq!(world.attempts("flight", Which::Action), [1, 2]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sibling_in_flight_is_awaited_and_then_compensated() {
        let world = World::new();
        world.script(action("museum", 1), Fault::Refuse);
        world.script(action("bus", 1), Fault::Slow);
        let (_coordinator, handle) = alone::<Tour>(&world).await;
        pass(SLOW / 2).await;
        assert!(!world.calls().iter().any(|place| place.which == Which::Compensation), "it waits: {world:?}");
        assert_eq!(handle.outcome().await, Ok(refused("museum")));
        assert_eq!(world.count("bus", Which::Compensation), 1);
        for step in ["lunch", "audio", "map", "payment"] {
            assert_eq!(world.count(step, Which::Action), 0, "`{step}` was never opened, and is not now");
        }
        let story = story_now(&handle).await;
        let place = |record: &str| story.iter().position(|r| r == record).unwrap();
        assert!(
            place("bus done") < place("bus compensated")
                && place("bus compensated") < place("guide compensated")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn compensation_goes_in_reverse() {
        let world = World::new();
        world.script(action("third", 1), Fault::Refuse);
        let (_coordinator, handle) = alone::<Basket>(&world).await;
        handle.outcome().await.unwrap();
        let story = story_now(&handle).await;
        assert_eq!(
            story,
            [
                "begun",
                "first done",
                "second done",
                "third refused",
                "second compensated",
                "first compensated"
            ]
        );
    }
}

mod cancel {
    use super::*;

    /// Cancels while the call at `place` is in flight.
    async fn cancelled_at<S: Shape>(world: &World, place: Place) -> (CancelAnswer, Outcome<u32>) {
        let noticed = world.watch(place);
        let (_coordinator, handle) = alone::<S>(world).await;
        noticed.await;
        let answer = handle.cancel("no more").await.unwrap();
        (answer, handle.outcome().await.unwrap())
    }

    fn cancelled() -> Outcome<u32> {
        Outcome::Compensated(Cause::Cancelled { reason: "no more".to_owned() })
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_pivot_it_compensates_at_every_position() {
        for step in ["flight", "hotel", "car"] {
            for fault in [Fault::Slow, Fault::LostReply, Fault::NeverArrives] {
                let world = World::new();
                world.script(action(step, 1), fault);
                assert_eq!(
                    cancelled_at::<Trip>(&world, action(step, 1)).await,
                    (CancelAnswer::Cancelled, cancelled())
                );
                assert!(world.held().is_empty(), "{step} {fault:?}: {world:?}");
                assert_eq!(world.count("receipt", Which::Action), 0);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_pivot_is_open_its_outcome_decides() {
        let done = (CancelAnswer::TooLate, Outcome::Completed(7));
        let undone = (CancelAnswer::Cancelled, cancelled());
        let cases = [
            (Fault::Slow, None, done.clone()),
            (Fault::LostReply, None, done.clone()),
            (Fault::NeverArrives, Some(Fault::Refuse), undone.clone()),
            (Fault::NeverArrives, None, done),
        ];
        for (first, second, expected) in cases {
            let world = World::new();
            world.script(action("receipt", 1), first);
            if let Some(second) = second {
                world.script(action("receipt", 2), second);
            }
            assert_eq!(
                cancelled_at::<Trip>(&world, action("receipt", 1)).await,
                expected,
                "{first:?} {second:?}"
            );
        }
        let world = World::new();
        world.script(Place { step: "pay", which: Which::Action, nth: 1 }, Fault::NeverArrives);
        assert_eq!(cancelled_at::<Quote>(&world, action("pay", 1)).await, undone, "the probe found nothing");
        assert!(world.held().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_pivot_it_is_too_late() {
        let world = World::new();
        world.script(action("voucher", 1), Fault::Slow);
        let expected = (CancelAnswer::TooLate, Outcome::Completed(7));
        assert_eq!(cancelled_at::<Trip>(&world, action("voucher", 1)).await, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_reason_stands() {
        let world = World::new();
        world.script(action("flight", 1), Fault::Slow);
        let noticed = world.watch(action("flight", 1));
        let (_coordinator, handle) = alone::<Trip>(&world).await;
        noticed.await;
        let answers = tokio::join!(handle.cancel("no more"), handle.cancel("really"));
        assert_eq!(answers, (Ok(CancelAnswer::Cancelled), Ok(CancelAnswer::Cancelled)));
        assert_eq!(handle.outcome().await, Ok(cancelled()));
        assert_eq!(handle.cancel("once more").await, Ok(CancelAnswer::Cancelled), "it was");
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_that_waits_for_a_back_off_is_cancelled_at_once() {
        let world = World::new();
        world.script(action("flight", 1), Fault::Transient);
        let (_coordinator, handle) = alone::<Trip>(&world).await;
        pass(Duration::from_millis(1)).await;
        assert_eq!(handle.cancel("no more").await, Ok(CancelAnswer::Cancelled));
        assert_eq!(handle.outcome().await, Ok(cancelled()));
        assert_eq!(world.calls(), [action("flight", 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_that_was_stopped_is_not_said_to_be_past_its_pivot() {
        let world = World::new();
        world.script(action("flight", 1), Fault::Slow);
        let log = MemoryLog::new();
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        let handle = begin::<Trip>(&coordinator, "s").await;
        coordinator.shutdown().await;
        assert_eq!(handle.cancel("no more").await, Err(HandleError::Stopped(SagaId::new("s").unwrap())));
    }
}

mod limits {
    use super::*;

    async fn all_complete<S: Shape>(coordinator: &Coordinator, sagas: usize) {
        let mut handles = Vec::new();
        for number in 0..sagas {
            handles.push(begin::<S>(coordinator, &format!("s-{number}")).await);
        }
        for handle in handles {
            assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
        }
    }

    fn slow_world() -> World {
        let world = World::new();
        for step in Trip::EFFECTS {
            world.script_all(step, Which::Action, Fault::Slow, 1000);
        }
        world
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_are_in_flight_than_allowed() {
        let world = slow_world();
        let builder = Coordinator::builder(MemoryLog::new()).calls_at_once(3);
        let coordinator = builder.register::<Trip>(Trip::participants(&world)).start().await.unwrap();
        all_complete::<Trip>(&coordinator, 20).await;
        assert_eq!(world.most_in_flight(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_sagas_have_calls_in_flight_than_allowed() {
        let world = slow_world();
        let builder = Coordinator::builder(MemoryLog::new()).sagas_at_once(2);
        let coordinator = builder.register::<Trip>(Trip::participants(&world)).start().await.unwrap();
        all_complete::<Trip>(&coordinator, 20).await;
        assert_eq!(world.most_in_flight(), 4, "two sagas, each in its parallel of two");
    }

    #[tokio::test(start_paused = true)]
    async fn the_narrowest_limits_do_not_make_a_deadlock() {
        let world = slow_world();
        let builder = Coordinator::builder(MemoryLog::new()).calls_at_once(1).sagas_at_once(1);
        let coordinator = builder.register::<Trip>(Trip::participants(&world)).start().await.unwrap();
        all_complete::<Trip>(&coordinator, 20).await;
        assert_eq!(world.most_in_flight(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_parked_saga_takes_nobodys_place() {
        let world = World::new();
        world.script(action("ticket", 1), Fault::Refuse);
        let builder = Coordinator::builder(MemoryLog::new()).sagas_at_once(1);
        let coordinator = builder.register::<Quote>(Quote::participants(&world)).start().await.unwrap();
        let parked = begin::<Quote>(&coordinator, "parked").await;
        until_parked(&parked).await;
        all_complete::<Quote>(&coordinator, 3).await;
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_free_call_is_no_part_of_the_timeout() {
        let world = slow_world();
        let builder = Coordinator::builder(MemoryLog::new()).calls_at_once(1);
        let coordinator = builder.register::<Trip>(Trip::participants(&world)).start().await.unwrap();
        all_complete::<Trip>(&coordinator, 10).await;
        assert_eq!(world.calls().len(), 50, "nothing was tried twice");
    }
}

mod shutdown {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_records_what_is_in_flight_and_starts_nothing_new() {
        let world = World::new();
        world.script(action("flight", 1), Fault::Slow);
        let log = MemoryLog::new();
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        let handle = begin::<Trip>(&coordinator, "s").await;
        pass(SLOW / 2).await;
        coordinator.shutdown().await;
        assert_eq!(handle.status(), SagaStatus::Stopped);
        assert_eq!(handle.outcome().await, Err(HandleError::Stopped(SagaId::new("s").unwrap())));
        assert_eq!(world.calls(), [action("flight", 1)]);
        assert_eq!(story(&log, "s").await, ["begun", "flight done", "hotel not sent", "car not sent"]);

        let coordinator = start::<Trip, _>(log, &world).await;
        assert_eq!(coordinator.recovery().resumed, 1);
        let outcome = resumed::<Trip>(&coordinator, "s").await.outcome().await;
        assert_eq!(outcome, Ok(Outcome::Completed(7)));
        assert_eq!(world.attempts("hotel", Which::Action), [1], "nobody doubted what was never sent");
        assert_eq!(world.count("hotel", Which::Probe), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_a_free_call_was_never_sent() {
        let world = World::new();
        world.script(action("first", 1), Fault::Slow);
        let log = MemoryLog::new();
        let builder = Coordinator::builder(log.clone()).calls_at_once(1);
        let coordinator = builder.register::<Basket>(Basket::participants(&world)).start().await.unwrap();
        begin::<Basket>(&coordinator, "begun").await;
        begin::<Basket>(&coordinator, "queued").await;
        pass(SLOW / 2).await;
        coordinator.shutdown().await;
        assert_eq!(story(&log, "begun").await, ["begun", "first done", "second not sent"]);
        assert_eq!(story(&log, "queued").await, ["begun", "first not sent"]);

        let coordinator = start::<Basket, _>(log, &world).await;
        for id in ["begun", "queued"] {
            let outcome = resumed::<Basket>(&coordinator, id).await.outcome().await;
            assert_eq!(
                outcome,
                Ok(Outcome::Completed(7)),
                "a careless step that was never sent is safe to send"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_takes_no_longer_than_the_longest_timeout() {
        let world = World::new();
        world.script(action("flight", 1), Fault::NeverArrives);
        let log = MemoryLog::new();
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        begin::<Trip>(&coordinator, "s").await;
        pass(Duration::from_secs(1)).await;
        let started = Instant::now();
        coordinator.shutdown().await;
        assert!(started.elapsed() <= Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(story(&log, "s").await, ["begun", "flight failed"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_that_compensates_goes_on_compensating_after_the_restart() {
        let world = World::new();
        world.script(action("car", 1), Fault::Refuse);
        world.script(compensation("hotel", 1), Fault::Slow);
        let log = MemoryLog::new();
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        begin::<Trip>(&coordinator, "s").await;
        pass(SLOW / 2).await;
        coordinator.shutdown().await;
        let story = story(&log, "s").await;
        assert_eq!(story.last().map(String::as_str), Some("flight compensation not sent"), "{story:?}");
        let coordinator = start::<Trip, _>(log, &world).await;
        assert_eq!(resumed::<Trip>(&coordinator, "s").await.outcome().await, Ok(refused("car")));
        assert_eq!(world.count("flight", Which::Compensation), 1);
        assert_eq!(world.count("flight", Which::Action), 1, "it did not go forward again");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_and_parked_sagas_stop_at_once_and_resume() {
        let world = World::new();
        world.script(action("ticket", 1), Fault::Refuse);
        let log = MemoryLog::new();
        let coordinator = start::<Quote, _>(log.clone(), &world).await;
        let parked = begin::<Quote>(&coordinator, "parked").await;
        until_parked(&parked).await;
        let started = Instant::now();
        coordinator.shutdown().await;
        assert_eq!(started.elapsed(), Duration::ZERO);
        let coordinator = start::<Quote, _>(log, &world).await;
        let begun = resumed::<Quote>(&coordinator, "parked").await;
        let handle = begun.handle().unwrap();
        until_parked(handle).await;
        handle.retry().await.unwrap();
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_that_ends_meanwhile_has_ended() {
        // The car's second attempt is recorded while the shutdown begins, and then the hotel says no.
        let world = World::new();
        world.script(action("car", 1), Fault::Transient);
        world.script(action("hotel", 1), Fault::SlowRefusal);
        let log = TestLog::new(MemoryLog::new());
        let coordinator = Coordinator::builder(log.clone())
            .register::<retries::ByKey>(retries::ByKeyParticipants { desk: Prudent(world.clone()) })
            .start()
            .await
            .unwrap();
        let begun = coordinator.begin::<retries::ByKey>("s", ()).await.unwrap();
        log.set_delay(Duration::from_millis(600));
        pass(Duration::from_millis(1050)).await;
        coordinator.shutdown().await;
        assert_eq!(log.story(), ["begun", "car failed", "car opened", "hotel refused", "car not sent"]);
        assert!(matches!(begun.outcome().await, Ok(Outcome::Compensated(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_coordinator_drains_it() {
        let world = World::new();
        world.script(action("flight", 1), Fault::Slow);
        let log = MemoryLog::new();
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        let handle = begin::<Trip>(&coordinator, "s").await;
        pass(SLOW / 2).await;
        drop(coordinator);
        assert!(matches!(handle.outcome().await, Err(HandleError::Stopped(_))));
        assert_eq!(story(&log, "s").await, ["begun", "flight done", "hotel not sent", "car not sent"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unavailable_log_does_not_keep_it_from_ending() {
        let world = World::new();
        world.script(action("flight", 1), Fault::Slow);
        let memory = MemoryLog::new();
        let log = TestLog::new(memory.clone());
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        begin::<Trip>(&coordinator, "s").await;
        pass(SLOW / 2).await;
        log.set_down(true);
        coordinator.shutdown().await;
        let coordinator = start::<Trip, _>(memory, &world).await;
        let outcome = resumed::<Trip>(&coordinator, "s").await.outcome().await;
        assert_eq!(outcome, Ok(Outcome::Completed(7)));
        assert_eq!(world.effects("Trip/s/flight"), 1);
    }
}

mod log {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_goes_on_while_the_log_is_unavailable_and_nothing_is_lost() {
        let world = World::new();
        world.script(action("flight", 1), Fault::Slow);
        let log = TestLog::new(MemoryLog::new());
        let coordinator = start::<Trip, _>(log.clone(), &world).await;
        let handle = begin::<Trip>(&coordinator, "s").await;
        log.set_down(true);
        pass(Duration::from_hours(1)).await;
        assert_eq!(world.calls(), [action("flight", 1)]);
        log.set_down(false);
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
        assert_eq!(world.calls().len(), 5, "nothing was tried twice");
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_whose_answer_is_lost_is_appended_again_and_counts_once() {
        for fault in [LogFault::Lost, LogFault::Unconfirmed] {
            for append in 2..=Trip::APPENDS {
                let world = World::new();
                let log = TestLog::new(MemoryLog::new()).with(append, fault);
                let coordinator = start::<Trip, _>(log, &world).await;
                let handle = begin::<Trip>(&coordinator, "s").await;
                assert_eq!(handle.outcome().await, Ok(Outcome::Completed(7)));
                assert_eq!(world.calls().len(), 5);
            }
        }
    }
}

/// What users' code may do that it should not.
mod faults {
    use super::*;
    use saga_runtime::Context;
    use saga_tests::world::{DeskError, PANIC};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    saga! {
        /// Cannot return.
        saga Unreturned(number: u32) -> u32 {
            with desk: Prudent;

            step only: u32 = desk.reserve(cx) compensate desk.cancel(cx, only);

            return panics(number, only);
        }
    }

    fn panics(_: u32, _: u32) -> u32 {
        panic!("{PANIC}")
    }

    impl Shape for Unreturned {
        const EFFECTS: &'static [&'static str] = &["only"];
        const APPENDS: usize = 2;

        fn participants(world: &World) -> UnreturnedParticipants {
            UnreturnedParticipants { desk: Prudent(world.clone()) }
        }
    }

    fn quarantined<T: std::fmt::Debug>(answer: Result<T, HandleError>, word: &str) {
        match answer {
            Err(HandleError::Quarantined { cause, .. }) => assert!(cause.contains(word), "{cause}"),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_in_return_quarantines_the_saga_and_keeps_what_was_done() {
        let world = World::new();
        world.script(action("only", 1), Fault::Slow);
        let (coordinator, handle) = alone::<Unreturned>(&world).await;
        quarantined(handle.outcome().await, PANIC);
        assert_eq!(story_now(&handle).await, ["begun", "only done"]);
        assert_eq!(world.held().len(), 1, "a fault is never a reason to compensate");
        assert_eq!(coordinator.quarantined().len(), 1);
    }

    /// Cannot be written, or cannot be read.
    struct Tricky {
        write: bool,
    }

    impl Serialize for Tricky {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            assert!(self.write, "{PANIC}");
            serializer.serialize_bool(true)
        }
    }

    impl<'de> Deserialize<'de> for Tricky {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("{PANIC}")
        }
    }

    /// Panics when it is dropped before its end.
    struct PanicsWhenDropped(bool);

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            assert!(!self.0, "{PANIC}");
        }
    }

    struct Odd(World);
    impl saga_runtime::Keyed for Odd {}

    impl Odd {
        async fn tricky(&self, cx: &Context, write: bool) -> Result<Tricky, DeskError> {
            Prudent(self.0.clone()).reserve(cx).await.map(|_| Tricky { write })
        }

        async fn hangs_once(&self, cx: &Context) -> Result<u32, DeskError> {
            let guard = PanicsWhenDropped(cx.attempt() == 1);
            let answer = Prudent(self.0.clone()).reserve(cx).await;
            std::mem::forget(guard);
            answer
        }
    }

    saga! {
        /// Its data panics.
        saga Unwritten(write: bool) {
            with odd: Odd, desk: Prudent;
            step tricky: Tricky = odd.tricky(cx, *write) compensate desk.cancel(cx, &0);
            step other: u32 = desk.reserve(cx) compensate desk.cancel(cx, other);
        }
    }

    saga! {
        /// Its call panics when it is given up.
        saga Hanging() {
            with odd: Odd, desk: Prudent;
            step only: u32 = odd.hangs_once(cx) timeout 1s compensate desk.cancel(cx, only);
        }
    }

    async fn odd(log: MemoryLog, world: &World) -> Coordinator {
        let (odd, desk) = (|| Odd(world.clone()), || Prudent(world.clone()));
        Coordinator::builder(log)
            .register::<Unwritten>(UnwrittenParticipants { odd: odd(), desk: desk() })
            .register::<Hanging>(HangingParticipants { odd: odd(), desk: desk() })
            .register::<Trip>(Trip::participants(world))
            .start()
            .await
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_output_that_panics_when_it_is_written_quarantines_the_saga() {
        let world = World::new();
        world.script(action("tricky", 1), Fault::Slow);
        let coordinator = odd(MemoryLog::new(), &world).await;
        let begun = coordinator.begin::<Unwritten>("s", false).await.unwrap();
        quarantined(begun.outcome().await, PANIC);
        assert_eq!(coordinator.quarantined().len(), 1);
        assert_eq!(begin::<Trip>(&coordinator, "t").await.outcome().await, Ok(Outcome::Completed(7)));
        coordinator.shutdown().await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_output_that_panics_when_it_is_read_keeps_no_other_saga_from_resuming() {
        let world = World::new();
        world.script(action("other", 1), Fault::NeverArrives);
        world.script(action("flight", 1), Fault::Slow);
        let log = MemoryLog::new();
        let coordinator = odd(log.clone(), &world).await;
        coordinator.begin::<Unwritten>("s", true).await.unwrap();
        begin::<Trip>(&coordinator, "t").await;
        pass(SLOW / 2).await;
        coordinator.shutdown().await;
        let coordinator = odd(log, &world).await;
        let recovery = coordinator.recovery();
        assert_eq!((recovery.resumed, recovery.quarantined.len()), (1, 1));
        assert!(recovery.quarantined[0].1.contains(PANIC), "{recovery:?}");
        assert_eq!(resumed::<Trip>(&coordinator, "t").await.outcome().await, Ok(Outcome::Completed(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_panics_when_it_is_given_up_is_in_doubt() {
        let world = World::new();
        world.script(action("only", 1), Fault::LostReply);
        let coordinator = odd(MemoryLog::new(), &world).await;
        let begun = coordinator.begin::<Hanging>("s", ()).await.unwrap();
        assert_eq!(begun.outcome().await, Ok(Outcome::Completed(())));
        assert_eq!(world.effects("Hanging/s/only"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_participant_may_hold_its_own_coordinator() {
        // Whoever begins a saga from within a call must not be kept waiting by it.
        let world = World::new();
        let coordinator = start::<Trip, _>(MemoryLog::new(), &world).await;
        let inner = coordinator.clone();
        let outer = tokio::spawn(async move { begin::<Trip>(&inner, "t").await.outcome().await });
        assert_eq!(outer.await.unwrap(), Ok(Outcome::Completed(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_panics_is_tried_again() {
        let world = World::new();
        world.script(action("ticket", 1), Fault::LostReply);
        world.script_all("ticket", Which::Probe, Fault::PanicAfter, 1);
        assert_eq!(ends::<Quote>(&world).await, Outcome::Completed(7));
        assert_eq!(world.attempts("ticket", Which::Probe), [2, 3]);
        assert_eq!(world.effects("Quote/s/ticket"), 1);
    }
}
