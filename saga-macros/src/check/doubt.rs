//! Every doubt can be settled.

use crate::model::{Model, Step, Zone};
use crate::report::Report;

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    for step in model.steps.iter().filter(|_| !model.ast.lost_pivot) {
        unsettled(step, report);
    }
}

/// An attempt without an answer leaves its step in doubt. Someone has to be able to settle that: the participant, by the
/// same key again; a probe; before the pivot also a compensation that needs no output.
///
/// Whether a participant is `Keyed` only rustc knows: that is asserted by a bound, see [`Step::must_be_keyed`].
fn unsettled(step: &Step<'_>, report: &mut Report) {
    if !step.leaves_doubt() || !step.must_be_keyed.is_empty() || step.ast.action.is_refused() {
        return;
    }
    let name = &step.ast.name;
    let error = report
        .error(name, format!("nobody could settle a doubt about `{name}`, should its call get no answer"));
    error
        .help("add `keyed` if the call answers the same to the same key, with one effect")
        .help("add `probe <call>`, which finds out whether it was done");
    if step.zone == Zone::Compensatable {
        error.help(format!(
            "write a compensation that does not mention `{name}`, but undoes by `cx.action_key()`"
        ));
    }
}
