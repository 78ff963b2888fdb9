//! Which data each position of the saga carries: exactly what exists there and is still needed.
//!
//! A position belongs to a region (the saga's body or a branch) and carries only what its own region has bound; what
//! the regions around have bound stands once, in the `parallel` that holds the branches.

use std::collections::{BTreeSet, HashSet};

use crate::ast::{StepKind, Undo};
use crate::expand::names;
use crate::model::{Model, Node, Region, StepId, VariableId, Zone};

type Variables = BTreeSet<VariableId>;

/// A region with its positions.
pub(crate) struct RegionLayout {
    /// Names the branch, such as `Hotel` or `HotelToVoucher`; empty for the saga's body.
    pub(crate) label: String,
    pub(crate) nodes: Vec<NodeLayout>,
    /// What the end of the region carries: for the body what `return` uses, for a branch its outputs.
    pub(crate) end: Variables,
    /// What the calls on the way forward use of the regions around it.
    pub(crate) outer: Variables,
    /// What the calls on the way back use of the regions around it.
    pub(crate) outer_back: Variables,
    /// Whether the saga can compensate from the region's end.
    pub(crate) end_turns: bool,
    /// The steps of the region, those of its branches included.
    pub(crate) steps: std::ops::Range<StepId>,
}

pub(crate) enum NodeLayout {
    Step(StepLayout),
    Parallel(ParallelLayout),
}

pub(crate) struct StepLayout {
    pub(crate) id: StepId,
    /// What the position on the way forward carries.
    pub(crate) forward: Variables,
    /// How it is undone.
    pub(crate) undo: UndoLayout,
}

pub(crate) enum UndoLayout {
    /// Nothing is to be undone.
    None,
    /// By its key: the compensation does not mention the output.
    ByKey { compensation: Variables },
    /// With its output: a doubt is settled first, by a position that carries `settlement`.
    ByOutput { compensation: Variables, settlement: Variables },
}

pub(crate) struct ParallelLayout {
    /// Names the parallel, such as `HotelToCar`.
    pub(crate) label: String,
    pub(crate) zone: Zone,
    pub(crate) forward: Variables,
    /// What the compensation of its branches carries besides them; `None` if none has anything to undo.
    pub(crate) compensation: Option<Variables>,
    pub(crate) branches: Vec<RegionLayout>,
}

impl NodeLayout {
    /// Whether the saga can compensate from this position.
    pub(crate) fn turns(&self, model: &Model<'_>) -> bool {
        let zone = match self {
            Self::Step(step) => model.steps[step.id].zone,
            Self::Parallel(parallel) => parallel.zone,
        };
        zone != Zone::Retriable
    }

    /// Whether something is to be undone once it is done.
    pub(crate) fn is_undone_by_calls(&self) -> bool {
        match self {
            Self::Step(step) => !matches!(step.undo, UndoLayout::None),
            Self::Parallel(parallel) => parallel.compensation.is_some(),
        }
    }
}

/// Lays the saga out.
pub(crate) fn lay_out(model: &Model<'_>) -> RegionLayout {
    let steps = model.steps.iter().map(|step| names::camel(&step.ast.name)).collect();
    let mut layout = Layout { model, parallels: steps, branches: HashSet::new() };
    let inputs: Variables = (0..model.ast.inputs.len()).collect();
    layout.region(&model.root, inputs, &model.return_uses, String::new())
}

struct Layout<'m> {
    model: &'m Model<'m>,
    /// Labels that are taken among parallels: they share an enum with the steps.
    parallels: HashSet<String>,
    /// Labels that are taken among branches.
    branches: HashSet<String>,
}

