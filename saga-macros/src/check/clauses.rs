//! Clauses stand only where they mean something.

use crate::ast::{Step, StepKind};
use crate::model::{self, Model, Zone};
use crate::report::{At, Report};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    for step in &model.steps {
        if step.ast.kind == StepKind::Read {
            keyed_read(&step.ast, report);
            probed_read(&step.ast, report);
            compensated_read(&step.ast, report);
        }
        if step.ast.kind == StepKind::Receive {
            received(&step.ast, report);
        }
        otherwise_of_an_effect(step, report);
    }
}

/// A `receive` makes no call.
fn received(step: &Step, report: &mut Report) {
    let policies = &step.policies;
    let clauses = [
        (step.keyed, "keyed"),
        (step.probe.as_ref().map(|probe| probe.keyword), "probe"),
        (step.compensate.as_ref().map(|compensate| compensate.keyword), "compensate"),
        (policies.timeout.as_ref().map(|_| step.name.span()), "timeout"),
        (policies.retry.as_ref().map(|_| step.name.span()), "retry"),
    ];
    for (at, word) in clauses.into_iter().filter_map(|(at, word)| Some((at?, word))) {
        report
            .error(
                At::word(at, word),
                format!("`{}` is a `receive`: it makes no call that `{word}` could be said of", step.name),
            )
            .help(format!("remove `{word}`"));
    }
    step.probe.iter().for_each(|probe| probe.call.refuse());
    step.compensate.iter().for_each(super::compensation::refuse);
}

/// Before the pivot a step that fails turns the saga; the pivot decides. Only what is no part of all-or-nothing can go on
/// without its output.
fn otherwise_of_an_effect(step: &model::Step<'_>, report: &mut Report) {
    let Some(otherwise) = &step.ast.otherwise else { return };
    let (name, at) = (&step.ast.name, At::word(otherwise.keyword, "else"));
    let message = match (step.ast.kind, step.zone) {
        (StepKind::Read | StepKind::Receive, _) | (_, Zone::Retriable) => return,
        (_, Zone::Pivot { .. }) => {
            format!("the pivot `{name}` has no `else`: its outcome decides whether the saga completes")
        }
        (_, Zone::Compensatable) => {
            format!("step `{name}` has no `else`: when it fails, the saga compensates")
        }
    };
    otherwise.call.refuse();
    report.error(at, message).help("remove `else`: it is for `read`, `receive`, and steps after the pivot");
}

/// A `read` can be made again without asking whether it answers by key.
fn keyed_read(step: &Step, report: &mut Report) {
    if let Some(keyword) = step.keyed {
        report
            .error(
                At::word(keyword, "keyed"),
                format!("`{}` is a `read`: it has no effect that a key could guard", step.name),
            )
            .help("remove `keyed`, or write `step`");
    }
}

/// A `read` leaves no doubt that a probe could settle.
fn probed_read(step: &Step, report: &mut Report) {
    if let Some(probe) = &step.probe {
        probe.call.refuse();
        report
            .error(
                At::word(probe.keyword, "probe"),
                format!("`{}` is a `read`: it is made again, not probed", step.name),
            )
            .help("remove `probe`, or write `step`");
    }
}

/// A `read` has no effect that could be compensated.
fn compensated_read(step: &Step, report: &mut Report) {
    if let Some(compensate) = &step.compensate {
        super::compensation::refuse(compensate);
        report
            .error(
                At::word(compensate.keyword, "compensate"),
                format!("`{}` is a `read`: it has no effect to compensate", step.name),
            )
            .help("remove `compensate`, or write `step`");
    }
}
