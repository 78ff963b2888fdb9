//! The positions on the way back: a compensation per step, the settling of a doubt where the compensation needs the
//! output, and the compensations of a `parallel` side by side.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::event::{CompensationEvents, StepEvents};
use super::{Expansion, Position, RegionNames, calls, forward, names, quiet};
use crate::layout::{NodeLayout, ParallelLayout, RegionLayout, StepLayout, UndoLayout};
use crate::model::{StepId, VariableId};

/// The positions of the saga's body and of all its branches.
pub(super) fn expand(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    region(saga, layout)
}

/// The names of a step's compensation.
fn compensation_position(saga: &Expansion<'_>, id: StepId) -> Position {
    let camel = saga.camel(id);
    Position {
        variant: names::variant(&format!("Compensate{camel}")),
        ty: saga.item(&format!("{camel}Compensation")),
    }
}

/// The names of the settling of a step's doubt.
fn settlement_position(saga: &Expansion<'_>, id: StepId) -> Position {
    let camel = saga.camel(id);
    Position {
        variant: names::variant(&format!("Settle{camel}")),
        ty: saga.item(&format!("{camel}Settlement")),
    }
}

/// The names of a parallel's compensation.
pub(super) fn parallel_position(saga: &Expansion<'_>, parallel: &ParallelLayout) -> Position {
    Position {
        variant: names::variant(&format!("Compensate{}", parallel.label)),
        ty: saga.item(&format!("{}ParallelCompensation", parallel.label)),
    }
}

