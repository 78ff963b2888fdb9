//! Random sagas have every form of the language: what they leave out is compiled and mutated by no test of theirs.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::random_sagas;
use crate::ast::{DurationValue, For, If, Policies, Retry, Saga, Statement, StepKind, Time, Undo};
use crate::model::{BranchKind, Step, Zone};

const SAGAS: u64 = 400;

/// What else there is beside each kind of statement, before and after the pivot, in each block.
#[rustfmt::skip]
const FORMS: &[&str] = &[
    "pivot", "step as pivot", "local as pivot", "no pivot",
    "lock of one", "lock of several",
    "saga with parameters", "saga with where", "saga with version", "saga with tx", "saga with inputs",
    "saga without inputs", "saga with output", "saga without output", "documentation",
    "deadline in", "deadline at", "default timeout", "default retry",
    "sleep for", "sleep for an expression", "sleep until",
    "if without else", "if with else", "if let", "else if", "name of all arms",
    "for one by one", "for with limit",
    "parallel with a block", "parallel with a statement",
    "step with timeout", "step with retry", "read with timeout", "read with retry", "pivot with timeout",
    "pivot with retry", "timeout by expression", "retry never", "retry forever", "retry so often", "retry up to an expression",
    "step with keyed", "pivot with keyed", "step with probe", "pivot with probe",
    "step with compensate", "step with compensate nothing", "step with compensate by its output",
    "local with compensate", "local with compensate nothing", "local with compensate by its output",
    "compensate with timeout", "compensate with retry",
    "receive within", "receive within an expression",
    "read with else before", "read with else after", "receive with else before", "receive with else after",
    "step with else after", "local with else after", "saga with else after",
    "step with 1 events", "step with 2 events", "step with 3 events", "read with 2 events", "receive with 2 events",
    "pivot with 2 events", "local with 3 events", "saga with 3 events",
];

#[test]
fn every_form_occurs_in_random_sagas() {
    let mut missing = FORMS.iter().map(|form| (*form).to_owned()).collect::<BTreeSet<_>>();
    for kind in ["step", "read", "local", "receive", "saga", "if", "for", "sleep"] {
        for zone in ["before", "after"] {
            for block in ["nothing", "parallel", "if", "for"] {
                missing.insert(format!("{kind} {zone} in {block}"));
            }
        }
    }
    for seed in 0..SAGAS {
        let text = random_sagas::saga("Any", &mut Rng::with_seed(seed));
        let (sagas, report) = crate::parse::parse(text.parse().expect("it is made of tokens"));
        assert_eq!(report.into_text(), "", "{text}");
        for saga in &sagas {
            missing = &missing - &forms_of(saga);
        }
    }
    assert!(missing.is_empty(), "no random saga has {missing:#?}");
}

fn forms_of(saga: &Saga) -> BTreeSet<String> {
    let mut forms = Forms::new();
    forms.all([
        ("saga with parameters", !saga.generics.params.is_empty()),
        ("saga with where", saga.generics.where_clause.is_some()),
        ("saga with version", saga.options.version.is_some()),
        ("saga with tx", saga.options.tx.is_some()),
        ("saga with inputs", !saga.inputs.is_empty()),
        ("saga without inputs", saga.inputs.is_empty()),
        ("saga with output", saga.returns.is_some()),
        ("saga without output", saga.output.is_none()),
        ("default timeout", saga.defaults.timeout.is_some()),
        ("default retry", saga.defaults.retry.is_some()),
        ("lock of one", saga.lock.as_ref().is_some_and(|lock| lock.keys.len() == 1)),
        ("lock of several", saga.lock.as_ref().is_some_and(|lock| lock.keys.len() > 1)),
    ]);
    match saga.deadline.as_ref().map(|deadline| &deadline.time) {
        Some(Time::After(_)) => forms.add("deadline in"),
        Some(Time::At(_)) => forms.add("deadline at"),
        None => {}
    }
    forms.statements(&saga.body);
    let model = crate::model::resolve(saga);
    forms.all([("no pivot", model.steps.iter().all(|step| step.zone == Zone::Compensatable))]);
    model.steps.iter().for_each(|step| forms.step(step));
    forms.0
}

/// The forms that a saga has.
struct Forms(BTreeSet<String>);

impl Forms {
    fn new() -> Self {
        Self(BTreeSet::new())
    }

    fn add(&mut self, form: impl Into<String>) {
        self.0.insert(form.into());
    }

