//! Which data each position of the saga carries: exactly what exists there and is still needed.
//!
//! A position belongs to a region (the saga's body or a branch). Each branch carries what is used in it; a `parallel`
//! carries besides its branches only what is used after it. What undoing uses is handed over when a step is done, to the
//! position of its compensation: these stand in one another, latest first.

use std::collections::{BTreeSet, HashSet};

use crate::expand::names;
use crate::model::{Block, BlockKind, Model, Node, Origin, Region, StepId, Variable, VariableId, Zone};

type Variables = BTreeSet<VariableId>;

/// A region with its positions.
pub(crate) struct RegionLayout {
    /// Names the branch, such as `Hotel` or `HotelToVoucher`; empty for the saga's body.
    pub(crate) label: String,
    pub(crate) nodes: Vec<NodeLayout>,
    /// What the end of the region carries: for the body what `return` uses, for a branch its outputs.
    pub(crate) end: Variables,
    /// Whether the region has a way back: always for the body, for a branch where its `parallel` has something to undo.
    pub(crate) turns: bool,
    /// Whether the saga can compensate from the region's end.
    pub(crate) end_turns: bool,
    /// The steps of the region, those of its branches included.
    pub(crate) steps: std::ops::Range<StepId>,
}

pub(crate) enum NodeLayout {
    Step(StepLayout),
    Block(BlockLayout),
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

/// What consists of regions of its own: a `parallel`, the arms of an `if`, the body of a `for`.
pub(crate) struct BlockLayout {
    pub(crate) kind: BlockKind,
    /// Names the block: `HotelToCar` of a parallel, `IfCar` of an `if`, `ForLine` of a `for`.
    pub(crate) label: String,
    pub(crate) zone: Zone,
    /// What the position carries besides its branches.
    pub(crate) forward: Variables,
    /// Whether a branch has anything to undo.
    pub(crate) is_undone: bool,
    pub(crate) branches: Vec<RegionLayout>,
    /// What is handed on of what is made in it, and which variable of each branch it is made from.
    pub(crate) exports: Vec<(VariableId, Vec<Option<VariableId>>)>,
}

impl RegionLayout {
    /// Whether the saga can compensate from the node with number `index`, or from the end.
    pub(crate) fn turns_at(&self, index: usize, model: &Model<'_>) -> bool {
        self.nodes.get(index).map_or(self.end_turns, |node| self.turns && node.turns(model))
    }

    /// Whether there is something to undo where the node with number `index`, or the end, is arrived at.
    pub(crate) fn undoes_before(&self, index: usize) -> bool {
        self.nodes[..index].iter().any(NodeLayout::is_undone_by_calls)
    }

    /// What has to exist where the node with number `index`, or the end, is arrived at.
    pub(crate) fn carried(&self, index: usize) -> Variables {
        match self.nodes.get(index) {
            None => self.end.clone(),
            Some(NodeLayout::Step(step)) => step.forward.clone(),
            Some(NodeLayout::Block(block)) => {
                let item = match block.kind {
                    BlockKind::For { item, .. } => Some(item),
                    _ => None,
                };
                let branches = block.branches.iter().flat_map(|branch| branch.carried(0));
                let branches = branches.filter(|variable| Some(*variable) != item);
                branches.chain(block.forward.iter().copied()).collect()
            }
        }
    }
}

impl NodeLayout {
    fn turns(&self, model: &Model<'_>) -> bool {
        let zone = match self {
            Self::Step(step) => model.steps[step.id].zone,
            Self::Block(block) => block.zone,
        };
        zone != Zone::Retriable
    }

    /// Whether something is to be undone once it is done.
    pub(crate) fn is_undone_by_calls(&self) -> bool {
        match self {
            Self::Step(step) => !matches!(step.undo, UndoLayout::None),
            Self::Block(block) => block.is_undone,
        }
    }
}

/// Lays the saga out.
pub(crate) fn lay_out(model: &Model<'_>) -> RegionLayout {
    let mut layout = Layout { model, parallels: HashSet::new(), branches: HashSet::new() };
    let is_input = |variable: &VariableId| model.variables[*variable].origin == Origin::Input;
    let inputs: Variables = (0..model.variables.len()).filter(is_input).collect();
    layout.region(&model.root, inputs, &model.return_uses, String::new(), true)
}

struct Layout<'m> {
    model: &'m Model<'m>,
    /// Labels that are taken among parallels.
    parallels: HashSet<String>,
    /// Labels that are taken among branches.
    branches: HashSet<String>,
}

