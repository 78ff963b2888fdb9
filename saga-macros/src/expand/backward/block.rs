//! The compensation of a block: one sub-state per branch, of the arm that was taken, or per item.

use proc_macro2::TokenStream;
use quote::quote;

use super::region;
use crate::expand::blocks::{self, Direction};
use crate::expand::names::{doc, number, snake};
use crate::expand::{Code, Expansion, Keyword, RegionNames};
use crate::layout::{BlockLayout, RegionLayout};
use crate::model::BlockKind;

pub(super) fn expand(
    saga: &Expansion<'_>,
    region_layout: &RegionLayout,
    index: usize,
    block: &BlockLayout,
    code: &mut Code,
) {
    if !block.is_undone {
        return;
    }
    let Expansion { generics, given, .. } = saga;
    let ty = blocks::position(saga, block, Direction::Backward).ty;
    let doc = doc(&blocks::text(saga, block, "compensated"));
    let before = saga.before_field(region_layout, index);
    let branches = blocks::fields(saga, block, Direction::Backward);
    code.items.extend(saga.declared(&doc, Keyword::Struct, &ty, &quote!(#branches #before)));
    if matches!(block.kind, BlockKind::If { .. }) {
        code.items.extend(blocks::arms_item(saga, block, Direction::Backward));
        code.implementation.extend(arms(saga, block));
    }
    let apply = apply(saga, block);
    let asking = blocks::asking(saga, block, Direction::Backward);
    let join = join(saga, region_layout, index, block);
    code.implementation.extend(quote!(impl #generics #ty #given { #apply #asking #join }));
    for branch in &block.branches {
        region::expand(saga, branch, code);
    }
}

/// Whether nothing is left to compensate of an arm.
fn arms(saga: &Expansion<'_>, block: &BlockLayout) -> TokenStream {
    let Expansion { generics, given, .. } = saga;
    let (ty, variants) = (blocks::arms(saga, block, Direction::Backward), blocks::arm_variants(block));
    quote! {
        impl #generics #ty #given {
            fn is_undone(&self) -> bool {
                match self {
                    #(Self::#variants(at) => at.is_undone(),)*
                }
            }
        }
    }
}

fn apply(saga: &Expansion<'_>, block: &BlockLayout) -> TokenStream {
    let event = &saga.event;
    let body = match block.kind {
        BlockKind::Parallel => {
            let (fields, ranges) =
                (blocks::branch_fields(block), block.branches.iter().map(blocks::step_range));
            quote! {
                match __saga::Event::step(&event) {
                    #(__saga::Some(#ranges) => {
                        __saga::in_branch(self.#fields.apply(event), |at| Self { #fields: at, ..self })
                    })*
                    _ => __saga::Err(__saga::Rejected(self)),
                }
            }
        }
        BlockKind::If { .. } => {
            let (field, ty) = (&saga.arm, blocks::arms(saga, block, Direction::Backward));
            let variants = blocks::arm_variants(block);
            quote! {
                match self.#field {
                    #(#ty::#variants(at) => {
                        __saga::in_branch(at.apply(event), |at| Self { #field: #ty::#variants(at), ..self })
                    })*
                }
            }
        }
        BlockKind::For { depth, .. } => {
            let (field, depth) = (&saga.items, number(depth));
            quote!(__saga::in_branch(self.#field.apply(event, #depth), |at| Self { #field: at, ..self }))
        }
    };
    quote! {
        fn apply(self, event: #event) -> __saga::Applied<Self> {
            #body
        }
    }
}

fn join(saga: &Expansion<'_>, region: &RegionLayout, index: usize, block: &BlockLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let RegionNames { backward, .. } = RegionNames::new(saga, region);
    let undo = region.undoes_before(index).then_some(&saga.undo);
    let body = match block.kind {
        BlockKind::Parallel => {
            let next = match undo {
                Some(undo) => quote!(*#undo),
                None => quote!(#backward::Undone),
            };
            let taken = undo.map(|undo| quote!(#undo,));
            let ends = block.branches.iter().map(|branch| {
                let (field, backward) = (snake(&branch.label), RegionNames::new(saga, branch).backward);
                quote!(#field: #backward::Undone)
            });
            quote! {
                match self {
                    Self { #taken #(#ends,)* .. } => __saga::Ok(#next),
                    at => __saga::Err(__saga::Rejected(at)),
                }
            }
        }
        BlockKind::If { .. } | BlockKind::For { .. } => {
            let field = if matches!(block.kind, BlockKind::If { .. }) { &saga.arm } else { &saga.items };
            let next = match undo {
                Some(undo) => quote!(*self.#undo),
                None => quote!(#backward::Undone),
            };
            quote! {
                if self.#field.is_undone() { __saga::Ok(#next) } else { __saga::Err(__saga::Rejected(self)) }
            }
        }
    };
    quote! {
        /// What is compensated before it, once nothing of it is left to compensate.
        #vis fn join(self) -> __saga::Result<#backward, __saga::Rejected<Self>> {
            #body
        }
    }
}
