//! A sequence on its way back: the enum of its positions, and what the runtime asks of it.

use proc_macro2::TokenStream;
use quote::quote;

use super::{block, compensation_data, compensation_position, settlement_position, step};
use crate::expand::blocks::{self, Direction};
use crate::expand::event::{CompensationEvents, StepEvents, event_pattern};
use crate::expand::names::{doc, plain, snake};
use crate::expand::{Code, Expansion, Position, RegionNames, calls};
use crate::layout::{NodeLayout, RegionLayout, StepLayout, UndoLayout};

/// The positions of a region and of all its branches, latest first.
pub(in crate::expand) fn expand(saga: &Expansion<'_>, region: &RegionLayout, code: &mut Code) {
    if !region.turns {
        return;
    }
    items(saga, region, code);
    code.implementation.extend(implementation(saga, region));
    for (index, node) in region.nodes.iter().enumerate().rev() {
        match node {
            NodeLayout::Step(layout) => step::expand(saga, region, index, layout, code),
            NodeLayout::Block(layout) => block::expand(saga, region, index, layout, code),
        }
    }
}

fn items(saga: &Expansion<'_>, region: &RegionLayout, code: &mut Code) {
    let vis = &saga.model.ast.vis;
    let backward = RegionNames::new(saga, region).backward;
    let head = doc(&match region.label.as_str() {
        "" => format!("Where a [`{}`] is on its way back.", plain(&saga.model.ast.name)),
        label => format!("Where the branch `{}` is on its way back.", snake(label)),
    });
    let variants = region.nodes.iter().rev().flat_map(|node| {
        variants(saga, node).into_iter().map(|(Position { variant, ty }, text)| {
            let doc = doc(&text);
            quote!(#doc #variant(#ty),)
        })
    });
    code.items.extend(quote! {
        #head
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis enum #backward {
            #(#variants)*
            /// Nothing is left to compensate.
            Undone,
        }
    });
}

/// The variants of a node, and what each says.
fn variants(saga: &Expansion<'_>, node: &NodeLayout) -> Vec<(Position, String)> {
    match node {
        NodeLayout::Step(layout) => {
            let settlement = matches!(layout.undo, UndoLayout::ByOutput { .. })
                .then(|| (settlement_position(saga, layout.id), step::settlement_text(saga, layout.id)));
            let compensation = compensation_data(layout)
                .map(|_| (compensation_position(saga, layout.id), step::compensation_text(saga, layout.id)));
            settlement.into_iter().chain(compensation).collect()
        }
        NodeLayout::Block(block) if block.is_undone => {
            let position = blocks::position(saga, block, Direction::Backward);
            vec![(position, blocks::text(saga, block, "compensated"))]
        }
        NodeLayout::Block(_) => vec![],
    }
}

fn implementation(saga: &Expansion<'_>, region: &RegionLayout) -> TokenStream {
    let Expansion { event, participants, .. } = saga;
    let (parameters, bounds) = saga.parameters();
    let backward = RegionNames::new(saga, region).backward;
    let call = region.nodes.iter().rev().map(|node| call_arms(saga, node));
    let call = quote! {
        fn call #parameters (
            &self,
            place: &__saga::Place,
            request: __saga::Request<#participants>,
        ) -> __saga::Option<__saga::CallFuture<#event>> #bounds {
            match self {
                #(#call)*
                _ => __saga::None,
            }
        }
    };
    let apply = region.nodes.iter().rev().map(|node| apply_arms(saga, node));
    let calls = region.nodes.iter().rev().map(|node| calls_arms(saga, node));
    let methods = quote! {
        fn apply(self, event: #event) -> __saga::Applied<Self> {
            match (self, event) {
                #(#apply)*
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                #(#calls)*
                Self::Undone => {}
            }
        }

        fn is_undone(&self) -> bool {
            match self {
                Self::Undone => true,
                _ => false,
            }
        }
    };
    quote! {
        #[automatically_derived]
        impl __saga::Backward for #backward {
            type Event = #event;

            #methods
        }

        impl #backward { #call }
    }
}

