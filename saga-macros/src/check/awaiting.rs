//! Calls are written without `.await`.

use syn::visit::Visit;

use super::{Role, calls};
use crate::ast::Call;
use crate::model::Model;
use crate::report::{At, Report};

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let calls = model.steps.iter().flat_map(|step| calls(&step.ast));
    calls.for_each(|(role, call)| match role {
        Role::Otherwise | Role::Evaluation => awaited_evaluation(call, report),
        Role::Action | Role::Probe | Role::Compensation => awaited_call(call, report),
    });
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

/// What the coordinator evaluates it evaluates at once.
fn awaited_evaluation(call: &Call, report: &mut Report) {
    if let Some(at) = first_await(call) {
        call.refuse();
        report
            .error(at, "this is evaluated at once, from what is there: it cannot wait")
            .help("do it in a `read` before, and use its output here");
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
