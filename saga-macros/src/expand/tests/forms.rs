//! The random sagas hold every form of the language, wherever it can stand.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::fuzz::random_sagas;
use crate::ast::{Compensate, DurationValue, Policies, Retry, Saga, StepKind, Time, Undo};
use crate::check::settle_names;
use crate::model::{Block, BlockKind, BranchKind, Model, Node, Region, Step, Zone, resolve};
use crate::parse::parse;

/// How many sagas have to hold all of them.
const SEEDS: u64 = 600;

#[test]
fn random_sagas_hold_every_form() {
    let mut forms = BTreeSet::new();
    for seed in 0..SEEDS {
        let text = random_sagas::saga("Any", &mut Rng::with_seed(seed));
        let (mut sagas, mut report) = parse(text.parse().expect("it is made of tokens"));
        settle_names(&mut sagas, &mut report);
        assert_eq!(report.into_text(), "", "{text}");
        forms.extend(sagas.iter().flat_map(of_saga));
    }
    let missing = every_form().into_iter().filter(|form| !forms.contains(form)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "no saga holds: {missing:#?}");
}

/// All that a saga can hold.
fn every_form() -> Vec<String> {
    let mut all = Vec::new();
    for kind in ["step", "read", "local", "receive", "saga", "if", "for", "sleep"] {
        for zone in ["before", "after"] {
            for place in ["in no block", "in parallel", "in if", "in for"] {
                all.push(format!("{kind} {zone} the pivot, {place}"));
            }
        }
    }
    let with = |head: &str, clauses: &[&str]| {
        clauses.iter().map(|clause| format!("{head} with {clause}")).collect::<Vec<_>>()
    };
    let attempts = ["timeout", "retry never", "retry forever", "retry some", "(expression)"];
    let undo = ["compensate", "compensate nothing"];
    let doubt = ["probe", "keyed"];
    let events = ["1 event", "2 events"];
    for head in ["step before the pivot", "step after the pivot", "pivot at the pivot"] {
        all.extend(with(head, &[&attempts[..], &doubt, &events].concat()));
    }
    all.extend(with("step before the pivot", &undo));
    all.extend(with(
        "step before the pivot",
        &["compensate { timeout }", "compensate { retry }", "compensate { timeout, retry }", "3 events"],
    ));
    all.extend(with("step after the pivot", &["else"]));
    for zone in ["before", "after"] {
        all.extend(with(&format!("read {zone} the pivot"), &[&attempts[..], &events, &["else"]].concat()));
        all.extend(with(
            &format!("receive {zone} the pivot"),
            &[&events[..], &["else", "(expression)"]].concat(),
        ));
        all.extend(with(&format!("sleep {zone} the pivot"), &["until", "a time"]));
    }
    all.extend(with("local before the pivot", &[&undo[..], &events, &["3 events"]].concat()));
    all.extend(with("local after the pivot", &[&events[..], &["else"]].concat()));
    all.extend(with("saga before the pivot", &[&events[..], &["3 events"]].concat()));
    all.extend(with("saga after the pivot", &[&events[..], &["else"]].concat()));
    let rest = [
        "step at the pivot, in no block",
        "local at the pivot, in no block",
        "pivot at the pivot, in no block",
        "lock of 1",
        "lock of several",
        "lock of a name",
        "deadline after",
        "deadline at",
        "timeout of all",
        "retry of all",
        "parameters",
        "where",
        "constant parameter",
        "version",
        "tx",
        "output and return",
        "no output",
        "no input",
        "inputs",
        "public",
        "private",
        "doc of a step",
        "doc of a made step",
        "parallel",
        "parallel of several",
        "branch of several",
        "for",
        "parallel for",
        "if of 1 arm",
        "if of several arms",
        "else of an if",
        "if let",
        "if let in a chain",
        "several lets in a chain",
        "output of several arms",
        "output of all arms",
        "an arm's output of a list",
        "a list of lists",
        "a list of an arm's outputs",
    ];
    all.extend(rest.map(str::to_owned));
    all
}

fn of_saga(saga: &Saga) -> Vec<String> {
    let model = resolve(saga);
    let mut forms = Vec::new();
    let mut say = |is: bool, form: &str| {
        if is {
            forms.push(form.to_owned());
        }
    };
    let deadline = saga.deadline.as_ref().map(|deadline| &deadline.time);
    say(matches!(deadline, Some(Time::After(_))), "deadline after");
    say(matches!(deadline, Some(Time::At(_))), "deadline at");
    let keys = saga.lock.iter().flat_map(|lock| &lock.keys).collect::<Vec<_>>();
    say(keys.len() == 1, "lock of 1");
    say(keys.len() > 1, "lock of several");
    let is_input = |text: &str| saga.inputs.iter().any(|input| input.name == text);
    say(keys.iter().any(|key| is_input(&key.tokens.to_string())), "lock of a name");
    say(saga.defaults.timeout.is_some(), "timeout of all");
    say(saga.defaults.retry.is_some(), "retry of all");
    say(!saga.generics.params.is_empty(), "parameters");
    say(saga.generics.where_clause.is_some(), "where");
    say(saga.generics.const_params().next().is_some(), "constant parameter");
    say(saga.options.version.is_some(), "version");
    say(saga.options.tx.is_some(), "tx");
    say(saga.output.is_some() && saga.returns.is_some(), "output and return");
    say(saga.output.is_none() && saga.returns.is_none(), "no output");
    say(saga.inputs.is_empty(), "no input");
    say(!saga.inputs.is_empty(), "inputs");
    say(matches!(saga.vis, syn::Visibility::Public(_)), "public");
    say(matches!(saga.vis, syn::Visibility::Inherited), "private");
    for step in &model.steps {
        of_step(step, &mut say);
    }
    of_region(&model, &model.root, &mut say);
    forms
}

