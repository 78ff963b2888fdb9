//! The way back: a compensation per step, the settling of a doubt where the compensation needs the output, and the
//! compensations of a `parallel` side by side.

mod parallel;
mod region;
mod step;

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

pub(super) use self::region::{arms, expand};
use super::{Expansion, Position, RegionNames, Take, names};
use crate::layout::{ParallelLayout, RegionLayout, StepLayout, UndoLayout};
use crate::model::{StepId, VariableId};

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

/// The names of a parallel's compensation.
pub(super) fn parallel_position(saga: &Expansion<'_>, parallel: &ParallelLayout) -> Position {
    Position {
        variant: names::variant(&format!("Compensate{}", parallel.label)),
        ty: saga.item(&format!("{}ParallelBackward", parallel.label)),
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
        quote!(self.#undo)
    } else {
        let backward = RegionNames::new(saga, region).backward;
        quote!(#backward::Undone)
    }
}

/// The field of a position on the way back: what is compensated after the node with number `index`.
pub(super) fn boxed_before(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    undo: &TokenStream,
) -> Option<TokenStream> {
    let field = &saga.undo;
    region.undoes_before(index).then(|| quote!(#field: __saga::Box::new(#undo),))
}

/// The same, from the variable of that name.
pub(super) fn before(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> Option<TokenStream> {
    let undo = &saga.undo;
    boxed_before(saga, region, index, &quote!(#undo))
}

/// Where a step is compensated: an expression that takes the variables from the scope.
pub(super) fn compensate(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    id: StepId,
    data: &BTreeSet<VariableId>,
    take: Take,
) -> TokenStream {
    let backward = RegionNames::new(saga, region).backward;
    let Position { variant, .. } = compensation_position(saga, id);
    let before = before(saga, region, index);
    let value = compensation_value(saga, id, data, take, before.as_ref());
    quote!(#backward::#variant(#value))
}

fn compensation_value(
    saga: &Expansion<'_>,
    id: StepId,
    data: &BTreeSet<VariableId>,
    take: Take,
    before: Option<&TokenStream>,
) -> TokenStream {
    let attempts = &saga.attempts;
    let ty = compensation_position(saga, id).ty;
    let step = super::forward::step_position(saga, id).ty;
    let data = saga.taken(data, take);
    quote!(#ty { #(#data,)* #before #attempts: __saga::compensation_of::<#step>() })
}

/// `let undo = …;`: a step is done, and is what is undone first; and the variables that this takes from the scope.
pub(super) fn push_step(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &StepLayout,
) -> (Option<TokenStream>, BTreeSet<VariableId>) {
    let Some(data) = compensation_data(layout) else { return (None, BTreeSet::new()) };
    let undo = &saga.undo;
    let value = compensate(saga, region, index, layout.id, data, Take::Shared);
    (Some(quote!(let #undo = #value;)), data.clone())
}

/// The same for a parallel, of which every branch is done.
pub(super) fn push_parallel(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
) -> Option<TokenStream> {
    if !layout.is_undone {
        return None;
    }
    let undo = &saga.undo;
    let backward = RegionNames::new(saga, region).backward;
    let Position { variant, ty } = parallel_position(saga, layout);
    let branches = layout.branches.iter().map(|branch| {
        let field = names::snake(&branch.label);
        if carries_undo(saga, branch, branch.nodes.len()) {
            let undo = branch_undo(&field);
            quote!(#field: #undo)
        } else {
            let backward = RegionNames::new(saga, branch).backward;
            quote!(#field: #backward::Undone)
        }
    });
    let before = before(saga, region, index);
    Some(quote!(let #undo = #backward::#variant(#ty { #(#branches,)* #before });))
}

/// The variable that holds what there is to undo of a branch.
pub(super) fn branch_undo(field: &Ident) -> Ident {
    names::local(&format!("{}_undo", names::plain(field)))
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
