//! The way forward: one type per position, and one enum per region.

mod parallel;
mod region;
mod step;

use proc_macro2::TokenStream;
use quote::quote;

pub(super) use self::region::{arms, expand};
use super::{Expansion, Position, RegionNames, Take, backward, label_of, names};
use crate::layout::{NodeLayout, RegionLayout};
use crate::model::{StepId, Zone};

/// The names of a step's position.
pub(super) fn step_position(saga: &Expansion<'_>, id: StepId) -> Position {
    let camel = saga.camel(id);
    Position { variant: names::variant(&camel), ty: saga.item(&format!("{camel}Step")) }
}

/// The names of a node's position.
fn position(saga: &Expansion<'_>, node: &NodeLayout) -> Position {
    match node {
        NodeLayout::Step(step) => step_position(saga, step.id),
        NodeLayout::Parallel(parallel) => Position {
            variant: names::variant(&label_of(saga, node)),
            ty: saga.item(&format!("{}Parallel", parallel.label)),
        },
    }
}

/// The position with number `index` of `region`, as it is arrived at: the variant and the value. The variables that
/// it carries are in scope by their names, and are moved; so is what there is to undo.
pub(super) fn arrive(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> (Position, TokenStream) {
    arrival(saga, region, index, Take::Moved)
}

fn arrival(saga: &Expansion<'_>, region: &RegionLayout, index: usize, take: Take) -> (Position, TokenStream) {
    let undo = backward::carries_undo(saga, region, index).then(|| {
        let undo = &saga.undo;
        quote!(#undo,)
    });
    let Some(node) = region.nodes.get(index) else {
        let Position { variant, ty } = RegionNames::new(saga, region).end;
        let data = saga.taken(&region.end, take);
        return (Position { variant, ty: ty.clone() }, quote!(#ty { #(#data,)* #undo }));
    };
    let Position { variant, ty } = position(saga, node);
    let value = match node {
        NodeLayout::Step(step) => {
            // The record before opens the first attempt; only an explicit pivot is opened by a record of its own.
            let is_explicit = saga.step(step.id).zone == Zone::Pivot { explicit: true };
            let first = names::variant(if is_explicit { "waiting" } else { "opened" });
            let attempts = &saga.attempts;
            let data = saga.taken(&step.forward, take);
            quote!(#ty { #(#data,)* #undo #attempts: __saga::#first::<#ty>() })
        }
        NodeLayout::Parallel(parallel) => {
            let branches = parallel.branches.iter().map(|branch| {
                let field = names::snake(&branch.label);
                let forward = RegionNames::new(saga, branch).forward;
                let (Position { variant, .. }, value) = arrival(saga, branch, 0, Take::Shared);
                quote!(#field: #forward::#variant(#value))
            });
            let data = saga.taken(&parallel.forward, take);
            quote!(#ty { #(#branches,)* #(#data,)* #undo })
        }
    };
    (Position { variant, ty }, value)
}

/// Whether a node's position opens something that a turned saga must not open.
fn holds(saga: &Expansion<'_>, node: &NodeLayout) -> bool {
    match node {
        NodeLayout::Step(step) => {
            matches!(saga.step(step.id).zone, Zone::Compensatable | Zone::Pivot { explicit: false })
        }
        NodeLayout::Parallel(parallel) => parallel.zone != Zone::Retriable,
    }
}
