//! A saga does something, and returns what it says.

use crate::model::Model;
use crate::report::Report;

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    if !model.ast.broken {
        empty(model, report);
        missing_return(model, report);
    }
}

/// A saga has a step.
fn empty(model: &Model<'_>, report: &mut Report) {
    if model.steps.is_empty() {
        let name = &model.ast.name;
        report
            .error(name, format!("saga `{name}` has no step"))
            .help("write `step name: Type = participant.method(cx, …);`");
    }
}

/// A saga with an output says how it is built.
fn missing_return(model: &Model<'_>, report: &mut Report) {
    if model.ast.output.is_some() && model.ast.returns.is_none() {
        let name = &model.ast.name;
        report
            .error(model.ast.end.clone(), format!("saga `{name}` has an output, but no `return`"))
            .help("end it with `return <expression>;`, which builds the output");
    }
}
