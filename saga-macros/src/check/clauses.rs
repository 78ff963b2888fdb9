//! Clauses stand only where they mean something.

use crate::ast::{Step, StepKind};
use crate::model::Model;
use crate::report::{At, Report};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    for step in &model.steps {
        if step.ast.kind == StepKind::Read {
            keyed_read(step.ast, report);
            probed_read(step.ast, report);
            compensated_read(step.ast, report);
        }
    }
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