fn of_step(step: &Step<'_>, say: &mut impl FnMut(bool, &str)) {
    let kind = step.ast.kind.word();
    let zone = match step.zone {
        Zone::Compensatable => "before",
        Zone::Pivot { .. } => "at",
        Zone::Retriable => "after",
    };
    let place = match step.branches.last().map(|branch| branch.kind) {
        None => "no block",
        Some(BranchKind::Parallel) => "parallel",
        Some(BranchKind::If) => "if",
        Some(BranchKind::For) => "for",
    };
    let head = format!("{kind} {zone} the pivot");
    say(true, &format!("{head}, in {place}"));
    let mut with = |is: bool, what: &str| say(is, &format!("{head} with {what}"));
    of_policies(&step.ast.policies, &mut with);
    let is_computed = |value: &Option<DurationValue>| matches!(value, Some(DurationValue::Expression(_)));
    with(is_computed(&step.ast.policies.timeout) || is_computed(&step.ast.within), "(expression)");
    with(step.ast.keyed.is_some(), "keyed");
    with(step.ast.probe.is_some(), "probe");
    with(step.ast.otherwise.is_some(), "else");
    if step.ast.kind == StepKind::Sleep {
        with(true, if step.ast.within.is_some() { "a time" } else { "until" });
    }
    if let Some(events) = &step.ast.events {
        let count = 1 + usize::from(events.refused.is_some()) + usize::from(events.compensated.is_some());
        with(true, &if count == 1 { "1 event".to_owned() } else { format!("{count} events") });
    }
    if let Some(Compensate { undo, policies, .. }) = &step.ast.compensate {
        let is_nothing = matches!(undo, Undo::Nothing);
        with(is_nothing, "compensate nothing");
        with(!is_nothing, "compensate");
        match (&policies.timeout, &policies.retry) {
            (Some(_), None) => with(true, "compensate { timeout }"),
            (None, Some(_)) => with(true, "compensate { retry }"),
            (Some(_), Some(_)) => with(true, "compensate { timeout, retry }"),
            (None, None) => {}
        }
    }
    say(!step.ast.attrs.is_empty() && !step.ast.kind.is_made(), "doc of a step");
    say(!step.ast.attrs.is_empty() && step.ast.kind.is_made(), "doc of a made step");
    if step.ast.kind == StepKind::If {
        for condition in &step.conditions {
            let condition = condition.to_string();
            let lets = condition.matches("let ").count();
            say(lets == 1 && !condition.contains("&&"), "if let");
            say(lets == 1 && condition.contains("&&"), "if let in a chain");
            say(lets > 1, "several lets in a chain");
        }
    }
}

fn of_policies(policies: &Policies, with: &mut impl FnMut(bool, &str)) {
    with(policies.timeout.is_some(), "timeout");
    match policies.retry {
        Some(Retry::Never) => with(true, "retry never"),
        Some(Retry::Every { limit: None, .. }) => with(true, "retry forever"),
        Some(Retry::Every { limit: Some(_), .. }) => with(true, "retry some"),
        None => {}
    }
}

fn of_region(model: &Model<'_>, region: &Region, say: &mut impl FnMut(bool, &str)) {
    for node in &region.nodes {
        let Node::Block(block) = node else { continue };
        of_block(model, block, say);
        for branch in &block.branches {
            of_region(model, branch, say);
        }
    }
}

fn of_block(model: &Model<'_>, block: &Block, say: &mut impl FnMut(bool, &str)) {
    use crate::model::Form::{Many, One, Optional};

    let count = block.branches.len();
    match block.kind {
        BlockKind::Parallel => {
            say(count == 1, "parallel");
            say(count > 1, "parallel of several");
            say(block.branches.iter().any(|branch| branch.nodes.len() > 1), "branch of several");
        }
        BlockKind::For { limit, .. } => say(true, if limit == 1 { "for" } else { "parallel for" }),
        BlockKind::If { decision } => {
            let written = model.steps[decision].conditions.len();
            say(written == 1, "if of 1 arm");
            say(written > 1, "if of several arms");
            say(block.branches.last().is_some_and(|last| !last.nodes.is_empty()), "else of an if");
            for export in &block.exports {
                let made = export.inner.iter().flatten().count();
                say(made > 1 && made < count, "output of several arms");
                say(made > 1 && made == count, "output of all arms");
            }
        }
    }
    for export in &block.exports {
        match &model.variables[export.outer].form {
            Optional(form) => say(matches!(**form, Many(_)), "an arm's output of a list"),
            Many(form) => {
                say(matches!(**form, Many(_)), "a list of lists");
                say(matches!(**form, Optional(_)), "a list of an arm's outputs");
            }
            One(_) => {}
        }
    }
}
