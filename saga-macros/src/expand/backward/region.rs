//! A sequence on its way back: the enum of its positions, and what the runtime asks of it.

use proc_macro2::TokenStream;
use quote::quote;

use super::{block, compensation_data, compensation_position, settlement_position, step};
use crate::expand::blocks::{self, Direction};
use crate::expand::event::{StepEvents, event_pattern};
use crate::expand::names::{doc, plain, snake};
use crate::expand::{Code, Expansion, Keyword, Position, RegionNames, calls};
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
    let unused = unused(saga, region).map(|never| quote!(#[doc(hidden)] __Unused(#never),));
    let body = quote! {
        #(#variants)*
        /// Nothing is left to compensate.
        Undone,
        #unused
    };
    code.items.extend(saga.declared(&head, Keyword::Enum, &backward, &body));
}

/// What a position holds that there never is: a way back without any positions uses no parameter otherwise.
fn unused(saga: &Expansion<'_>, region: &RegionLayout) -> Option<TokenStream> {
    let is_empty = region.nodes.iter().all(|node| variants(saga, node).is_empty());
    let has_parameters = saga.parameters.data.type_params().next().is_some();
    (is_empty && has_parameters).then(|| saga.beside(quote!(::core::convert::Infallible), &[]))
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
    let Expansion { event, participants, attempts, generics, given, .. } = saga;
    let (parameters, bounds) = saga.parameters();
    let backward = RegionNames::new(saga, region).backward;
    let never = unused(saga, region).map(|_| quote!(Self::__Unused(never) => match *never {},));
    let latest_first = || region.nodes.iter().rev();
    let steps = latest_first().filter(|node| matches!(node, NodeLayout::Step(_)));
    let steps = steps.flat_map(|node| variants(saga, node)).map(|(position, _)| position.variant);
    let calls = latest_first().map(|node| calls_arms(saga, node));
    let before = latest_first().map(|node| before_arms(saga, node));
    let advance = latest_first().map(|node| advance_arm(saga, node));
    let call = latest_first().map(|node| call_arms(saga, node));
    quote! {
        #[automatically_derived]
        impl #generics __saga::Backward for #backward #given {
            type Event = #event;

            fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
                let ledger = match self {
                    #(Self::#steps(at) => &mut at.#attempts,)*
                    _ => return __saga::None,
                };
                __saga::Some(ledger)
            }

            fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
                match self {
                    #(#calls)*
                    Self::Undone => {}
                    #never
                }
            }

            fn before(self) -> Self {
                match self {
                    #(#before)*
                    at => at,
                }
            }

            fn advance(self, event: #event) -> __saga::Applied<Self> {
                let next = match (self, event) {
                    #(#advance)*
                    (at, _) => return __saga::Err(__saga::Rejected(at)),
                };
                __saga::Ok(next)
            }

            fn is_undone(&self) -> bool {
                match self {
                    Self::Undone => true,
                    _ => false,
                }
            }
        }

        impl #generics #backward #given {
            fn call #parameters (
                &self,
                place: &__saga::Place,
                request: __saga::Request<#participants>,
            ) -> __saga::Option<__saga::CallFuture<#event>> #bounds {
                let call = match self {
                    #(#call)*
                    _ => return __saga::None,
                };
                __saga::Some(call)
            }
        }
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

/// What is compensated before a step.
fn before_arms(saga: &Expansion<'_>, node: &NodeLayout) -> TokenStream {
    let NodeLayout::Step(layout) = node else { return TokenStream::new() };
    let (settle, compensate) =
        (settlement_position(saga, layout.id).variant, compensation_position(saga, layout.id).variant);
    let settlement =
        matches!(layout.undo, UndoLayout::ByOutput { .. }).then(|| quote!(Self::#settle(at) => at.absent(),));
    let compensation = compensation_data(layout).map(|_| quote!(Self::#compensate(at) => at.compensated(),));
    quote!(#settlement #compensation)
}

fn advance_arm(saga: &Expansion<'_>, node: &NodeLayout) -> Option<TokenStream> {
    let event = &saga.event;
    match node {
        NodeLayout::Step(StepLayout { id, undo: UndoLayout::ByOutput { .. }, .. }) => {
            let (settle, compensate) =
                (settlement_position(saga, *id).variant, compensation_position(saga, *id).variant);
            let done = event_pattern(saga, *id, &StepEvents::new(saga, *id).done, &quote!(output));
            Some(quote!((Self::#settle(at), #event::#done) => Self::#compensate(at.done(output)),))
        }
        NodeLayout::Block(block) if block.is_undone => {
            let Position { variant, ty } = blocks::position(saga, block, Direction::Backward);
            Some(quote! {
                (Self::#variant(at), event) => {
                    __saga::in_parallel(at.apply(event), #ty::join, |before| before, Self::#variant)?
                }
            })
        }
        _ => None,
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
            let turbofish = saga.turbofish_untold();
            quote!(Self::#variant(at) => return at.call #turbofish (place, request),)
        }
        NodeLayout::Block(_) => TokenStream::new(),
    }
}
