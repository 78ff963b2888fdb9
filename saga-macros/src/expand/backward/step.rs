//! The compensation of a step, and the settling of its doubt where there is one.

use std::collections::BTreeSet;

use quote::quote;

use super::{compensation_data, compensation_position, settlement_position, transition};
use crate::expand::{Code, Expansion, forward};
use crate::layout::{RegionLayout, StepLayout, UndoLayout};
use crate::model::{StepId, VariableId};

pub(super) fn expand(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &StepLayout,
    code: &mut Code,
) {
    if let UndoLayout::ByOutput { compensation, settlement } = &layout.undo {
        self::settlement(saga, region, index, layout.id, compensation, settlement, code);
    }
    if let Some(data) = compensation_data(layout) {
        compensation(saga, region, index, layout.id, data, code);
    }
}

pub(super) fn compensation_text(saga: &Expansion<'_>, id: StepId) -> String {
    format!("`{}` is to be compensated.", saga.step_name(id))
}

pub(super) fn settlement_text(saga: &Expansion<'_>, id: StepId) -> String {
    format!("Whether `{}` is done is to be settled: its compensation needs its output.", saga.step_name(id))
}

fn compensation(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    id: StepId,
    data: &BTreeSet<VariableId>,
    code: &mut Code,
) {
    let Expansion { generics, given, .. } = saga;
    let ty = compensation_position(saga, id).ty;
    let before = saga.before_field(region, index);
    code.items.extend(saga.position(&ty, &[], &compensation_text(saga, id), data, before.as_ref()));
    let doc = format!("`{}` is compensated.", saga.step_name(id));
    let compensated = transition(saga, region, index, "compensated", &doc);
    let step = forward::step_position(saga, id).ty;
    let attempts = quote!(__saga::compensation_of::<#step>());
    let new = saga.constructor(data, before.as_ref(), &attempts);
    code.implementation.extend(quote!(impl #generics #ty #given { #new #compensated }));
}

fn settlement(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    id: StepId,
    compensation: &BTreeSet<VariableId>,
    data: &BTreeSet<VariableId>,
    code: &mut Code,
) {
    let Expansion { generics, given, .. } = saga;
    let vis = &saga.model.ast.vis;
    let step = saga.step(id);
    let step_id = id;
    let (output, output_ty) = (&step.ast.name, &step.ast.ty);
    let ty = settlement_position(saga, id).ty;
    let before = saga.before_field(region, index);
    code.items.extend(saga.position(&ty, &[], &settlement_text(saga, id), data, before.as_ref()));
    let doc = format!("`{}` did not happen and never will.", saga.step_name(id));
    let absent = transition(saga, region, index, "absent", &doc);
    let compensation_ty = compensation_position(saga, id).ty;
    // Its own output comes from outside, all else from the position.
    let arguments = compensation.iter().map(|id| {
        let name = saga.variable(*id).0;
        if saga.step(step_id).output == Some(*id) {
            quote!(__saga::Shared::new(#name))
        } else {
            quote!(self.#name)
        }
    });
    let undo = region.undoes_before(index).then_some(&saga.undo);
    let arguments = arguments.chain(undo.map(|undo| quote!(self.#undo)));
    code.implementation.extend(quote! {
        impl #generics #ty #given {
            /// It is done after all, and is to be compensated.
            #vis fn done(self, #output: #output_ty) -> #compensation_ty {
                #compensation_ty::new(#(#arguments),*)
            }

            #absent
        }
    });
}
