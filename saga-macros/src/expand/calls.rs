//! The asynchronous calls: one `async fn` per call, with the user's tokens as its body.
//!
//! Its parameters are the participants and what the call mentions, each as `&T`: scope is availability, and rustc
//! does the checking. It is awaited in the statement in which it is written: what is borrowed in it lives that long.
//! Generated tokens that rustc may blame span the user's call, from its first token to its last.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::event::{CompensationEvents, StepEvents};
use super::names::{local, number};
use super::place::{Outside, pattern};
use super::{Code, Expansion, backward, forward, quiet};
use crate::ast::{Call, Undo};
use crate::model::{StepId, VariableId};
use crate::uses::mentions;

/// The action and the probe of a step.
pub(super) fn step(saga: &Expansion<'_>, id: StepId, code: &mut Code) {
    let step = saga.step(id);
    let position = forward::step_position(saga, id).ty;
    let ty = &step.ast.ty;
    let action = Function {
        name: "action",
        call: &step.ast.action,
        uses: &step.action_uses,
        keyed: &step.must_be_keyed,
        output: Some(quote!(#ty)),
    };
    let action = action.expand(saga);
    let probe = step.ast.probe.as_ref().map(|probe| {
        let option = quote_spanned!(ty.span()=> ::core::option::Option<#ty>);
        let uses = &step.probe_uses;
        Function { name: "probe", call: &probe.call, uses, keyed: &[], output: Some(option) }.expand(saga)
    });
    let quiet = quiet();
    code.calls.extend(quote!(#quiet impl #position { #action #probe }));
}

/// The compensation of a step.
pub(super) fn compensation(saga: &Expansion<'_>, id: StepId, code: &mut Code) {
    let step = saga.step(id);
    let Some(Undo::Call(call)) = step.ast.compensate.as_ref().map(|compensate| &compensate.undo) else {
        return;
    };
    let position = backward::compensation_position(saga, id).ty;
    let uses = &step.compensation_uses;
    let function = Function { name: "compensation", call, uses, keyed: &[], output: None }.expand(saga);
    let quiet = quiet();
    code.calls.extend(quote!(#quiet impl #position { #function }));
}

/// One attempt of the action, or of its probe.
pub(super) fn step_attempt(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = saga.step(id);
    let event = &saga.event;
    let done = StepEvents::new(saga, id).done;
    let request = local("request");
    let probe = step.ast.probe.is_some().then(|| {
        let uses = saga.idents(&step.probe_uses);
        quote! {
            if #request.kind == __saga::CallKind::Probe {
                let result = Self::probe(&#request.cx, &#request.participants #(, &#uses)*).await;
                return __saga::probed(result, #event::#done);
            }
        }
    });
    let uses = saga.idents(&step.action_uses);
    let body = quote! {
        #probe
        let result = Self::action(&#request.cx, &#request.participants #(, &#uses)*).await;
        __saga::settled(result, #event::#done)
    };
    attempt(saga, &step_uses(saga, id), &body)
}

/// One attempt of the compensation.
pub(super) fn compensation_attempt(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let event = &saga.event;
    let Some(CompensationEvents { compensated, .. }) = StepEvents::new(saga, id).compensation else {
        return TokenStream::new();
    };
    let uses = &saga.step(id).compensation_uses;
    let request = local("request");
    let arguments = saga.idents(uses);
    let body = quote! {
        let result = Self::compensation(&#request.cx, &#request.participants #(, &#arguments)*).await;
        __saga::settled(result, |()| #event::#compensated)
    };
    attempt(saga, uses, &body)
}

fn attempt(saga: &Expansion<'_>, uses: &BTreeSet<VariableId>, body: &TokenStream) -> TokenStream {
    let Expansion { event, participants, .. } = saga;
    let request = local("request");
    let data = uses.iter().map(|id| {
        let (name, ty) = saga.variable(*id);
        quote!(#name: __saga::Shared<#ty>)
    });
    quote! {
        async fn attempt(
            #request: __saga::Request<#participants>
            #(, #data)*
        ) -> __saga::Settled<#event> {
            #body
        }
    }
}

/// What the action and the probe of a step use.
fn step_uses(saga: &Expansion<'_>, id: StepId) -> BTreeSet<VariableId> {
    let step = saga.step(id);
    &step.action_uses | &step.probe_uses
}

/// An arm of a `match` on a step's index and the state: the attempt of the action or its probe in that position.
pub(super) fn step_arm(
    saga: &Expansion<'_>,
    id: StepId,
    outside: Option<&Outside<'_>>,
    position: &TokenStream,
) -> TokenStream {
    let ty = forward::step_position(saga, id).ty;
    arm(saga, id, outside, position, &ty, &step_uses(saga, id))
}

/// The same for its compensation.
pub(super) fn compensation_arm(
    saga: &Expansion<'_>,
    id: StepId,
    outside: Option<&Outside<'_>>,
    position: &TokenStream,
) -> TokenStream {
    let ty = backward::compensation_position(saga, id).ty;
    arm(saga, id, outside, position, &ty, &saga.step(id).compensation_uses)
}

fn arm(
    saga: &Expansion<'_>,
    id: StepId,
    outside: Option<&Outside<'_>>,
    position: &TokenStream,
    ty: &Ident,
    uses: &BTreeSet<VariableId>,
) -> TokenStream {
    let at = if uses.is_empty() { quote!(_) } else { quote!(at) };
    let pattern = pattern(outside, quote!(#position(#at)));
    let (id, data) = (number(id), saga.idents(uses));
    quote!((#id, #pattern) => __saga::boxed(#ty::attempt(request #(, at.#data.share())*)),)
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

/// `async fn name(cx, participants, …) -> Result<output, Failure>`.
struct Function<'a> {
    name: &'a str,
    call: &'a Call,
    uses: &'a BTreeSet<VariableId>,
    /// Who must be `Keyed`.
    keyed: &'a [Ident],
    /// `None`: whatever the call answers is dropped.
    output: Option<TokenStream>,
}

impl Function<'_> {
    fn expand(&self, saga: &Expansion<'_>) -> TokenStream {
        let runtime = &saga.runtime;
        let name = super::names::variant(self.name);
        let cx = mentioned(&self.call.tokens, "cx").unwrap_or_else(|| Ident::new("cx", Span::call_site()));
        let participants = participants(saga);
        let variables = self.uses.iter().map(|id| {
            let (name, ty) = saga.variable(*id);
            quote!(#name: &#ty)
        });
        let output = self.output.clone().unwrap_or_else(|| quote!(()));
        let body = if self.call.is_refused() && !crate::editor::runs_in_an_editor() {
            // The call was reported already: rustc need not say more about it.
            quote!(::core::future::pending().await)
        } else {
            self.body(saga)
        };
        quote! {
            async fn #name(
                #cx: &#runtime::Context,
                #participants
                #(, #variables)*
            ) -> ::core::result::Result<#output, #runtime::Failure> {
                #body
            }
        }
    }

    fn body(&self, saga: &Expansion<'_>) -> TokenStream {
        let p = {
            let runtime = &saga.runtime;
            quote!(#runtime::__private)
        };
        let trait_objects = saga.model.ast.participants.iter().filter(|field| is_unsized(&field.ty));
        let trait_objects = trait_objects.map(|field| {
            let name = &field.name;
            quote!(let #name = &**#name;)
        });
        let keyed = self.keyed.iter().map(|participant| {
            let is_participant = saga.model.ast.participants.iter().any(|field| field.name == *participant);
            let reference = (!is_participant).then(|| quote!(&));
            let span = participant.span();
            let asserted = spanned(span, span, &quote!(#p::must_be_keyed), quote!(#reference #participant));
            quote!(#asserted;)
        });
        let call = &self.call.tokens;
        let (start, end) = ends(call);
        let send = spanned(start, end, &quote!(#p::send), call.clone());
        let dot = quote_spanned!(start=> .);
        let word = Ident::new("await", end);
        let settled = spanned(start, end, &quote!(#p::settle), quote!(#send #dot #word));
        let done = match &self.output {
            Some(ty) => {
                let answer = Ident::new("__saga_answer", start);
                let output = local("output");
                let mut field = number(0);
                field.set_span(end);
                quote! {
                    let #answer = #settled?;
                    let #output: #ty = #answer.#field;
                    ::core::result::Result::Ok(#output)
                }
            }
            None => quote! {
                #settled?;
                ::core::result::Result::Ok(())
            },
        };
        quote! {
            #(#trait_objects)*
            #(#keyed)*
            #done
        }
    }
}

/// `BookTripParticipants { flights, … }: &BookTripParticipants`: each name stands for a reference.
fn participants(saga: &Expansion<'_>) -> TokenStream {
    let ty = &saga.participants;
    let names = saga.model.ast.participants.iter().map(|participant| &participant.name);
    quote!(#ty { #(#names),* }: &#ty)
}

/// `function(arguments)` where rustc underlines from `start` to `end`.
pub(super) fn spanned(start: Span, end: Span, function: &TokenStream, arguments: TokenStream) -> TokenStream {
    let mut tokens = function
        .clone()
        .into_iter()
        .map(|mut token| {
            token.set_span(start);
            token
        })
        .collect::<TokenStream>();
    let mut group = Group::new(Delimiter::Parenthesis, arguments);
    group.set_span(end);
    group.to_tokens(&mut tokens);
    tokens
}

/// The spans of the first and the last token.
pub(super) fn ends(tokens: &TokenStream) -> (Span, Span) {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

/// The user's own token `name`, wherever it stands in `tokens`: it carries the span under which the user's code
/// finds it, also through `macro_rules!`.
fn mentioned(tokens: &TokenStream, name: &str) -> Option<Ident> {
    mentions(tokens).into_iter().filter(|mention| mention.name == name).find_map(|mention| mention.ident)
}
