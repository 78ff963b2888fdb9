//! What a user can write wrong, and what is said about it.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
#![allow(clippy::needless_pass_by_value, reason = "an `Expect` is made for one check")]

mod blocks;
mod calls;
mod fragments;
mod heads;
mod kinds;
mod names;
mod policies;
mod right;
mod sagas;
mod steps;
mod times;
mod words;

use std::fmt::Write;

use expect_test::Expect;
use quote::ToTokens;

use super::parse;
use crate::ast::{Call, DurationValue, Events, Policies, Retry, Saga, Statement, Step, Time, Undo};
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
        show_head(saga, &mut shown);
        show_statements(&saga.body, "", &mut shown);
        show_policies("", &saga.defaults, &mut shown);
        if let Some(call) = &saga.returns {
            writeln!(shown, "return {}", show_call(call)).unwrap();
        }
    }
    expected.assert_eq(&shown);
}

fn show_head(saga: &Saga, shown: &mut String) {
    let (generics, bounds) = (&saga.generics, &saga.generics.where_clause);
    if !generics.params.is_empty() || bounds.is_some() {
        let (generics, bounds) = (generics.to_token_stream(), bounds.to_token_stream());
        writeln!(shown, "generics {generics} {bounds}").unwrap();
    }
    if let Some(deadline) = &saga.deadline {
        writeln!(shown, "deadline {}", show_time(&deadline.time)).unwrap();
    }
    if let Some(lock) = &saga.lock {
        writeln!(shown, "lock {}", lock.keys.iter().map(show_call).collect::<Vec<_>>().join(" | ")).unwrap();
    }
}

fn show_statements(statements: &[Statement], indent: &str, shown: &mut String) {
    let inner = format!("{indent}  ");
    for statement in statements {
        match statement {
            Statement::Step(step) => show_step(step, indent, shown),
            Statement::Parallel(parallel) => {
                for branch in &parallel.branches {
                    writeln!(shown, "{indent}branch").unwrap();
                    show_statements(branch, &inner, shown);
                }
            }
            Statement::If(branching) => {
                for arm in &branching.arms {
                    writeln!(shown, "{indent}if {}", show_call(&arm.condition)).unwrap();
                    show_statements(&arm.body, &inner, shown);
                }
                if let Some(otherwise) = &branching.otherwise {
                    writeln!(shown, "{indent}else").unwrap();
                    show_statements(otherwise, &inner, shown);
                }
            }
            Statement::For(each) => {
                let (name, ty) = (&each.item.name, each.item.ty.to_token_stream());
                let limit = each.limit.map(|limit| format!(" limit {limit}")).unwrap_or_default();
                writeln!(shown, "{indent}for {name}: {ty} in {}{limit}", show_call(&each.items)).unwrap();
                show_statements(&each.body, &inner, shown);
            }
            Statement::Sleep(sleep) => writeln!(shown, "{indent}sleep {}", show_time(&sleep.time)).unwrap(),
        }
    }
}

fn show_step(step: &Step, indent: &str, shown: &mut String) {
    let ty = step.ty.to_token_stream();
    write!(shown, "{indent}{:?} {}: {ty} = {}", step.kind, step.name, show_call(&step.action)).unwrap();
    if let Some(within) = &step.within {
        write!(shown, " | within {}", show_duration(within)).unwrap();
    }
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
    if let Some(otherwise) = &step.otherwise {
        write!(shown, " | else {}", show_call(&otherwise.call)).unwrap();
    }
    if let Some(Events { done, refused, compensated, .. }) = &step.events {
        let names = [Some(done), refused.as_ref(), compensated.as_ref()].into_iter().flatten();
        let names = names.map(ToString::to_string).collect::<Vec<_>>();
        write!(shown, " | events {}", names.join(", ")).unwrap();
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

fn show_time(time: &Time) -> String {
    match time {
        Time::After(duration) => show_duration(duration),
        Time::At(call) => format!("at {}", show_call(call)),
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
