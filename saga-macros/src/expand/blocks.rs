//! What the blocks have in common on the way forward and on the way back: a `parallel`, an `if`, a `for`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names::{doc, free, number, snake, variant};
use super::{Expansion, Item, Keyword, Position, RegionNames};
use crate::layout::{BlockLayout, RegionLayout};
use crate::model::{BlockKind, StepId};

/// In which direction a branch goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// The names of a block's position.
pub(super) fn position(saga: &Expansion<'_>, block: &BlockLayout, direction: Direction) -> Position {
    let label = &block.label;
    let ty = match (block.kind, direction) {
        (BlockKind::Parallel, Direction::Forward) => format!("{label}Parallel"),
        (BlockKind::Parallel, Direction::Backward) => format!("{label}ParallelBackward"),
        (BlockKind::If { .. }, Direction::Forward) => format!("{label}Arm"),
        (BlockKind::If { .. }, Direction::Backward) => format!("{label}ArmBackward"),
        (BlockKind::For { .. }, Direction::Forward) => format!("{label}Items"),
        (BlockKind::For { .. }, Direction::Backward) => format!("{label}ItemsBackward"),
    };
    let is_step = |name: &str| saga.model.steps.iter().any(|step| step.label == name);
    let name = match (block.kind, direction) {
        (_, Direction::Backward) => format!("Compensate{label}"),
        (BlockKind::Parallel, _) => label.clone(),
        (BlockKind::If { .. }, _) => free(&format!("{label}Arm"), is_step),
        (BlockKind::For { .. }, _) => free(&format!("{label}Items"), is_step),
    };
    Position { variant: variant(&name), ty: saga.item(&ty) }
}

/// The enum of the arms of an `if`.
pub(super) fn arms(saga: &Expansion<'_>, block: &BlockLayout, direction: Direction) -> Item {
    let suffix = if direction == Direction::Forward { "Arms" } else { "ArmsBackward" };
    saga.item(&format!("{}{suffix}", block.label))
}

/// The variants of the enum of the arms of an `if`.
pub(super) fn arm_variants(block: &BlockLayout) -> Vec<Ident> {
    block.branches.iter().map(|arm| variant(&arm.label)).collect()
}

