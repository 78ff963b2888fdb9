//! Within the bounds, whatever happens in whatever order, no promise is broken; without any one of the rules some is. See
//! the crate's own page.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Instant;

use saga_protocol::model::{Bounds, Protocol, Without};
use stateright::{Checker, HasDiscoveries, Model};

/// Those of the environment, or else these.
fn bounds(workers: usize, faults: [u8; 7]) -> Bounds {
    let [crashes, timeouts, refusals, failures, take_overs, duplicates, cancels] = faults;
    let said = |name: &str, default| {
        std::env::var(format!("PROTOCOL_{name}")).map_or(default, |text| text.parse().unwrap())
    };
    Bounds {
        workers,
        crashes: said("CRASHES", crashes),
        timeouts: said("TIMEOUTS", timeouts),
        refusals: said("REFUSALS", refusals),
        failures: said("FAILURES", failures),
        take_overs: said("TAKE_OVERS", take_overs),
        duplicates: said("DUPLICATES", duplicates),
        cancels: said("CANCELS", cancels),
    }
}

fn nothing_goes_wrong(bounds: Bounds) {
    let start = Instant::now();
    let checker = Protocol { bounds, without: None }.checker().threads(2).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{bounds:?}: {states} states, {depth} deep, in {:.1} s", start.elapsed().as_secs_f64());
    checker.assert_properties();
    assert!(states > 10_000);
}

#[test]
fn two_workers_keep_every_promise() {
    nothing_goes_wrong(bounds(2, [2, 1, 2, 0, 4, 1, 0]));
}

#[test]
fn two_workers_keep_every_promise_to_who_cancels() {
    nothing_goes_wrong(bounds(2, [1, 1, 1, 1, 1, 1, 1]));
}

#[test]
fn three_workers_keep_every_promise() {
    nothing_goes_wrong(bounds(3, [1, 1, 1, 0, 2, 0, 1]));
}

/// Prints the shortest history that breaks `promise`.
fn is_refuted(without: Without, promise: &'static str) {
    let model = Protocol { bounds: bounds(2, [1, 1, 1, 1, 1, 1, 1]), without: Some(without) };
    // With one thread the first that is found is the shortest.
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let Some(path) = checker.discovery(promise) else {
        panic!("without {without:?} {promise:?} still holds: {:?}", checker.discoveries());
    };
    println!("without {without:?}, {promise:?} is broken ({} states):", checker.unique_state_count());
    let last = path.last_state().clone();
    for action in path.into_actions() {
        println!("    {action:?}");
    }
    println!("    the log is then {:?}, and {:?}", last.log, last.services);
}

#[test]
fn without_the_fence_two_workers_break_it() {
    is_refuted(Without::Fence, "all or nothing");
}

#[test]
fn without_the_barrier_a_late_call_has_an_effect() {
    is_refuted(Without::Barrier, "all or nothing");
}

#[test]
fn without_the_rule_for_the_failed_step_its_effect_stays() {
    is_refuted(Without::FailedStepRule, "all or nothing");
}

#[test]
fn a_compensation_before_its_record_undoes_what_is_to_stay() {
    is_refuted(Without::RecordBeforeCompensation, "all or nothing");
}

#[test]
fn an_answer_before_it_is_durable_is_contradicted() {
    is_refuted(Without::DurableAnswers, "what was answered stays true");
}

#[test]
fn without_taint_a_refusal_is_believed_that_says_nothing() {
    is_refuted(Without::Taint, "all or nothing");
}

/// An assumption that the protocol cannot do without.
#[test]
fn where_one_of_two_copies_fails_the_other_one_may_have_an_effect() {
    is_refuted(Without::OneFailureForBothCopies, "all or nothing");
}
