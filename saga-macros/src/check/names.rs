//! Each name stands for one thing.
//!
//! This runs before names are resolved: what has a name that cannot be is left out, and its name is poisoned.

use std::collections::HashMap;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;
use syn::ext::IdentExt;

use crate::ast::{Events, Field, For, Saga, Statement, Step, StepKind, UNNAMED_ITEM};
use crate::expand::names;
use crate::report::Report;

/// Leaves sagas with unique names, and in each of them inputs, participants and steps with unique names.
pub(crate) fn settle(sagas: &mut Vec<Saga>, report: &mut Report) {
    let mut names = Vec::new();
    sagas.retain(|saga| {
        let is_new = !names.contains(&saga.name);
        if is_new {
            names.push(saga.name.clone());
        } else {
            report
                .error(&saga.name, format!("saga `{}` is declared twice", saga.name))
                .help("rename one of the two");
        }
        is_new
    });
    for saga in sagas {
        settle_saga(saga, report);
    }
}

fn pivots(statements: &[Statement]) -> usize {
    let is_pivot =
        |statement: &&Statement| matches!(statement, Statement::Step(step) if step.kind == StepKind::Pivot);
    statements.iter().filter(is_pivot).count()
}

fn settle_saga(saga: &mut Saga, report: &mut Report) {
    let mut all = Names {
        report,
        has_local: has_local(&saga.body),
        declared: HashMap::new(),
        derived: HashMap::new(),
        events: HashMap::new(),
        arms: Vec::new(),
        ifs: 0,
        wrong: Vec::new(),
    };
    saga.inputs.retain(|field| all.is_free_for_field(field, "input"));
    saga.participants.retain(|field| all.is_free_for_field(field, "participant"));
    let pivots = pivots(&saga.body);
    all.settle_statements(&mut saga.body);
    saga.lost_pivot |= self::pivots(&saga.body) < pivots;
    saga.broken |= !all.wrong.is_empty();
    saga.poisoned.extend(all.wrong);
}

fn has_local(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::Step(step) => step.kind == StepKind::Local,
        Statement::Parallel(parallel) => parallel.branches.iter().any(|branch| has_local(branch)),
        Statement::If(branching) => {
            let mut bodies = branching.arms.iter().map(|arm| &arm.body).chain(&branching.otherwise);
            bodies.any(|body| has_local(body))
        }
        Statement::For(each) => has_local(&each.body),
        Statement::Sleep(_) => false,
    })
}

struct Names<'r> {
    report: &'r mut Report,
    /// Whether a `local` brings `tx` into scope.
    has_local: bool,
    /// All names that are live here, or were on the way.
    declared: HashMap<String, Vec<Declared>>,
    /// The steps by the names of their types and variants.
    derived: HashMap<String, Ident>,
    /// The events: the step of each, and which of its three it is.
    events: HashMap<String, (Ident, usize)>,
    /// Where the statements being read stand: the arm of each `if` around them, outermost first.
    arms: Vec<Arm>,
    /// How many `if`s there have been.
    ifs: usize,
    /// The names that something wrong has.
    wrong: Vec<Ident>,
}

/// The events that no step has.
const OF_EVERY_SAGA: &[&str] = &["Cancelled", "DeadlinePassed", "Completed"];

/// One arm of one `if`; `branching` numbers those of a saga.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Arm {
    branching: usize,
    arm: usize,
}

struct Declared {
    /// "input", "participant", "step" or "item".
    what: &'static str,
    arms: Vec<Arm>,
    /// The type as it is written.
    ty: String,
}

