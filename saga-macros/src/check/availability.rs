//! Outputs are used only where they exist.

use std::collections::{BTreeSet, HashMap};

use syn::ext::IdentExt;

use super::{Role, calls};
use crate::model::{Model, Step, StepId, VariableId};
use crate::report::Report;
use crate::uses::{bound_names, mentions};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let named = model
        .variables
        .iter()
        .enumerate()
        .map(|(id, variable)| (variable.name.unraw().to_string(), id))
        .collect::<HashMap<_, _>>();
    for (id, step) in model.steps.iter().enumerate() {
        // The same mistake in the action, the probe and the compensation is one.
        let mut blamed = BTreeSet::new();
        for (role, call) in calls(step.ast).filter(|(_, call)| !call.is_refused()) {
            let mut available = step.available.clone();
            if role == Role::Compensation {
                available.insert(step.output);
            }
            let bound = bound_names(&call.tokens);
            for mention in mentions(&call.tokens) {
                let Some(variable) = named.get(&mention.name).copied() else { continue };
                let is_other = mention.is_called || bound.contains(&mention.name);
                if is_other || available.contains(&variable) {
                    continue;
                }
                call.refuse();
                if !blamed.insert(variable) {
                    continue;
                }
                let reason = unavailable(model, id, variable, role);
                report
                    .error(mention.at, format!("{}: {}", reason.what, listed(model, &available)))
                    .help(reason.help);
            }
        }
    }
}

struct Reason {
    what: String,
    help: String,
}

/// Which of the three rules a use breaks.
fn unavailable(model: &Model<'_>, user: StepId, variable: VariableId, role: Role) -> Reason {
    let name = model.variables[variable].name;
    let step = &model.steps[user];
    match model.variables[variable].step.map(|owner| (owner, &model.steps[owner])) {
        Some((owner, _)) if owner == user => own_output(step, role),
        Some((_, owner)) if is_sibling(step, owner) => Reason {
            what: format!("`{name}` is the output of a sibling branch"),
            help: format!(
                "put both steps into one branch `{{ … }}`, `{name}` first, or this one behind the `parallel`"
            ),
        },
        _ => Reason {
            what: format!("`{name}` is the output of a later step"),
            help: format!("move step `{name}` before step `{}`", step.ast.name),
        },
    }
}

/// A step's own output exists only in its compensation.
fn own_output(step: &Step<'_>, role: Role) -> Reason {
    let name = &step.ast.name;
    let call = if role == Role::Probe { "probe" } else { "call" };
    Reason {
        what: format!("`{name}` is the output of this very step"),
        help: format!("only its compensation can use it: this {call} runs when `{name}` does not exist yet"),
    }
}

/// Whether two steps stand in different branches of one `parallel`.
fn is_sibling(one: &Step<'_>, other: &Step<'_>) -> bool {
    let differ = one.branches.iter().zip(&other.branches).find(|(one, other)| one != other);
    differ.is_some_and(|(one, other)| one.parallel == other.parallel)
}

fn listed(model: &Model<'_>, available: &BTreeSet<VariableId>) -> String {
    if available.is_empty() {
        return "here no output exists yet".to_owned();
    }
    let names = available.iter().map(|variable| format!("`{}`", model.variables[*variable].name));
    format!("here only {} can be used", names.collect::<Vec<_>>().join(", "))
}
