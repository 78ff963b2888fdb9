//! The position of a block: one sub-state per branch of a `parallel`, the arm that an `if` decided for, or one sub-state
//! per item of a `for`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{arrival, arrive, begin_data, position, region};
use crate::expand::blocks::{self, Direction};
use crate::expand::names::{doc, local, number, snake};
use crate::expand::{Code, Expansion, Keyword, Position, RegionNames, Take, backward};
use crate::layout::{BlockLayout, NodeLayout, RegionLayout};
use crate::model::{BlockKind, Zone};

pub(super) fn expand(
    saga: &Expansion<'_>,
    region_layout: &RegionLayout,
    index: usize,
    block: &BlockLayout,
    code: &mut Code,
) {
    let Expansion { generics, given, .. } = saga;
    let Position { ty, .. } = position(saga, &region_layout.nodes[index]);
    let doc = doc(&blocks::text(saga, block, "done"));
    let data = saga.fields(&block.forward);
    let undo = saga.undo_field(region_layout, index);
    let branches = blocks::fields(saga, block, Direction::Forward);
    code.items.extend(saga.declared(&doc, Keyword::Struct, &ty, &quote!(#data #undo #branches)));
    if matches!(block.kind, BlockKind::If { .. }) {
        code.items.extend(blocks::arms_item(saga, block, Direction::Forward));
    }
    let apply = apply(saga, block);
    let asking = blocks::asking(saga, block, Direction::Forward);
    let join = join(saga, region_layout, index, block);
    let hold = holds(region_layout, index, &region_layout.nodes[index]).then(|| hold(block));
    let turns = region_layout.turns_at(index, saga.model);
    let turn = turns.then(|| turn(saga, region_layout, index, block));
    let begin = matches!(block.kind, BlockKind::For { .. }).then(|| begin(saga, block));
    code.implementation.extend(quote!(impl #generics #ty #given { #apply #asking #join #turn #hold #begin }));
    for branch in &block.branches {
        region::expand(saga, branch, code);
        if matches!(block.kind, BlockKind::For { .. }) {
            code.implementation.extend(body(saga, branch));
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
                        __saga::in_branch(self.#fields.apply(event, turn), |at| Self { #fields: at, ..self })
                    })*
                    _ => __saga::Err(__saga::Rejected(self)),
                }
            }
        }
        BlockKind::If { .. } => {
            let (field, ty) = (&saga.arm, blocks::arms(saga, block, Direction::Forward));
            let variants = blocks::arm_variants(block);
            quote! {
                match self.#field {
                    #(#ty::#variants(at) => {
                        __saga::in_branch(at.apply(event, turn), |at| Self { #field: #ty::#variants(at), ..self })
                    })*
                }
            }
        }
        BlockKind::For { depth, item, .. } => {
            let (field, depth) = (&saga.items, number(depth));
            let (outer, item) = (begin_data(saga, block), saga.variable(item).0);
            quote! {
                let begin = |#item| Self::begin(#(&self.#outer,)* #item);
                __saga::in_branch(self.#field.apply(event, #depth, turn, begin), |at| Self { #field: at, ..self })
            }
        }
    };
    quote! {
        fn apply(
            self,
            event: #event,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            #body
        }
    }
}

/// How the body of a `for` begins with an item.
fn begin(saga: &Expansion<'_>, block: &BlockLayout) -> TokenStream {
    let BlockKind::For { item, .. } = block.kind else { return TokenStream::new() };
    let body = &block.branches[0];
    let forward = RegionNames::new(saga, body).forward;
    let p = quote!(__saga);
    let mut carried = body.carried(0);
    carried.remove(&item);
    let outer = carried.iter().map(|id| {
        let (name, ty) = (saga.variable(*id).0, saga.kept(*id, &p));
        quote!(#name: &#ty)
    });
    let (name, ty) = (saga.variable(item).0, saga.kept(item, &p));
    let (Position { variant, .. }, value) = arrival(saga, body, 0, Take::Shared);
    quote! {
        fn begin(#(#outer,)* #name: #ty) -> #forward {
            #forward::#variant(#value)
        }
    }
}

/// What the runtime asks of the body of a `for`.
fn body(saga: &Expansion<'_>, body: &RegionLayout) -> TokenStream {
    let Expansion { event, generics, given, .. } = saga;
    let RegionNames { forward, backward, end } = RegionNames::new(saga, body);
    let end = end.variant;
    let (backward, turn) = if body.turns {
        (quote!(#backward), quote!(self.turn()))
    } else {
        (quote!(__saga::NothingToUndo<#event>), quote!(__saga::NothingToUndo::new()))
    };
    quote! {
        #[automatically_derived]
        impl #generics __saga::Body for #forward #given {
            type Backward = #backward;

            fn is_done(&self) -> bool {
                match self {
                    Self::#end(_) => true,
                    _ => false,
                }
            }

            fn turn(self) -> Self::Backward {
                #turn
            }
        }
    }
}

/// The next position once every branch is done; otherwise the block given back.
fn join(saga: &Expansion<'_>, region: &RegionLayout, index: usize, block: &BlockLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let (Position { ty: next, .. }, value) = arrive(saga, region, index + 1);
    let own = own(saga, region, index, block);
    let body = match block.kind {
        BlockKind::Parallel => {
            let ends = block.branches.iter().map(|branch| {
                let field = snake(&branch.label);
                let end = end_pattern(saga, region, index, block, branch, &backward::branch_undo(&field));
                quote!(#field: #end)
            });
            let undo = backward::push_block(saga, region, index, block, None);
            quote! {
                match self {
                    Self { #(#own,)* #(#ends,)* .. } => {
                        #undo
                        __saga::Ok(#value)
                    }
                    at => __saga::Err(__saga::Rejected(at)),
                }
            }
        }
        BlockKind::If { .. } => {
            let (field, ty) = (&saga.arm, blocks::arms(saga, block, Direction::Forward));
            let variants = blocks::arm_variants(block);
            let arms = block.branches.iter().zip(&variants).enumerate().map(|(arm, (branch, variant))| {
                let end = end_pattern(saga, region, index, block, branch, &local("arm_undo"));
                let exports = block.exports.iter().filter_map(|(outer, inner)| {
                    let name = saga.variable(*outer).0;
                    let is_optional = inner.iter().any(Option::is_none);
                    match inner[arm] {
                        Some(_) if is_optional => Some(quote!(let #name = __saga::Some(#name);)),
                        Some(_) => None,
                        None => Some(quote!(let #name = __saga::None;)),
                    }
                });
                let undo = backward::push_block(saga, region, index, block, Some(arm));
                quote! {
                    Self { #(#own,)* #field: #ty::#variant(#end), .. } => {
                        #(#exports)*
                        #undo
                        __saga::Ok(#value)
                    }
                }
            });
            quote! {
                match self {
                    #(#arms)*
                    at => __saga::Err(__saga::Rejected(at)),
                }
            }
        }
        BlockKind::For { .. } => join_items(saga, region, index, block, &own, &value),
    };
    quote! {
        /// The position after it, once all of it is done.
        #vis fn join(self) -> __saga::Result<#next, __saga::Rejected<Self>> {
            #body
        }
    }
}

/// The data of the block itself that the next position takes over.
fn own<'m>(
    saga: &'m Expansion<'m>,
    region: &RegionLayout,
    index: usize,
    block: &BlockLayout,
) -> Vec<&'m Ident> {
    let mut own = saga.idents(&(&block.forward & &region.carried(index + 1)));
    let is_undone = backward::carries_undo(saga, region, index + 1);
    own.extend((is_undone && backward::carries_undo(saga, region, index)).then_some(&saga.undo));
    own
}

/// The pattern of a branch that is done. `undo` is bound to what there is to undo of it.
fn end_pattern(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    block: &BlockLayout,
    branch: &RegionLayout,
    undo: &Ident,
) -> TokenStream {
    let RegionNames { forward, end: Position { variant, ty }, .. } = RegionNames::new(saga, branch);
    let handed_on = match block.kind {
        BlockKind::Parallel => &branch.end & &(&region.carried(index + 1) - &block.forward),
        _ => branch.end.clone(),
    };
    let outputs = saga.idents(&handed_on);
    let is_undone = backward::carries_undo(saga, region, index + 1)
        && backward::carries_undo(saga, branch, branch.nodes.len());
    let undo = is_undone.then(|| {
        let field = &saga.undo;
        quote!(#field: #undo,)
    });
    if outputs.is_empty() && undo.is_none() {
        quote!(#forward::#variant(_))
    } else {
        quote!(#forward::#variant(#ty { #(#outputs,)* #undo .. }))
    }
}

fn join_items(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    block: &BlockLayout,
    own: &[&Ident],
    value: &TokenStream,
) -> TokenStream {
    let (field, body) = (&saga.items, &block.branches[0]);
    let (item_undo, ends, end_of_item) = (local("item_undo"), local("ends"), local("end"));
    let end = end_pattern(saga, region, index, block, body, &item_undo);
    let outputs = saga.idents(&body.end);
    let lists =
        outputs.iter().map(|name| local(&format!("all_{}", crate::expand::plain(name)))).collect::<Vec<_>>();
    let undo = backward::push_block(saga, region, index, block, Some(0));
    let undos = backward::undo_of_items();
    let (collected, pushed) = if undo.is_some() && backward::carries_undo(saga, body, body.nodes.len()) {
        (
            Some(quote!(let mut #undos = __saga::Vec::with_capacity(#ends.len());)),
            Some(quote!(#undos.push(__saga::Some(*#item_undo));)),
        )
    } else {
        (None, None)
    };
    let own = (!own.is_empty()).then(|| quote!(let Self { #(#own,)* .. } = self;));
    let gather = (!outputs.is_empty() || pushed.is_some()).then(|| {
        quote! {
            for #end_of_item in #ends {
                if let #end = #end_of_item {
                    #(#lists.push(#outputs);)*
                    #pushed
                }
            }
        }
    });
    quote! {
        match self.#field.join() {
            __saga::Ok(#ends) => {
                #own
                #(let mut #lists = __saga::Vec::with_capacity(#ends.len());)*
                #collected
                #gather
                #(let #outputs = __saga::Many::new(#lists);)*
                #undo
                __saga::Ok(#value)
            }
            __saga::Err(__saga::Rejected(at)) => __saga::Err(__saga::Rejected(Self { #field: at, ..self })),
        }
    }
}

/// Whether a node is a block that opens calls which a turned saga must not open. The saga begins with no other block
/// than its first.
pub(super) fn holds(region: &RegionLayout, index: usize, node: &NodeLayout) -> bool {
    let is_first = index == 0 && region.label.is_empty();
    match node {
        NodeLayout::Step(_) => false,
        NodeLayout::Block(block) => {
            !is_first && block.kind == BlockKind::Parallel && block.zone != Zone::Retriable
        }
    }
}

/// Opens nothing after all, as the saga is to turn.
fn hold(block: &BlockLayout) -> TokenStream {
    let fields = blocks::branch_fields(block);
    quote! {
        fn hold(&mut self) {
            #(self.#fields.hold();)*
        }
    }
}

fn turn(saga: &Expansion<'_>, region: &RegionLayout, index: usize, block: &BlockLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let RegionNames { backward, .. } = RegionNames::new(saga, region);
    let undo = backward::undo_of_self(saga, region, index);
    let body = if block.is_undone {
        let Position { variant, ty } = blocks::position(saga, block, Direction::Backward);
        let own = &saga.undo;
        let before = backward::before_from(saga, region, index, &quote!(self.#own));
        let (turned, fields) = match block.kind {
            BlockKind::Parallel => {
                let fields = blocks::branch_fields(block);
                (quote!(#(let #fields = self.#fields.turn();)*), fields)
            }
            BlockKind::If { .. } => {
                let field = &saga.arm;
                let (ty, undone) = (
                    blocks::arms(saga, block, Direction::Forward),
                    blocks::arms(saga, block, Direction::Backward),
                );
                let variants = blocks::arm_variants(block);
                let turned = quote! {
                    let #field = match self.#field { #(#ty::#variants(at) => #undone::#variants(at.turn()),)* };
                };
                (turned, vec![field.clone()])
            }
            BlockKind::For { .. } => {
                let field = &saga.items;
                (quote!(let #field = self.#field.turn();), vec![field.clone()])
            }
        };
        quote! {
            #turned
            if #(#fields.is_undone())&&* {
                #undo
            } else {
                #backward::#variant(#ty { #(#fields,)* #before })
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
