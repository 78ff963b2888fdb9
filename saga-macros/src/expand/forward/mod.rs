//! The way forward: one type per position, and one enum per region.

mod block;
mod region;
mod step;

use proc_macro2::TokenStream;
use quote::quote;

pub(super) use self::region::expand;
use super::blocks::{self, Direction};
use super::names::local;
use super::{Expansion, Position, RegionNames, Take, backward, names};
use crate::layout::{BlockLayout, NodeLayout, RegionLayout};
use crate::model::{BlockKind, StepId};

/// The names of a step's position.
pub(super) fn step_position(saga: &Expansion<'_>, id: StepId) -> Position {
    let camel = saga.camel(id);
    Position { variant: names::variant(camel), ty: saga.item(&format!("{camel}Step")) }
}

/// The names of a node's position.
fn position(saga: &Expansion<'_>, node: &NodeLayout) -> Position {
    match node {
        NodeLayout::Step(step) => step_position(saga, step.id),
        NodeLayout::Block(block) => blocks::position(saga, block, Direction::Forward),
    }
}

/// The position with number `index` of `region`, as it is arrived at: the variant and the value. The variables that
/// it carries are in scope by their names, and are moved; so is what there is to undo, and what an `if` or `for` has
/// decided.
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
        let unused = saga.phantom(&saga.types(&region.end)).map(|_| {
            let unused = &saga.unused;
            quote!(#unused: ::core::marker::PhantomData,)
        });
        return (Position { variant, ty: ty.clone() }, quote!(#ty { #(#data,)* #undo #unused }));
    };
    let Position { variant, ty } = position(saga, node);
    let value = match node {
        NodeLayout::Step(step) => {
            let data = saga.arguments(&step.forward, take);
            let undo = undo.is_some().then_some(&saga.undo).into_iter();
            let arguments = data.into_iter().chain(undo.map(|undo| quote!(#undo)));
            quote!(#ty::new(#(#arguments),*))
        }
        NodeLayout::Block(block) => {
            let branches = branches(saga, block);
            let data = saga.taken(&block.forward, take);
            quote!(#ty { #branches #(#data,)* #undo })
        }
    };
    (Position { variant, ty }, value)
}

/// The branches of a block as they are begun: they share what they carry with one another.
fn branches(saga: &Expansion<'_>, block: &BlockLayout) -> TokenStream {
    let begun = block.branches.iter().map(|branch| {
        let forward = RegionNames::new(saga, branch).forward;
        let (Position { variant, .. }, value) = arrival(saga, branch, 0, Take::Shared);
        quote!(#forward::#variant(#value))
    });
    let decided = local("decided");
    match block.kind {
        BlockKind::Parallel => {
            let fields = blocks::branch_fields(block);
            quote!(#(#fields: #begun,)*)
        }
        BlockKind::If { .. } => {
            let (field, ty) = (&saga.arm, blocks::arms(saga, block, Direction::Forward));
            let variants = blocks::arm_variants(block);
            // Which number is one of an arm was asked before.
            let last = variants.len() - 1;
            let numbers = (0..variants.len()).map(|arm| {
                let number = names::number(arm);
                if arm == last { quote!(_) } else { quote!(#number) }
            });
            quote!(#field: match #decided { #(#numbers => #ty::#variants(#begun),)* },)
        }
        BlockKind::For { limit, item, .. } => {
            let field = &saga.items;
            let ty = blocks::position(saga, block, Direction::Forward).ty;
            let limit = proc_macro2::Literal::u32_unsuffixed(limit);
            let (outer, item) = (begin_data(saga, block), saga.variable(item).0);
            quote!(#field: __saga::Each::new(#decided, #limit, |#item| #ty::begin(#(&#outer,)* #item)),)
        }
    }
}

/// What the body of a `for` begins with besides its item.
fn begin_data<'m>(saga: &Expansion<'m>, block: &BlockLayout) -> Vec<&'m proc_macro2::Ident> {
    let mut carried = block.branches[0].carried(0);
    if let BlockKind::For { item, .. } = block.kind {
        carried.remove(&item);
    }
    saga.idents(&carried)
}