impl Names<'_> {
    /// Keeps the steps whose names can be, and no branch that is empty then.
    fn settle_statements(&mut self, statements: &mut Vec<Statement>) {
        statements.retain_mut(|statement| match statement {
            Statement::Step(step) => self.is_free_for_step(step),
            Statement::Parallel(parallel) => {
                parallel.branches.iter_mut().for_each(|branch| self.settle_statements(branch));
                parallel.branches.retain(|branch| !branch.is_empty());
                !parallel.branches.is_empty()
            }
            Statement::If(branching) => {
                let bodies = branching.arms.iter_mut().map(|arm| &mut arm.body);
                let number = self.ifs;
                self.ifs += 1;
                for (arm, body) in bodies.chain(&mut branching.otherwise).enumerate() {
                    self.arms.push(Arm { branching: number, arm });
                    self.settle_statements(body);
                    self.arms.pop();
                }
                true
            }
            Statement::For(each) => {
                self.settle_for(each);
                true
            }
            Statement::Sleep(_) => true,
        });
    }

    /// The item is there only for the steps of its `for`.
    fn settle_for(&mut self, each: &mut For) {
        let name = each.item.name.unraw().to_string();
        if name == UNNAMED_ITEM {
            return self.settle_statements(&mut each.body);
        }
        if !self.is_free_for_field(&each.item, "item") {
            each.item.name = Ident::new(UNNAMED_ITEM, each.item.name.span());
            return self.settle_statements(&mut each.body);
        }
        self.settle_statements(&mut each.body);
        self.declared.entry(name).or_default().pop();
    }

    fn is_free_for_field(&mut self, field: &Field, what: &'static str) -> bool {
        self.is_no_context(&field.name, what) && self.is_unique(&field.name, &field.ty, what)
    }

    fn is_free_for_step(&mut self, step: &mut Step) -> bool {
        let is_free = self.is_no_context(&step.name, "step")
            && self.is_unique(&step.name, &step.ty, "step")
            && self.has_letter(&step.name)
            && self.is_derived_name_unique(&step.name);
        let are_free =
            is_free && step.events.as_ref().is_none_or(|events| self.are_unique(&step.name, events));
        if !are_free {
            step.events = None;
        }
        is_free
    }

    /// `cx` is the context of an attempt in every call, `tx` the transaction in those of `local`s.
    fn is_no_context(&mut self, name: &Ident, what: &str) -> bool {
        let context = match name.unraw().to_string().as_str() {
            "cx" => "the context of an attempt",
            "tx" if self.has_local => "the transaction of a `local`",
            _ => return true,
        };
        let message =
            format!("{} {what} cannot be named `{}`: that is {context}", article(what), name.unraw());
        self.refuse(name, &message)
    }

    /// All inputs, participants, items and steps are in scope of the calls behind them: none hides another. Only of the
    /// arms of an `if` no two are taken.
    fn is_unique(&mut self, name: &Ident, ty: &Type, what: &'static str) -> bool {
        let new = Declared { what, arms: self.arms.clone(), ty: ty.to_token_stream().to_string() };
        let others = self.declared.entry(name.unraw().to_string()).or_default();
        let clash = others.iter().find(|other| !excludes(&other.arms, &new.arms));
        let (message, help) = match clash.map(|other| other.what) {
            Some(other) if other == what => (format!("{what} `{name}` is declared twice"), "rename it"),
            Some(other) => {
                (format!("{what} `{name}` has the name of {} {other}", article(other)), "rename it")
            }
            None if others.iter().any(|other| other.what == what && other.ty != new.ty) => (
                format!("{what} `{name}` has another type in another arm of the `if`"),
                "rename it, or give it the same type: behind the `if` both are one output",
            ),
            None => {
                others.push(new);
                return true;
            }
        };
        self.refuse_with(name, &message, help)
    }

    /// Types and variants are named after a step.
    fn has_letter(&mut self, name: &Ident) -> bool {
        let starts_with_letter = names::camel(name).starts_with(char::is_alphabetic);
        starts_with_letter
            || self.refuse(name, &format!("`{name}` is no name for a step: it does not start with a letter"))
    }

    /// Two steps do not become one variant: `flight_a` and `flightA` are both `FlightA`.
    fn is_derived_name_unique(&mut self, name: &Ident) -> bool {
        let derived = names::camel(name);
        let other = self.derived.entry(derived.clone()).or_insert_with(|| name.clone());
        if other.unraw() == name.unraw() {
            return true;
        }
        let message = format!("the names of the steps `{other}` and `{name}` both become `{derived}`");
        self.refuse(name, &message)
    }

    /// An event says what happened to one step.
    fn are_unique(&mut self, step: &Ident, events: &Events) -> bool {
        let names = [Some(&events.done), events.refused.as_ref(), events.compensated.as_ref()];
        let mut are_unique = true;
        for (which, name) in names.into_iter().enumerate() {
            let Some(name) = name else { continue };
            if OF_EVERY_SAGA.contains(&name.unraw().to_string().as_str()) {
                self.report
                    .error(name, format!("every saga has an event `{name}` already"))
                    .help("rename it");
                are_unique = false;
                continue;
            }
            let new = (step.unraw(), which);
            let known = self.events.entry(name.unraw().to_string()).or_insert_with(|| new.clone());
            // A step in several arms is the same one.
            if *known != new {
                self.report
                    .error(name, format!("event `{name}` is declared twice: it is one of step `{}`", known.0))
                    .help("rename it");
                are_unique = false;
            }
        }
        are_unique
    }

    /// Reports, and is `false`.
    fn refuse(&mut self, name: &Ident, message: &str) -> bool {
        self.refuse_with(name, message, "rename it")
    }

    fn refuse_with(&mut self, name: &Ident, message: &str, help: &str) -> bool {
        self.report.error(name, message).help(help);
        self.wrong.push(name.unraw());
        false
    }
}

/// Whether only one of two places is ever reached.
fn excludes(one: &[Arm], other: &[Arm]) -> bool {
    let differ = |(one, other): (&Arm, &Arm)| one.branching == other.branching && one.arm != other.arm;
    one.iter().zip(other).any(differ)
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('i') { "an" } else { "a" }
}
