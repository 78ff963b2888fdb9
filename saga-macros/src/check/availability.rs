//! Outputs are used only where they exist.

use std::collections::{BTreeSet, HashMap, HashSet};

use syn::ext::IdentExt;

use super::{Role, calls};
use crate::ast::StepKind;
use crate::model::{BranchKind, Model, Step, StepId, VariableId};
use crate::report::Report;
use crate::uses::{bound_names, mentions};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let mut named = HashMap::<String, Vec<VariableId>>::new();
    for (id, variable) in model.variables.iter().enumerate() {
        named.entry(variable.name.unraw().to_string()).or_default().push(id);
    }
    for (id, step) in model.steps.iter().enumerate() {
        // The same mistake in the action, the probe and the compensation is one.
        let mut blamed = BTreeSet::new();
        let bound_around = step.guards.iter().flat_map(|guard| &guard.binds).collect::<HashSet<_>>();
        for (role, call) in calls(&step.ast).filter(|(_, call)| !call.is_refused()) {
            let mut available = step.available.clone();
            if role == Role::Compensation {
                available.extend(step.output);
            }
            let bound = bound_names(&call.tokens);
            for mention in mentions(&call.tokens) {
                let is_other = mention.is_called
                    || bound.contains(&mention.name)
                    || bound_around.contains(&mention.name);
                let Some(variables) = named.get(&mention.name) else {
                    if let Some(reason) = called_at_once(model, step, role, &mention.name)
                        && !is_other
                    {
                        call.refuse();
                        report.error(mention.at, reason.what).help(reason.help);
                        break;
                    }
                    continue;
                };
                if is_other || variables.iter().any(|variable| available.contains(variable)) {
                    continue;
                }
                call.refuse();
                if !blamed.insert(variables[0]) {
                    continue;
                }
                let reason = unavailable(model, id, variables[0], role);
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

/// What the coordinator evaluates by itself calls nobody.
fn called_at_once(model: &Model<'_>, step: &Step<'_>, role: Role, name: &str) -> Option<Reason> {
    let kind = step.ast.kind;
    let is_evaluated =
        matches!(role, Role::Evaluation | Role::Otherwise) || (kind, role) == (StepKind::Saga, Role::Action);
    let is_participant = model.ast.participants.iter().any(|field| field.name.unraw() == name);
    if !is_evaluated || !(is_participant || name == "cx") {
        return None;
    }
    let what = if is_participant {
        format!(
            "`{name}` is a participant, and this is evaluated at once by the coordinator: it calls nobody"
        )
    } else {
        "`cx` belongs to a call, and this is evaluated at once by the coordinator: it calls nobody".to_owned()
    };
    let help = match kind {
        StepKind::Lock => {
            "lock what the inputs name: all locks are taken before anything is asked".to_owned()
        }
        _ => "ask in a step or in a `read` before it, and use its output here".to_owned(),
    };
    Some(Reason { what, help })
}

/// Which of the rules a use breaks.
fn unavailable(model: &Model<'_>, user: StepId, variable: VariableId, role: Role) -> Reason {
    let name = &model.variables[variable].name;
    let step = &model.steps[user];
    let Some(owner) = model.variables[variable].step() else {
        return Reason {
            what: format!("`{name}` is the item of a `for` that this does not stand in"),
            help: format!("move this into the `for` of `{name}`"),
        };
    };
    if owner == user {
        return own_output(step, role);
    }
    match sibling(step, &model.steps[owner]) {
        Some(BranchKind::Parallel) => Reason {
            what: format!("`{name}` is the output of a sibling branch"),
            help: format!(
                "put both steps into one branch `{{ … }}`, `{name}` first, or this one behind the `parallel`"
            ),
        },
        Some(BranchKind::If | BranchKind::For) => Reason {
            what: format!("`{name}` is the output of another arm of the `if`: only one of them is taken"),
            help: format!("move step `{name}` before the `if`, or this one behind it"),
        },
        None if step.ast.kind == StepKind::Lock => Reason {
            what: format!("`{name}` is the output of a step: all locks are taken before the first one"),
            help: "lock what the inputs name, or let a child saga do these steps, which has its own `lock`"
                .to_owned(),
        },
        None => Reason {
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

/// The kind of block in different branches of which two steps stand, if they do.
fn sibling(one: &Step<'_>, other: &Step<'_>) -> Option<BranchKind> {
    let differ = one.branches.iter().zip(&other.branches).find(|(one, other)| one != other);
    differ.filter(|(one, other)| one.block == other.block).map(|(one, _)| one.kind)
}

fn listed(model: &Model<'_>, available: &BTreeSet<VariableId>) -> String {
    if available.is_empty() {
        return "here no output exists yet".to_owned();
    }
    let names = available.iter().map(|variable| format!("`{}`", model.variables[*variable].name));
    format!("here only {} can be used", names.collect::<Vec<_>>().join(", "))
}
