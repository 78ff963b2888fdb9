//! The verification kit explores sagas as a user would have it do, and finds what is planted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a fake does at once what a service takes time for")]

use std::time::Duration;

use saga_runtime::verify::{Summary, Violation, explore};
use saga_runtime::{Context, Keyed, Saga, saga};
use saga_verification::sagas::{House, No, Order, Prudent, Trip, house, order, trip};

#[track_caller]
fn sound<S: Saga>(explored: Result<Summary, Box<Violation>>) -> Summary {
    let summary = explored.unwrap_or_else(|violation| panic!("{violation}"));
    println!("{}: {summary}", S::DEFINITION.name);
    summary
}

#[test]
fn a_trip_is_sound_with_every_fault_and_crash() {
    let summary = sound::<Trip>(trip().faults(1).run());
    assert!(summary.scenarios > 1_000, "{summary}");
    assert!(
        summary.completed > 0 && summary.compensated > 100 && summary.parked > 0 && summary.closed > 0,
        "{summary}"
    );
}

#[test]
fn a_trip_is_sound_with_every_two_faults() {
    sound::<Trip>(trip().crashes(0).log_faults(0).commands(0).run());
}

#[test]
fn items_decisions_signals_and_timers_are_explored_too() {
    let summary = sound::<Order>(order().faults(1).run());
    assert!(summary.scenarios > 1_000, "{summary}");
}

#[test]
fn a_family_is_explored_with_its_children() {
    let summary = sound::<House>(house().faults(1).run());
    assert!(summary.scenarios > 1_000, "{summary}");
}

#[test]
fn a_scenario_is_the_same_each_time_and_can_be_replayed() {
    let explored = || trip().faults(1).commands(0).run();
    assert_eq!(explored(), explored());
    let line = "flight action 1 reply-lost; append 0 2 crash-after";
    assert_eq!(trip().replay(line).map(|summary| summary.scenarios), Ok(1));
    let wrong = trip().replay("flight action one lost").unwrap_err();
    assert!(wrong.cause.contains("`one` is no number"), "{wrong}");
}

/// Sagas with a mistake that compiles: something that is said of a participant and is not so.
mod mistakes {
    use super::*;

    saga! {
        /// A compensation that says no for ever.
        saga Stubborn() -> u32 {
            with desk: Mule;
            retry 1 times every 100ms..200ms;
            step flight: u32 = desk.reserve(cx) compensate desk.cancel(cx, flight);
            step hotel: u32 = desk.reserve(cx) compensate desk.cancel(cx, hotel);
            return flight + hotel;
        }

        /// A call that takes longer than it may.
        saga Slow() -> u32 {
            with desk: Snail;
            timeout 1s;
            retry 1 times every 100ms..200ms;
            step flight: u32 = desk.reserve(cx) compensate desk.cancel(cx, flight);
            pivot paid: u32 = desk.reserve(cx);
            return flight + paid;
        }

        /// What it returns panics.
        saga Broken(zero: u32) -> u32 {
            with desk: Prudent;
            step flight: u32 = desk.reserve(cx) compensate desk.cancel(cx, flight);
            return flight / zero;
        }
    }

    /// Does not undo.
    struct Mule;

    impl Keyed for Mule {}

    impl Mule {
        async fn reserve(&self, _: &Context) -> Result<u32, No> {
            Ok(1)
        }

        async fn cancel(&self, _: &Context, _: &u32) -> Result<(), No> {
            Err(No)
        }
    }

    /// Takes its time.
    struct Snail;

    impl Keyed for Snail {}

    impl Snail {
        async fn reserve(&self, _: &Context) -> Result<u32, No> {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(1)
        }

        async fn cancel(&self, _: &Context, _: &u32) -> Result<(), No> {
            Ok(())
        }
    }

    #[test]
    fn a_compensation_that_is_never_done_is_found() {
        let stubborn = || explore::<Stubborn>(|| (), || StubbornParticipants { desk: Mule });
        let explored = stubborn().faults(1).crashes(0).commands(0).log_faults(0).run();
        let violation = explored.unwrap_err();
        assert!(violation.cause.contains("nobody has refused anything"), "{violation}");
        // One attempt that fails is tried again: it takes two until the saga turns back.
        assert_eq!(violation.scenario.decisions.len(), 2, "{violation}");
        assert!(violation.to_string().lines().count() < 120, "what goes on for ever is not told in full");
        let again = stubborn().replay(&violation.scenario.to_string()).unwrap_err();
        assert_eq!(again.cause, violation.cause, "the line that it prints shows the same");
        assert!(violation.to_string().contains("to see it again: `.replay("), "{violation}");
    }

    #[test]
    fn a_call_that_takes_longer_than_it_may_is_found_where_nothing_else_goes_wrong() {
        let explored = explore::<Slow>(|| (), || SlowParticipants { desk: Snail }).faults(0).crashes(0).run();
        let violation = explored.unwrap_err();
        assert!(violation.cause.contains("was called again"), "{violation}");
        assert_eq!(violation.scenario.to_string(), "nothing");
    }

    #[test]
    fn a_return_that_panics_is_found() {
        let explored = explore::<Broken>(|| 0, || BrokenParticipants { desk: Prudent }).faults(0).run();
        let violation = explored.unwrap_err();
        assert!(violation.cause.contains("panicked"), "{violation}");
    }
}
