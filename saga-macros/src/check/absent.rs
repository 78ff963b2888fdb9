//! The forms of the language that this version does not have yet.

use syn::spanned::Spanned;

use crate::ast::StepKind;
use crate::model::Model;
use crate::report::{At, Report};

/// Each is refused by name: nothing is left out in silence.
pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let saga = model.ast;
    if !saga.generics.params.is_empty() {
        report.error(&saga.generics, absent("saga Name<…>"));
    } else if let Some(clause) = &saga.generics.where_clause {
        report.error(At::word(clause.where_token.span(), "where"), absent("where"));
    }
    if let Some(lock) = &saga.lock {
        report.error(At::word(lock.keyword, "lock"), absent("lock"));
    }
    for step in &model.steps {
        let form = match step.ast.kind {
            StepKind::Local => "local",
            StepKind::Saga => "saga x: T = …",
            _ => continue,
        };
        step.ast.action.refuse();
        report.error(&step.ast.name, absent(form));
    }
}

fn absent(form: &str) -> String {
    format!("this version of `saga!` does not have `{form}`")
}
