//! The asynchronous calls: one `async fn` per call, with the user's tokens as its body.
//!
//! In its scope are the participants and what the call mentions, each as `&T`: scope is availability, and rustc does the
//! checking. It is awaited in the statement in which it is written: what is borrowed in it lives that long.
//! Generated tokens that rustc may blame span the user's call, from its first token to its last.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::event::StepEvents;
use super::names::{local, number};
use super::{Expansion, forward, policy};
use crate::ast::{Call, DurationValue, StepKind, Undo};
use crate::model::{Guard, Step, StepId, VariableId, guards_of};
use crate::uses::mentions;

/// The calls of a step: its action, its probe and its compensation, and what stands in the place of the action where the
/// coordinator decides.
pub(super) fn step(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = saga.step(id);
    let ty = &step.ast.ty;
    let action = match step.ast.kind {
        StepKind::If | StepKind::For | StepKind::Lock => {
            Some(evaluation(saga, id, "decision", &step.ast.action, ty))
        }
        StepKind::Saga => Some(child(saga, id)),
        StepKind::Local => {
            let answer = Answer::Done(ty, StepEvents::new(saga, id).done);
            let uses = seen(&step.action_uses, &step.available);
            let (call, guards) = (&step.ast.action, &step.guards[..]);
            Some(Function { name: "action", call, uses, keyed: &[], answer, guards }.expand_local(saga, id))
        }
        StepKind::Sleep | StepKind::Receive => Some(time(saga, id)),
        _ => {
            let action = Function {
                name: "action",
                call: &step.ast.action,
                uses: seen(&step.action_uses, &step.available),
                keyed: &step.must_be_keyed,
                answer: Answer::Done(ty, StepEvents::new(saga, id).done),
                guards: &step.guards,
            };
            Some(action.expand(saga, id))
        }
    };
    let probe = step.ast.probe.as_ref().map(|probe| {
        let answer = Answer::Found(ty, StepEvents::new(saga, id).done);
        let (uses, guards) = (seen(&step.probe_uses, &step.available), &step.guards[..]);
        Function { name: "probe", call: &probe.call, uses, keyed: &[], answer, guards }.expand(saga, id)
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
    let compensation = compensation(saga, id);
    let attempt = attempt(saga, id);
    quote!(#action #probe #otherwise #compensation #attempt)
}

/// `fn decision(…) -> Option<T>`: which arm is taken, or which items there are.
fn evaluation(saga: &Expansion<'_>, id: StepId, name: &str, call: &Call, ty: &Type) -> TokenStream {
    let step = saga.step(id);
    let body = if step.ast.kind == StepKind::For && !is_hidden(call) {
        let tokens = &call.tokens;
        let (start, end) = ends(tokens);
        let items = spanned(start, end, &quote!(__saga::items), quote!(#tokens));
        let output = local("output");
        quote! {
            let #output: #ty = #items;
            ::core::option::Option::Some(#output)
        }
    } else if step.ast.kind == StepKind::Lock && !is_hidden(call) {
        keys(saga)
    } else {
        evaluated(call, ty)
    };
    let option = quote!(::core::option::Option<#ty>);
    let none = quote!(::core::option::Option::None);
    let body = guarded(&step.guards, &call.tokens, &body, &none);
    evaluating(saga, name, seen(&step.action_uses, &step.available), &option, &body)
}

/// The keys of the saga's locks.
fn keys(saga: &Expansion<'_>) -> TokenStream {
    let p = quote!(__saga);
    let keys = saga.model.ast.lock.iter().flat_map(|lock| &lock.keys).filter(|key| !is_hidden(key));
    if crate::editor::runs_in_an_editor() {
        // As they are written: nothing before one that is typed may depend on whether it is there.
        let keys = keys.map(|key| &key.tokens);
        return quote!(let _ = (#(#keys,)*); ::core::option::Option::Some(::std::vec![]));
    }
    let keys = keys.map(|key| {
        let (start, end) = ends(&key.tokens);
        let mut key = Group::new(Delimiter::None, key.tokens.clone());
        key.set_span(end);
        spanned(start, end, &quote!(#p::lock_key), quote_spanned!(start=> &#key))
    });
    quote!(::core::option::Option::Some(#p::locks(::std::vec![#(#keys),*])))
}

/// `fn child(…) -> Option<Result<String, DataError>>`: with which input the child saga begins.
///
/// That the child is a saga is asked in the same words and at the same token wherever it is: then rustc says it once.
fn child(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = saga.step(id);
    let p = quote!(__saga);
    let (call, ty) = (&step.ast.action, &step.ast.ty);
    let none = quote!(::core::option::Option::None);
    let json = quote!(::core::option::Option<#p::Result<#p::String, #p::DataError>>);
    let uses = seen(&step.action_uses, &step.available);
    let Some((child, arguments)) = child_call(call) else {
        return evaluating(saga, "child", uses, &json, &none);
    };
    let (start, _) = ends(&call.tokens);
    // Before the pivot it is compensated as any step is.
    let compensatable = step.is_undone().then(|| {
        let itself = of_child(&child, "Itself");
        quote_spanned!(start=> __saga::must_be_compensatable::<#itself>();)
    });
    let output = Ident::new("output", start);
    let (output_type, inputs) = (of_child(&child, "Output"), of_child(&child, "INPUTS"));
    let encode = of_child(&child, "encode_input");
    let mut function = Group::new(Delimiter::Parenthesis, inputs);
    function.set_span(start);
    let begin = quote_spanned! {start=>
        let input = #function #arguments;
        ::core::option::Option::Some(#encode(&input))
    };
    let body = quote! {
        #compensatable
        let _: fn(#output_type) -> #ty = |#output| #output;
        #begin
    };
    let body = guarded(&step.guards, &call.tokens, &body, &none);
    evaluating(saga, "child", uses, &json, &body)
}

/// `<OtherSaga as Saga>::item`.
pub(super) fn of_child(child: &TokenStream, item: &str) -> TokenStream {
    let (start, _) = ends(child);
    let item = Ident::new(item, start);
    quote_spanned!(start=> <#child as __saga::Saga>::#item)
}

/// The child saga and its input: `OtherSaga` and `(args)`. `None` where that was refused.
pub(super) fn child_call(call: &Call) -> Option<(TokenStream, Group)> {
    if is_hidden(call) {
        return None;
    }
    let mut path = call.tokens.clone().into_iter().collect::<Vec<_>>();
    match path.pop()? {
        TokenTree::Group(input) if input.delimiter() == Delimiter::Parenthesis && !path.is_empty() => {
            Some((path.into_iter().collect(), input))
        }
        TokenTree::Group(group) if path.is_empty() => child_call(&Call::new(group.stream())),
        _ => None,
    }
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
    let time = quote!(__saga::Time);
    let (tokens, body) = match &step.ast.within {
        Some(within) => {
            let duration = policy::duration(within, &quote!(__saga));
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
fn compensation(saga: &Expansion<'_>, id: StepId) -> Option<TokenStream> {
    let step = saga.step(id);
    let Some(Undo::Call(call)) = step.ast.compensate.as_ref().map(|compensate| &compensate.undo) else {
        return None;
    };
    let available = available_after(step);
    let (uses, guards) = (seen(&step.compensation_uses, &available), &step.guards[..]);
    let answer = match StepEvents::new(saga, id).compensation {
        Some(events) => Answer::Compensated(events.compensated),
        // One after the pivot is an error; its tokens are shown to the compiler all the same.
        None => Answer::Dropped,
    };
    let function = Function { name: "compensation", call, uses, keyed: &[], answer, guards };
    if step.ast.kind != StepKind::Local {
        return Some(function.expand(saga, id));
    }
    let function = function.expand_local(saga, id);
    let (event, participants, request) = (&saga.event, &saga.participants, local("request"));
    let (parameters, bounds) = saga.parameters();
    let uses = &step.compensation_uses;
    let (data, call) = (kept(saga, uses), in_transaction(saga, "compensation", uses, &available));
    Some(quote! {
        #function
        async fn undo #parameters (
            #request: __saga::Request<#participants>
            #(, #data)*
        ) -> __saga::Settled<#event> #bounds {
            #call
        }
    })
}

/// One attempt of a step that has more than one call, or none that is awaited.
fn attempt(saga: &Expansion<'_>, id: StepId) -> Option<TokenStream> {
    if is_action_alone(saga, id) {
        return None;
    }
    let Expansion { event, participants, .. } = saga;
    let step = saga.step(id);
    let StepEvents { done, otherwise, .. } = StepEvents::new(saga, id);
    let request = local("request");
    let turbofish = saga.turbofish();
    let untold = saga.turbofish_untold();
    let evaluated = |function: &str, uses: &BTreeSet<VariableId>, variant: &Ident| {
        let (function, gathered) = (super::names::variant(function), gathered(saga, uses));
        let (uses, variant) = (arguments(saga, uses, &step.available), event_of(saga, id, variant));
        quote!(#(#gathered)* return __saga::evaluated(Self::#function #turbofish (#(#uses),*), #variant);)
    };
    let otherwise = otherwise.map(|otherwise| {
        let evaluated = evaluated("otherwise", &step.otherwise_uses, &otherwise);
        let is_asked = match step.ast.kind {
            // It is evaluated until when it waits, too.
            StepKind::Receive => quote!(#request.has_failed),
            _ => quote!(#request.kind == __saga::CallKind::Evaluation),
        };
        quote!(if #is_asked { #evaluated })
    });
    let probe = step.ast.probe.is_some().then(|| {
        let uses = handed_on(saga, &step.probe_uses, &step.available);
        quote! {
            if #request.kind == __saga::CallKind::Probe {
                return __saga::probed(Self::probe #untold (#request #(, #uses)*).await);
            }
        }
    });
    let action = match step.ast.kind {
        StepKind::If | StepKind::For | StepKind::Lock => evaluated("decision", &step.action_uses, &done),
        StepKind::Saga => match child_call(&step.ast.action) {
            Some((child, _)) => {
                let (gathered, uses) =
                    (gathered(saga, &step.action_uses), arguments(saga, &step.action_uses, &step.available));
                let definition = of_child(&child, "DEFINITION");
                quote!(#(#gathered)* __saga::begins(#definition, Self::child #turbofish (#(#uses),*)))
            }
            None => quote!(__saga::Settled::Failed(__saga::stale())),
        },
        StepKind::Local => in_transaction(saga, "action", &step.action_uses, &step.available),
        StepKind::Sleep | StepKind::Receive => {
            let gathered = gathered(saga, &step.action_uses);
            let uses = arguments(saga, &step.action_uses, &step.available);
            quote!(#(#gathered)* __saga::due(Self::time #turbofish (#(#uses),*)))
        }
        _ => {
            let uses = handed_on(saga, &step.action_uses, &step.available);
            quote!(__saga::settled(Self::action #untold (#request #(, #uses)*).await))
        }
    };
    let (parameters, bounds) = saga.parameters();
    let data = kept(saga, &step_uses(saga, id));
    Some(quote! {
        async fn attempt #parameters (
            #request: __saga::Request<#participants>
            #(, #data)*
        ) -> __saga::Settled<#event> #bounds {
            #probe
            #otherwise
            #action
        }
    })
}

/// A local call that waits for its transaction.
fn in_transaction(
    saga: &Expansion<'_>,
    function: &str,
    uses: &BTreeSet<VariableId>,
    available: &BTreeSet<VariableId>,
) -> TokenStream {
    let (gathered, arguments) = (gathered(saga, uses), arguments(saga, uses, available));
    let turbofish = saga.turbofish();
    let (function, request, tx) = (super::names::variant(function), local("request"), local("tx"));
    let ty = tx_type(saga);
    quote! {
        #(#gathered)*
        __saga::local(move |#tx: &#ty| Self::#function #turbofish (&#request, #tx #(, #arguments)*))
    }
}

/// The type of the transactions in which local calls are made.
pub(super) fn tx_type(saga: &Expansion<'_>) -> TokenStream {
    match &saga.model.ast.options.tx {
        Some(ty) => quote!(#ty),
        None => quote!(<__saga::SqliteLog as __saga::Transactional>::Tx),
    }
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

/// The variables as arguments: each as a reference to what a call sees.
fn arguments(
    saga: &Expansion<'_>,
    uses: &BTreeSet<VariableId>,
    available: &BTreeSet<VariableId>,
) -> Vec<TokenStream> {
    each_seen(uses, available, |id| {
        let name = saga.variable(id).0;
        quote!(&#name)
    })
}

/// The variables as arguments in the form in which they are kept.
fn handed_on(
    saga: &Expansion<'_>,
    uses: &BTreeSet<VariableId>,
    available: &BTreeSet<VariableId>,
) -> Vec<TokenStream> {
    each_seen(uses, available, |id| saga.variable(id).0.to_token_stream())
}

/// What is handed to a function for each variable that its call sees.
fn each_seen(
    uses: &BTreeSet<VariableId>,
    available: &BTreeSet<VariableId>,
    argument: impl Fn(VariableId) -> TokenStream,
) -> Vec<TokenStream> {
    // What it does not mention only an editor sees.
    let of = |id: &VariableId| if uses.contains(id) { argument(*id) } else { quote!(loop {}) };
    seen(uses, available).iter().map(of).collect()
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

/// The variables as parameters: each as positions keep it.
fn kept(saga: &Expansion<'_>, uses: &BTreeSet<VariableId>) -> Vec<TokenStream> {
    let p = quote!(__saga);
    let kept = uses.iter().map(|id| {
        let (name, ty) = (saga.variable(*id).0, saga.kept(*id, &p));
        quote!(#name: #ty)
    });
    kept.collect()
}

/// Brings the variables that are kept in another form into that in which an evaluation sees them.
fn gathered(saga: &Expansion<'_>, uses: &BTreeSet<VariableId>) -> Vec<TokenStream> {
    let gathered = uses.iter().filter(|id| !saga.is_one(**id)).map(|id| {
        let name = saga.variable(*id).0;
        let text = super::plain(name);
        quote! {
            let #name = match __saga::gathered(#name, #text) {
                __saga::Ok(gathered) => gathered,
                __saga::Err(failure) => return __saga::Settled::Failed(failure),
            };
        }
    });
    gathered.collect()
}

/// Whether all that a step ever asks for is its action.
fn is_action_alone(saga: &Expansion<'_>, id: StepId) -> bool {
    let step = saga.step(id);
    let is_awaited = matches!(step.ast.kind, StepKind::Step | StepKind::Pivot | StepKind::Read);
    is_awaited && step.ast.probe.is_none() && step.ast.otherwise.is_none()
}

/// What the action and the probe of a step use.
fn step_uses(saga: &Expansion<'_>, id: StepId) -> BTreeSet<VariableId> {
    let step = saga.step(id);
    &(&step.action_uses | &step.probe_uses) | &step.otherwise_uses
}

/// An arm of a `match` on the positions of a region: the attempt of the action or its probe in that position.
pub(super) fn step_arm(saga: &Expansion<'_>, id: StepId, position: &TokenStream) -> TokenStream {
    let function = if is_action_alone(saga, id) {
        [quote!(attempt), quote!(action)]
    } else {
        [quote!(boxed), quote!(attempt)]
    };
    let step = saga.step(id);
    let available = if is_action_alone(saga, id) { step.available.clone() } else { step_uses(saga, id) };
    arm(saga, id, position, &function, &step_uses(saga, id), &available)
}

/// The same for its compensation.
pub(super) fn compensation_arm(saga: &Expansion<'_>, id: StepId, position: &TokenStream) -> TokenStream {
    // A child saga is turned by whoever drives its parent.
    if saga.step(id).ast.kind == StepKind::Saga {
        return TokenStream::new();
    }
    let function = match saga.step(id).ast.kind {
        StepKind::Local => [quote!(boxed), quote!(undo)],
        _ => [quote!(attempt), quote!(compensation)],
    };
    let step = saga.step(id);
    let available = match step.ast.kind {
        StepKind::Local => step.compensation_uses.clone(),
        _ => available_after(step),
    };
    arm(saga, id, position, &function, &step.compensation_uses, &available)
}

fn arm(
    saga: &Expansion<'_>,
    id: StepId,
    position: &TokenStream,
    [boxed, function]: &[TokenStream; 2],
    uses: &BTreeSet<VariableId>,
    available: &BTreeSet<VariableId>,
) -> TokenStream {
    let at = if uses.is_empty() { quote!(_) } else { quote!(at) };
    let ty = forward::step_position(saga, id).ty;
    let data = each_seen(uses, available, |id| {
        let name = saga.variable(id).0;
        quote!(at.#name.share())
    });
    let untold = saga.turbofish_untold();
    quote!(#position(#at) => __saga::#boxed(#ty::#function #untold (request #(, #data)*)),)
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

/// `async fn name(request, …) -> Outcome<event>`.
struct Function<'a> {
    name: &'a str,
    call: &'a Call,
    uses: &'a BTreeSet<VariableId>,
    /// Who must be `Keyed`.
    keyed: &'a [Ident],
    answer: Answer<'a>,
    /// The conditions around it.
    guards: &'a [Guard],
}

/// What becomes of the answer of a call.
enum Answer<'a> {
    /// It is the output of this type, which this event holds.
    Done(&'a Type, Ident),
    /// It is the output, if there is one.
    Found(&'a Type, Ident),
    /// It is dropped, and this event says so.
    Compensated(Ident),
    /// It is dropped.
    Dropped,
}

impl Function<'_> {
    /// `fn name(request, tx, …) -> Outcome<event>`: not asynchronous, between the statements of one transaction.
    fn expand_local(&self, saga: &Expansion<'_>, id: StepId) -> TokenStream {
        let Expansion { event, participants, .. } = saga;
        let (name, request) = (super::names::variant(self.name), local("request"));
        let word = |name: &str| {
            mentioned(&self.call.tokens, name).unwrap_or_else(|| Ident::new(name, Span::call_site()))
        };
        let (cx, tx, tx_type) = (word("cx"), word("tx"), tx_type(saga));
        let pattern = pattern(saga);
        let seen = self.uses.iter().map(|id| {
            let (name, ty) = saga.variable(*id);
            quote!(#name: &#ty)
        });
        let answer = match self.answer {
            Answer::Dropped => quote!(()),
            _ => quote!(#event),
        };
        let stale = quote!(__saga::Err(__saga::stale()));
        let body = if is_hidden(self.call) {
            stale
        } else {
            guarded(self.guards, &self.call.tokens, &self.body(saga, id), &stale)
        };
        let (parameters, bounds) = saga.parameters();
        quote! {
            fn #name #parameters (
                #request: &__saga::Request<#participants>,
                #tx: &#tx_type
                #(, #seen)*
            ) -> __saga::Outcome<#answer> #bounds {
                let (#cx, #pattern) = #request.parts();
                #body
            }
        }
    }

    fn expand(&self, saga: &Expansion<'_>, id: StepId) -> TokenStream {
        let Expansion { event, participants, .. } = saga;
        let (name, request) = (super::names::variant(self.name), local("request"));
        let cx = mentioned(&self.call.tokens, "cx").unwrap_or_else(|| Ident::new("cx", Span::call_site()));
        let pattern = pattern(saga);
        let data = kept(saga, self.uses);
        let seen = self.uses.iter().map(|id| {
            let (name, ty) = saga.variable(*id);
            if saga.is_one(*id) {
                return quote!(let #name: &#ty = &#name;);
            }
            let text = super::plain(name);
            quote!(let #name: &#ty = &__saga::gathered(#name, #text)?;)
        });
        let answer = match self.answer {
            Answer::Done(..) | Answer::Compensated(_) => quote!(#event),
            Answer::Found(..) => quote!(__saga::Option<#event>),
            Answer::Dropped => quote!(()),
        };
        let body = if is_hidden(self.call) {
            quote!(::core::future::pending().await)
        } else {
            let stale = quote!(__saga::Err(__saga::stale()));
            guarded(self.guards, &self.call.tokens, &self.body(saga, id), &stale)
        };
        let (parameters, bounds) = saga.parameters();
        quote! {
            async fn #name #parameters (
                #request: __saga::Request<#participants>
                #(, #data)*
            ) -> __saga::Outcome<#answer> #bounds {
                let (#cx, #pattern) = #request.parts();
                #(#seen)*
                #body
            }
        }
    }

    fn body(&self, saga: &Expansion<'_>, id: StepId) -> TokenStream {
        let p = quote!(__saga);
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
        let awaited = if saga.step(id).ast.kind == StepKind::Local {
            call.clone()
        } else {
            let send = spanned(start, end, &quote!(#p::send), call.clone());
            let dot = quote_spanned!(start=> .);
            let word = Ident::new("await", end);
            quote!(#send #dot #word)
        };
        let settled = spanned(start, end, &quote!(#p::settle), awaited);
        let output = local("output");
        let (ty, value) = match &self.answer {
            Answer::Done(ty, done) => {
                let done = self::event(saga, id, done, Some(&output));
                (Some(quote!(#ty)), done)
            }
            Answer::Found(ty, done) => {
                let done = event_of(saga, id, done);
                let option = quote_spanned!(ty.span()=> ::core::option::Option<#ty>);
                (Some(option), quote!(#output.map(#done)))
            }
            Answer::Compensated(compensated) => (None, self::event(saga, id, compensated, None)),
            Answer::Dropped => (None, quote!(())),
        };
        let done = match ty {
            Some(ty) => {
                let answer = Ident::new("__saga_answer", start);
                let mut field = number(0);
                field.set_span(end);
                quote! {
                    let #answer = #settled?;
                    let #output: #ty = #answer.#field;
                }
            }
            None => quote!(#settled?;),
        };
        quote! {
            #(#trait_objects)*
            #(#keyed)*
            #done
            __saga::Ok(#value)
        }
    }
}

/// An event of a step.
fn event(saga: &Expansion<'_>, id: StepId, variant: &Ident, held: Option<&Ident>) -> TokenStream {
    let (event, request) = (&saga.event, local("request"));
    let items = (saga.step(id).depth() > 0).then(|| match saga.step(id).ast.kind {
        StepKind::Local => quote!(__saga::Clone::clone(&#request.items)),
        _ => quote!(#request.items),
    });
    let held = held.map(|held| quote!(#held));
    let fields = items.into_iter().chain(held).collect::<Vec<_>>();
    if fields.is_empty() { quote!(#event::#variant) } else { quote!(#event::#variant(#(#fields),*)) }
}

/// `BookTripParticipants { flights, … }`: each name stands for a reference.
fn pattern(saga: &Expansion<'_>) -> TokenStream {
    let names = saga.model.ast.participants.iter().map(|participant| {
        let name = &participant.name;
        // An editor cannot rename a field and a variable that are one token.
        let field = crate::editor::runs_in_an_editor().then(|| {
            let mut field = name.clone();
            field.set_span(Span::call_site());
            quote!(#field:)
        });
        quote!(#field #name)
    });
    let participants = &saga.participants_name;
    quote!(#participants { #(#names),* })
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
