//! Each name stands for one thing.
//!
//! This runs before names are resolved: what has a name that cannot be is left out, and its name is poisoned.

use std::collections::{HashMap, HashSet};

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::ast::{Field, Saga, Statement, Step};
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

fn settle_saga(saga: &mut Saga, report: &mut Report) {
    let mut all = Names {
        report,
        declared: HashMap::new(),
        derived: HashMap::new(),
        events: HashSet::new(),
        wrong: Vec::new(),
    };
    saga.inputs.retain(|field| all.is_free_for_field(field, "input"));
    saga.participants.retain(|field| all.is_free_for_field(field, "participant"));
    all.settle(&mut saga.body);
    saga.broken |= !all.wrong.is_empty();
    saga.poisoned.extend(all.wrong);
}

struct Names<'r> {
    report: &'r mut Report,
    /// What each name is: "input", "participant", "item" or "step".
    declared: HashMap<String, &'static str>,
    /// The steps by the names of their types and variants.
    derived: HashMap<String, Ident>,
    /// The names that `events` gives.
    events: HashSet<String>,
    /// The names that something wrong has.
    wrong: Vec<Ident>,
}

impl Names<'_> {
    /// Keeps the steps with names of their own, and no branch that is empty then. Only one arm of an `if` is taken:
    /// what another one calls so is no hindrance.
    fn settle(&mut self, statements: &mut Vec<Statement>) {
        statements.retain_mut(|statement| match statement {
            Statement::Step(step) => self.is_free_for_step(step),
            Statement::Parallel(parallel) => {
                parallel.branches.iter_mut().for_each(|branch| self.settle(branch));
                parallel.branches.retain(|branch| !branch.is_empty());
                !parallel.branches.is_empty()
            }
            Statement::If(branching) => {
                let before = (self.declared.clone(), self.derived.clone());
                let mut after = before.clone();
                let arms = branching.arms.iter_mut().map(|arm| &mut arm.body);
                for body in arms.chain(&mut branching.otherwise) {
                    (self.declared, self.derived) = before.clone();
                    self.settle(body);
                    after.0.extend(self.declared.drain());
                    after.1.extend(self.derived.drain());
                }
                (self.declared, self.derived) = after;
                true
            }
            Statement::For(each) => {
                // It is gone behind the `for`: another one may use the name again.
                let is_free = self.is_free_for_field(&each.item, "item");
                self.settle(&mut each.body);
                if is_free {
                    self.declared.remove(&each.item.name.unraw().to_string());
                }
                is_free
            }
            Statement::Sleep(_) => true,
        });
    }

    fn is_free_for_field(&mut self, field: &Field, what: &'static str) -> bool {
        self.is_no_context(&field.name, what) && self.is_unique(&field.name, what)
    }

    fn is_free_for_step(&mut self, step: &Step) -> bool {
        self.is_no_context(&step.name, "step")
            && self.is_unique(&step.name, "step")
            && self.has_letter(&step.name)
            && self.is_derived_name_unique(&step.name)
            && self.are_events_free(step)
    }

    /// The variants of the saga's events that `events` names are no others: no other step's, none of those that every
    /// saga has.
    fn are_events_free(&mut self, step: &Step) -> bool {
        let Some(events) = &step.events else { return true };
        let names = [Some(&events.done), events.refused.as_ref(), events.compensated.as_ref()];
        let mut are_free = true;
        for name in names.into_iter().flatten() {
            let text = name.unraw().to_string();
            let of_all = ["Cancelled", "DeadlinePassed", "Completed"].contains(&text.as_str());
            if of_all || !self.events.insert(text) {
                are_free &= self.refuse(name, &format!("`{name}` is the name of another event of this saga"));
            }
        }
        are_free
    }

    /// `cx` is the context of an attempt in every call.
    fn is_no_context(&mut self, name: &Ident, what: &str) -> bool {
        if name.unraw() != "cx" {
            return true;
        }
        self.refuse(
            name,
            &format!("{} {what} cannot be named `cx`: that is the context of an attempt", article(what)),
        )
    }

    /// All inputs, participants and steps are in scope of the calls behind them: none hides another.
    fn is_unique(&mut self, name: &Ident, what: &'static str) -> bool {
        match self.declared.insert(name.unraw().to_string(), what) {
            None => true,
            Some(other) if other == what => self.refuse(name, &format!("{what} `{name}` is declared twice")),
            Some(other) => {
                self.refuse(name, &format!("{what} `{name}` has the name of {} {other}", article(other)))
            }
        }
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
        match self.derived.insert(derived.clone(), name.clone()) {
            None => true,
            Some(other) => self.refuse(
                name,
                &format!("the names of the steps `{other}` and `{name}` both become `{derived}`"),
            ),
        }
    }

    /// Reports, and is `false`.
    fn refuse(&mut self, name: &Ident, message: &str) -> bool {
        self.report.error(name, message).help("rename it");
        self.wrong.push(name.unraw());
        false
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('i') { "an" } else { "a" }
}
