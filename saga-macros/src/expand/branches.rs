//! What the branches of a `parallel` have in common on the way forward and on the way back.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names::{doc, number, snake};
use super::{Expansion, RegionNames};
use crate::layout::{ParallelLayout, RegionLayout};

/// In which direction a branch goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// `` `hotel` and `car` are to be done, at the same time. ``
pub(super) fn text(saga: &Expansion<'_>, layout: &ParallelLayout, what: &str) -> String {
    let steps = layout.branches.iter().flat_map(|branch| branch.steps.clone());
    let mut names = steps.map(|id| format!("`{}`", saga.step_name(id))).collect::<Vec<_>>();
    match names.pop() {
        Some(only) if names.is_empty() => format!("{only} is to be {what}."),
        last => {
            let (names, last) = (names.join(", "), last.unwrap_or_default());
            format!("{names} and {last} are to be {what}, at the same time.")
        }
    }
}

/// The names of the fields of the branches.
pub(super) fn fields(layout: &ParallelLayout) -> Vec<Ident> {
    layout.branches.iter().map(|branch| snake(&branch.label)).collect()
}

/// The field of a branch.
pub(super) fn field(saga: &Expansion<'_>, branch: &RegionLayout, direction: Direction) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let field = snake(&branch.label);
    let RegionNames { forward, backward, .. } = RegionNames::new(saga, branch);
    let ty = if direction == Direction::Forward { forward } else { backward };
    let doc = doc(&format!("The branch `{field}`."));
    quote!(#doc #vis #field: #ty,)
}

/// The steps of a branch as a pattern.
pub(super) fn step_range(branch: &RegionLayout) -> TokenStream {
    let (first, last) = (number(branch.steps.start), number(branch.steps.end.saturating_sub(1)));
    if branch.steps.len() < 2 { quote!(#first) } else { quote!(#first..=#last) }
}
