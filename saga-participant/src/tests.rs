//! The decision in every state.

use std::fmt::Write as _;

use expect_test::expect;

use crate::row::Row;
use crate::state::State;
use crate::{Action, ActionThen, Call, Compensation, CompensationThen, Decision, Probe};

/// One of each, of the calls below.
pub(crate) fn states() -> [State; 6] {
    [
        State::Open { request: request() },
        State::Done { request: request(), answer: "7".to_owned() },
        State::Refused { request: request(), answer: "8".to_owned() },
        State::Barred { attempt: 5 },
        State::Tombstone { undo_request: undo_request() },
        State::Undone {
            request: request(),
            answer: "7".to_owned(),
            undo_request: undo_request(),
            undo_answer: "9".to_owned(),
        },
    ]
}

fn action() -> Action {
    Action::new("k", "reserve", &1).unwrap()
}

fn other_action() -> Action {
    Action::new("k", "reserve", &2).unwrap()
}

fn compensation() -> Compensation {
    Compensation::new("k", "cancel", &1).unwrap()
}

fn other_compensation() -> Compensation {
    Compensation::new("k", "cancel", &2).unwrap()
}

fn probe() -> Probe {
    Probe::new("k").unwrap()
}

fn request() -> i64 {
    request_of(&action())
}

fn request_of(action: &Action) -> i64 {
    let Ok(Decision { write: Some(State::Open { request }), .. }) = action.decide(None) else { panic!() };
    request
}

fn undo_request() -> i64 {
    undo_request_of(&compensation())
}

fn undo_request_of(compensation: &Compensation) -> i64 {
    let Ok(Decision { write: Some(State::Tombstone { undo_request }), .. }) = compensation.decide(None)
    else {
        panic!()
    };
    undo_request
}

/// What is decided about `call` in no state and in each of [`states`]: `state: state written → what follows`.
fn table<C: Call<Then: std::fmt::Debug>>(call: &C) -> String {
    let mut table = String::new();
    for state in [None].into_iter().chain(states().map(Some)) {
        let name = state.clone().map_or_else(|| "none".to_owned(), |state| Row::from(state).state);
        let decided = match call.decide(state.as_ref()) {
            Ok(Decision { write: None, then }) => format!("{then:?}"),
            Ok(Decision { write: Some(state), then }) => format!("{state:?} → {then:?}"),
            Err(fault) => format!("fault: {fault}"),
        };
        writeln!(table, "{name}: {decided}").unwrap();
    }
    let hashes = [
        (request(), "R"),
        (request_of(&other_action()), "other R"),
        (undo_request(), "U"),
        (undo_request_of(&other_compensation()), "other U"),
    ];
    hashes.iter().fold(table, |table, (hash, name)| table.replace(&hash.to_string(), name))
}

#[test]
fn an_action_is_done_once_or_never() {
    expect![[r#"
        none: Open { request: R } → Work(Work { request: R })
        open: fault: the work for the key "k" is going on in this very transaction, or was committed in its middle
        done: Done("7")
        refused: Refused("8")
        barred: Superseded
        tombstone: Superseded
        undone: Superseded
    "#]].assert_eq(&table(&action().attempt(5)));
}

#[test]
fn an_action_after_the_probes_attempt_is_done() {
    expect![[r#"
        none: Open { request: R } → Work(Work { request: R })
        open: fault: the work for the key "k" is going on in this very transaction, or was committed in its middle
        done: Done("7")
        refused: Refused("8")
        barred: Open { request: R } → Work(Work { request: R })
        tombstone: Superseded
        undone: Superseded
    "#]].assert_eq(&table(&action().attempt(6)));
}

#[test]
fn an_action_with_another_request_is_a_fault() {
    expect![[r#"
        none: Open { request: other R } → Work(Work { request: other R })
        open: fault: the work for the key "k" is going on in this very transaction, or was committed in its middle
        done: fault: the key "k" came with another request for its action before: give each request a key of its own
        refused: fault: the key "k" came with another request for its action before: give each request a key of its own
        barred: Superseded
        tombstone: Superseded
        undone: fault: the key "k" came with another request for its action before: give each request a key of its own
    "#]].assert_eq(&table(&other_action().attempt(5)));
}

#[test]
fn a_compensation_undoes_what_was_done_and_bars_what_was_not() {
    expect![[r#"
        none: Tombstone { undo_request: U } → NothingToUndo
        open: fault: the work for the key "k" is going on in this very transaction, or was committed in its middle
        done: Undo(Undo { request: R, answer: "7", by: U })
        refused: NothingToUndo
        barred: Tombstone { undo_request: U } → NothingToUndo
        tombstone: NothingToUndo
        undone: Undone("9")
    "#]].assert_eq(&table(&compensation()));
}

#[test]
fn a_compensation_with_another_request_is_a_fault() {
    expect![[r#"
        none: Tombstone { undo_request: other U } → NothingToUndo
        open: fault: the work for the key "k" is going on in this very transaction, or was committed in its middle
        done: Undo(Undo { request: R, answer: "7", by: other U })
        refused: NothingToUndo
        barred: Tombstone { undo_request: other U } → NothingToUndo
        tombstone: fault: the key "k" came with another request for its compensation before: give each request a key of its own
        undone: fault: the key "k" came with another request for its compensation before: give each request a key of its own
    "#]].assert_eq(&table(&other_compensation()));
}

#[test]
fn a_probe_finds_what_was_done_or_bars_it() {
    expect![[r#"
        none: Barred { attempt: 5 } → Never
        open: fault: the work for the key "k" is going on in this very transaction, or was committed in its middle
        done: Found("7")
        refused: Never
        barred: Never
        tombstone: Never
        undone: Never
    "#]].assert_eq(&table(&probe().attempt(5)));
}

#[test]
fn a_later_probe_bars_more() {
    expect![[r#"
        none: Barred { attempt: 6 } → Never
        open: fault: the work for the key "k" is going on in this very transaction, or was committed in its middle
        done: Found("7")
        refused: Never
        barred: Barred { attempt: 6 } → Never
        tombstone: Never
        undone: Never
    "#]].assert_eq(&table(&probe().attempt(6)));
}

#[test]
fn a_call_without_a_number_is_the_first_and_a_probe_without_one_is_the_last() {
    let barred = probe().decide(None).unwrap().write;
    let last = action().attempt(u32::MAX).decide(barred.as_ref()).unwrap();
    assert_eq!(last, Decision { write: None, then: ActionThen::Superseded });
    let barred = probe().attempt(1).decide(None).unwrap().write;
    let unnumbered = action().decide(barred.as_ref()).unwrap();
    assert_eq!(unnumbered, Decision { write: None, then: ActionThen::Superseded });
}

#[test]
fn nothing_is_ever_done_after_a_compensation() {
    for state in [None].into_iter().chain(states().map(Some)) {
        let Ok(decision) = compensation().decide(state.as_ref()) else { continue };
        let after = match decision.then {
            CompensationThen::Undo(undo) => Some(undo.done("9".to_owned())),
            _ => decision.write.or(state),
        };
        for late in [action(), action().attempt(u32::MAX), other_action().attempt(u32::MAX)] {
            let late = late.decide(after.as_ref()).map(|decision| decision.then);
            assert!(!matches!(late, Ok(ActionThen::Work(_))), "{after:?}: {late:?}");
        }
    }
}
