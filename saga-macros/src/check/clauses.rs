//! Clauses stand only where they mean something. Of `timeout`, `retry` and `within` the parser sees to that.

use proc_macro2::Span;

use crate::ast::{Step, StepKind, Undo};
use crate::model::{self, Model, Zone};
use crate::report::{At, Report};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    for step in &model.steps {
        keyed(&step.ast, report);
        probe(&step.ast, report);
        compensate(&step.ast, report);
        if !model.ast.lost_pivot {
            otherwise(step, report);
            third_event(step, report);
        }
    }
}

/// Only an attempt that is made elsewhere can be told apart by its key.
fn keyed(step: &Step, report: &mut Report) {
    let Some(keyword) = step.keyed else { return };
    let why = match step.kind {
        StepKind::Step
        | StepKind::Pivot
        | StepKind::If
        | StepKind::For
        | StepKind::Sleep
        | StepKind::Lock => return,
        StepKind::Read => "it has no effect that a key could guard",
        StepKind::Local => "it is done exactly once without a key",
        StepKind::Receive => "it calls nobody",
        StepKind::Saga => "it is begun exactly once without a key",
    };
    refuse(step, "keyed", keyword, why, report);
}

/// Only an attempt that is made elsewhere leaves a doubt that a probe could settle.
fn probe(step: &Step, report: &mut Report) {
    let Some(probe) = &step.probe else { return };
    let why = match step.kind {
        StepKind::Step
        | StepKind::Pivot
        | StepKind::If
        | StepKind::For
        | StepKind::Sleep
        | StepKind::Lock => return,
        StepKind::Read => "it is made again, not probed",
        StepKind::Local | StepKind::Saga => "it is never in doubt",
        StepKind::Receive => "it calls nobody",
    };
    probe.call.refuse();
    refuse(step, "probe", probe.keyword, why, report);
}

/// What has no effect, or takes it back itself, has no compensation.
fn compensate(step: &Step, report: &mut Report) {
    let Some(compensate) = &step.compensate else { return };
    let why = match step.kind {
        StepKind::Step
        | StepKind::Pivot
        | StepKind::Local
        | StepKind::If
        | StepKind::For
        | StepKind::Sleep
        | StepKind::Lock => return,
        StepKind::Read | StepKind::Receive => "it has no effect to compensate",
        StepKind::Saga => "it compensates its own steps",
    };
    super::compensation::refuse(compensate);
    refuse(step, "compensate", compensate.keyword, why, report);
}

/// Before the pivot a refusal has a meaning: the saga compensates.
fn otherwise(step: &model::Step<'_>, report: &mut Report) {
    let Some(otherwise) = &step.ast.otherwise else { return };
    let name = &step.ast.name;
    let (why, mend) = match (step.ast.kind, step.zone) {
        (StepKind::Read | StepKind::Receive, _) | (_, Zone::Retriable) => return,
        (StepKind::Pivot, _) | (_, Zone::Pivot { .. }) => (
            format!("the pivot `{name}` has no `else`: done or not, it decides about the saga"),
            String::new(),
        ),
        (_, Zone::Compensatable) => (
            format!("step `{name}` has no `else`: before the pivot the saga compensates if it is refused"),
            format!(", or move step `{name}` behind the pivot"),
        ),
    };
    otherwise.call.refuse();
    report.error(At::word(otherwise.keyword, "else"), why).help(format!("remove `else`{mend}"));
}

/// What is never compensated has no name for that.
fn third_event(step: &model::Step<'_>, report: &mut Report) {
    let Some(event) = step.ast.events.as_ref().and_then(|events| events.compensated.as_ref()) else { return };
    let is_harmless = step.ast.compensate.as_ref().is_some_and(|it| matches!(it.undo, Undo::Nothing));
    let has_effect = !matches!(step.ast.kind, StepKind::Read | StepKind::Receive | StepKind::Pivot);
    if has_effect && step.zone == Zone::Compensatable && !is_harmless {
        return;
    }
    report
        .error(event, format!("event `{event}` never happens: `{}` is never compensated", step.ast.name))
        .help("remove it: the third event of a step says that it was compensated");
}

fn refuse(step: &Step, clause: &str, keyword: Span, why: &str, report: &mut Report) {
    let (name, kind) = (&step.name, step.kind.word());
    let error = report.error(At::word(keyword, clause), format!("`{name}` is a `{kind}`: {why}"));
    match step.kind {
        StepKind::Receive | StepKind::Saga => error.help(format!("remove `{clause}`")),
        _ => error.help(format!("remove `{clause}`, or write `step`")),
    };
}