    fn all<const N: usize>(&mut self, forms: [(&str, bool); N]) {
        self.0.extend(forms.iter().filter(|(_, has)| *has).map(|(form, _)| (*form).to_owned()));
    }

    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Step(step) => self.all([("documentation", !step.attrs.is_empty())]),
                Statement::Sleep(sleep) => match &sleep.time {
                    Time::After(DurationValue::Literal(_)) => self.add("sleep for"),
                    Time::After(DurationValue::Expression(_)) => self.add("sleep for an expression"),
                    Time::At(_) => self.add("sleep until"),
                },
                Statement::Parallel(parallel) => {
                    let mut lengths = parallel.branches.iter().map(Vec::len);
                    self.all([
                        ("parallel with a block", lengths.clone().any(|length| length > 1)),
                        ("parallel with a statement", lengths.any(|length| length == 1)),
                    ]);
                    parallel.branches.iter().for_each(|branch| self.statements(branch));
                }
                Statement::If(branching) => self.branching(branching),
                Statement::For(For { limit, body, .. }) => {
                    self.add(if limit.is_some() { "for with limit" } else { "for one by one" });
                    self.statements(body);
                }
            }
        }
    }

    fn branching(&mut self, branching: &If) {
        let names = |body: &[Statement]| {
            let names = body.iter().filter_map(|statement| match statement {
                Statement::Step(step) => Some(step.name.to_string()),
                _ => None,
            });
            names.collect::<BTreeSet<_>>()
        };
        let is_let = |condition: &str| condition.starts_with("let ");
        let has_let = branching.arms.iter().any(|arm| is_let(&arm.condition.tokens.to_string()));
        let of_all = branching.otherwise.as_ref().is_some_and(|otherwise| {
            let in_otherwise = names(otherwise);
            in_otherwise.iter().any(|name| branching.arms.iter().all(|arm| names(&arm.body).contains(name)))
        });
        self.all([
            ("if with else", branching.otherwise.is_some()),
            ("if without else", branching.otherwise.is_none()),
            ("else if", branching.arms.len() > 1),
            ("if let", has_let),
            ("name of all arms", of_all),
        ]);
        let bodies = branching.arms.iter().map(|arm| &arm.body).chain(&branching.otherwise);
        bodies.for_each(|body| self.statements(body));
    }

    fn step(&mut self, step: &Step<'_>) {
        let kind = step.ast.kind.word();
        let block = match step.branches.last().map(|branch| branch.kind) {
            None => "nothing",
            Some(BranchKind::Parallel) => "parallel",
            Some(BranchKind::If) => "if",
            Some(BranchKind::For) => "for",
        };
        let zone = match step.zone {
            Zone::Compensatable => "before",
            Zone::Retriable => "after",
            Zone::Pivot { explicit: true } => return self.clauses(kind, "", step),
            Zone::Pivot { explicit: false } => return self.add(format!("{kind} as pivot")),
        };
        self.add(format!("{kind} {zone} in {block}"));
        self.clauses(kind, zone, step);
    }

    fn clauses(&mut self, kind: &str, zone: &str, step: &Step<'_>) {
        self.add(kind);
        let ast = &step.ast;
        self.policies(kind, &ast.policies);
        if ast.keyed.is_some() {
            self.add(format!("{kind} with keyed"));
        }
        if ast.probe.is_some() {
            self.add(format!("{kind} with probe"));
        }
        if ast.otherwise.is_some() {
            self.add(format!("{kind} with else {zone}"));
        }
        if let Some(events) = &ast.events {
            let names = 1 + usize::from(events.refused.is_some()) + usize::from(events.compensated.is_some());
            self.add(format!("{kind} with {names} events"));
        }
        match ast.compensate.as_ref().map(|compensate| (&compensate.undo, &compensate.policies)) {
            Some((Undo::Nothing, _)) => self.add(format!("{kind} with compensate nothing")),
            Some((Undo::Call(_), policies)) => {
                let by_output = if step.is_compensated_by_output() { " by its output" } else { "" };
                self.add(format!("{kind} with compensate{by_output}"));
                self.policies("compensate", policies);
            }
            None => {}
        }
        match (ast.kind, &ast.within) {
            (StepKind::Receive, Some(DurationValue::Literal(_))) => self.add("receive within"),
            (StepKind::Receive, Some(DurationValue::Expression(_))) => {
                self.add("receive within an expression");
            }
            _ => {}
        }
    }

    fn policies(&mut self, of: &str, policies: &Policies) {
        if let Some(timeout) = &policies.timeout {
            self.add(format!("{of} with timeout"));
            self.all([("timeout by expression", matches!(timeout, DurationValue::Expression(_)))]);
        }
        let Some(retry) = &policies.retry else { return };
        self.add(format!("{of} with retry"));
        match retry {
            Retry::Never => self.add("retry never"),
            Retry::Every { limit, cap, .. } => {
                self.add(if limit.is_some() { "retry so often" } else { "retry forever" });
                self.all([("retry up to an expression", matches!(cap, DurationValue::Expression(_)))]);
            }
        }
    }
}
