//! What a saga's own parameters can stand for.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;

use crate::model::{Model, Origin};
use crate::report::Report;

/// A parameter of the saga can be one of its participants' types, but of no data: the log holds one form of it.
pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let saga = model.ast;
    let parameters = saga.generics.type_params().map(|parameter| &parameter.ident).collect::<Vec<_>>();
    let steps = model.steps.iter().filter(|step| step.output.is_some()).map(|step| &step.ast.ty);
    let items = model.variables.iter().filter(|variable| variable.origin == Origin::Item);
    let items = items.map(|item| item.form.ty()).collect::<Vec<_>>();
    let inputs = saga.inputs.iter().map(|input| &input.ty);
    for ty in inputs.chain(steps).chain(&items).chain(&saga.output) {
        if let Some(parameter) = parameters.iter().find(|parameter| names(ty.to_token_stream(), parameter)) {
            report
                .error(ty, format!("the saga's parameter `{parameter}` is no type of its data: this version of `saga!` does not have that"))
                .help("a parameter of a saga can stand in the types of its participants");
        }
    }
}

/// Whether some tokens hold this name, at any depth.
fn names(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => names(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