impl Layout<'_> {
    /// `own`: what the region has bound before its first node; `needed_after`: what is used after its end.
    fn region(
        &mut self,
        region: &Region,
        own: Variables,
        needed_after: &Variables,
        label: String,
    ) -> RegionLayout {
        let mut own = own;
        let mut nodes = Vec::new();
        for (i, node) in region.nodes.iter().enumerate() {
            let earlier = &region.nodes[..i];
            let later = &region.nodes[i + 1..];
            let mut needed_later = needed_after.clone();
            for node in later {
                needed_later.extend(self.needs(node));
            }
            let undo_earlier = self.undo_needs(earlier);
            nodes.push(match node {
                Node::Step(id) => NodeLayout::Step(self.step(*id, &own, &needed_later, &undo_earlier)),
                Node::Parallel(_) => {
                    NodeLayout::Parallel(self.parallel(node, &own, &needed_later, &undo_earlier))
                }
            });
            own.extend(self.outputs(node));
        }
        let end_turns =
            region.nodes.iter().all(|node| zone(self.model, node).is_none_or(|z| z == Zone::Compensatable));
        let mut end = needed_after.clone();
        if end_turns {
            end.extend(self.undo_needs(&region.nodes));
        }
        let mut outer = Variables::new();
        for node in &region.nodes {
            outer.extend(self.needs(node));
        }
        let outer = &outer - &own;
        let outer_back = &self.undo_needs_in_doubt(steps(region)) - &own;
        RegionLayout { label, nodes, end: &end & &own, outer, outer_back, end_turns, steps: steps(region) }
    }

    fn step(
        &self,
        id: StepId,
        own: &Variables,
        needed_later: &Variables,
        undo_earlier: &Variables,
    ) -> StepLayout {
        let step = &self.model.steps[id];
        let mut forward = self.step_needs(id);
        forward.extend(needed_later);
        if step.zone != Zone::Retriable {
            forward.extend(undo_earlier);
        }
        let compensation = &step.compensation_uses | undo_earlier;
        let settlement = &(&(&step.action_uses | &step.probe_uses) | &compensation) & own;
        let by_output = step.compensation_uses.contains(&step.output);
        let mut with_output = own.clone();
        with_output.insert(step.output);
        let compensation = &compensation & &with_output;
        let undo = match (self.is_undone(id), by_output) {
            (false, _) => UndoLayout::None,
            (true, false) => UndoLayout::ByKey { compensation },
            (true, true) => UndoLayout::ByOutput { compensation, settlement },
        };
        StepLayout { id, forward: &forward & own, undo }
    }

    fn parallel(
        &mut self,
        node: &Node,
        own: &Variables,
        needed_later: &Variables,
        undo_earlier: &Variables,
    ) -> ParallelLayout {
        let zone = zone(self.model, node).unwrap_or(Zone::Compensatable);
        let mut forward = &self.needs(node) | needed_later;
        if zone != Zone::Retriable {
            forward.extend(undo_earlier);
        }
        let undo_inside = self.undo_needs_in_doubt(node_steps(node));
        let compensation = self.has_undo(node).then(|| &(&undo_inside | undo_earlier) & own);
        let label = self.label(node_steps(node));
        let label = free(&mut self.parallels, &label);
        // A branch may still be needed for its siblings' join, and by whatever follows the parallel.
        let needed_after = needed_later | undo_earlier;
        let mut branches = Vec::new();
        if let Node::Parallel(parallel) = node {
            for branch in &parallel.branches {
                let label = self.label(steps(branch));
                let label = free(&mut self.branches, &label);
                branches.push(self.region(branch, Variables::new(), &needed_after, label));
            }
        }
        ParallelLayout { label, zone, forward: &forward & own, compensation, branches }
    }

    /// Everything that a node uses, done and undone, its own outputs included.
    fn needs(&self, node: &Node) -> Variables {
        let mut needs = Variables::new();
        node_steps(node).for_each(|id| needs.extend(self.step_needs(id)));
        needs
    }

    fn step_needs(&self, id: StepId) -> Variables {
        let step = &self.model.steps[id];
        let mut needs = &step.action_uses | &step.probe_uses;
        if self.is_undone(id) {
            needs.extend(&step.compensation_uses);
        }
        needs
    }

    /// What undoing these nodes uses. A step inside a `parallel` may be in doubt while its siblings are done: settling
    /// it is part of undoing.
    fn undo_needs(&self, nodes: &[Node]) -> Variables {
        let mut needs = Variables::new();
        for node in nodes {
            match node {
                Node::Step(id) if self.is_undone(*id) => {
                    needs.extend(&self.model.steps[*id].compensation_uses);
                }
                Node::Step(_) => {}
                Node::Parallel(_) => needs.extend(self.undo_needs_in_doubt(node_steps(node))),
            }
        }
        needs
    }

    /// What undoing these steps uses, the settling of their doubts included.
    fn undo_needs_in_doubt(&self, steps: std::ops::Range<StepId>) -> Variables {
        let mut needs = Variables::new();
        for id in steps.filter(|id| self.is_undone(*id)) {
            let step = &self.model.steps[id];
            needs.extend(&step.compensation_uses);
            if step.compensation_uses.contains(&step.output) {
                needs.extend(&step.action_uses);
                needs.extend(&step.probe_uses);
            }
        }
        needs
    }

    fn has_undo(&self, node: &Node) -> bool {
        node_steps(node).any(|id| self.is_undone(id))
    }

    /// Whether the step has a compensation that is a call. One after the pivot is an error, and is left out.
    fn is_undone(&self, id: StepId) -> bool {
        let step = &self.model.steps[id];
        let call = matches!(step.ast.compensate.as_ref().map(|c| &c.undo), Some(Undo::Call(_)));
        call && step.zone == Zone::Compensatable && step.ast.kind == StepKind::Step
    }

    fn outputs(&self, node: &Node) -> Variables {
        node_steps(node).map(|id| self.model.steps[id].output).collect()
    }

    /// Names a range of steps after its first and its last.
    fn label(&self, steps: std::ops::Range<StepId>) -> String {
        let name = |id: StepId| names::camel(&self.model.steps[id].ast.name);
        match (steps.clone().next(), steps.last()) {
            (Some(first), Some(last)) if first != last => format!("{}To{}", name(first), name(last)),
            (Some(only), _) => name(only),
            _ => "Empty".to_owned(),
        }
    }
}

/// `label`, or a numbered one where it is taken.
fn free(taken: &mut HashSet<String>, label: &str) -> String {
    let mut free = label.to_owned();
    let mut number = 2;
    while !taken.insert(free.clone()) {
        free = format!("{label}{number}");
        number += 1;
    }
    free
}

/// The steps of a node, in their order.
fn node_steps(node: &Node) -> std::ops::Range<StepId> {
    match node {
        Node::Step(id) => *id..*id + 1,
        Node::Parallel(parallel) => {
            let mut ranges = parallel.branches.iter().map(steps).filter(|range| !range.is_empty());
            match (ranges.next(), ranges.next_back()) {
                (Some(first), Some(last)) => first.start..last.end,
                (Some(only), None) => only,
                _ => 0..0,
            }
        }
    }
}

/// The steps of a region, in their order.
fn steps(region: &Region) -> std::ops::Range<StepId> {
    let mut ranges = region.nodes.iter().map(node_steps).filter(|range| !range.is_empty());
    match (ranges.next(), ranges.next_back()) {
        (Some(first), Some(last)) => first.start..last.end,
        (Some(only), None) => only,
        _ => 0..0,
    }
}

fn zone(model: &Model<'_>, node: &Node) -> Option<Zone> {
    node_steps(node).next().map(|id| model.steps[id].zone)
}
