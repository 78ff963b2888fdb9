//! `BookTrip` itself, its state and its participants, and the implementation of `Saga`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::names::{doc, local, plain};
use super::{Code, Expansion, RegionNames, backward, calls, definition, forward, page, policy};
use crate::ast::{Field, StepKind, Time};
use crate::layout::RegionLayout;
use crate::model::{Origin, Zone};

pub(super) fn expand(saga: &Expansion<'_>, layout: &RegionLayout, code: &mut Code) {
    items(saga, layout, code);
    output(saga, layout, code);
    begin(saga, layout, code);
    implementation(saga, layout, code);
}

fn items(saga: &Expansion<'_>, layout: &RegionLayout, code: &mut Code) {
    let ast = saga.model.ast;
    let Expansion { runtime, .. } = saga;
    let (attrs, vis, name) = (&ast.attrs, &ast.vis, &ast.name);
    let shown = plain(name);
    let own_doc = ast.attrs.iter().all(|attr| !attr.path().is_ident("doc"));
    let own_doc = own_doc.then(|| doc(&format!("The saga `{shown}`.")));
    let participants = &saga.participants_name;
    let generics = &ast.generics;
    let where_clause = &generics.where_clause;
    let item = if generics.params.is_empty() {
        quote!(#vis enum #name {})
    } else {
        let types = generics.type_params().map(|parameter| &parameter.ident);
        quote! {
            #vis struct #name #generics (::core::marker::PhantomData<fn() -> (#(#types,)*)>) #where_clause;
        }
    };
    let participants_doc = doc(&format!("What the calls of a [`{shown}`] are made on."));
    let fields = ast.participants.iter().map(|participant| {
        let (name, ty) = (&participant.name, &participant.ty);
        let doc = doc(&format!("The participant `{}`.", plain(name)));
        if calls::is_unsized(ty) {
            quote!(#doc #vis #name: ::std::sync::Arc<#ty>,)
        } else {
            quote!(#doc #vis #name: #ty,)
        }
    });
    let of_participants = &saga.parameters.participants;
    let given_of_participants = &of_participants.where_clause;
    let (state, forward) = (saga.item("State").name, RegionNames::new(saga, layout).forward);
    let of_state = saga.parameters.unbounded();
    let state_doc = doc(&format!("The state of a [`{shown}`]: where it is, and in which direction it goes."));
    // It depends on everything: what an editor has below it would move with every letter.
    let page = (!crate::editor::runs_in_an_editor()).then(|| page::attribute(saga, layout));
    code.items.extend(quote! {
        #(#attrs)*
        #own_doc
        #page
        #item

        #participants_doc
        #vis struct #participants #of_participants #given_of_participants { #(#fields)* }

        #state_doc
        #vis type #state #of_state = #runtime::machine::State<#forward>;
    });
}

/// `__saga::input::<Trip>("trip")`. What rustc has to say about it is said at the type.
fn input_field(p: &TokenStream, input: &Field) -> TokenStream {
    let (name, ty) = (plain(&input.name), &input.ty);
    let function = quote!(#p::input::<#ty>);
    let (start, end) = calls::ends(&quote!(#ty));
    calls::spanned(start, end, &function, quote!(#name))
}

/// `fn output(self)`: the `return` expression on the owned values.
fn output(saga: &Expansion<'_>, layout: &RegionLayout, code: &mut Code) {
    let Expansion { generics, given, .. } = saga;
    let model = saga.model;
    let ty = RegionNames::new(saga, layout).end.ty;
    let output = saga.output();
    let p = quote!(__saga);
    let owned = calls::seen(&model.return_uses, &model.available).iter();
    let is_editor = crate::editor::runs_in_an_editor();
    let owned = owned.filter(|id| is_editor || layout.end.contains(id)).map(|id| {
        let (name, ty) = saga.variable(*id);
        if is_editor {
            return quote!(let #name: #ty = loop {};);
        }
        let shown = plain(name);
        match model.variables[*id].origin {
            Origin::Output(step) => {
                let position = forward::step_position(saga, step).ty;
                quote!(let #name = #p::owned::<#position>(self.#name)?;)
            }
            Origin::Input => {
                let field = input_field(&p, &Field { name: name.clone(), ty });
                quote!(let #name = #field.owned(self.#name)?;)
            }
            Origin::Item | Origin::Gathered(_) => {
                quote!(let #name = #p::Gathered::gather(self.#name, #shown)?;)
            }
        }
    });
    let body = match &model.ast.returns {
        Some(call) if !calls::is_hidden(call) => {
            let tokens = &call.tokens;
            let built = local("output");
            // What is shared with a compensation would be copied.
            let undo = backward::carries_undo(saga, layout, layout.nodes.len()).then(|| {
                let undo = &saga.undo;
                quote!(::core::mem::drop(self.#undo);)
            });
            quote! {
                #undo
                #(#owned)*
                let #built: #output = #tokens;
                __saga::Ok(#built)
            }
        }
        None if model.ast.output.is_none() => quote!(__saga::Ok(())),
        // A `return` that is missing or was refused has been reported already.
        _ => quote!(#p::no_output()),
    };
    let with_tokens = if is_editor { &mut code.calls } else { &mut code.steps };
    with_tokens.extend(quote! {
        impl #generics #ty #given {
            fn output(self) -> __saga::Result<#output, __saga::DataError> {
                #body
            }
        }
    });
}

fn begin(saga: &Expansion<'_>, layout: &RegionLayout, code: &mut Code) {
    let ast = saga.model.ast;
    let (vis, name) = (&ast.vis, &ast.name);
    let (state, forward) = (saga.item("State"), RegionNames::new(saga, layout).forward);
    let inputs = ast.inputs.iter().map(|input| {
        let (name, ty) = (&input.name, &input.ty);
        quote!(#name: #ty)
    });
    let kept = saga.idents(&layout.carried(0));
    let (position, value) = forward::arrive(saga, layout, 0);
    let variant = position.variant;
    let (parameters, arguments, bounds) = saga.parameters.saga.split_for_impl();
    code.implementation.extend(quote! {
        impl #parameters #name #arguments #bounds {
            /// The state with which the saga begins.
            #vis fn begin(#(#inputs),*) -> #state {
                #(let #kept = __saga::Shared::new(#kept);)*
                __saga::State::Forward(#forward::#variant(#value))
            }
        }
    });
}

fn implementation(saga: &Expansion<'_>, layout: &RegionLayout, code: &mut Code) {
    let ast = saga.model.ast;
    let Expansion { event, participants, .. } = saga;
    let name = &ast.name;
    let output = saga.output();
    let RegionNames { forward, end, .. } = RegionNames::new(saga, layout);
    let end = end.variant;
    let input_names = ast.inputs.iter().map(|input| &input.name).collect::<Vec<_>>();
    let input_types = ast.inputs.iter().map(|input| &input.ty).collect::<Vec<_>>();
    let (input_ty, input) = match (&input_types[..], &input_names[..]) {
        ([ty], [name]) => (quote!(#ty), quote!(#name)),
        _ => (quote!((#(#input_types,)*)), quote!((#(#input_names,)*))),
    };
    let participant_types = ast.participants.iter().map(|participant| &participant.ty).collect::<Vec<_>>();
    // Whoever is shared between threads is asked for here, where the compiler can underline the participant.
    let bounds = participant_types.iter().map(|ty| {
        let bounds = quote_spanned!(ty.span()=> ::core::marker::Send + ::core::marker::Sync);
        quote!(#ty: #bounds)
    });
    let (parameters, arguments, given) = saga.parameters.saga.split_for_impl();
    let given = given.iter().flat_map(|clause| &clause.predicates);
    let of_parameters = ast.generics.type_params().map(|parameter| {
        let parameter = &parameter.ident;
        quote!(#parameter: 'static)
    });
    let bounds =
        given.map(|predicate| quote!(#predicate)).chain(bounds).chain(of_parameters).collect::<Vec<_>>();
    let bounds = (!bounds.is_empty()).then(|| quote!(where #(#bounds),*));
    let turbofish = saga.turbofish_untold();
    let (json, fields) = (local("json"), local("fields"));
    let field = ast.inputs.iter().map(|input| input_field(&quote!(__saga), input)).collect::<Vec<_>>();
    let definition = definition::value(saga, layout);
    let policy = policy::function(saga);
    let signal = signal(saga, code);
    code.implementation.extend(definition::steps(saga));
    let deadline = deadline(saga, &input);
    let children = children(saga);
    let runs_on = runs_on(saga);
    let compensatable = is_compensatable(saga).then(|| {
        let where_clause = &saga.parameters.saga.where_clause;
        quote! {
            #[automatically_derived]
            impl #parameters __saga::Compensatable for #name #arguments #where_clause {}
        }
    });
    code.implementation.extend(quote! {
        #[automatically_derived]
        impl #parameters __saga::Saga for #name #arguments #bounds {
            type Input = #input_ty;
            type Inputs = fn(#(#input_types),*) -> #input_ty;
            type Output = #output;
            type Event = #event;
            type Forward = #forward;
            type Participants = #participants;
            type Signal = #signal;
            type Itself = Self;

            const INPUTS: Self::Inputs = |#(#input_names),*| #input;
            const DEFINITION: &'static __saga::Definition = &#definition;

            fn begin(#input: Self::Input) -> __saga::StateOf<Self> {
                Self::begin(#(#input_names),*)
            }

            fn encode_input(#input: &Self::Input) -> __saga::Result<__saga::String, __saga::DataError> {
                let mut #fields = __saga::FieldsWriter::new();
                #(#field.write(&mut #fields, #input_names)?;)*
                __saga::Ok(#fields.finish())
            }

            fn decode_input(#json: &str) -> __saga::Result<Self::Input, __saga::DataError> {
                let mut #fields = __saga::FieldsReader::new(#json)?;
                #(let #input_names = #field.read(&mut #fields)?;)*
                __saga::Ok(#input)
            }

            #policy

            #deadline

            #children

            fn call(
                state: &__saga::StateOf<Self>,
                place: &__saga::Place,
                kind: __saga::CallKind,
                participants: &__saga::Arc<#participants>,
                cx: __saga::Context,
            ) -> __saga::Option<__saga::CallFuture<#event>> {
                let request = __saga::Request::new(state, place, kind, participants, cx)?;
                match state {
                    __saga::State::Forward(at) | __saga::State::Turning(at, _) => at.call #turbofish (place, request),
                    __saga::State::Backward(at, _) => at.call #turbofish (place, request),
                    _ => __saga::None,
                }
            }

            fn complete(
                state: __saga::StateOf<Self>,
            ) -> __saga::Option<__saga::Result<#event, __saga::DataError>> {
                match state {
                    __saga::State::Forward(#forward::#end(at)) => {
                        __saga::Some(at.output().map(#event::Completed))
                    }
                    _ => __saga::None,
                }
            }
        }

        #compensatable

        #runs_on
    });
}

/// On which logs the saga can run: with `local` steps, on those with transactions of their type.
fn runs_on(saga: &Expansion<'_>) -> TokenStream {
    let ast = saga.model.ast;
    let name = &ast.name;
    let has_local = saga.model.steps.iter().any(|step| step.ast.kind == StepKind::Local);
    let log = local("Log");
    let bound = if has_local {
        let tx = calls::tx_type(saga);
        quote!(#log: __saga::Transactional<Tx = #tx> + ?::core::marker::Sized)
    } else {
        quote!(#log: ?::core::marker::Sized)
    };
    let mut generics = saga.parameters.saga.clone();
    generics.params.push(syn::GenericParam::Type(log.clone().into()));
    let (parameters, _, _) = generics.split_for_impl();
    let (_, arguments, given) = saga.parameters.saga.split_for_impl();
    let given = given.iter().flat_map(|clause| &clause.predicates);
    quote! {
        #[automatically_derived]
        impl #parameters __saga::RunsOn<#log> for #name #arguments where #(#given,)* #bound {}
    }
}

/// Whether the saga can turn until its very end.
fn is_compensatable(saga: &Expansion<'_>) -> bool {
    saga.model.steps.iter().all(|step| step.zone == Zone::Compensatable)
}

/// `fn children()`, if the saga begins others.
fn children(saga: &Expansion<'_>) -> Option<TokenStream> {
    let children = saga.model.steps.iter().filter(|step| step.ast.kind == StepKind::Saga);
    let children = children
        .filter_map(|step| calls::child_call(&step.ast.action))
        .map(|(child, _)| calls::of_child(&child, "DEFINITION"));
    let children = children.collect::<Vec<_>>();
    (!children.is_empty()).then(|| {
        quote! {
            fn children() -> __saga::Vec<&'static __saga::Definition> {
                [#(#children),*].to_vec()
            }
        }
    })
}

/// `PlaceOrderSignal`: what can be sent to the saga.
fn signal(saga: &Expansion<'_>, code: &mut Code) -> TokenStream {
    let receives = (0..saga.model.steps.len()).filter(|id| saga.step(*id).ast.kind == StepKind::Receive);
    let receives = receives.collect::<Vec<_>>();
    if receives.is_empty() {
        return quote!(__saga::Infallible);
    }
    let (vis, name) = (&saga.model.ast.vis, plain(&saga.model.ast.name));
    let signal = saga.item("Signal");
    let Expansion { generics, given, .. } = saga;
    let (signal_name, declared) = (&signal.name, &saga.parameters.declared);
    let where_clause = &declared.where_clause;
    let head = doc(&format!("What can be sent to a [`{name}`]."));
    let types = receives.iter().map(|id| saga.step(*id).ast.ty.clone()).collect::<Vec<_>>();
    let variants = receives.iter().zip(&types).enumerate().map(|(number, (id, ty))| {
        let variant = super::names::variant(saga.camel(*id));
        let ty = if number == 0 { saga.beside(quote!(#ty), &types) } else { quote!(#ty) };
        let doc = doc(&format!("For `{}`.", saga.step_name(*id)));
        quote!(#doc #variant(#ty),)
    });
    code.items.extend(quote! {
        #head
        #vis enum #signal_name #declared #where_clause { #(#variants)* }
    });
    let facts = receives.iter().map(|id| {
        let variant = super::names::variant(saga.camel(*id));
        let position = forward::step_position(saga, *id).ty;
        quote!(Self::#variant(signal) => __saga::sent::<#position>(signal),)
    });
    code.implementation.extend(quote! {
        #[automatically_derived]
        impl #generics __saga::Signal for #signal #given {
            fn to_fact(&self) -> __saga::Result<__saga::Fact, __saga::DataError> {
                match self { #(#facts)* }
            }
        }
    });
    quote!(#signal)
}

/// `fn deadline(input)`, if the saga has one.
fn deadline(saga: &Expansion<'_>, input: &TokenStream) -> Option<TokenStream> {
    let deadline = saga.model.ast.deadline.as_ref()?;
    let time = match &deadline.time {
        Time::After(duration) => {
            let duration = policy::duration(duration, &quote!(__saga));
            quote!(__saga::Time::After(#duration))
        }
        Time::At(call) if calls::is_hidden(call) => return None,
        Time::At(call) => {
            let tokens = &call.tokens;
            quote!(__saga::Time::At(#tokens))
        }
    };
    Some(quote! {
        fn deadline(#input: &Self::Input) -> __saga::Option<__saga::Time> {
            __saga::Some(#time)
        }
    })
}
