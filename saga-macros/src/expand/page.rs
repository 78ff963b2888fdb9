//! The saga's page of documentation: its drawing, and what happens when something fails.

use proc_macro2::TokenStream;
use quote::quote;
use saga_graph::{Arm, Block, Events, Field, Kind, Saga, Step, Undo, Zone};

use super::Expansion;
use super::definition::{event_names, text, tokens_text, type_text};
use super::names::plain;
use crate::ast::{self, StepKind};
use crate::layout::{BlockLayout, NodeLayout, RegionLayout};
use crate::model::{self, BlockKind, StepId};

/// The attribute that adds the page, only where documentation is built: an editor shows prose.
pub(super) fn attribute(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    // Half a saga has no page.
    if saga.model.ast.broken {
        return TokenStream::new();
    }
    let page = saga_graph::rustdoc(&drawn(saga, layout));
    quote!(#[cfg_attr(doc, doc = "", doc = #page)])
}

fn drawn(saga: &Expansion<'_>, layout: &RegionLayout) -> Saga {
    let ast = saga.model.ast;
    let field = |field: &ast::Field| Field { name: plain(&field.name), ty: type_text(&field.ty) };
    Saga {
        name: plain(&ast.name),
        inputs: ast.inputs.iter().map(field).collect(),
        output: ast.output.as_ref().map_or_else(|| "()".to_owned(), type_text),
        body: blocks(saga, layout),
    }
}

fn blocks(saga: &Expansion<'_>, region: &RegionLayout) -> Vec<Block> {
    let blocks = region.nodes.iter().filter_map(|node| match node {
        NodeLayout::Step(layout) => step(saga, layout.id).map(Block::Step),
        NodeLayout::Block(layout) => Some(block(saga, layout)),
    });
    blocks.collect()
}

fn block(saga: &Expansion<'_>, block: &BlockLayout) -> Block {
    let mut branches = block.branches.iter().map(|branch| blocks(saga, branch));
    match block.kind {
        BlockKind::Parallel => Block::Parallel(branches.collect()),
        BlockKind::If { decision } => {
            let conditions = saga.step(decision).conditions.iter().map(|tokens| Some(tokens_text(tokens)));
            let arms = conditions.chain([None]).zip(branches);
            Block::If(arms.map(|(condition, body)| Arm { condition, body }).collect())
        }
        BlockKind::For { list, item, limit, .. } => Block::For {
            item: plain(saga.variable(item).0),
            items: text(saga, list),
            limit,
            body: branches.next().unwrap_or_default(),
        },
    }
}

/// `None` for what is drawn as a block.
fn step(saga: &Expansion<'_>, id: StepId) -> Option<Step> {
    let step = saga.step(id);
    let events =
        event_names(saga, id).map(|[done, refused, compensated]| Events { done, refused, compensated });
    Some(Step {
        name: saga.step_name(id),
        output: type_text(&step.ast.ty),
        kind: match step.ast.kind {
            StepKind::Step | StepKind::Pivot => Kind::Call,
            StepKind::Read => Kind::Read,
            StepKind::Local => Kind::Local,
            StepKind::Saga => Kind::Saga,
            StepKind::Receive => Kind::Receive,
            StepKind::Sleep => Kind::Sleep,
            StepKind::Lock => Kind::Lock,
            StepKind::If | StepKind::For => return None,
        },
        zone: match step.zone {
            model::Zone::Compensatable => Zone::Compensatable,
            model::Zone::Pivot { .. } => Zone::Pivot,
            model::Zone::Retriable => Zone::Retriable,
        },
        undo: match step.ast.compensate.as_ref().map(|compensate| &compensate.undo) {
            None if step.is_undone() => Undo::ByKey,
            None => Undo::None,
            Some(ast::Undo::Nothing) => Undo::Nothing,
            Some(ast::Undo::Call(_)) if step.is_compensated_by_output() => Undo::ByOutput,
            Some(ast::Undo::Call(_)) => Undo::ByKey,
        },
        keyed: step.ast.keyed.is_some() || !step.must_be_keyed.is_empty(),
        probe: step.ast.probe.is_some(),
        otherwise: step.ast.otherwise.is_some(),
        events,
        text: text(saga, id),
    })
}
