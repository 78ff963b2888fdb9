//! Sagas that contend for locks: every trouble with every call, a cancel or a deadline of each of them, a shutdown and
//! every fault of the log, with every crash at every append. No two of different families are ever let in at once, all
//! end, and no lock is left.

use saga_tests::contest::Kind::{Household, Visit};
use saga_tests::contest::Trouble::{Busy, Lost, Panics, Refused};
use saga_tests::contest::{Contestant, Plan, Tally, explore};

/// Every trouble, with every crash, and every two crashes.
const ALL: Plan = Plan { troubles: &[Refused, Busy, Lost, Panics], repeats: 1, crashes: 2 };
/// What turns a saga, or leaves it in doubt, with every crash.
const SOME: Plan = Plan { troubles: &[Refused, Lost], repeats: 1, crashes: 1 };

/// Nothing was left out.
fn covers(name: &str, contestants: &[Contestant], plan: Plan, at_least: usize) {
    let tally = explore(name, contestants, plan);
    assert!(tally.scenarios >= at_least, "{tally:?}");
    let Tally { scenarios, completed, compensated, parked } = tally;
    assert_eq!(completed + compensated, scenarios * contestants.len());
    assert!(completed > 0 && compensated > 0 && parked > 0);
}

#[test]
fn three_who_want_the_same_go_one_after_another() {
    covers("three for one", &[(Visit, "x", "x"); 3], ALL, 1_000);
}

#[test]
fn three_who_want_two_each_of_three_never_block_each_other() {
    let ring = [(Visit, "x", "y"), (Visit, "y", "z"), (Visit, "z", "x")];
    covers("a ring", &ring, SOME, 1_000);
}

#[test]
fn a_family_shares_its_locks_and_keeps_others_from_them() {
    let all = [(Household, "x", "y"), (Visit, "y", "y"), (Visit, "x", "x")];
    covers("a family among others", &all, SOME, 1_000);
}

#[test]
fn two_families_that_lock_in_the_same_order_go_one_after_another() {
    let two = [(Household, "x", "y"), (Household, "x", "y")];
    covers("two families", &two, SOME, 1_000);
}

#[test]
fn two_families_that_lock_in_opposite_order_do_not_wait_for_each_other_for_ever() {
    let two = [(Household, "x", "y"), (Household, "y", "x")];
    covers("two crossing families", &two, SOME, 1_000);
}
