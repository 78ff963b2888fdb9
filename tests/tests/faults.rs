//! Every fault at every call, every crash at every append, and several of them together: what is held in the end is
//! what the saga's end says, to the unit.
//!
//! Faults are repeated often enough to exhaust the retries: otherwise they would hide behind them.

use saga_tests::explore::{Plan, Tally, explore};
use saga_tests::sagas::{Basket, Family, Nest, Parcel, Payment, Quote, Shape, Tour, Trip};

/// Every fault at every call, once and up to three times in a row; with each of these a crash before and after every
/// append, and every append of which nobody knows whether it is durable; and a cancel or a shutdown during every call.
const ONE_FAULT: Plan = Plan {
    faults: 1,
    repeats: 3,
    crashes: 1,
    unknown_commits: true,
    cancels: true,
    stops: true,
    hurries: false,
};
/// Every two faults.
const TWO_FAULTS: Plan = Plan {
    faults: 2,
    repeats: 1,
    crashes: 0,
    unknown_commits: false,
    cancels: true,
    stops: false,
    hurries: false,
};
/// Every two faults, with every crash.
const TWO_FAULTS_AND_A_CRASH: Plan = Plan { crashes: 1, cancels: false, ..TWO_FAULTS };
/// Every two crashes, with every fault.
const TWO_CRASHES: Plan = Plan {
    faults: 1,
    repeats: 1,
    crashes: 2,
    unknown_commits: false,
    cancels: false,
    stops: false,
    hurries: false,
};

/// Nothing was left out.
fn covers<S: Shape>(plan: Plan, scenarios: usize) {
    let tally = explore::<S>(plan);
    assert!(tally.scenarios >= scenarios, "{tally:?}");
    let Tally { scenarios, completed, compensated, parked } = tally;
    assert_eq!(completed + compensated + parked, scenarios);
    assert!(completed > 0 && compensated > 0);
}

#[test]
fn a_trip_is_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Trip>(ONE_FAULT, 15_000);
}

#[test]
fn a_basket_is_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Basket>(ONE_FAULT, 6_000);
}

#[test]
fn a_payment_is_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Payment>(ONE_FAULT, 4_000);
}

#[test]
fn nested_parallels_are_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Nest>(ONE_FAULT, 12_000);
}

#[test]
fn a_tour_is_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Tour>(Plan { repeats: 1, unknown_commits: false, cancels: false, ..ONE_FAULT }, 15_000);
}

#[test]
fn items_arms_and_waits_are_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Parcel>(Plan { repeats: 2, cancels: false, ..ONE_FAULT }, 10_000);
}

#[test]
fn items_arms_and_waits_are_all_or_nothing_after_any_two_faults() {
    covers::<Parcel>(TWO_FAULTS, 3_000);
}

#[test]
fn parents_and_children_are_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Family>(Plan { repeats: 1, unknown_commits: false, ..ONE_FAULT }, 3_000);
}

#[test]
fn parents_and_children_are_all_or_nothing_after_any_two_faults() {
    covers::<Family>(Plan { cancels: false, ..TWO_FAULTS }, 3_000);
}

#[test]
fn a_quote_is_all_or_nothing_after_any_fault_with_any_crash() {
    covers::<Quote>(Plan { repeats: 1, ..ONE_FAULT }, 10_000);
}

#[test]
fn a_trip_is_all_or_nothing_after_any_two_faults() {
    covers::<Trip>(TWO_FAULTS, 7_000);
}

#[test]
fn nested_parallels_are_all_or_nothing_after_any_two_faults() {
    covers::<Nest>(TWO_FAULTS, 8_000);
}

#[test]
fn a_basket_is_all_or_nothing_after_any_two_faults_with_any_crash() {
    covers::<Basket>(TWO_FAULTS_AND_A_CRASH, 12_000);
}

#[test]
fn a_payment_is_all_or_nothing_after_any_two_faults_with_any_crash() {
    covers::<Payment>(TWO_FAULTS_AND_A_CRASH, 6_000);
}

#[test]
fn a_trip_is_all_or_nothing_after_any_two_crashes() {
    covers::<Trip>(TWO_CRASHES, 16_000);
}

#[test]
fn a_basket_is_all_or_nothing_after_any_two_crashes() {
    covers::<Basket>(TWO_CRASHES, 4_000);
}