/// Where compensation begins when the first `done` nodes of `region` are done: an expression, and the variables
/// that it takes from the scope.
pub(super) fn entry(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    done: usize,
) -> (TokenStream, BTreeSet<VariableId>) {
    let runtime = &saga.runtime;
    let backward = RegionNames::new(saga, region).backward;
    let last = region.nodes[..done].iter().rev().find(|node| node.is_undone_by_calls());
    match last {
        None => (quote!(#backward::Undone), BTreeSet::new()),
        Some(NodeLayout::Step(step)) => {
            let Position { variant, ty } = compensation_position(saga, step.id);
            let compensation = match &step.undo {
                UndoLayout::ByKey { compensation } | UndoLayout::ByOutput { compensation, .. } => {
                    compensation
                }
                UndoLayout::None => return (quote!(#backward::Undone), BTreeSet::new()),
            };
            let fields = saga.idents(compensation);
            let value = quote!(#backward::#variant(#ty {
                #(#fields,)*
                attempts: #runtime::machine::Attempts::opened(),
            }));
            (value, compensation.clone())
        }
        Some(NodeLayout::Parallel(parallel)) => {
            let Position { variant, ty } = parallel_position(saga, parallel);
            let own = parallel.compensation.clone().unwrap_or_default();
            let fields = saga.idents(&own);
            let mut uses = own.clone();
            let branches = parallel.branches.iter().map(|branch| {
                let field = names::snake(&branch.label);
                let (value, branch_uses) = entry(saga, branch, branch.nodes.len());
                uses.extend(branch_uses);
                quote!(#field: #value)
            });
            let branches = branches.collect::<Vec<_>>();
            (quote!(#backward::#variant(#ty { #(#fields,)* #(#branches),* })), uses)
        }
    }
}

fn region(saga: &Expansion<'_>, region: &RegionLayout) -> TokenStream {
    let retriable = !region.label.is_empty() && !region.end_turns;
    if retriable {
        return TokenStream::new();
    }
    let undone = region.nodes.iter().enumerate().filter(|(_, node)| node.is_undone_by_calls());
    let positions = undone.map(|(index, node)| match node {
        NodeLayout::Step(step) => step_positions(saga, region, index, step),
        NodeLayout::Parallel(layout) => parallel(saga, region, index, layout),
    });
    let positions = positions.collect::<Vec<_>>();
    let body = region_enum(saga, region);
    // A parallel without any compensation still has branches that can turn.
    let bare = region.nodes.iter().filter_map(|node| match node {
        NodeLayout::Parallel(layout) if layout.compensation.is_none() => Some(layout),
        _ => None,
    });
    let bare = bare.flat_map(|layout| &layout.branches).map(|branch| self::region(saga, branch));
    quote!(#body #(#positions)* #(#bare)*)
}

/// The variants of a node: the compensation, after it the settling where there is one.
fn node_positions(saga: &Expansion<'_>, node: &NodeLayout) -> Vec<(Position, String)> {
    match node {
        NodeLayout::Step(step) => {
            let name = saga.step_name(step.id);
            let compensation =
                (compensation_position(saga, step.id), format!("`{name}` is to be compensated."));
            match step.undo {
                UndoLayout::None => vec![],
                UndoLayout::ByKey { .. } => vec![compensation],
                UndoLayout::ByOutput { .. } => vec![
                    compensation,
                    (
                        settlement_position(saga, step.id),
                        format!(
                            "Whether `{name}` is done is to be settled: its compensation needs its output."
                        ),
                    ),
                ],
            }
        }
        NodeLayout::Parallel(parallel) if parallel.compensation.is_some() => {
            vec![(
                parallel_position(saga, parallel),
                "Branches that are compensated at the same time.".to_owned(),
            )]
        }
        NodeLayout::Parallel(_) => vec![],
    }
}

fn region_enum(saga: &Expansion<'_>, region: &RegionLayout) -> TokenStream {
    let Expansion { runtime, event, .. } = saga;
    let backward = RegionNames::new(saga, region).backward;
    let head = saga.type_head(&match region.label.as_str() {
        "" => format!("Where a [`{}`] is on its way back.", saga.model.ast.name),
        label => format!("Where the branch `{}` is on its way back.", names::snake(label)),
    });
    let positions = region.nodes.iter().flat_map(|node| node_positions(saga, node));
    let variants = positions.map(|(Position { variant, ty }, doc)| quote!(#[doc = #doc] #variant(#ty),));
    let apply = (0..region.nodes.len()).map(|index| apply_arms(saga, region, index));
    let calls = region.nodes.iter().map(|node| calls_arms(saga, node));
    let quiet = quiet();
    let methods = quote! {
        fn apply(
            self,
            event: #event,
        ) -> ::core::result::Result<Self, #runtime::machine::Rejected<Self>> {
            match (self, event) {
                #(#apply)*
                (at, _) => ::core::result::Result::Err(#runtime::machine::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut ::std::vec::Vec<#runtime::machine::Call>) {
            match self {
                #(#calls)*
                Self::Undone => {}
            }
        }

        fn is_undone(&self) -> bool {
            ::core::matches!(self, Self::Undone)
        }
    };
    let implementation = if region.label.is_empty() {
        quote!(impl #runtime::machine::Backward for #backward { type Event = #event; #methods })
    } else {
        quote!(impl #backward { #methods })
    };
    let call = region_call(saga, region, &backward);
    let debug = debug(saga, region, &backward);
    quote! {
        #head enum #backward {
            #(#variants)*
            /// Nothing is left to compensate.
            Undone,
        }
        #[automatically_derived]
        #quiet
        #implementation
        #call
        #debug
    }
}

fn calls_arms(saga: &Expansion<'_>, node: &NodeLayout) -> TokenStream {
    let runtime = &saga.runtime;
    match node {
        NodeLayout::Step(step) => {
            let id = step.id;
            let compensate = compensation_position(saga, id).variant;
            let settle = settlement_position(saga, id).variant;
            let settlement = forward::settlement(saga, id);
            let compensation = quote! {
                Self::#compensate(at) => calls.push(#runtime::machine::Call::compensation(#id, at.attempts)),
            };
            match step.undo {
                UndoLayout::None => TokenStream::new(),
                UndoLayout::ByKey { .. } => compensation,
                UndoLayout::ByOutput { .. } => quote! {
                    #compensation
                    Self::#settle(at) => calls.push(#runtime::machine::Call::action(
                        #id,
                        #runtime::machine::Role::Settling,
                        at.attempts,
                        #settlement,
                    )),
                },
            }
        }
        NodeLayout::Parallel(parallel) if parallel.compensation.is_some() => {
            let variant = parallel_position(saga, parallel).variant;
            let branches = parallel.branches.iter().map(|branch| names::snake(&branch.label));
            quote!(Self::#variant(at) => { #(at.#branches.calls(calls);)* })
        }
        NodeLayout::Parallel(_) => TokenStream::new(),
    }
}

fn apply_arms(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    let runtime = &saga.runtime;
    match &region.nodes[index] {
        NodeLayout::Step(step) => step_arms(saga, step),
        NodeLayout::Parallel(parallel) if parallel.compensation.is_some() => {
            let variant = parallel_position(saga, parallel).variant;
            quote! {
                (Self::#variant(at), event) => match at.apply(event) {
                    ::core::result::Result::Ok(at) => ::core::result::Result::Ok(match at.join() {
                        ::core::result::Result::Ok(next) => next,
                        ::core::result::Result::Err(#runtime::machine::Rejected(at)) => Self::#variant(at),
                    }),
                    ::core::result::Result::Err(#runtime::machine::Rejected(at)) => {
                        ::core::result::Result::Err(#runtime::machine::Rejected(Self::#variant(at)))
                    }
                },
            }
        }
        NodeLayout::Parallel(_) => TokenStream::new(),
    }
}

fn step_arms(saga: &Expansion<'_>, step: &StepLayout) -> TokenStream {
    let Expansion { runtime, private: p, event, .. } = saga;
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, step.id);
    let Some(CompensationEvents { compensated, attempt: compensation }) = compensation else {
        return TokenStream::new();
    };
    let name = saga.step_name(step.id);
    let compensate = compensation_position(saga, step.id).variant;
    let settle = settlement_position(saga, step.id).variant;
    let settlement = matches!(step.undo, UndoLayout::ByOutput { .. }).then(|| {
        quote! {
            (Self::#settle(at), #event::#done(output)) if at.attempts.is_open() => {
                ::core::result::Result::Ok(Self::#compensate(at.done(output)))
            }
            (Self::#settle(mut at), #event::#refused(refusal)) => {
                let definitive = refusal.definitive;
                let legal = at.attempts.refuse(
                    #runtime::machine::Role::Settling,
                    #name,
                    refusal,
                    &mut ::core::option::Option::None,
                );
                if legal && !at.attempts.in_doubt() {
                    ::core::result::Result::Ok(at.absent())
                } else {
                    #p::legal(legal, Self::#settle(at))
                }
            }
            (Self::#settle(mut at), #event::#attempt(fact)) => {
                let legal = at.attempts.record(
                    #runtime::machine::Role::Settling,
                    #name,
                    fact,
                    &mut ::core::option::Option::None,
                );
                if legal && !at.attempts.in_doubt() {
                    ::core::result::Result::Ok(at.absent())
                } else {
                    #p::legal(legal, Self::#settle(at))
                }
            }
        }
    });
    quote! {
        (Self::#compensate(at), #event::#compensated) if at.attempts.is_open() => {
            ::core::result::Result::Ok(at.compensated())
        }
        (Self::#compensate(mut at), #event::#compensation(fact)) => {
            let legal = at.attempts.record(
                #runtime::machine::Role::Compensation,
                #name,
                fact,
                &mut ::core::option::Option::None,
            );
            #p::legal(legal, Self::#compensate(at))
        }
        #settlement
    }
}

/// The compensation of a step, and the settling of its doubt where there is one.
fn step_positions(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    step: &StepLayout,
) -> TokenStream {
    match &step.undo {
        UndoLayout::None => TokenStream::new(),
        UndoLayout::ByKey { compensation } => compensation_type(saga, region, index, step.id, compensation),
        UndoLayout::ByOutput { compensation, settlement } => {
            let compensation_ty = compensation_type(saga, region, index, step.id, compensation);
            let settlement = settlement_type(saga, region, index, step.id, compensation, settlement);
            quote!(#compensation_ty #settlement)
        }
    }
}

fn compensation_type(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    id: StepId,
    compensation: &BTreeSet<VariableId>,
) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let ty = compensation_position(saga, id).ty;
    let name = saga.step_name(id);
    let after = transition(saga, region, index, "compensated", &format!("`{name}` is compensated."), vis);
    let call = compensation_call(saga, id, compensation);
    let function = calls::compensation(saga, id);
    let doc = format!("`{name}` is to be compensated.");
    let body = quote!(#after #call #function);
    position_type(saga, &ty, &doc, &name, compensation, &body)
}

fn settlement_type(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    id: StepId,
    compensation: &BTreeSet<VariableId>,
    settlement: &BTreeSet<VariableId>,
) -> TokenStream {
    let Expansion { runtime, private: p, .. } = saga;
    let vis = &saga.model.ast.vis;
    let step = &saga.model.steps[id];
    let (output, output_ty) = (&step.ast.name, &step.ast.ty);
    let ty = settlement_position(saga, id).ty;
    let compensation_ty = compensation_position(saga, id).ty;
    let name = saga.step_name(id);
    let absent =
        transition(saga, region, index, "absent", &format!("`{name}` did not happen and never will."), vis);
    let call = forward::step_call(saga, id, settlement);
    let taken = saga.idents(&(settlement & compensation));
    let fields = saga.idents(compensation);
    let body = quote! {
        /// It is done after all, and is to be compensated.
        #vis fn done(self, __saga_output: #output_ty) -> #compensation_ty {
            let Self { #(#taken,)* .. } = self;
            let #output = #p::Arc::new(__saga_output);
            #compensation_ty { #(#fields,)* attempts: #runtime::machine::Attempts::opened() }
        }
        #absent
        #call
    };
    let doc = format!("Whether `{name}` is done is to be settled: its compensation needs its output.");
    position_type(saga, &ty, &doc, &name, settlement, &body)
}

/// `fn compensated(self) -> Backward`: what is compensated before it.
fn transition(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    name: &str,
    doc: &str,
    vis: &syn::Visibility,
) -> TokenStream {
    let backward = RegionNames::new(saga, region).backward;
    let (entry, uses) = entry(saga, region, index);
    let taken = saga.idents(&uses);
    let name = names::variant(name);
    quote! {
        #[doc = #doc]
        #vis fn #name(self) -> #backward {
            let Self { #(#taken,)* .. } = self;
            #entry
        }
    }
}

/// The type of a position with attempts of its own.
fn position_type(
    saga: &Expansion<'_>,
    ty: &Ident,
    doc: &str,
    name: &str,
    fields: &BTreeSet<VariableId>,
    body: &TokenStream,
) -> TokenStream {
    let Expansion { runtime, private: p, .. } = saga;
    let head = saga.type_head(doc);
    let fields = saga.fields(fields);
    let quiet = quiet();
    quote! {
        #head struct #ty {
            #fields
            attempts: #runtime::machine::Attempts,
        }

        #[automatically_derived]
        #quiet
        impl #ty { #body }

        #[automatically_derived]
        impl ::core::fmt::Debug for #ty {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #p::debug(f, #name, &self.attempts)
            }
        }
    }
}

/// One attempt of the compensation.
fn compensation_call(saga: &Expansion<'_>, id: StepId, own: &BTreeSet<VariableId>) -> TokenStream {
    let Expansion { runtime, private: p, event, participants, .. } = saga;
    let uses = &saga.model.steps[id].compensation_uses;
    let outer = saga.outer_parameters(&(uses - own));
    let own_used = saga.idents(&(uses & own));
    let outer_used = saga.idents(&(uses - own));
    let arguments = calls::arguments(saga, uses);
    let Some(CompensationEvents { compensated, .. }) = StepEvents::new(saga, id).compensation else {
        return TokenStream::new();
    };
    quote! {
        fn call(
            &self,
            participants: &#p::Arc<#participants>,
            cx: #runtime::Context
            #outer
        ) -> #p::CallFuture<#event> {
            let participants = #p::Arc::clone(participants);
            #(let #own_used = #p::Arc::clone(&self.#own_used);)*
            #(let #outer_used = #p::Arc::clone(#outer_used);)*
            #p::Box::pin(async move {
                #p::settled(Self::compensation(#arguments).await, |()| #event::#compensated)
            })
        }
    }
}

fn region_call(saga: &Expansion<'_>, region: &RegionLayout, backward: &Ident) -> TokenStream {
    let quiet = quiet();
    let some = quote!(::core::option::Option::Some);
    let arms = region.nodes.iter().filter(|node| node.is_undone_by_calls()).map(|node| match node {
        NodeLayout::Step(step) => {
            let id = step.id;
            let compensate = compensation_position(saga, id).variant;
            let settle = settlement_position(saga, id).variant;
            let (compensation, settlement) = match &step.undo {
                UndoLayout::None => return TokenStream::new(),
                UndoLayout::ByKey { compensation } => (compensation, None),
                UndoLayout::ByOutput { compensation, settlement } => (compensation, Some(settlement)),
            };
            let outer = saga.idents(&(&saga.model.steps[id].compensation_uses - compensation));
            let settlement = settlement.map(|own| {
                let uses = &saga.model.steps[id].action_uses | &saga.model.steps[id].probe_uses;
                let outer = saga.idents(&(&uses - own));
                quote! {
                    Self::#settle(at) if step == #id => #some(at.call(kind, participants, cx #(, #outer)*)),
                }
            });
            quote! {
                Self::#compensate(at) if step == #id => #some(at.call(participants, cx #(, #outer)*)),
                #settlement
            }
        }
        NodeLayout::Parallel(parallel) => {
            let variant = parallel_position(saga, parallel).variant;
            let outer = saga.idents(&region.outer_back);
            quote!(Self::#variant(at) => at.call(step, kind, participants, cx #(, #outer)*),)
        }
    });
    let body = quote!(match self { #(#arms)* _ => ::core::option::Option::None });
    let call = forward::call_signature(saga, &region.outer_back, &body);
    quote!(#[automatically_derived] #quiet impl #backward { #call })
}

/// The compensation of a parallel: one sub-state per branch.
fn parallel(
    saga: &Expansion<'_>,
    region_layout: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
) -> TokenStream {
    let Expansion { runtime, event, .. } = saga;
    let vis = &saga.model.ast.vis;
    let ty = parallel_position(saga, layout).ty;
    let head = saga.type_head("Branches that are compensated at the same time.");
    let own = layout.compensation.clone().unwrap_or_default();
    let fields = saga.fields(&own);
    let quiet = quiet();
    let branches = layout.branches.iter().map(|branch| {
        let (field, ty) = (names::snake(&branch.label), RegionNames::new(saga, branch).backward);
        let doc = format!("The branch `{field}`.");
        quote!(#[doc = #doc] #vis #field: #ty,)
    });
    let arms = layout.branches.iter().map(|branch| {
        let (field, range) = (names::snake(&branch.label), forward::step_range(branch));
        quote! {
            ::core::option::Option::Some(#range) => match self.#field.apply(event) {
                ::core::result::Result::Ok(at) => ::core::result::Result::Ok(Self { #field: at, ..self }),
                ::core::result::Result::Err(#runtime::machine::Rejected(at)) => {
                    ::core::result::Result::Err(#runtime::machine::Rejected(Self { #field: at, ..self }))
                }
            },
        }
    });
    let call = parallel_call(saga, region_layout, layout, &own);
    let join = parallel_join(saga, region_layout, index, layout);
    let inner = layout.branches.iter().map(|branch| region(saga, branch));
    quote! {
        #head struct #ty { #fields #(#branches)* }

        #[automatically_derived]
        #quiet
        impl #ty {
            fn apply(
                self,
                event: #event,
            ) -> ::core::result::Result<Self, #runtime::machine::Rejected<Self>> {
                match #runtime::machine::Event::step(&event) {
                    #(#arms)*
                    _ => ::core::result::Result::Err(#runtime::machine::Rejected(self)),
                }
            }

            #join
            #call
        }

        #(#inner)*
    }
}

fn parallel_join(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
) -> TokenStream {
    let runtime = &saga.runtime;
    let vis = &saga.model.ast.vis;
    let backward = RegionNames::new(saga, region).backward;
    let (entry, uses) = entry(saga, region, index);
    let taken = saga.idents(&uses);
    let undone = layout.branches.iter().map(|branch| names::snake(&branch.label));
    quote! {
        /// What is compensated before it, once no branch has anything left to compensate.
        #vis fn join(self) -> ::core::result::Result<#backward, #runtime::machine::Rejected<Self>> {
            if !(#(self.#undone.is_undone())&&*) {
                return ::core::result::Result::Err(#runtime::machine::Rejected(self));
            }
            let Self { #(#taken,)* .. } = self;
            ::core::result::Result::Ok(#entry)
        }
    }
}

fn parallel_call(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    layout: &ParallelLayout,
    own: &BTreeSet<VariableId>,
) -> TokenStream {
    let arms = layout.branches.iter().map(|branch| {
        let (field, range) = (names::snake(&branch.label), forward::step_range(branch));
        let outer = forward::outer_arguments(saga, &branch.outer_back, own);
        quote!(#range => self.#field.call(step, kind, participants, cx #outer),)
    });
    let body = quote!(match step { #(#arms)* _ => ::core::option::Option::None });
    forward::call_signature(saga, &region.outer_back, &body)
}

fn debug(saga: &Expansion<'_>, region: &RegionLayout, backward: &Ident) -> TokenStream {
    let arms = region.nodes.iter().flat_map(|node| {
        node_positions(saga, node).into_iter().map(move |(Position { variant, .. }, _)| {
            let name = variant.to_string();
            match node {
                NodeLayout::Step(_) => {
                    quote!(Self::#variant(at) => f.debug_tuple(#name).field(&at.attempts).finish(),)
                }
                NodeLayout::Parallel(parallel) => {
                    let fields = parallel.branches.iter().map(|branch| {
                        let field = names::snake(&branch.label);
                        let text = field.to_string();
                        quote!(.field(#text, &at.#field))
                    });
                    quote!(Self::#variant(at) => f.debug_struct(#name) #(#fields)* .finish(),)
                }
            }
        })
    });
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #backward {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    #(#arms)*
                    Self::Undone => f.write_str("Undone"),
                }
            }
        }
    }
}
