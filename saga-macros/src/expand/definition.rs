//! The definition as data.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::{Ident, Type};

use super::Expansion;
use super::names::{number, plain};
use crate::ast::{Field, StepKind, Undo};
use crate::layout::{NodeLayout, RegionLayout};
use crate::model::{StepId, Zone};

/// `Definition { … }`.
pub(super) fn value(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    let ast = saga.model.ast;
    let name = plain(&ast.name);
    let version = Literal::u32_unsuffixed(ast.options.version.unwrap_or(1));
    let inputs = ast.inputs.iter().map(|Field { name, ty }| field(name, ty));
    let participants = ast.participants.iter().map(|Field { name, ty }| field(name, ty));
    let output = ast.output.as_ref().map_or_else(|| "()".to_owned(), type_text);
    let steps = (0..saga.model.steps.len()).map(|id| step(saga, id));
    let body = blocks(layout);
    quote! {
        __saga::Definition {
            name: #name,
            version: #version,
            inputs: &[#(#inputs),*],
            output: #output,
            participants: &[#(#participants),*],
            steps: &[#(#steps),*],
            body: #body,
        }
    }
}

fn field(name: &Ident, ty: &Type) -> TokenStream {
    let (name, ty) = (plain(name), type_text(ty));
    quote!(__saga::Field { name: #name, ty: #ty })
}

fn step(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = saga.step(id);
    let (name, output) = (saga.step_name(id), type_text(&step.ast.ty));
    let kind = match (step.ast.kind, step.zone) {
        (StepKind::Read, _) => quote!(Read),
        (_, Zone::Compensatable) => quote!(Compensatable),
        (_, Zone::Pivot { .. }) => quote!(Pivot),
        (_, Zone::Retriable) => quote!(Retriable),
    };
    let compensation = match step.ast.compensate.as_ref().map(|compensate| &compensate.undo) {
        None => quote!(None),
        Some(Undo::Nothing) => quote!(Nothing),
        Some(Undo::Call(_)) if step.compensation_uses.contains(&step.output) => quote!(ByOutput),
        Some(Undo::Call(_)) => quote!(ByKey),
    };
    let probe = step.ast.probe.is_some();
    quote! {
        __saga::StepDefinition {
            name: #name,
            output: #output,
            kind: __saga::StepKind::#kind,
            compensation: __saga::Compensation::#compensation,
            probe: #probe,
        }
    }
}

fn blocks(region: &RegionLayout) -> TokenStream {
    let blocks = region.nodes.iter().map(|node| match node {
        NodeLayout::Step(step) => {
            let id = number(step.id);
            quote!(__saga::Block::Step(#id))
        }
        NodeLayout::Parallel(parallel) => {
            let branches = parallel.branches.iter().map(blocks);
            quote!(__saga::Block::Parallel(&[#(#branches),*]))
        }
    });
    quote!(&[#(#blocks),*])
}

/// A type as written, without the spaces that token printing puts between everything.
fn type_text(ty: &Type) -> String {
    let mut text = String::new();
    let spaced = ty.to_token_stream().to_string();
    let mut rest = spaced.chars().peekable();
    while let Some(c) = rest.next() {
        let between_words =
            |a: char, b: char| (a.is_alphanumeric() || a == '_') && (b.is_alphanumeric() || b == '_');
        let last = text.chars().last().unwrap_or(' ');
        let next = rest.peek().copied().unwrap_or(' ');
        if c != ' ' || between_words(last, next) || last == ',' || last == ';' || last == '+' || next == '+' {
            text.push(c);
        }
    }
    text
}
