//! Sagas with local steps, on files: every outcome of every local call, every fault of every other call, every crash at
//! every append, and several of them together. What stands in the user's own table is what is recorded, whenever the
//! process has ended, and in the end what the saga's end says.

use saga_tests::explore::{Plan, Tally};
use saga_tests::local_sagas::{Chain, Sale, Shelves, Stall};
use saga_tests::sagas::Shape;
use saga_tests::shop::explore_on_file;

/// Every fault at every call, once and more often than there are retries, with every crash; and every append of which
/// nobody knows whether it is durable, a cancel or a shutdown during every call, and a deadline that passes.
const ONE_FAULT: Plan = Plan {
    faults: 1,
    repeats: 2,
    crashes: 1,
    unknown_commits: true,
    cancels: true,
    stops: true,
    hurries: true,
};
/// Every two faults, and every one in a hurry.
const TWO_FAULTS: Plan = Plan {
    faults: 2,
    repeats: 1,
    crashes: 0,
    unknown_commits: false,
    cancels: false,
    stops: false,
    hurries: true,
};
/// Every two crashes: the second one in what the first has left to do.
const TWO_CRASHES: Plan = Plan { faults: 0, crashes: 2, ..TWO_FAULTS };

/// Nothing was left out.
fn covers<S: Shape>(plan: Plan, scenarios: usize) {
    let tally = explore_on_file::<S>(plan, plan.crashes > 1);
    assert!(tally.scenarios >= scenarios, "{tally:?}");
    let Tally { scenarios, completed, compensated, parked } = tally;
    assert_eq!(completed + compensated + parked, scenarios);
    assert!(completed > 0 && compensated > 0);
}

#[test]
fn a_sale_has_each_local_effect_with_its_record_after_any_fault_with_any_crash() {
    covers::<Sale>(ONE_FAULT, 1_000);
}

#[test]
fn a_sale_has_each_local_effect_with_its_record_after_any_two_crashes() {
    covers::<Sale>(TWO_CRASHES, 100);
}

#[test]
fn a_stall_has_each_local_effect_with_its_record_after_any_fault_with_any_crash() {
    covers::<Stall>(ONE_FAULT, 1_000);
}

#[test]
fn shelves_have_each_local_effect_with_its_record_after_any_two_faults() {
    covers::<Shelves>(TWO_FAULTS, 100);
}

#[test]
fn a_chain_has_each_local_effect_with_its_record_after_any_fault_with_any_crash() {
    covers::<Chain>(ONE_FAULT, 1_000);
}
