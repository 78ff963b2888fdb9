//! The position of a `parallel`: one sub-state per branch.

use proc_macro2::TokenStream;
use quote::quote;

use super::{arrive, holds, position, region};
use crate::expand::branches::{Direction, field, fields, step_range, text};
use crate::expand::names::{doc, snake};
use crate::expand::{Code, Expansion, Position, RegionNames, backward};
use crate::layout::{NodeLayout, ParallelLayout, RegionLayout};

pub(super) fn expand(
    saga: &Expansion<'_>,
    region_layout: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
    code: &mut Code,
) {
    let vis = &saga.model.ast.vis;
    let Position { ty, .. } = position(saga, &region_layout.nodes[index]);
    let doc = doc(&text(saga, layout, "done"));
    let fields = saga.fields(&layout.forward);
    let undo = saga.undo_field(region_layout, index);
    let branches = layout.branches.iter().map(|branch| field(saga, branch, Direction::Forward));
    code.items.extend(quote! {
        #doc
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #ty { #fields #undo #(#branches)* }
    });
    let apply = apply(saga, layout);
    let join = join(saga, region_layout, index, layout);
    let is_first = index == 0 && region_layout.label.is_empty();
    let hold = (!is_first && holds(saga, &region_layout.nodes[index])).then(|| hold(saga, layout));
    let turns = region_layout.turns_at(index, saga.model);
    let turn = turns.then(|| turn(saga, region_layout, index, layout));
    code.implementation.extend(quote!(impl #ty { #apply #join #turn #hold }));
    for branch in &layout.branches {
        region::expand(saga, branch, code);
    }
}

fn apply(saga: &Expansion<'_>, layout: &ParallelLayout) -> TokenStream {
    let event = &saga.event;
    let (fields, ranges) = (fields(layout), layout.branches.iter().map(step_range));
    quote! {
        fn apply(
            self,
            event: #event,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            match __saga::Event::step(&event) {
                #(__saga::Some(#ranges) => {
                    __saga::in_branch(self.#fields.apply(event, turn), |at| Self { #fields: at, ..self })
                })*
                _ => __saga::Err(__saga::Rejected(self)),
            }
        }
    }
}

/// The next position once every branch is done; otherwise the parallel given back.
fn join(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &ParallelLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let (Position { ty: next, .. }, value) = arrive(saga, region, index + 1);
    let carried = region.carried(index + 1);
    let handed_on = &carried - &layout.forward;
    let is_undone = backward::carries_undo(saga, region, index + 1);
    let ends = layout.branches.iter().map(|branch| {
        let RegionNames { forward, end: Position { variant, ty }, .. } = RegionNames::new(saga, branch);
        let field = snake(&branch.label);
        let outputs = saga.idents(&(&branch.end & &handed_on));
        let undo = (is_undone && backward::carries_undo(saga, branch, branch.nodes.len())).then(|| {
            let (undo, branch_undo) = (&saga.undo, backward::branch_undo(&field));
            quote!(#undo: #branch_undo,)
        });
        if outputs.is_empty() && undo.is_none() {
            quote!(#field: #forward::#variant(_))
        } else {
            quote!(#field: #forward::#variant(#ty { #(#outputs,)* #undo .. }))
        }
    });
    let mut own = saga.idents(&(&layout.forward & &carried));
    own.extend((is_undone && backward::carries_undo(saga, region, index)).then_some(&saga.undo));
    let undo = is_undone.then(|| backward::push_parallel(saga, region, index, layout));
    quote! {
        /// The position after it, once every branch is done.
        #vis fn join(self) -> __saga::Result<#next, __saga::Rejected<Self>> {
            match self {
                Self { #(#own,)* #(#ends,)* .. } => {
                    #undo
                    __saga::Ok(#value)
                }
                at => __saga::Err(__saga::Rejected(at)),
            }
        }
    }
}

/// Opens nothing after all, where the saga is to turn.
fn hold(saga: &Expansion<'_>, layout: &ParallelLayout) -> TokenStream {
    let attempts = &saga.attempts;
    let firsts = layout.branches.iter().filter_map(|branch| {
        let first = branch.nodes.first()?;
        let (field, forward) = (snake(&branch.label), RegionNames::new(saga, branch).forward);
        let variant = position(saga, first).variant;
        let hold = match first {
            NodeLayout::Step(_) => quote!(at.#attempts.hold(turn)),
            NodeLayout::Parallel(_) => quote!(at.hold(turn)),
        };
        Some(quote!(if let #forward::#variant(at) = &mut self.#field { #hold }))
    });
    quote! {
        fn hold(&mut self, turn: &__saga::Option<__saga::Cause>) {
            #(#firsts)*
        }
    }
}

fn turn(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &ParallelLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let RegionNames { backward, .. } = RegionNames::new(saga, region);
    let undo = backward::undo_of_self(saga, region, index);
    let body = if layout.is_undone {
        let Position { variant, ty } = backward::parallel_position(saga, layout);
        let branches = fields(layout);
        let before = backward::boxed_before(saga, region, index, &undo);
        quote! {
            #(let #branches = self.#branches.turn();)*
            if #(#branches.is_undone())&&* {
                #undo
            } else {
                #backward::#variant(#ty { #(#branches,)* #before })
            }
        }
    } else {
        undo
    };
    quote! {
        /// The saga turns: where compensation begins.
        #vis fn turn(self) -> #backward {
            #body
        }
    }
}
