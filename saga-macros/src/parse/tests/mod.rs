//! What a user can write wrong, and what is said about it.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
#![allow(clippy::needless_pass_by_value, reason = "an `Expect` is made for one check")]

mod calls;
mod fragments;
mod heads;
mod later;
mod names;
mod policies;
mod right;
mod steps;
mod words;

use std::fmt::Write;

use expect_test::Expect;
use quote::ToTokens;

use super::parse;
use crate::ast::{Call, DurationValue, Policies, Retry, Statement, Step, Undo};
use crate::check::settle_names;

/// Reads the statements of a saga; compares the errors, then the saga as it was understood.
#[track_caller]
fn check(body: &str, expected: Expect) {
    check_saga(&format!("saga Trip(trip: Order) {{ with flights: Flights; {body} }}"), expected);
}

#[track_caller]
fn check_saga(text: &str, expected: Expect) {
    let (mut sagas, mut report) = parse(text.parse().unwrap());
    settle_names(&mut sagas, &mut report);
    let mut shown = report.into_text();
    for saga in &sagas {
        show_statements(&saga.body, "", &mut shown);
        show_policies("", &saga.defaults, &mut shown);
        if let Some(call) = &saga.returns {
            writeln!(shown, "return {}", show_call(call)).unwrap();
        }
    }
    expected.assert_eq(&shown);
}

fn show_statements(statements: &[Statement], indent: &str, shown: &mut String) {
    for statement in statements {
        match statement {
            Statement::Step(step) => show_step(step, indent, shown),
            Statement::Parallel(parallel) => {
                for branch in &parallel.branches {
                    writeln!(shown, "{indent}branch").unwrap();
                    show_statements(branch, &format!("{indent}  "), shown);
                }
            }
        }
    }
}

fn show_step(step: &Step, indent: &str, shown: &mut String) {
    let ty = step.ty.to_token_stream();
    write!(shown, "{indent}{:?} {}: {ty} = {}", step.kind, step.name, show_call(&step.action)).unwrap();
    show_policies("", &step.policies, shown);
    if step.keyed.is_some() {
        shown.push_str(" | keyed");
    }
    if let Some(probe) = &step.probe {
        write!(shown, " | probe {}", show_call(&probe.call)).unwrap();
    }
    if let Some(compensate) = &step.compensate {
        let undo = match &compensate.undo {
            Undo::Nothing => "nothing".to_owned(),
            Undo::Call(call) => show_call(call),
        };
        write!(shown, " | compensate {undo}").unwrap();
        show_policies("its ", &compensate.policies, shown);
    }
    shown.push('\n');
}

fn show_policies(whose: &str, policies: &Policies, shown: &mut String) {
    if let Some(timeout) = &policies.timeout {
        write!(shown, " | {whose}timeout {}", show_duration(timeout)).unwrap();
    }
    match &policies.retry {
        None => {}
        Some(Retry::Never) => write!(shown, " | {whose}retry never").unwrap(),
        Some(Retry::Every { limit, first, cap }) => {
            let (first, cap) = (show_duration(first), show_duration(cap));
            write!(shown, " | {whose}retry {limit:?} {first}..{cap}").unwrap();
        }
    }
}

fn show_duration(duration: &DurationValue) -> String {
    match duration {
        DurationValue::Literal(nanoseconds) => format!("{}ms", nanoseconds / 1_000_000),
        DurationValue::Expression(tokens) => format!("({tokens})"),
    }
}

fn show_call(call: &Call) -> String {
    format!("{}{}", call.tokens, if call.is_refused() { " (refused)" } else { "" })
}
