//! What the sagas of these tests draw: `drawings/` holds it, and `UPDATE_EXPECT=1 cargo test -p saga-graph` rewrites it.

use crate::sagas::{ORDER, TRIP, every_form, travel, without_a_pivot};
use expect_test::{ExpectFile, expect_file};
use saga_graph::{RecordView, Saga, dot, failure_table, failures, mermaid, sequence, svg};

#[track_caller]
fn check(drawn: &str, expected: &ExpectFile) {
    expected.assert_eq(drawn);
}

#[test]
fn the_travel_saga() {
    check(&svg(&travel()), &expect_file!["drawings/travel.svg"]);
    check(&mermaid(&travel()), &expect_file!["drawings/travel.mmd"]);
    check(&dot(&travel()), &expect_file!["drawings/travel.dot"]);
    check(&failure_table(&travel()), &expect_file!["drawings/travel.md"]);
    check(&sequence(&travel(), TRIP), &expect_file!["drawings/travel.run.mmd"]);
}

#[test]
fn a_saga_with_every_form() {
    check(&svg(&every_form()), &expect_file!["drawings/every_form.svg"]);
    check(&mermaid(&every_form()), &expect_file!["drawings/every_form.mmd"]);
    check(&dot(&every_form()), &expect_file!["drawings/every_form.dot"]);
    check(&failure_table(&every_form()), &expect_file!["drawings/every_form.md"]);
    check(&sequence(&every_form(), ORDER), &expect_file!["drawings/every_form.run.mmd"]);
}

#[test]
fn a_saga_without_a_pivot() {
    check(&failure_table(&without_a_pivot()), &expect_file!["drawings/without_a_pivot.md"]);
    check(&svg(&without_a_pivot()), &expect_file!["drawings/without_a_pivot.svg"]);
}

/// What `failures` says of `step` (of the saga as a whole if it is empty) in the case `when`.
fn then(saga: &Saga, step: &str, when: &str) -> String {
    let rows = failures(saga);
    let found = rows.iter().find(|row| row.step.as_deref().unwrap_or_default() == step && row.when == when);
    found.map(|row| row.then.clone()).unwrap_or_default()
}

#[test]
fn a_refusal_compensates_what_is_before_it() {
    assert_eq!(
        then(&travel(), "receipt", "refused"),
        "compensate (`hotel` ∥ (`car` if done)) → `flight` → **compensated**"
    );
    assert_eq!(then(&travel(), "flight", "refused"), "nothing to compensate → **compensated**");
    assert_eq!(then(&travel(), "voucher", "refused"), "**parked** for an operator; never compensated");
}

#[test]
fn a_branch_that_fails_waits_for_its_siblings() {
    assert_eq!(
        then(&travel(), "hotel", "refused"),
        "wait for what is in flight → compensate (`car` if done) → `flight` → **compensated**"
    );
}

#[test]
fn an_item_that_fails_is_followed_by_those_before_it() {
    assert_eq!(
        then(&without_a_pivot(), "credit", "refused"),
        "compensate `debit` → the earlier items' (`credit` → `debit`), latest first → **compensated**"
    );
}

#[test]
fn outputs_and_inputs_are_not_drawn() {
    let secret = r#"{"message":"secret","outcome":"secret"}"#;
    let record = |step, event| RecordView { step, event, data: Some(secret), at_ms: 0 };
    let records = [record(None, "begun"), record(Some("flight"), "done"), record(None, "completed")];
    assert!(!sequence(&travel(), &records).contains("secret"));
}

#[test]
fn a_call_is_drawn_once_per_attempt() {
    let record = |event| RecordView { step: Some("flight"), event, data: None, at_ms: 0 };
    let chart = sequence(&travel(), &["failed", "opened", "done"].map(record));
    assert_eq!(chart.matches("c->>p0").count(), 2, "{chart}");
    assert_eq!(chart.matches("p0-->>c").count(), 2, "{chart}");
}
