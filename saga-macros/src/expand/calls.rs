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
use super::{Code, Expansion, backward, forward, policy, quiet};
use crate::ast::{Call, DurationValue, StepKind, Undo};
use crate::model::{Guard, Step, StepId, VariableId, guards_of};
use crate::uses::mentions;

/// The action and the probe of a step, and what stands in their place where the coordinator decides.
pub(super) fn step(saga: &Expansion<'_>, id: StepId, code: &mut Code) {
    let step = saga.step(id);
    let position = forward::step_position(saga, id).ty;
    let ty = &step.ast.ty;
    let action = match step.ast.kind {
        StepKind::If | StepKind::For => Some(evaluation(saga, id, "decision", &step.ast.action, ty)),
        StepKind::Sleep | StepKind::Receive => Some(time(saga, id)),
        _ => {
            let action = Function {
                name: "action",
                call: &step.ast.action,
                uses: seen(&step.action_uses, &step.available),
                keyed: &step.must_be_keyed,
                output: Some(quote!(#ty)),
                guards: &step.guards,
            };
            Some(action.expand(saga))
        }
    };
    let probe = step.ast.probe.as_ref().map(|probe| {
        let option = quote_spanned!(ty.span()=> ::core::option::Option<#ty>);
        let (uses, guards) = (seen(&step.probe_uses, &step.available), &step.guards[..]);
        let name = "probe";
        Function { name, call: &probe.call, uses, keyed: &[], output: Some(option), guards }.expand(saga)
    });
    let otherwise = step.ast.otherwise.as_ref().map(|otherwise| {
        let body = evaluated(&otherwise.call, ty);
        let option = quote!(::core::option::Option<#ty>);
        evaluating(
            saga,
            "otherwise",
            seen(&step.otherwise_uses, &step.available),
            &option,
            &guarded(&step.guards, &otherwise.call.tokens, &body, &quote!(::core::option::Option::None)),
        )
    });
    let quiet = quiet();
    code.calls.extend(quote!(#quiet impl #position { #action #probe #otherwise }));
}

/// `fn decision(…) -> Option<T>`: which arm is taken, or which items there are.
fn evaluation(saga: &Expansion<'_>, id: StepId, name: &str, call: &Call, ty: &Type) -> TokenStream {
    let step = saga.step(id);
    let body = if step.ast.kind == StepKind::For && !is_hidden(call) {
        let runtime = &saga.runtime;
        let tokens = &call.tokens;
        let (start, end) = ends(tokens);
        let items = spanned(start, end, &quote!(#runtime::__private::items), quote!(#tokens));
        let output = local("output");
        quote! {
            let #output: #ty = #items;
            ::core::option::Option::Some(#output)
        }
    } else {
        evaluated(call, ty)
    };
    let option = quote!(::core::option::Option<#ty>);
    let none = quote!(::core::option::Option::None);
    let body = guarded(&step.guards, &call.tokens, &body, &none);
    evaluating(saga, name, seen(&step.action_uses, &step.available), &option, &body)
}

/// The value of an expression of the user's.
fn evaluated(call: &Call, ty: &Type) -> TokenStream {
    if is_hidden(call) {
        return quote!(::core::option::Option::None);
    }
    let (tokens, output) = (&call.tokens, local("output"));
    quote! {
        let #output: #ty = #tokens;
        ::core::option::Option::Some(#output)
    }
}

/// `fn time(…) -> Option<Time>`: until when a `sleep` or `receive` waits.
fn time(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = saga.step(id);
    let runtime = &saga.runtime;
    let time = quote!(#runtime::machine::Time);
    let (tokens, body) = match &step.ast.within {
        Some(within) => {
            let duration = policy::duration(within, &quote!(#runtime::__private));
            let tokens = match within {
                DurationValue::Expression(tokens) => tokens.clone(),
                DurationValue::Literal(_) => TokenStream::new(),
            };
            (tokens, quote!(::core::option::Option::Some(#time::After(#duration))))
        }
        // It does not say how long it waits, which was reported.
        None if step.ast.kind == StepKind::Receive || is_hidden(&step.ast.action) => {
            (TokenStream::new(), quote!(::core::option::Option::None))
        }
        None => {
            let tokens = &step.ast.action.tokens;
            (tokens.clone(), quote!(::core::option::Option::Some(#time::At(#tokens))))
        }
    };
    let none = quote!(::core::option::Option::None);
    let body = guarded(&step.guards, &tokens, &body, &none);
    let uses = seen(&step.action_uses, &step.available);
    evaluating(saga, "time", uses, &quote!(::core::option::Option<#time>), &body)
}

fn evaluating(
    saga: &Expansion<'_>,
    name: &str,
    uses: &BTreeSet<VariableId>,
    output: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let name = super::names::variant(name);
    let variables = uses.iter().map(|id| {
        let (name, ty) = saga.variable(*id);
        quote!(#name: &#ty)
    });
    let (parameters, bounds) = saga.parameters();
    quote!(fn #name #parameters (#(#variables),*) -> #output #bounds { #body })
}

/// The call was reported already: rustc need not say more about it.
pub(super) fn is_hidden(call: &Call) -> bool {
    call.is_refused() && !crate::editor::runs_in_an_editor()
}

/// `body` where the conditions hold that bind what `tokens` mention. What was decided is recorded: they do hold.
fn guarded(
    guards: &[Guard],
    tokens: &TokenStream,
    body: &TokenStream,
    otherwise: &TokenStream,
) -> TokenStream {
    let guards = if crate::editor::runs_in_an_editor() {
        guards.iter().collect::<Vec<_>>()
    } else {
        guards_of(guards, tokens).collect()
    };
    guards.into_iter().rev().fold(
        body.clone(),
        |body, Guard { condition, .. }| quote!(if #condition { #body } else { #otherwise }),
    )
}

/// The compensation of a step.
pub(super) fn compensation(saga: &Expansion<'_>, id: StepId, code: &mut Code) {
    let step = saga.step(id);
    let Some(Undo::Call(call)) = step.ast.compensate.as_ref().map(|compensate| &compensate.undo) else {
        return;
    };
    let position = backward::compensation_position(saga, id).ty;
    let available = available_after(step);
    let (uses, guards) = (seen(&step.compensation_uses, &available), &step.guards[..]);
    let function =
        Function { name: "compensation", call, uses, keyed: &[], output: None, guards }.expand(saga);
    let quiet = quiet();
    code.calls.extend(quote!(#quiet impl #position { #function }));
}

/// One attempt of the action, or of its probe.
pub(super) fn step_attempt(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = saga.step(id);
    let StepEvents { done, otherwise, .. } = StepEvents::new(saga, id);
    let request = local("request");
    let (_, arguments_of_saga, _) = saga.model.ast.generics.split_for_impl();
    let turbofish = arguments_of_saga.as_turbofish();
    let done = event_of(saga, id, &done);
    let probe = step.ast.probe.is_some().then(|| {
        let uses = arguments(saga, &step.probe_uses, &step.available);
        quote! {
            if #request.kind == __saga::CallKind::Probe {
                let result = Self::probe(&#request.cx, &#request.participants #(, #uses)*).await;
                return __saga::probed(result, #done);
            }
        }
    });
    let otherwise = otherwise.map(|otherwise| {
        let (uses, otherwise) =
            (arguments(saga, &step.otherwise_uses, &step.available), event_of(saga, id, &otherwise));
        let is_asked = match step.ast.kind {
            // It is evaluated until when it waits, too.
            StepKind::Receive => quote!(#request.has_failed),
            _ => quote!(#request.kind == __saga::CallKind::Evaluation),
        };
        quote! {
            if #is_asked {
                return __saga::evaluated(Self::otherwise #turbofish (#(#uses),*), #otherwise);
            }
        }
    });
    let uses = arguments(saga, &step.action_uses, &step.available);
    let action = match step.ast.kind {
        StepKind::If | StepKind::For => {
            quote!(__saga::evaluated(Self::decision #turbofish (#(#uses),*), #done))
        }
        StepKind::Sleep | StepKind::Receive => {
            quote!(__saga::due(Self::time #turbofish (#(#uses),*)))
        }
        _ => quote! {
            let result = Self::action(&#request.cx, &#request.participants #(, #uses)*).await;
            __saga::settled(result, #done)
        },
    };
    attempt(saga, &step_uses(saga, id), &quote!(#probe #otherwise #action))
}

/// The event of a step as a function of what it holds.
fn event_of(saga: &Expansion<'_>, id: StepId, variant: &Ident) -> TokenStream {
    let event = &saga.event;
    if saga.step(id).depth() == 0 {
        return quote!(#event::#variant);
    }
    let request = local("request");
    quote!(|output| #event::#variant(#request.items, output))
}

/// One attempt of the compensation.
pub(super) fn compensation_attempt(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let event = &saga.event;
    let Some(CompensationEvents { compensated, .. }) = StepEvents::new(saga, id).compensation else {
        return TokenStream::new();
    };
    let uses = &saga.step(id).compensation_uses;
    let request = local("request");
    let arguments = arguments(saga, uses, &available_after(saga.step(id)));
    let compensated = if saga.step(id).depth() == 0 {
        quote!(#event::#compensated)
    } else {
        quote!(#event::#compensated(#request.items))
    };
    let body = quote! {
        let result = Self::compensation(&#request.cx, &#request.participants #(, #arguments)*).await;
        __saga::settled(result, |()| #compensated)
    };
    attempt(saga, uses, &body)
}

/// The variables as arguments: each as a reference to what a call sees.
fn arguments(
    saga: &Expansion<'_>,
    uses: &BTreeSet<VariableId>,
    available: &BTreeSet<VariableId>,
) -> Vec<TokenStream> {
    let argument = |id: &VariableId| match (uses.contains(id), saga.variable(*id).0) {
        (true, name) => quote!(&#name),
        // Only an editor sees it.
        (false, _) => quote!(loop {}),
    };
    seen(uses, available).iter().map(argument).collect()
}

/// What a call sees: what it mentions. While it is typed it may mention anything else that exists; so in an editor it
/// sees all of that, and what is before the cursor does not depend on what is written there.
pub(super) fn seen<'a>(
    uses: &'a BTreeSet<VariableId>,
    available: &'a BTreeSet<VariableId>,
) -> &'a BTreeSet<VariableId> {
    if crate::editor::runs_in_an_editor() { available } else { uses }
}

/// What a compensation can mention: what its step can, and the step's output.
fn available_after(step: &Step<'_>) -> BTreeSet<VariableId> {
    step.available.iter().copied().chain(step.output).collect()
}

fn attempt(saga: &Expansion<'_>, uses: &BTreeSet<VariableId>, body: &TokenStream) -> TokenStream {
    let Expansion { event, participants, .. } = saga;
    let (parameters, bounds) = saga.parameters();
    let request = local("request");
    let p = quote!(__saga);
    let data = uses.iter().map(|id| {
        let (name, ty) = (saga.variable(*id).0, saga.kept(*id, &p));
        quote!(#name: #ty)
    });
    let gathered = uses.iter().filter(|id| !saga.is_one(**id)).map(|id| {
        let name = saga.variable(*id).0;
        let text = super::plain(name);
        quote! {
            let #name = match __saga::Gathered::gather(#name, #text) {
                __saga::Ok(gathered) => gathered,
                __saga::Err(error) => return __saga::unreadable(&error),
            };
        }
    });
    quote! {
        async fn attempt #parameters (
            #request: __saga::Request<#participants>
            #(, #data)*
        ) -> __saga::Settled<#event> #bounds {
            #(#gathered)*
            #body
        }
    }
}

/// What the action and the probe of a step use.
fn step_uses(saga: &Expansion<'_>, id: StepId) -> BTreeSet<VariableId> {
    let step = saga.step(id);
    &(&step.action_uses | &step.probe_uses) | &step.otherwise_uses
}

/// An arm of a `match` on the positions of a region: the attempt of the action or its probe in that position.
pub(super) fn step_arm(saga: &Expansion<'_>, id: StepId, position: &TokenStream) -> TokenStream {
    let ty = forward::step_position(saga, id).ty;
    arm(saga, id, position, &ty, &step_uses(saga, id))
}

/// The same for its compensation.
pub(super) fn compensation_arm(saga: &Expansion<'_>, id: StepId, position: &TokenStream) -> TokenStream {
    let ty = backward::compensation_position(saga, id).ty;
    arm(saga, id, position, &ty, &saga.step(id).compensation_uses)
}

fn arm(
    saga: &Expansion<'_>,
    id: StepId,
    position: &TokenStream,
    ty: &Ident,
    uses: &BTreeSet<VariableId>,
) -> TokenStream {
    let at = if uses.is_empty() { quote!(_) } else { quote!(at) };
    let (id, data) = (number(id), saga.idents(uses));
    quote! {
        #position(#at) if place.step == #id => {
            __saga::Some(__saga::boxed(#ty::attempt(request #(, at.#data.share())*)))
        }
    }
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
    /// The conditions around it.
    guards: &'a [Guard],
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
        let body = if is_hidden(self.call) {
            quote!(::core::future::pending().await)
        } else {
            let stale = quote!(::core::result::Result::Err(#runtime::__private::stale()));
            guarded(self.guards, &self.call.tokens, &self.body(saga), &stale)
        };
        let (parameters, bounds) = saga.parameters();
        quote! {
            async fn #name #parameters (
                #cx: &#runtime::Context,
                #participants
                #(, #variables)*
            ) -> ::core::result::Result<#output, #runtime::Failure> #bounds {
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
        // It would stand before the call, and depends on it.
        let keyed = if crate::editor::runs_in_an_editor() { &[] } else { self.keyed };
        let keyed = keyed.iter().map(|participant| {
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
    let (name, ty) = (&saga.participants_name, &saga.participants);
    let names = saga.model.ast.participants.iter().map(|participant| {
        let name = &participant.name;
        // An editor cannot rename a field and a variable that are one token.
        let field = crate::editor::runs_in_an_editor().then(|| {
            let field = Ident::new(&name.to_string(), Span::call_site());
            quote!(#field:)
        });
        quote!(#field #name)
    });
    quote!(#name { #(#names),* }: &#ty)
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
