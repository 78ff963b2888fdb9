//! The definition as data.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericParam, Ident, Type};

use super::names::{number, plain};
use super::{Expansion, calls};
use crate::ast::{DurationValue, Field, StepKind, Undo};
use crate::layout::{NodeLayout, RegionLayout};
use crate::model::{BlockKind, StepId, Zone};
use crate::parameters;

/// `Definition { … }`.
pub(super) fn value(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    let ast = saga.model.ast;
    let name = plain(&ast.name);
    let version = Literal::u32_unsuffixed(ast.options.version.unwrap_or(1));
    let inputs = ast.inputs.iter().map(|Field { name, ty }| field(name, ty));
    let participants = ast.participants.iter().map(|Field { name, ty }| field(name, ty));
    let output = ast.output.as_ref().map_or_else(|| "()".to_owned(), type_text);
    let forward = saga.item("Forward");
    let parameters = parameters(saga);
    let body = blocks(layout);
    quote! {
        __saga::Definition {
            name: #name,
            version: #version,
            parameters: &[#(#parameters),*],
            inputs: &[#(#inputs),*],
            output: #output,
            participants: &[#(#participants),*],
            steps: <#forward as __saga::Steps>::STEPS,
            body: #body,
        }
    }
}

/// What the parameters stand for that the data uses: those of a child saga, where they depend on its parent's, too.
fn parameters(saga: &Expansion<'_>) -> Vec<TokenStream> {
    let own = saga.parameters.data.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let name = &parameter.ident;
            Some((plain(name), quote!(Type(<#name as __saga::SagaParameter>::NAME))))
        }
        GenericParam::Const(parameter) => {
            let (name, ty) = (&parameter.ident, &parameter.ty);
            let value = match quote!(#ty).to_string().as_str() {
                "bool" => quote!(Bool(#name)),
                "char" => quote!(Char(#name)),
                "u128" => quote!(Unsigned(#name)),
                _ => quote!(Signed(#name as i128)),
            };
            Some((plain(name), value))
        }
        GenericParam::Lifetime(_) => None,
    });
    let children = saga.model.steps.iter().filter(|step| step.ast.kind == StepKind::Saga);
    let children = children.filter_map(|step| {
        let (child, _) = calls::child_call(&step.ast.action)?;
        let mut names = saga.model.ast.generics.params.iter().filter_map(parameters::name_of);
        // What a saga stands for that begins itself it has said already, and no constant can ask for itself.
        let is_itself = child.clone().into_iter().any(|token| saga.model.ast.name == token.to_string());
        if is_itself || !names.any(|name| parameters::mentions(&child, name)) {
            return None;
        }
        let definition = calls::of_child(&child, "DEFINITION");
        Some((step.shown.clone(), quote!(Child(#definition.parameters))))
    });
    let all = own.chain(children);
    all.map(|(name, value)| quote!(__saga::Parameter { name: #name, stands_for: __saga::StandsFor::#value }))
        .collect()
}

fn field(name: &Ident, ty: &Type) -> TokenStream {
    let (name, ty) = (plain(name), type_text(ty));
    quote!(__saga::Field { name: #name, ty: #ty })
}

/// `const STEPS`.
pub(super) fn steps(saga: &Expansion<'_>) -> TokenStream {
    let Expansion { generics, given, .. } = saga;
    let forward = saga.item("Forward");
    let steps = (0..saga.model.steps.len()).map(|id| step(saga, id));
    quote! {
        #[automatically_derived]
        impl #generics __saga::Steps for #forward #given {
            const STEPS: &'static [__saga::StepDefinition] = {
                use __saga::{StepDefinition as Step, StepKind::*};
                &[#(#steps),*]
            };
        }
    }
}

fn step(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let step = saga.step(id);
    let (name, output) = (saga.step_name(id), type_text(&step.ast.ty));
    let kind = kind(step.ast.kind);
    let zone = match step.zone {
        Zone::Compensatable => None,
        Zone::Pivot { .. } => Some(quote!(.pivot())),
        Zone::Retriable => Some(quote!(.retriable())),
    };
    let compensation = match step.ast.compensate.as_ref().map(|compensate| &compensate.undo) {
        None if step.is_undone() => Some(quote!(.undone_by_key())),
        None => None,
        Some(Undo::Nothing) => Some(quote!(.harmless())),
        Some(Undo::Call(_)) if step.is_compensated_by_output() => Some(quote!(.undone_by_output())),
        Some(Undo::Call(_)) => Some(quote!(.undone_by_key())),
    };
    let is_keyed = step.ast.keyed.is_some() || !step.must_be_keyed.is_empty();
    let keyed = is_keyed.then(|| quote!(.keyed()));
    let probe = step.ast.probe.is_some().then(|| quote!(.probe()));
    let otherwise = step.ast.otherwise.is_some().then(|| quote!(.otherwise()));
    let events = event_names(saga, id)
        .map(|[done, refused, compensated]| quote!(.events(#done, #refused, #compensated)));
    let text = Some(text(saga, id)).filter(|text| !text.is_empty()).map(|text| quote!(.text(#text)));
    quote! {
        Step::new(#kind, #name, #output)
            #zone #compensation #keyed #probe #otherwise #events #text
    }
}

/// What a step does.
pub(super) fn kind(kind: StepKind) -> TokenStream {
    match kind {
        StepKind::Step | StepKind::Pivot => quote!(Call),
        StepKind::Read => quote!(Read),
        StepKind::Local => quote!(Local),
        StepKind::Saga => quote!(Saga),
        StepKind::Receive => quote!(Receive),
        StepKind::Sleep => quote!(Sleep),
        StepKind::If => quote!(If),
        StepKind::For => quote!(For),
        StepKind::Lock => quote!(Lock),
    }
}

/// The domain names of a step's events, where they are given: done, refused, compensated.
pub(super) fn event_names(saga: &Expansion<'_>, id: StepId) -> Option<[String; 3]> {
    let events = saga.step(id).ast.events.as_ref()?;
    let name = |name: &Option<Ident>, suffix: &str| match name {
        Some(name) => plain(name),
        None => format!("{}{suffix}", saga.camel(id)),
    };
    let (refused, compensated) = (name(&events.refused, "Refused"), name(&events.compensated, "Compensated"));
    Some([plain(&events.done), refused, compensated])
}

/// What a reader of a diagram wants to see of what is written.
pub(super) fn text(saga: &Expansion<'_>, id: StepId) -> String {
    let step = saga.step(id);
    match step.ast.kind {
        StepKind::Step | StepKind::Pivot | StepKind::Read | StepKind::Local => String::new(),
        StepKind::If => {
            let conditions = step.conditions.iter().map(tokens_text).collect::<Vec<_>>();
            conditions.join(" else if ")
        }
        StepKind::Sleep | StepKind::Receive => match &step.ast.within {
            Some(DurationValue::Literal(nanos)) => {
                format!("{:?}", std::time::Duration::from_nanos(u64::try_from(*nanos).unwrap_or(u64::MAX)))
            }
            Some(DurationValue::Expression(tokens)) => tokens_text(tokens),
            None => format!("until {}", tokens_text(&step.ast.action.tokens)),
        },
        StepKind::For | StepKind::Saga | StepKind::Lock => tokens_text(&step.ast.action.tokens),
    }
}

fn blocks(region: &RegionLayout) -> TokenStream {
    let blocks = region.nodes.iter().enumerate().filter_map(|(index, node)| match node {
        // It is part of the block behind it.
        NodeLayout::Step(_) if decides(region.nodes.get(index + 1)) => None,
        NodeLayout::Step(step) => {
            let id = number(step.id);
            Some(quote!(__saga::Block::Step(#id)))
        }
        NodeLayout::Block(block) => {
            let mut branches = block.branches.iter().map(blocks);
            Some(match block.kind {
                BlockKind::Parallel => quote!(__saga::Block::Parallel(&[#(#branches),*])),
                BlockKind::If { decision } => {
                    let step = number(decision);
                    quote!(__saga::Block::If { step: #step, arms: &[#(#branches),*] })
                }
                BlockKind::For { list, limit, .. } => {
                    let (step, limit, body) = (number(list), Literal::u32_unsuffixed(limit), branches.next());
                    quote!(__saga::Block::For { step: #step, body: #body, limit: #limit })
                }
            })
        }
    });
    quote!(&[#(#blocks),*])
}

fn decides(next: Option<&NodeLayout>) -> bool {
    matches!(next, Some(NodeLayout::Block(block)) if block.kind != BlockKind::Parallel)
}

/// A type as written.
pub(super) fn type_text(ty: &Type) -> String {
    tokens_text(&ty.to_token_stream())
}

/// Tokens as written, without the spaces that token printing puts between everything.
pub(super) fn tokens_text(tokens: &TokenStream) -> String {
    let mut text = String::new();
    let spaced = tokens.to_string();
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
