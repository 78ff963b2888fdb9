//! The asynchronous calls: one `async fn` per call, with the user's tokens as its body.
//!
//! Its parameters are the participants and what the call mentions, each as `&T`: scope is availability, and rustc
//! does the checking. See STYLE: the call stands in a statement of its own, so that a future that is not `Send` is
//! underlined as a whole, and once.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::Expansion;
use crate::ast::{Call, Undo};
use crate::model::{StepId, VariableId};

/// `async fn action(…) -> Result<T, Failure>`.
pub(super) fn action(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = &saga.model.steps[id];
    let ty = &step.ast.ty;
    function(saga, "action", &step.ast.action, &step.action_uses, &quote!(#ty), true)
}

/// `async fn probe(…) -> Result<Option<T>, Failure>`.
pub(super) fn probe(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = &saga.model.steps[id];
    let ty = &step.ast.ty;
    let option = quote_spanned!(ty.span()=> ::core::option::Option<#ty>);
    match &step.ast.probe {
        Some(probe) => function(saga, "probe", &probe.call, &step.probe_uses, &option, true),
        None => TokenStream::new(),
    }
}

/// `async fn compensation(…) -> Result<(), Failure>`.
pub(super) fn compensation(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = &saga.model.steps[id];
    match step.ast.compensate.as_ref().map(|compensate| &compensate.undo) {
        Some(Undo::Call(call)) => {
            function(saga, "compensation", call, &step.compensation_uses, &quote!(()), false)
        }
        _ => TokenStream::new(),
    }
}

/// `Self::action(&cx, &participants.flights, …, &trip)`: the arguments of [`function`].
pub(super) fn arguments(saga: &Expansion<'_>, uses: &BTreeSet<VariableId>) -> TokenStream {
    let participants = saga.model.ast.participants.iter().map(|participant| {
        let name = &participant.name;
        if is_unsized(&participant.ty) { quote!(&*participants.#name) } else { quote!(&participants.#name) }
    });
    let variables = saga.idents(uses);
    quote!(&cx #(, #participants)* #(, &#variables)*)
}

/// A trait object is held by an `Arc`.
pub(super) fn is_unsized(ty: &Type) -> bool {
    match ty {
        Type::TraitObject(_) => true,
        Type::Paren(inner) => is_unsized(&inner.elem),
        Type::Group(inner) => is_unsized(&inner.elem),
        _ => false,
    }
}

fn function(
    saga: &Expansion<'_>,
    name: &str,
    call: &Call,
    uses: &BTreeSet<VariableId>,
    ty: &TokenStream,
    keeps_output: bool,
) -> TokenStream {
    let Expansion { runtime, private: p, .. } = saga;
    let name = super::names::variant(name);
    let cx = mentioned(&call.tokens, "cx").unwrap_or_else(|| Ident::new("cx", Span::call_site()));
    let participants = saga.model.ast.participants.iter().map(|participant| {
        let (name, ty) = (&participant.name, &participant.ty);
        quote!(, #name: &#ty)
    });
    let variables = uses.iter().map(|id| {
        let (name, ty) = saga.variable(*id);
        quote!(, #name: &#ty)
    });
    let body = if call.is_refused() && !crate::editor::runs_in_an_editor() {
        // The call was reported already: rustc need not say more about it.
        quote!(::core::future::pending().await)
    } else {
        let tokens = &call.tokens;
        let output = if keeps_output {
            quote! {
                let __saga_output: #ty = __saga_output;
                ::core::result::Result::Ok(__saga_output)
            }
        } else {
            quote!(let _ = __saga_output; ::core::result::Result::Ok(()))
        };
        quote! {
            let __saga_future = #p::send(#tokens);
            let __saga_output = __saga_future.await;
            match #p::Settle::settle(__saga_output) {
                ::core::result::Result::Ok(__saga_output) => { #output }
                ::core::result::Result::Err(__saga_failure) => ::core::result::Result::Err(__saga_failure),
            }
        }
    };
    quote! {
        async fn #name(
            #cx: &#runtime::Context #(#participants)* #(#variables)*
        ) -> ::core::result::Result<#ty, #runtime::Failure> {
            #body
        }
    }
}

/// The user's own token `name`, wherever it stands in `tokens`: it carries the span under which the user's code
/// finds it, also through `macro_rules!`.
fn mentioned(tokens: &TokenStream, name: &str) -> Option<Ident> {
    tokens.to_token_stream().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == name => Some(ident),
        TokenTree::Group(group) => mentioned(&group.stream(), name),
        _ => None,
    })
}