impl Layout<'_> {
    /// `exists`: what there is before its first node; `needed_after`: what it has to hand on at its end.
    fn region(
        &mut self,
        region: &Region,
        mut exists: Variables,
        needed_after: &Variables,
        label: String,
        turns: bool,
    ) -> RegionLayout {
        let mut nodes = Vec::new();
        for (i, node) in region.nodes.iter().enumerate() {
            let later = &region.nodes[i + 1..];
            let mut needed_later = needed_after.clone();
            for node in later {
                needed_later.extend(self.needs(node));
            }
            nodes.push(match node {
                Node::Step(id) => NodeLayout::Step(self.step(*id, &exists, &needed_later)),
                Node::Block(block) => NodeLayout::Block(self.block(node, block, &exists, &needed_later)),
            });
            exists.extend(self.outputs(node));
        }
        let is_compensatable =
            |node: &Node| zone(self.model, node).is_none_or(|zone| zone == Zone::Compensatable);
        let end_turns = turns && region.nodes.iter().all(is_compensatable);
        RegionLayout { label, nodes, end: needed_after & &exists, turns, end_turns, steps: steps(region) }
    }

    fn step(&self, id: StepId, exists: &Variables, needed_later: &Variables) -> StepLayout {
        let step = &self.model.steps[id];
        let forward = &(&self.step_needs(id) | needed_later) & exists;
        let compensation = step.compensation_uses.clone();
        let settlement = &(&(&step.action_uses | &step.probe_uses) | &compensation) & exists;
        let undo = match (self.is_undone(id), step.is_compensated_by_output()) {
            (false, _) => UndoLayout::None,
            (true, false) => UndoLayout::ByKey { compensation },
            (true, true) => UndoLayout::ByOutput { compensation, settlement },
        };
        StepLayout { id, forward, undo }
    }

    fn block(
        &mut self,
        node: &Node,
        block: &Block,
        exists: &Variables,
        needed_later: &Variables,
    ) -> BlockLayout {
        // A block without any step is an error that was reported.
        let zone = match block.kind {
            BlockKind::If { decision: step } | BlockKind::For { list: step, .. } => {
                self.model.steps[step].zone
            }
            BlockKind::Parallel => zone(self.model, node).unwrap_or(Zone::Compensatable),
        };
        let is_undone = node_steps(node).any(|id| self.is_undone(id));
        let label = match block.kind {
            BlockKind::If { decision: step } | BlockKind::For { list: step, .. } => {
                self.model.steps[step].label.clone()
            }
            BlockKind::Parallel => self.parallel_label(node),
        };
        let exports = block.exports.iter().filter(|export| needed_later.contains(&export.outer));
        let exports = exports.map(|export| (export.outer, export.inner.clone())).collect::<Vec<_>>();
        let mut branches = Vec::new();
        for (number, branch) in block.branches.iter().enumerate() {
            let label = self.branch_label(branch);
            let mut handed_on = match block.kind {
                BlockKind::Parallel => needed_later & &self.region_outputs(branch),
                _ => Variables::new(),
            };
            handed_on.extend(exports.iter().filter_map(|(_, inner)| inner.get(number).copied().flatten()));
            let mut exists = exists.clone();
            if let BlockKind::For { item, .. } = block.kind {
                exists.insert(item);
            }
            branches.push(self.region(branch, exists, &handed_on, label, is_undone));
        }
        let mut forward = needed_later & exists;
        if let BlockKind::For { item, .. } = block.kind {
            // Later items begin with it.
            forward.extend(branches.iter().flat_map(|body| body.carried(0)));
            forward.remove(&item);
        }
        BlockLayout { kind: block.kind, label, zone, forward, is_undone, branches, exports }
    }

    /// Everything that a node uses, done and undone, its own outputs included.
    fn needs(&self, node: &Node) -> Variables {
        let mut needs = Variables::new();
        node_steps(node).for_each(|id| needs.extend(self.step_needs(id)));
        needs
    }

    fn step_needs(&self, id: StepId) -> Variables {
        let step = &self.model.steps[id];
        let mut needs = &(&step.action_uses | &step.probe_uses) | &step.otherwise_uses;
        if self.is_undone(id) {
            needs.extend(&step.compensation_uses);
        }
        needs
    }

    /// Whether the step has a compensation that is a call. One after the pivot is an error, and is left out.
    fn is_undone(&self, id: StepId) -> bool {
        self.model.steps[id].is_undone()
    }

    /// What exists behind a node that did not before.
    fn outputs(&self, node: &Node) -> Variables {
        match node {
            Node::Step(id) => self.model.steps[*id].output.into_iter().collect(),
            Node::Block(block) if block.kind == BlockKind::Parallel => {
                block.branches.iter().flat_map(|branch| self.region_outputs(branch)).collect()
            }
            Node::Block(block) => block.exports.iter().map(|export| export.outer).collect(),
        }
    }

    fn region_outputs(&self, region: &Region) -> Variables {
        region.nodes.iter().flat_map(|node| self.outputs(node)).collect()
    }

    /// A parallel shares an enum with the steps.
    fn parallel_label(&mut self, node: &Node) -> String {
        let is_step = |label: &str| self.model.steps.iter().any(|step| step.label == label);
        let label = names::free(&self.range_label(node_steps(node)), |label| {
            is_step(label) || self.parallels.contains(label)
        });
        self.parallels.insert(label.clone());
        label
    }

    /// A branch shares a struct with what exists before it. One of a single step is called like that: its output does
    /// not exist yet.
    fn branch_label(&mut self, branch: &Region) -> String {
        let range = steps(branch);
        let is_outside = |variable: &&Variable| variable.step().is_none_or(|step| !range.contains(&step));
        let outside = self.model.variables.iter().filter(is_outside);
        let outside = outside.map(|variable| names::camel(&variable.name)).collect::<HashSet<_>>();
        let label = names::free(&self.range_label(range.clone()), |label| {
            outside.contains(label) || self.branches.contains(label)
        });
        self.branches.insert(label.clone());
        label
    }

    /// Names a range of steps after its first and its last.
    fn range_label(&self, steps: std::ops::Range<StepId>) -> String {
        let name = |id: StepId| self.model.steps[id].label.clone();
        match (steps.clone().next(), steps.last()) {
            (Some(first), Some(last)) if first != last => format!("{}To{}", name(first), name(last)),
            (Some(only), _) => name(only),
            _ => "Else".to_owned(),
        }
    }
}

/// The steps of a node, in their order.
fn node_steps(node: &Node) -> std::ops::Range<StepId> {
    match node {
        Node::Step(id) => *id..*id + 1,
        Node::Block(block) => {
            let mut ranges = block.branches.iter().map(steps).filter(|range| !range.is_empty());
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