/// The fields of a block: its branches, its arm, or its items.
pub(super) fn fields(saga: &Expansion<'_>, block: &BlockLayout, direction: Direction) -> TokenStream {
    let Expansion { runtime, .. } = saga;
    let vis = &saga.model.ast.vis;
    match block.kind {
        BlockKind::Parallel => {
            block.branches.iter().map(|branch| branch_field(saga, branch, direction)).collect()
        }
        BlockKind::If { .. } => {
            let (field, ty) = (&saga.arm, arms(saga, block, direction));
            quote! {
                /// The arm that was taken.
                #vis #field: #ty,
            }
        }
        BlockKind::For { item, .. } => {
            let (field, body) = (&saga.items, &block.branches[0]);
            let RegionNames { forward, backward, .. } = RegionNames::new(saga, body);
            let ty = if direction == Direction::Forward {
                let item = saga.variable(item).1;
                quote!(#runtime::__private::Each<#item, #forward>)
            } else {
                quote!(#runtime::__private::EachBackward<#backward>)
            };
            quote! {
                /// The items.
                #vis #field: #ty,
            }
        }
    }
}

fn branch_field(saga: &Expansion<'_>, branch: &RegionLayout, direction: Direction) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let field = snake(&branch.label);
    let RegionNames { forward, backward, .. } = RegionNames::new(saga, branch);
    let ty = if direction == Direction::Forward { forward } else { backward };
    let doc = doc(&format!("The branch `{field}`."));
    quote!(#doc #vis #field: #ty,)
}

/// The enum of the arms of an `if`.
pub(super) fn arms_item(saga: &Expansion<'_>, block: &BlockLayout, direction: Direction) -> TokenStream {
    let ty = arms(saga, block, direction);
    let head = doc(&format!("The arm that `{}` decided for.", decision(saga, block)));
    let variants = block.branches.iter().zip(arm_variants(block)).map(|(arm, variant)| {
        let RegionNames { forward, backward, .. } = RegionNames::new(saga, arm);
        let ty = if direction == Direction::Forward { forward } else { backward };
        let doc = doc(&match list(saga, arm.steps.clone()) {
            None => "There is nothing to do.".to_owned(),
            Some(steps) => format!("The arm of {steps}."),
        });
        quote!(#doc #variant(#ty),)
    });
    saga.declared(&head, Keyword::Enum, &ty, &quote!(#(#variants)*))
}

/// The step that decides, or makes the list.
fn decision(saga: &Expansion<'_>, block: &BlockLayout) -> String {
    match block.kind {
        BlockKind::If { decision: step } | BlockKind::For { list: step, .. } => saga.step_name(step),
        BlockKind::Parallel => String::new(),
    }
}

/// `` `hotel` and `car` are to be done, at the same time. ``
pub(super) fn text(saga: &Expansion<'_>, block: &BlockLayout, what: &str) -> String {
    let steps = block.branches.iter().flat_map(|branch| branch.steps.clone());
    let several = steps.clone().count() > 1;
    let names = list(saga, steps).unwrap_or_default();
    let verb = if several { "are" } else { "is" };
    match block.kind {
        BlockKind::Parallel if several => format!("{names} are to be {what}, at the same time."),
        BlockKind::Parallel => format!("{names} is to be {what}."),
        BlockKind::If { .. } => format!("What `{}` decided for is to be {what}.", decision(saga, block)),
        BlockKind::For { item, .. } => {
            let item = saga.variable(item).0;
            format!("{names} {verb} to be {what}, for each `{item}`.")
        }
    }
}

fn list(saga: &Expansion<'_>, steps: impl Iterator<Item = StepId>) -> Option<String> {
    let mut names = steps.map(|id| format!("`{}`", saga.step_name(id))).collect::<Vec<_>>();
    let last = names.pop()?;
    Some(if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) })
}

/// The names of the fields of the branches of a `parallel`.
pub(super) fn branch_fields(block: &BlockLayout) -> Vec<Ident> {
    block.branches.iter().map(|branch| snake(&branch.label)).collect()
}

/// The steps of a branch as a pattern.
pub(super) fn step_range(branch: &RegionLayout) -> TokenStream {
    let (first, last) = (number(branch.steps.start), number(branch.steps.end.saturating_sub(1)));
    if branch.steps.len() < 2 { quote!(#first) } else { quote!(#first..=#last) }
}

/// `fn calls` and `fn call` of a block: they ask its branches.
pub(super) fn asking(saga: &Expansion<'_>, block: &BlockLayout, direction: Direction) -> TokenStream {
    let Expansion { event, participants, .. } = saga;
    let ((parameters, bounds), turbofish) = (saga.parameters(), saga.turbofish_untold());
    let (calls, call) = match block.kind {
        BlockKind::Parallel => {
            let fields = branch_fields(block);
            let ranges = block.branches.iter().map(step_range);
            (
                quote!(#(self.#fields.calls(calls);)*),
                quote! {
                    match place.step {
                        #(#ranges => self.#fields.call #turbofish (place, request),)*
                        _ => __saga::None,
                    }
                },
            )
        }
        BlockKind::If { .. } => {
            let (field, ty, variants) = (&saga.arm, arms(saga, block, direction), arm_variants(block));
            (
                quote!(match &self.#field { #(#ty::#variants(at) => at.calls(calls),)* }),
                quote!(match &self.#field { #(#ty::#variants(at) => at.call #turbofish (place, request),)* }),
            )
        }
        BlockKind::For { depth, .. } => {
            let (field, depth) = (&saga.items, number(depth));
            (
                quote!(self.#field.calls(calls);),
                quote!(self.#field.item(place.items.at(#depth)?)?.call #turbofish (place, request)),
            )
        }
    };
    quote! {
        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            #calls
        }

        fn call #parameters (
            &self,
            place: &__saga::Place,
            request: __saga::Request<#participants>,
        ) -> __saga::Option<__saga::CallFuture<#event>> #bounds {
            #call
        }
    }
}
