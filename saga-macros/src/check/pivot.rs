//! A saga has at most one pivot, at its top level.

use crate::ast::StepKind;
use crate::model::{Model, Step, Zone};
use crate::report::Report;

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    for step in model.steps.iter().filter(|step| step.ast.kind == StepKind::Pivot) {
        if step.branches.is_empty() {
            second(model, step, report);
        } else {
            in_parallel(step, report);
        }
    }
}

/// There is one point of no return.
fn second(model: &Model<'_>, step: &Step<'_>, report: &mut Report) {
    if matches!(step.zone, Zone::Pivot { .. }) {
        return;
    }
    let first = model.steps.iter().find(|step| matches!(step.zone, Zone::Pivot { .. }));
    let first = first.map(|first| format!(": `{}` is it already", first.ast.name)).unwrap_or_default();
    report.error(&step.ast.name, format!("a saga has only one pivot{first}")).help(format!(
        "write `step {}: …`: after the pivot a step is retried until it is done",
        step.ast.name
    ));
}

/// Siblings of a pivot would be before and after it at once.
fn in_parallel(step: &Step<'_>, report: &mut Report) {
    let name = &step.ast.name;
    report
        .error(
            name,
            format!("the pivot `{name}` stands in `parallel`: its sibling branches could still fail"),
        )
        .help("move it behind the `parallel`, or write `step` instead of `pivot`");
}
