//! What rustc cannot know: order, compensation, the pivot, doubt, names. One file per family, one function per rule.

mod availability;
mod awaiting;
mod blocks;
mod clauses;
mod compensation;
mod data;
mod doubt;
mod generics;
mod names;
mod outcome;
mod pivot;
mod poison;
#[cfg(test)]
mod tests;

pub(crate) use self::names::settle as settle_names;

use crate::ast::{Call, Compensate, Saga, Step, StepKind, Time, Undo};
use crate::model::Model;
use crate::report::Report;

/// Reports every mistake of a saga once. The calls that are wrong are refused: rustc is not shown them again.
pub(crate) fn check(model: &Model<'_>, report: &mut Report) {
    generics::check(model, report);
    data::check(model, report);
    poison::check(model);
    availability::check(model, report);
    awaiting::check(model, report);
    blocks::check(model, report);
    clauses::check(model, report);
    compensation::check(model, report);
    pivot::check(model, report);
    doubt::check(model, report);
    outcome::check(model, report);
}

/// What a call is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Action,
    Probe,
    Compensation,
    /// The value behind `else`.
    Otherwise,
    /// What the coordinator evaluates: a condition, items, a time.
    Evaluation,
}

/// The calls of a step. The action of a `receive` is none.
fn calls(step: &Step) -> impl Iterator<Item = (Role, &Call)> {
    let action = match step.kind {
        StepKind::Receive => None,
        kind if kind.is_made() => Some((Role::Evaluation, &step.action)),
        _ => Some((Role::Action, &step.action)),
    };
    let probe = step.probe.as_ref().map(|probe| (Role::Probe, &probe.call));
    let compensation = match &step.compensate {
        Some(Compensate { undo: Undo::Call(call), .. }) => Some((Role::Compensation, call)),
        _ => None,
    };
    let otherwise = step.otherwise.as_ref().map(|otherwise| (Role::Otherwise, &otherwise.call));
    [action, probe, compensation, otherwise].into_iter().flatten()
}

/// The expressions of a saga that belong to no step: its deadline, and what it locks.
pub(crate) fn values(saga: &Saga) -> impl Iterator<Item = &Call> {
    let deadline = saga.deadline.iter().filter_map(|deadline| time(&deadline.time));
    deadline.chain(saga.lock.iter().flat_map(|lock| &lock.keys))
}

fn time(time: &Time) -> Option<&Call> {
    match time {
        Time::At(call) => Some(call),
        Time::After(_) => None,
    }
}
