//! Sagas with local steps, on files: every outcome of every local call, every fault of every other call, every crash at
//! every append, and several of them together. What stands in the user's own table is what is recorded, whenever the
//! process has ended, and in the end what the saga's end says.

use saga_tests::explore::{Plan, Tally};
use saga_tests::local_sagas::{Chain, Sale, Shelves, Stall};
use saga_tests::sagas::Shape;
use saga_tests::shop::explore_on_file;

/// Every fault at every call, with every crash.
const ONE_FAULT: Plan = Plan {
    faults: 1,
    repeats: 1,
    crashes: 1,
    unknown_commits: false,
    cancels: false,
    stops: false,
    hurries: false,
};
/// The same more often than there are retries.
const SPENT: Plan = Plan { repeats: 2, ..ONE_FAULT };
/// Every append of which nobody knows whether it is durable, a cancel or a shutdown during every call, and a deadline
/// that passes; with every fault.
const TOLD: Plan =
    Plan { crashes: 0, unknown_commits: true, cancels: true, stops: true, hurries: true, ..ONE_FAULT };
/// Every two faults.
const TWO_FAULTS: Plan = Plan { faults: 2, crashes: 0, hurries: true, ..ONE_FAULT };
/// Every two crashes: the second one in what the first has left to do.
const TWO_CRASHES: Plan = Plan { faults: 0, crashes: 2, ..ONE_FAULT };

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
    covers::<Sale>(SPENT, 2_500);
}

#[test]
fn a_sale_has_each_local_effect_with_its_record_in_a_hurry_with_any_crash() {
    covers::<Sale>(Plan { faults: 0, cancels: true, crashes: 1, ..TOLD }, 500);
}

#[test]
fn a_sale_has_each_local_effect_with_its_record_after_any_two_crashes() {
    covers::<Sale>(TWO_CRASHES, 200);
}

#[test]
fn a_stall_has_each_local_effect_with_its_record_after_any_fault_with_any_crash() {
    covers::<Stall>(ONE_FAULT, 2_000);
}

#[test]
fn shelves_have_each_local_effect_with_its_record_after_any_two_faults() {
    covers::<Shelves>(TWO_FAULTS, 600);
}

#[test]
fn shelves_have_each_local_effect_with_its_record_whatever_they_are_told_meanwhile() {
    covers::<Shelves>(TOLD, 500);
}

#[test]
fn a_chain_has_each_local_effect_with_its_record_after_any_fault_with_any_crash() {
    covers::<Chain>(ONE_FAULT, 2_500);
}
