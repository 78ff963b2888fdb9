//! A saga has at most one pivot, at its top level.

use crate::ast::StepKind;
use crate::model::{BranchKind, Model, Step, Zone};
use crate::report::Report;

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    for step in model.steps.iter().filter(|step| step.ast.kind == StepKind::Pivot) {
        match step.branches.last() {
            None => second(model, step, report),
            Some(branch) => in_block(branch.kind, step, report),
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

/// Siblings of a pivot would be before and after it at once, and whether and how often it is passed would be decided
/// only on the way.
fn in_block(kind: BranchKind, step: &Step<'_>, report: &mut Report) {
    let name = &step.ast.name;
    let (block, reason) = match kind {
        BranchKind::Parallel => ("parallel", "its sibling branches could still fail"),
        BranchKind::If => ("if", "whether it is ever passed is not certain"),
        BranchKind::For => ("for", "it would be passed for each item"),
    };
    report
        .error(name, format!("the pivot `{name}` stands in `{block}`: {reason}"))
        .help(format!("move it behind the `{block}`, or write `step` instead of `pivot`"));
}
