//! The position of a step: what it carries, its transitions and its calls.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::{arrive, step_position};
use crate::ast::StepKind;
use crate::expand::names::{self, doc, local, number};
use crate::expand::{Code, Expansion, Position, RegionNames, Take, backward, calls};
use crate::layout::{RegionLayout, StepLayout, UndoLayout};
use crate::model::{StepId, Zone};
use crate::parameters;

pub(super) fn expand(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &StepLayout,
    code: &mut Code,
) {
    let Expansion { generics, given, .. } = saga;
    let id = layout.id;
    let ty = step_position(saga, id).ty;
    let text = format!("`{}` is to be done.", saga.step_name(id));
    let docs = &saga.step(id).ast.attrs;
    let undo = saga.undo_field(region, index);
    code.items.extend(saga.position(&ty, docs, &text, &layout.forward, undo.as_ref()));
    // The record before opens the first attempt; only an explicit pivot is opened by a record of its own.
    let is_explicit = saga.step(id).zone == Zone::Pivot { explicit: true };
    let first = names::variant(if is_explicit { "waiting" } else { "opened" });
    let new = saga.constructor(&layout.forward, undo.as_ref(), &quote!(__saga::#first::<Self>()));
    let done = done(saga, region, index, layout);
    let turn = region.turns_at(index, saga.model).then(|| turn(saga, region, index, layout));
    let calls = calls::step(saga, id);
    if crate::editor::runs_in_an_editor() {
        code.calls.extend(quote!(impl #generics #ty #given { #calls }));
        code.steps.extend(quote!(impl #generics #ty #given { #new #done #turn }));
    } else {
        code.steps.extend(quote!(impl #generics #ty #given { #new #done #turn #calls }));
    }
    code.implementation.extend(implementation(saga, id));
}

/// What the machine knows of a step.
fn implementation(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let Expansion { generics, given, .. } = saga;
    let Position { ty: position, .. } = step_position(saga, id);
    let (index, ty, forward) = (number(id), &saga.step(id).ast.ty, saga.item("Forward"));
    let keyed = keyed(saga, id).map(|keyed| quote!(const KEYED: bool = #keyed;));
    quote! {
        #[automatically_derived]
        impl #generics __saga::Step for #position #given {
            type Output = #ty;
            type Steps = #forward;
            const INDEX: usize = #index;
            #keyed
        }
    }
}

/// Whether the action answers by key, where only the types of its participants say so.
fn keyed(saga: &Expansion<'_>, id: StepId) -> Option<TokenStream> {
    let step = saga.step(id);
    let is_remote = matches!(step.ast.kind, StepKind::Step | StepKind::Pivot);
    let is_sure = step.ast.keyed.is_some() || !is_remote || !step.must_be_keyed.is_empty();
    if is_sure {
        return None;
    }
    let mentions = crate::uses::mentions(&step.ast.action.tokens);
    let is_mentioned = |name: &str| mentions.iter().any(|mention| mention.name == name);
    let participants = saga.model.ast.participants.iter();
    let types = participants
        .filter(|participant| is_mentioned(&crate::expand::plain(&participant.name)))
        .map(|participant| &participant.ty)
        .collect::<Vec<_>>();
    // A position is the same whatever the saga's parameters are: what depends on them is not known to it.
    let depends = |ty: &&syn::Type| {
        let names = saga.model.ast.generics.params.iter().filter_map(parameters::name_of);
        names.into_iter().any(|name| parameters::mentions(&quote!(#ty), name))
    };
    if types.is_empty() || types.iter().any(depends) {
        return None;
    }
    Some(quote! {{
        use __saga::NotKeyed as _;
        #(__saga::IsKeyed::<#types>::KEYED)&&*
    }})
}

fn done(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &StepLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let step = saga.step(layout.id);
    let (name, ty) = (&step.ast.name, &step.ast.ty);
    let doc = doc(&format!("`{}` is done.", saga.step_name(layout.id)));
    let (Position { ty: next, .. }, value) = arrive(saga, region, index + 1);
    let (pushed, undo_uses) = if backward::carries_undo(saga, region, index + 1) {
        backward::push_step(saga, region, index, layout)
    } else {
        (None, BTreeSet::new())
    };
    let used = &region.carried(index + 1) | &undo_uses;
    let (output, shared) = match step.output {
        Some(output) if used.contains(&output) => {
            (quote!(#name), Some(quote!(let #name = __saga::Shared::new(#name);)))
        }
        None if matches!(step.ast.kind, StepKind::If | StepKind::For | StepKind::Lock) => {
            let decided = local("decided");
            (quote!(#decided), None)
        }
        _ => {
            let output = local("_output");
            (quote!(#output), None)
        }
    };
    let passes_undo = pushed.is_none()
        && backward::carries_undo(saga, region, index)
        && backward::carries_undo(saga, region, index + 1);
    let mut taken = saga.idents(&(&layout.forward & &used));
    taken.extend(passes_undo.then_some(&saga.undo));
    let taken = (!taken.is_empty()).then(|| quote!(let Self { #(#taken,)* .. } = self;));
    quote! {
        #doc
        #vis fn done(self, #output: #ty) -> #next {
            #taken
            #shared
            #pushed
            #value
        }
    }
}

fn turn(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &StepLayout) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let Expansion { attempts, undo, .. } = saga;
    let RegionNames { backward, .. } = RegionNames::new(saga, region);
    let before = backward::before(saga, region, index);
    let before_argument = region.undoes_before(index).then(|| quote!(#undo));
    let (data, in_doubt) = match &layout.undo {
        UndoLayout::None => (None, None),
        UndoLayout::ByKey { compensation } => {
            let Position { variant, .. } = backward::compensation_position(saga, layout.id);
            let value =
                backward::compensation(saga, layout.id, compensation, Take::Moved, before_argument.as_ref());
            let value = quote!(#backward::#variant(#value));
            (Some(compensation), Some(value))
        }
        UndoLayout::ByOutput { settlement, .. } => {
            let Position { variant, ty } = backward::settlement_position(saga, layout.id);
            let fields = saga.idents(settlement);
            let value = quote! {
                #backward::#variant(#ty { #(#fields,)* #before #attempts: #attempts.unsettled() })
            };
            (Some(settlement), Some(value))
        }
    };
    let body = match (data, in_doubt) {
        (Some(data), Some(value)) => {
            let has_undo = backward::carries_undo(saga, region, index);
            let taken = saga.idents(data).into_iter().chain(has_undo.then_some(undo));
            let undo = if has_undo { quote!(*#undo) } else { quote!(#backward::Undone) };
            quote! {
                let Self { #(#taken,)* #attempts, .. } = self;
                if #attempts.in_doubt() { #value } else { #undo }
            }
        }
        _ => backward::undo_of_self(saga, region, index),
    };
    quote! {
        /// The saga turns: where compensation begins.
        #vis fn turn(self) -> #backward {
            #body
        }
    }
}
