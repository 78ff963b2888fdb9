//! Calls are written without `.await`, and so is what no attempt is made of.

use syn::visit::Visit;

use super::{Role, calls, values};
use crate::ast::{Call, StepKind};
use crate::model::Model;
use crate::report::{At, Report};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    for step in &model.steps {
        for (role, call) in calls(&step.ast) {
            match (step.ast.kind, role) {
                (_, Role::Otherwise | Role::Evaluation) | (StepKind::Saga, Role::Action) => {
                    awaited_value(call, report);
                }
                (StepKind::Local, _) => awaited_local(call, report),
                _ => awaited_call(call, report),
            }
        }
    }
    for value in values(model.ast) {
        awaited_value(value, report);
    }
    if let Some(call) = &model.ast.returns {
        awaited_return(call, report);
    }
}

/// The engine awaits a call, and may have to make it again.
fn awaited_call(call: &Call, report: &mut Report) {
    if let Some(at) = first_await(call) {
        call.refuse();
        report.error(at, "write the call without `.await`: the engine awaits it, and retries it").help(
            "several calls in one go are written in an `async` block, or better in a function of yours",
        );
    }
}

/// A `local` runs between the statements of one transaction.
fn awaited_local(call: &Call, report: &mut Report) {
    if let Some(at) = first_await(call) {
        call.refuse();
        report
            .error(at, "a `local` runs in the transaction of its record: it cannot wait")
            .help("wait in a step or in a `read` before it, and use its output here");
    }
}

/// Conditions, items, keys, times, the inputs of a saga and the values of `else` have no attempts.
fn awaited_value(value: &Call, report: &mut Report) {
    if let Some(at) = first_await(value) {
        value.refuse();
        report
            .error(at, "this is evaluated at once by the coordinator: it cannot wait")
            .help("wait in a step or in a `read` before it, and use its output here");
    }
}

/// `return` runs once, on the data of the saga alone.
fn awaited_return(call: &Call, report: &mut Report) {
    if let Some(at) = first_await(call) {
        call.refuse();
        report
            .error(at, "`return` builds the output from what is there: it cannot wait")
            .help("do it in a step, or in a `read`, and use its output here");
    }
}

/// The first `.await` outside of `async` blocks and closures.
fn first_await(call: &Call) -> Option<At> {
    struct Awaits(Option<At>);

    impl<'ast> Visit<'ast> for Awaits {
        fn visit_expr_await(&mut self, expr: &'ast syn::ExprAwait) {
            self.visit_expr(&expr.base);
            if self.0.is_none() {
                self.0 = Some(At::from(&expr.await_token));
            }
        }

        fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

        fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }

    let expr = syn::parse2::<syn::Expr>(call.tokens.clone()).ok().filter(|_| !call.is_refused())?;
    let mut awaits = Awaits(None);
    awaits.visit_expr(&expr);
    awaits.0
}
