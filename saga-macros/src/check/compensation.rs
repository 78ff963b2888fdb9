//! Before the pivot every effect has a compensation; at the pivot and after it none has one.

use crate::ast::{Compensate, StepKind, Undo};
use crate::model::{Model, Step, Zone};
use crate::report::{At, Report};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let has_effect = |step: &&Step<'_>| matches!(step.ast.kind, StepKind::Step | StepKind::Local);
    for step in model.steps.iter().filter(has_effect).filter(|_| !model.ast.lost_pivot) {
        missing(model, step, report);
        after_the_pivot(model, step, report);
    }
    for step in model.steps.iter().filter(|step| step.ast.kind == StepKind::Pivot) {
        of_the_pivot(step, report);
    }
}

/// The compensation is not to be shown to rustc.
pub(super) fn refuse(compensate: &Compensate) {
    if let Undo::Call(call) = &compensate.undo {
        call.refuse();
    }
}

/// A step before the pivot, or in a saga without one, says how it is undone.
fn missing(model: &Model<'_>, step: &Step<'_>, report: &mut Report) {
    if step.zone != Zone::Compensatable || step.ast.compensate.is_some() || step.ast.broken {
        return;
    }
    let name = &step.ast.name;
    let error = report.error(name, format!("step `{name}` has no compensation"));
    error
        .help("add `compensate <call>`, which undoes it")
        .help("add `compensate nothing` if its effect is harmless");
    let has_pivot = model.steps.iter().any(|step| step.ast.kind == StepKind::Pivot);
    if !has_pivot && step.branches.is_empty() && step.ast.kind == StepKind::Step {
        error.help(format!("write `pivot {name}: …` if it is the point of no return"));
    }
}

/// Once the pivot is done the saga can only go forward.
fn after_the_pivot(model: &Model<'_>, step: &Step<'_>, report: &mut Report) {
    let Some(compensate) = step.ast.compensate.as_ref().filter(|_| step.zone == Zone::Retriable) else {
        return;
    };
    let pivot = model.steps.iter().find(|step| matches!(step.zone, Zone::Pivot { .. }));
    let pivot = pivot.map(|pivot| format!(" `{}`", pivot.ast.name)).unwrap_or_default();
    let name = &step.ast.name;
    refuse(compensate);
    report
        .error(
            At::word(compensate.keyword, "compensate"),
            format!("step `{name}` can never be compensated: it comes after the pivot{pivot}"),
        )
        .help("remove `compensate`: after the pivot a step is retried until it is done")
        .help(format!("or move step `{name}` before the pivot"));
}

/// The pivot is the point of no return.
fn of_the_pivot(step: &Step<'_>, report: &mut Report) {
    let Some(compensate) = &step.ast.compensate else { return };
    refuse(compensate);
    report
        .error(
            At::word(compensate.keyword, "compensate"),
            format!("the pivot `{}` can never be compensated: it is the point of no return", step.ast.name),
        )
        .help("remove `compensate`, or write `step` instead of `pivot`");
}