fn calls_arms(saga: &Expansion<'_>, node: &NodeLayout) -> TokenStream {
    let attempts = &saga.attempts;
    let positions = variants(saga, node).into_iter().map(|(position, _)| position.variant);
    match node {
        NodeLayout::Step(_) => quote!(#(Self::#positions(at) => calls.push(at.#attempts.call()),)*),
        NodeLayout::Block(_) => quote!(#(Self::#positions(at) => at.calls(calls),)*),
    }
}

fn apply_arms(saga: &Expansion<'_>, node: &NodeLayout) -> TokenStream {
    match node {
        NodeLayout::Step(layout) => step_arms(saga, layout),
        NodeLayout::Block(block) if block.is_undone => {
            let Position { variant, ty } = blocks::position(saga, block, Direction::Backward);
            quote! {
                (Self::#variant(at), event) => {
                    __saga::in_parallel(at.apply(event), #ty::join, |before| before, Self::#variant)
                }
            }
        }
        NodeLayout::Block(_) => TokenStream::new(),
    }
}

fn step_arms(saga: &Expansion<'_>, layout: &StepLayout) -> TokenStream {
    let Expansion { event, attempts, .. } = saga;
    let id = layout.id;
    let StepEvents { done, refused, attempt, compensation, .. } = StepEvents::new(saga, id);
    let Some(CompensationEvents { compensated, attempt: compensation }) = compensation else {
        return TokenStream::new();
    };
    let compensate = compensation_position(saga, id).variant;
    let settle = settlement_position(saga, id).variant;
    let settlement = matches!(layout.undo, UndoLayout::ByOutput { .. }).then(|| {
        let done = event_pattern(saga, id, &done, &quote!(output));
        let facts = [(refused, quote!(refuse)), (attempt, quote!(record))];
        let facts = facts.into_iter().filter_map(|(variant, method)| {
            let fact = event_pattern(saga, id, &variant?, &quote!(fact));
            Some(quote! {
                (Self::#settle(mut at), #event::#fact) => {
                    match at.#attempts.#method(fact, &mut __saga::None) {
                        legal if at.#attempts.in_doubt() => legal.at(Self::#settle(at)),
                        _ => __saga::Ok(at.absent()),
                    }
                }
            })
        });
        quote! {
            (Self::#settle(at), #event::#done) if at.#attempts.is_open() => {
                __saga::Ok(Self::#compensate(at.done(output)))
            }
            #(#facts)*
        }
    });
    let compensated = event_pattern(saga, id, &compensated, &TokenStream::new());
    let compensation = event_pattern(saga, id, &compensation, &quote!(fact));
    quote! {
        #settlement
        (Self::#compensate(at), #event::#compensated) if at.#attempts.is_open() => {
            __saga::Ok(at.compensated())
        }
        (Self::#compensate(mut at), #event::#compensation) => {
            at.#attempts.record(fact, &mut __saga::None).at(Self::#compensate(at))
        }
    }
}

/// The attempt of each compensation and settlement: arms of a `match` on the positions.
fn call_arms(saga: &Expansion<'_>, node: &NodeLayout) -> TokenStream {
    match node {
        NodeLayout::Step(step) => {
            let id = step.id;
            let settlement = matches!(step.undo, UndoLayout::ByOutput { .. }).then(|| {
                let variant = settlement_position(saga, id).variant;
                calls::step_arm(saga, id, &quote!(Self::#variant))
            });
            let compensation = compensation_data(step).map(|_| {
                let variant = compensation_position(saga, id).variant;
                calls::compensation_arm(saga, id, &quote!(Self::#variant))
            });
            quote!(#settlement #compensation)
        }
        NodeLayout::Block(block) if block.is_undone => {
            let variant = blocks::position(saga, block, Direction::Backward).variant;
            quote!(Self::#variant(at) => at.call(place, request),)
        }
        NodeLayout::Block(_) => TokenStream::new(),
    }
}
