//! `BookTrip` itself: its participants, its definition as data, its policies, and the `Saga` implementation.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Type;

use super::event::output;
use super::{Expansion, RegionNames, calls, forward, plain, quiet};
use crate::ast::{Compensate, DurationValue, Policies, Probe, Retry, StepKind, Undo};
use crate::layout::{NodeLayout, RegionLayout};
use crate::model::{StepId, Zone};

pub(super) fn expand(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    let ast = saga.model.ast;
    let (attrs, vis, name) = (&ast.attrs, &ast.vis, &ast.name);
    let state = saga.item("State");
    let names = RegionNames::new(saga, layout);
    let forward = &names.forward;
    let runtime = &saga.runtime;
    let state_doc = format!("The state of a [`{name}`]: where it is, and in which direction it goes.");
    let participants = participants(saga);
    let begin = begin(saga, layout, forward);
    let implementation = implementation(saga, layout, forward);
    let returns = returns(saga, layout);
    let doc = ast.attrs.iter().all(|attr| !attr.path().is_ident("doc")).then(|| {
        let doc = format!("The saga `{name}`.");
        quote!(#[doc = #doc])
    });
    quote! {
        #(#attrs)*
        #doc
        #vis enum #name {}

        #[doc = #state_doc]
        #vis type #state = #runtime::machine::State<#forward>;

        #participants
        #begin
        #implementation
        #returns
    }
}

fn participants(saga: &Expansion<'_>) -> TokenStream {
    let ast = saga.model.ast;
    let vis = &ast.vis;
    let p = &saga.private;
    let ty = &saga.participants;
    let doc = format!("What the calls of a [`{}`] are made on.", ast.name);
    let fields = ast.participants.iter().map(|participant| {
        let (name, ty) = (&participant.name, &participant.ty);
        let doc = format!("`{}`.", plain(name));
        if calls::is_unsized(ty) {
            quote!(#[doc = #doc] #vis #name: #p::Arc<#ty>,)
        } else {
            quote!(#[doc = #doc] #vis #name: #ty,)
        }
    });
    quote!(#[doc = #doc] #vis struct #ty { #(#fields)* })
}

fn begin(saga: &Expansion<'_>, layout: &RegionLayout, forward: &syn::Ident) -> TokenStream {
    let ast = saga.model.ast;
    let Expansion { runtime, private: p, .. } = saga;
    let (vis, name) = (&ast.vis, &ast.name);
    let state = saga.item("State");
    let quiet = quiet();
    let inputs = ast.inputs.iter().map(|input| {
        let (name, ty) = (&input.name, &input.ty);
        quote!(#name: #ty)
    });
    let carried = match layout.nodes.first() {
        Some(NodeLayout::Step(step)) => &step.forward,
        Some(NodeLayout::Parallel(parallel)) => &parallel.forward,
        None => &layout.end,
    };
    let kept = saga.idents(carried);
    let (position, value) = forward::arrive(saga, layout, 0);
    let variant = position.variant;
    quote! {
        #[automatically_derived]
        #quiet
        impl #name {
            /// The state with which the saga begins.
            #vis fn begin(#(#inputs),*) -> #state {
                #(let #kept = #p::Arc::new(#kept);)*
                #runtime::machine::State::Forward(#forward::#variant(#value))
            }
        }
    }
}

fn implementation(saga: &Expansion<'_>, layout: &RegionLayout, forward: &syn::Ident) -> TokenStream {
    let ast = saga.model.ast;
    let Expansion { runtime, private: p, event, participants, .. } = saga;
    let name = &ast.name;
    let quiet = quiet();
    let output = output(saga);
    let names = ast.inputs.iter().map(|input| &input.name).collect::<Vec<_>>();
    let types = ast.inputs.iter().map(|input| &input.ty).collect::<Vec<_>>();
    let texts = names.iter().map(|name| plain(name)).collect::<Vec<_>>();
    let (input_ty, input) = match (&types[..], &names[..]) {
        ([ty], [name]) => (quote!(#ty), quote!(#name)),
        _ => (quote!((#(#types,)*)), quote!((#(#names,)*))),
    };
    let policy = policy(saga);
    let definition = definition(saga, layout);
    quote! {
        #[automatically_derived]
        #quiet
        impl #runtime::Saga for #name {
            type Input = #input_ty;
            type Output = #output;
            type Event = #event;
            type Forward = #forward;
            type Participants = #participants;

            const DEFINITION: &'static #runtime::definition::Definition = &#definition;

            fn begin(#input: Self::Input) -> #runtime::StateOf<Self> {
                #name::begin(#(#names),*)
            }

            fn encode_input(
                #input: &Self::Input,
            ) -> ::core::result::Result<#p::String, #runtime::data::DataError> {
                let mut __saga_fields = #p::FieldsWriter::default();
                #(__saga_fields.push(#texts, #names)?;)*
                ::core::result::Result::Ok(__saga_fields.finish())
            }

            fn decode_input(
                json: &str,
            ) -> ::core::result::Result<Self::Input, #runtime::data::DataError> {
                let mut __saga_fields = #p::FieldsReader::new(json)?;
                #(let #names = __saga_fields.take::<#types>(#texts)?;)*
                ::core::result::Result::Ok(#input)
            }

            #policy

            fn call(
                state: &#runtime::StateOf<Self>,
                step: usize,
                kind: #runtime::machine::CallKind,
                participants: &#p::Arc<#participants>,
                cx: #runtime::Context,
            ) -> ::core::option::Option<#p::CallFuture<#event>> {
                match state {
                    #runtime::machine::State::Forward(at) | #runtime::machine::State::Turning(at, _) => {
                        at.call(step, kind, participants, cx)
                    }
                    #runtime::machine::State::Backward(at, _) => at.call(step, kind, participants, cx),
                    _ => ::core::option::Option::None,
                }
            }

            fn complete(
                state: #runtime::StateOf<Self>,
            ) -> ::core::option::Option<::core::result::Result<#event, #runtime::data::DataError>> {
                match state {
                    #runtime::machine::State::Forward(#forward::Return(at)) => {
                        ::core::option::Option::Some(at.output().map(#event::Completed))
                    }
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}

/// `fn output(self)`: the `return` expression on the owned values.
fn returns(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    let Expansion { runtime, .. } = saga;
    let ty = saga.item("Return");
    let quiet = quiet();
    let output = output(saga);
    let used = saga.model.return_uses.iter().filter(|id| layout.end.contains(id)).map(|id| {
        let name = saga.variable(*id).0;
        let text = plain(name);
        quote!(let #name = #runtime::data::into_owned(#text, self.#name)?;)
    });
    let body = match &saga.model.ast.returns {
        Some(call) if !call.is_refused() => {
            let tokens = &call.tokens;
            quote! {
                #(#used)*
                let __saga_output: #output = #tokens;
                ::core::result::Result::Ok(__saga_output)
            }
        }
        None if saga.model.ast.output.is_none() => quote!(::core::result::Result::Ok(())),
        // A `return` that is missing or was refused has been reported already.
        _ => quote!(::core::unreachable!()),
    };
    quote! {
        #[automatically_derived]
        #quiet
        impl #ty {
            fn output(self) -> ::core::result::Result<#output, #runtime::data::DataError> {
                #body
            }
        }
    }
}

fn policy(saga: &Expansion<'_>) -> TokenStream {
    let runtime = &saga.runtime;
    let defaults = &saga.model.ast.defaults;
    let default = policy_value(saga, &Policies::default(), defaults);
    let arms = saga.model.steps.iter().enumerate().map(|(id, step)| {
        let kind = quote!(#runtime::machine::CallKind);
        let own = |policies: &Policies| policies.timeout.is_some() || policies.retry.is_some();
        let compensation = match &step.ast.compensate {
            Some(Compensate { undo: Undo::Call(_), policies, .. }) if own(policies) => {
                let value = policy_value(saga, policies, defaults);
                Some(quote!((#id, #kind::Compensation) => #value,))
            }
            _ => None,
        };
        let action = own(&step.ast.policies).then(|| {
            let value = policy_value(saga, &step.ast.policies, defaults);
            quote!((#id, #kind::Action | #kind::Probe) => #value,)
        });
        quote!(#compensation #action)
    });
    quote! {
        fn policy(step: usize, kind: #runtime::machine::CallKind) -> #runtime::machine::Policy {
            match (step, kind) {
                #(#arms)*
                _ => #default,
            }
        }
    }
}

fn policy_value(saga: &Expansion<'_>, own: &Policies, defaults: &Policies) -> TokenStream {
    let runtime = &saga.runtime;
    let timeout = own.timeout.as_ref().or(defaults.timeout.as_ref()).map(|timeout| {
        let timeout = duration(timeout);
        quote!(timeout: #timeout,)
    });
    let retry = own.retry.as_ref().or(defaults.retry.as_ref()).map(|retry| {
        let retry = match retry {
            Retry::Never => quote!(#runtime::machine::Retry::NEVER),
            Retry::Every { limit, first, cap } => {
                let limit = match limit {
                    Some(limit) => quote!(::core::option::Option::Some(#limit)),
                    None => quote!(::core::option::Option::None),
                };
                let (first, cap) = (duration(first), duration(cap));
                quote!(#runtime::machine::Retry { limit: #limit, first: #first, cap: #cap })
            }
        };
        quote!(retry: #retry,)
    });
    match (timeout.is_some(), retry.is_some()) {
        (false, false) => quote!(#runtime::machine::Policy::DEFAULT),
        (true, true) => quote!(#runtime::machine::Policy { #timeout #retry }),
        _ => quote!(#runtime::machine::Policy { #timeout #retry ..#runtime::machine::Policy::DEFAULT }),
    }
}

fn duration(value: &DurationValue) -> TokenStream {
    match value {
        DurationValue::Literal(nanos) => {
            let whole =
                |unit: u128| (nanos % unit == 0).then(|| u64::try_from(nanos / unit).unwrap_or(u64::MAX));
            if let Some(seconds) = whole(1_000_000_000) {
                quote!(::core::time::Duration::from_secs(#seconds))
            } else if let Some(millis) = whole(1_000_000) {
                quote!(::core::time::Duration::from_millis(#millis))
            } else {
                let nanos = u64::try_from(*nanos).unwrap_or(u64::MAX);
                quote!(::core::time::Duration::from_nanos(#nanos))
            }
        }
        DurationValue::Expression(tokens) => quote!(#tokens),
    }
}

fn definition(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    let ast = saga.model.ast;
    let runtime = &saga.runtime;
    let name = plain(&ast.name);
    let version = ast.options.version.unwrap_or(1);
    let field = |name: &syn::Ident, ty: &Type| {
        let (name, ty) = (plain(name), type_text(ty));
        quote!(#runtime::definition::Field { name: #name, ty: #ty })
    };
    let inputs = ast.inputs.iter().map(|input| field(&input.name, &input.ty));
    let participants = ast.participants.iter().map(|participant| field(&participant.name, &participant.ty));
    let output = ast.output.as_ref().map_or_else(|| "()".to_owned(), type_text);
    let steps = (0..saga.model.steps.len()).map(|id| step_definition(saga, id));
    let body = blocks(saga, layout);
    quote! {
        #runtime::definition::Definition {
            name: #name,
            version: #version,
            inputs: &[#(#inputs),*],
            output: #output,
            participants: &[#(#participants),*],
            steps: &[#(#steps),*],
            body: #body,
        }
    }
}

fn step_definition(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let runtime = &saga.runtime;
    let step = &saga.model.steps[id];
    let (name, output) = (saga.step_name(id), type_text(&step.ast.ty));
    let kind = match (step.ast.kind, step.zone) {
        (StepKind::Read, _) => quote!(Read),
        (_, Zone::Compensatable) => quote!(Compensatable),
        (_, Zone::Pivot { .. }) => quote!(Pivot),
        (_, Zone::Retriable) => quote!(Retriable),
    };
    let compensation = match step.ast.compensate.as_ref().map(|compensate| &compensate.undo) {
        None => quote!(None),
        Some(Undo::Nothing) => quote!(Nothing),
        Some(Undo::Call(_)) if step.compensation_uses.contains(&step.output) => quote!(ByOutput),
        Some(Undo::Call(_)) => quote!(ByKey),
    };
    let probe = matches!(step.ast.probe, Some(Probe { .. }));
    quote! {
        #runtime::definition::StepDefinition {
            name: #name,
            output: #output,
            kind: #runtime::definition::StepKind::#kind,
            compensation: #runtime::definition::Compensation::#compensation,
            probe: #probe,
        }
    }
}

fn blocks(saga: &Expansion<'_>, region: &RegionLayout) -> TokenStream {
    let runtime = &saga.runtime;
    let blocks = region.nodes.iter().map(|node| match node {
        NodeLayout::Step(step) => {
            let id = step.id;
            quote!(#runtime::definition::Block::Step(#id))
        }
        NodeLayout::Parallel(parallel) => {
            let branches = parallel.branches.iter().map(|branch| blocks(saga, branch));
            quote!(#runtime::definition::Block::Parallel(&[#(#branches),*]))
        }
    });
    quote!(&[#(#blocks),*])
}

/// A type as written, without the spaces that token printing puts between everything.
fn type_text(ty: &Type) -> String {
    let mut text = String::new();
    let spaced = ty.to_token_stream().to_string();
    let mut rest = spaced.chars().peekable();
    while let Some(c) = rest.next() {
        let between_words =
            |a: char, b: char| (a.is_alphanumeric() || a == '_') && (b.is_alphanumeric() || b == '_');
        let last = text.chars().last().unwrap_or(' ');
        let next = rest.peek().copied().unwrap_or(' ');
        if c != ' ' || between_words(last, next) || last == ',' || last == ';' || last == '+' || next == '+' {
            text.push(c);
        }
    }
    text
}
