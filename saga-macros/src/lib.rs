//! The compiler of the `saga!` macro. Use it through `saga-runtime`, which re-exports it.
//!
//! | phase | module | from → to |
//! | --- | --- | --- |
//! | parse | `parse` | tokens → `ast::Saga`, which may be wrong |
//! | model | `model` | → scopes, zones, uses |
//! | check | `check` | → every mistake that rustc cannot know, all at once |
//! | layout | `layout` | → which data each position of the machine carries |
//! | expand | `expand` | → Rust |
//!
//! Mistakes are collected in a `report` and written after the items, so that an editor still sees all of the saga.

mod ast;
mod check;
mod duration;
mod editor;
mod expand;
mod layout;
mod model;
mod parameters;
mod parse;
mod report;
mod step_error;
mod suggest;
mod uses;

use proc_macro::TokenStream;

/// Declares sagas: see the documentation of `saga_runtime::saga`.
#[proc_macro]
pub fn saga(tokens: TokenStream) -> TokenStream {
    compile(tokens.into()).into()
}

/// Says of each variant of an error what it says about the effect: see `saga_runtime::StepError`.
#[proc_macro_derive(StepError, attributes(outcome))]
pub fn step_error(tokens: TokenStream) -> TokenStream {
    step_error::derive(tokens.into()).into()
}

/// The whole way from the tokens inside `saga! { … }` to what they expand to.
fn compile(tokens: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let (mut sagas, mut report) = parse::parse(tokens);
    check::settle_names(&mut sagas, &mut report);
    let mut items = proc_macro2::TokenStream::new();
    for saga in &sagas {
        let model = model::resolve(saga);
        check::check(&model, &mut report);
        items.extend(expand::expand(&model));
    }
    items.extend(report.into_tokens());
    items
}
