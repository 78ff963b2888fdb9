//! The compensation of a `parallel`: one sub-state per branch.

use proc_macro2::TokenStream;
use quote::quote;

use super::{parallel_position, region};
use crate::expand::branches::{Direction, field, fields, step_range, text};
use crate::expand::names::{doc, snake};
use crate::expand::{Code, Expansion, RegionNames};
use crate::layout::{ParallelLayout, RegionLayout};

pub(super) fn expand(
    saga: &Expansion<'_>,
    region_layout: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
    code: &mut Code,
) {
    if !layout.is_undone {
        return;
    }
    let vis = &saga.model.ast.vis;
    let ty = parallel_position(saga, layout).ty;
    let doc = doc(&text(saga, layout, "compensated"));
    let before = saga.before_field(region_layout, index);
    let branches = layout.branches.iter().map(|branch| field(saga, branch, Direction::Backward));
    code.items.extend(quote! {
        #doc
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #ty { #(#branches)* #before }
    });
    let apply = apply(saga, layout);
    let join = join(saga, region_layout, index, layout);
    code.implementation.extend(quote!(impl #ty { #apply #join }));
    for branch in &layout.branches {
        region::expand(saga, branch, code);
    }
}

fn apply(saga: &Expansion<'_>, layout: &ParallelLayout) -> TokenStream {
    let event = &saga.event;
    let (fields, ranges) = (fields(layout), layout.branches.iter().map(step_range));
    quote! {
        fn apply(self, event: #event) -> __saga::Applied<Self> {
            match __saga::Event::step(&event) {
                #(__saga::Some(#ranges) => {
                    __saga::in_branch(self.#fields.apply(event), |at| Self { #fields: at, ..self })
                })*
                _ => __saga::Err(__saga::Rejected(self)),
            }
        }
    }
}

fn join(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &ParallelLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let RegionNames { backward, .. } = RegionNames::new(saga, region);
    let undo = region.undoes_before(index).then_some(&saga.undo);
    let next = match undo {
        Some(undo) => quote!(*#undo),
        None => quote!(#backward::Undone),
    };
    let taken = undo.map(|undo| quote!(#undo,));
    let ends = layout.branches.iter().map(|branch| {
        let (field, backward) = (snake(&branch.label), RegionNames::new(saga, branch).backward);
        quote!(#field: #backward::Undone)
    });
    quote! {
        /// What is compensated before it, once no branch has anything left to compensate.
        #vis fn join(self) -> __saga::Result<#backward, __saga::Rejected<Self>> {
            match self {
                Self { #taken #(#ends,)* .. } => __saga::Ok(#next),
                at => __saga::Err(__saga::Rejected(at)),
            }
        }
    }
}
