//! The way back: a compensation per step, the settling of a doubt where the compensation needs the output, and the
//! compensations of a `parallel` side by side.

mod block;
mod region;
mod step;

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

pub(super) use self::region::expand;
use super::blocks::{self, Direction};
use super::{Expansion, Position, RegionNames, Take, names};
use crate::layout::{BlockLayout, NodeLayout, RegionLayout, StepLayout, UndoLayout};
use crate::model::{BlockKind, StepId, VariableId};

/// The names of a step's compensation.
pub(super) fn compensation_position(saga: &Expansion<'_>, id: StepId) -> Position {
    let camel = saga.camel(id);
    Position {
        variant: names::variant(&format!("Compensate{camel}")),
        ty: saga.item(&format!("{camel}Compensation")),
    }
}

/// The names of the settling of a step's doubt.
pub(super) fn settlement_position(saga: &Expansion<'_>, id: StepId) -> Position {
    let camel = saga.camel(id);
    Position {
        variant: names::variant(&format!("Settle{camel}")),
        ty: saga.item(&format!("{camel}Settlement")),
    }
}

/// Whether the position with number `index`, or the end, carries what there is to undo before it.
pub(super) fn carries_undo(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> bool {
    region.undoes_before(index) && region.turns_at(index, saga.model)
}

/// What there is to undo before a node, from its position `self`.
pub(super) fn undo_of_self(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    if carries_undo(saga, region, index) {
        let undo = &saga.undo;
        quote!(*self.#undo)
    } else {
        let backward = RegionNames::new(saga, region).backward;
        quote!(#backward::Undone)
    }
}

/// The field of a position on the way back: what is compensated after the node with number `index`.
pub(super) fn before_from(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    undo: &TokenStream,
) -> Option<TokenStream> {
    let field = &saga.undo;
    region.undoes_before(index).then(|| quote!(#field: #undo,))
}

/// The same, from the variable of that name.
pub(super) fn before(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> Option<TokenStream> {
    let undo = &saga.undo;
    region.undoes_before(index).then(|| quote!(#undo,))
}

/// The position in which a step is compensated, with the variables from the scope and what is compensated `before` it.
pub(super) fn compensation(
    saga: &Expansion<'_>,
    id: StepId,
    data: &BTreeSet<VariableId>,
    take: Take,
    before: Option<&TokenStream>,
) -> TokenStream {
    let ty = compensation_position(saga, id).ty;
    let arguments = saga.arguments(data, take).into_iter().chain(before.cloned());
    quote!(#ty::new(#(#arguments),*))
}

/// `let undo = …;`: the step of `self` is done, and is what is undone first; and the variables that this takes from the
/// scope.
pub(super) fn push_step(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &StepLayout,
) -> (Option<TokenStream>, BTreeSet<VariableId>) {
    let Some(data) = compensation_data(layout) else { return (None, BTreeSet::new()) };
    let (undo, backward) = (&saga.undo, RegionNames::new(saga, region).backward);
    let variant = compensation_position(saga, layout.id).variant;
    let before = region.undoes_before(index).then(|| quote!(self.#undo));
    let value = compensation(saga, layout.id, data, Take::Shared, before.as_ref());
    let pushed = quote! {
        let #undo = #value;
        let #undo = __saga::Box::new(#backward::#variant(#undo));
    };
    (Some(pushed), data.clone())
}

/// The same for a block that is done: for one arm of an `if`. `None` where there is nothing to undo in it.
pub(super) fn push_block(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    block: &BlockLayout,
    arm: Option<usize>,
) -> Option<TokenStream> {
    if !carries_undo(saga, region, index + 1) {
        return None;
    }
    let undo = &saga.undo;
    let backward = RegionNames::new(saga, region).backward;
    let earlier =
        if region.undoes_before(index) { quote!(#undo) } else { quote!(__saga::Box::new(#backward::Undone)) };
    let branch = &block.branches[arm.unwrap_or_default()];
    if !block.is_undone || (arm.is_some() && !carries_undo(saga, branch, branch.nodes.len())) {
        return (!region.undoes_before(index)).then(|| quote!(let #undo = #earlier;));
    }
    let Position { variant, ty } = blocks::position(saga, block, Direction::Backward);
    let before = before_from(saga, region, index, &earlier);
    let pushed =
        |fields: &TokenStream| quote!(__saga::Box::new(#backward::#variant(#ty { #fields #before })));
    let undone = match block.kind {
        BlockKind::Parallel => {
            let names = block.branches.iter().map(|branch| names::snake(&branch.label)).collect::<Vec<_>>();
            let undos = block.branches.iter().zip(&names).map(|(branch, field)| {
                if carries_undo(saga, branch, branch.nodes.len()) {
                    let undo = branch_undo(field);
                    quote!(*#undo)
                } else {
                    let backward = RegionNames::new(saga, branch).backward;
                    quote!(#backward::Undone)
                }
            });
            let undos = undos.collect::<Vec<_>>();
            let pushed = pushed(&quote!(#(#names: #undos,)*));
            if block.branches.iter().any(surely_undoes) {
                pushed
            } else {
                let asked = block
                    .branches
                    .iter()
                    .zip(&names)
                    .filter(|(branch, _)| carries_undo(saga, branch, branch.nodes.len()));
                let asked = asked.map(|(_, field)| branch_undo(field));
                quote!(if #(#asked.is_undone())&&* { #earlier } else { #pushed })
            }
        }
        BlockKind::If { .. } => {
            let (field, arms) = (&saga.arm, blocks::arms(saga, block, Direction::Backward));
            let (arm, arm_undo) = (names::variant(&branch.label), names::local("arm_undo"));
            let pushed = pushed(&quote!(#field: #arms::#arm(*#arm_undo),));
            if surely_undoes(branch) {
                pushed
            } else {
                quote!(if #arm_undo.is_undone() { #earlier } else { #pushed })
            }
        }
        BlockKind::For { limit, .. } => {
            let (field, undos) = (&saga.items, undo_of_items());
            let limit = proc_macro2::Literal::u32_unsuffixed(limit);
            let items = names::local("undone_items");
            let pushed = pushed(&quote!(#field: #items,));
            quote! {{
                let #items = __saga::EachBackward::new(#undos, #limit);
                if #items.is_undone() { #earlier } else { #pushed }
            }}
        }
    };
    Some(quote!(let #undo = #undone;))
}

/// Whether there is something to undo of a region that is done, whatever was decided in it.
fn surely_undoes(region: &RegionLayout) -> bool {
    region.nodes.iter().any(|node| match node {
        NodeLayout::Step(step) => !matches!(step.undo, UndoLayout::None),
        NodeLayout::Block(block) => match block.kind {
            BlockKind::Parallel => block.branches.iter().any(surely_undoes),
            BlockKind::If { .. } => block.branches.iter().all(surely_undoes),
            // Perhaps it has no items.
            BlockKind::For { .. } => false,
        },
    })
}

/// The variable that holds what there is to undo of a branch.
pub(super) fn branch_undo(field: &Ident) -> Ident {
    names::local(&format!("{}_undo", names::plain(field)))
}

/// The variable that holds what there is to undo of the items of a `for`.
pub(super) fn undo_of_items() -> Ident {
    names::local("undos")
}

/// What the compensation of a step carries, if it has one.
fn compensation_data(step: &StepLayout) -> Option<&BTreeSet<VariableId>> {
    match &step.undo {
        UndoLayout::None => None,
        UndoLayout::ByKey { compensation } | UndoLayout::ByOutput { compensation, .. } => Some(compensation),
    }
}

/// What is compensated after the node with number `index`, from its position `self`.
fn next(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    if region.undoes_before(index) {
        let undo = &saga.undo;
        quote!(*self.#undo)
    } else {
        let backward = RegionNames::new(saga, region).backward;
        quote!(#backward::Undone)
    }
}

/// `fn compensated(self) -> Backward` and the like: what is compensated before the node with number `index`.
fn transition(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    name: &str,
    doc: &str,
) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let backward = RegionNames::new(saga, region).backward;
    let next = next(saga, region, index);
    let (name, doc) = (names::variant(name), names::doc(doc));
    quote! {
        #doc
        #vis fn #name(self) -> #backward {
            #next
        }
    }
}
