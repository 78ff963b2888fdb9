//! The saga resolved: the tree of blocks, each step's zone, and who uses what.
//!
//! `resolve` never fails: what it cannot resolve `check` has reported, and it leaves out.

use std::collections::{BTreeSet, HashMap};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::Type;
use syn::ext::IdentExt;

use crate::ast;
use crate::suggest::is_near;
use crate::uses::{bound_names, mentions};

/// Index into [`Model::variables`]: the inputs first, then the outputs in order of their steps.
pub(crate) type VariableId = usize;
/// Index into [`Model::steps`]: the order in which the steps are written. The steps of a region are contiguous.
pub(crate) type StepId = usize;

pub(crate) struct Model<'a> {
    pub(crate) ast: &'a ast::Saga,
    pub(crate) variables: Vec<Variable<'a>>,
    pub(crate) steps: Vec<Step<'a>>,
    pub(crate) root: Region,
    /// What the `return` expression mentions.
    pub(crate) return_uses: BTreeSet<VariableId>,
}

/// An input or an output.
pub(crate) struct Variable<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) ty: &'a Type,
    /// The step whose output it is; `None` for an input.
    pub(crate) step: Option<StepId>,
}

/// A sequence of nodes: the saga's body, or one branch.
pub(crate) struct Region {
    pub(crate) nodes: Vec<Node>,
}

pub(crate) enum Node {
    Step(StepId),
    Parallel(Parallel),
}

pub(crate) struct Parallel {
    pub(crate) branches: Vec<Region>,
}

pub(crate) struct Step<'a> {
    pub(crate) ast: &'a ast::Step,
    pub(crate) zone: Zone,
    /// The variable that holds its output.
    pub(crate) output: VariableId,
    /// What the action mentions.
    pub(crate) action_uses: BTreeSet<VariableId>,
    /// What the probe mentions; empty without one.
    pub(crate) probe_uses: BTreeSet<VariableId>,
    /// What the compensation mentions, its own output included; empty without one.
    pub(crate) compensation_uses: BTreeSet<VariableId>,
    /// Who has to be `Keyed`, as nothing else settles a doubt about this step: the participants that the action
    /// mentions, or whatever else it is called on. Empty where that is not needed.
    pub(crate) must_be_keyed: Vec<Ident>,
    /// What exists when the step starts: the inputs, and the outputs of the steps before it on its own path.
    pub(crate) available: BTreeSet<VariableId>,
    /// The `parallel`s that it stands in, outermost first, and its branch in each.
    pub(crate) branches: Vec<Branch>,
}

/// One branch of one `parallel`; `parallel` numbers those of a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Branch {
    pub(crate) parallel: usize,
    pub(crate) branch: usize,
}

impl Step<'_> {
    /// Whether nothing in the saga settles a doubt about this step: its action is not declared to be keyed, cannot be
    /// probed, and is not compensated by its key, done or not. Then its participants have to be `Keyed`.
    ///
    /// `false` also where something is wrong with the step that has to be mended first.
    pub(crate) fn leaves_doubt(&self) -> bool {
        let is_compensated_by_key =
            self.ast.compensate.is_some() && !self.compensation_uses.contains(&self.output);
        let settles = match self.zone {
            // Without a compensation it is refused anyway.
            Zone::Compensatable => is_compensated_by_key || self.ast.compensate.is_none(),
            Zone::Pivot { .. } | Zone::Retriable => false,
        };
        let is_effectful = self.ast.kind != ast::StepKind::Read;
        is_effectful && !settles && self.ast.keyed.is_none() && self.ast.probe.is_none() && !self.ast.broken
    }
}

/// Where a step stands relative to the point of no return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Zone {
    /// Before the pivot, or in a saga without one.
    Compensatable,
    /// `explicit`: written `pivot`; otherwise the last top-level step without `compensate`.
    Pivot { explicit: bool },
    /// After the pivot.
    Retriable,
}

/// Resolves a saga whose names are unique.
pub(crate) fn resolve(saga: &ast::Saga) -> Model<'_> {
    let mut resolver = Resolver {
        saga,
        variables: Vec::new(),
        steps: Vec::new(),
        named: HashMap::new(),
        branches: Vec::new(),
        parallels: 0,
    };
    for input in &saga.inputs {
        resolver.declare(&input.name, &input.ty, None);
    }
    let inputs = (0..resolver.variables.len()).collect::<BTreeSet<_>>();
    let pivot = pivot(saga);
    let mut available = inputs;
    let mut nodes = Vec::new();
    for (position, statement) in saga.body.iter().enumerate() {
        let zone = zone(position, statement, pivot);
        nodes.push(resolver.node(statement, zone, &mut available));
    }
    let return_uses =
        saga.returns.as_ref().map(|call| resolver.uses(&call.tokens, &available)).unwrap_or_default();
    Model {
        ast: saga,
        variables: resolver.variables,
        steps: resolver.steps,
        root: Region { nodes },
        return_uses,
    }
}

/// The position of the pivot in the body, and whether it is written.
fn pivot(saga: &ast::Saga) -> Option<(usize, bool)> {
    let is_pivot = |statement: &ast::Statement| matches!(statement, ast::Statement::Step(step) if step.kind == ast::StepKind::Pivot);
    if let Some(position) = saga.body.iter().position(is_pivot) {
        return Some((position, true));
    }
    match saga.body.last()? {
        ast::Statement::Step(step) if step.kind == ast::StepKind::Step && step.compensate.is_none() => {
            Some((saga.body.len() - 1, false))
        }
        _ => None,
    }
}

fn zone(position: usize, statement: &ast::Statement, pivot: Option<(usize, bool)>) -> Zone {
    match pivot {
        Some((pivot, explicit)) if position == pivot && matches!(statement, ast::Statement::Step(_)) => {
            Zone::Pivot { explicit }
        }
        Some((pivot, _)) if position > pivot => Zone::Retriable,
        _ => Zone::Compensatable,
    }
}

struct Resolver<'a> {
    saga: &'a ast::Saga,
    variables: Vec<Variable<'a>>,
    steps: Vec<Step<'a>>,
    named: HashMap<String, VariableId>,
    /// Where the statements being resolved stand.
    branches: Vec<Branch>,
    parallels: usize,
}

impl<'a> Resolver<'a> {
    /// Resolves a statement that sees what is `available`, and adds its outputs to that.
    fn node(
        &mut self,
        statement: &'a ast::Statement,
        zone: Zone,
        available: &mut BTreeSet<VariableId>,
    ) -> Node {
        match statement {
            ast::Statement::Step(step) => Node::Step(self.step(step, zone, available)),
            ast::Statement::Parallel(parallel) => Node::Parallel(self.parallel(parallel, zone, available)),
        }
    }

    fn parallel(
        &mut self,
        parallel: &'a ast::Parallel,
        zone: Zone,
        available: &mut BTreeSet<VariableId>,
    ) -> Parallel {
        let number = self.parallels;
        self.parallels += 1;
        let before = available.clone();
        let mut branches = Vec::new();
        for (branch, statements) in parallel.branches.iter().enumerate() {
            self.branches.push(Branch { parallel: number, branch });
            let mut in_branch = before.clone();
            let nodes =
                statements.iter().map(|statement| self.node(statement, zone, &mut in_branch)).collect();
            branches.push(Region { nodes });
            available.append(&mut in_branch);
            self.branches.pop();
        }
        Parallel { branches }
    }

    fn step(&mut self, step: &'a ast::Step, zone: Zone, available: &mut BTreeSet<VariableId>) -> StepId {
        let id = self.steps.len();
        let output = self.declare(&step.name, &step.ty, Some(id));
        let before = available.clone();
        available.insert(output);
        let compensation = match &step.compensate {
            Some(ast::Compensate { undo: ast::Undo::Call(call), .. }) => Some(call),
            _ => None,
        };
        let mut resolved = Step {
            ast: step,
            zone,
            output,
            action_uses: self.uses(&step.action.tokens, &before),
            probe_uses: step
                .probe
                .as_ref()
                .map(|probe| self.uses(&probe.call.tokens, &before))
                .unwrap_or_default(),
            compensation_uses: compensation
                .map(|call| self.uses(&call.tokens, available))
                .unwrap_or_default(),
            must_be_keyed: Vec::new(),
            available: before,
            branches: self.branches.clone(),
        };
        if resolved.leaves_doubt() {
            resolved.must_be_keyed = self.who_answers(&step.action.tokens);
        }
        self.steps.push(resolved);
        id
    }

    fn declare(&mut self, name: &'a Ident, ty: &'a Type, step: Option<StepId>) -> VariableId {
        let id = self.variables.len();
        self.variables.push(Variable { name, ty, step });
        self.named.insert(name.unraw().to_string(), id);
        id
    }

    /// The variables that a call mentions, of those that are `available`. One that is probably meant is in scope as well:
    /// so rustc can suggest it.
    fn uses(&self, tokens: &TokenStream, available: &BTreeSet<VariableId>) -> BTreeSet<VariableId> {
        let bound = bound_names(tokens);
        let mut uses = BTreeSet::new();
        for mention in mentions(tokens) {
            if let Some(variable) = self.named.get(&mention.name) {
                uses.insert(*variable);
            } else if !mention.is_called
                && !bound.contains(&mention.name)
                && !self.is_participant(&mention.name)
            {
                let is_meant = |(name, _): &(&String, &VariableId)| is_near(&mention.name, name);
                uses.extend(self.named.iter().filter(is_meant).map(|(_, variable)| *variable));
            }
        }
        &uses & available
    }

    fn is_participant(&self, name: &str) -> bool {
        self.saga.participants.iter().any(|field| field.name.unraw() == name)
    }

    /// The participants that a call mentions. Without one, what is written before its first `.`: whether that exists
    /// rustc says.
    fn who_answers(&self, tokens: &TokenStream) -> Vec<Ident> {
        let mut participants = Vec::<Ident>::new();
        for mention in mentions(tokens) {
            let is_participant = |field: &ast::Field| field.name.unraw() == mention.name.as_str();
            let Some(field) = self.saga.participants.iter().find(|field| is_participant(field)) else {
                continue;
            };
            if !participants.contains(&field.name) {
                // In a string the participant itself is blamed.
                participants.push(mention.ident.unwrap_or_else(|| field.name.clone()));
            }
        }
        let mut trees = without_groups(tokens).into_iter();
        match (participants.is_empty(), trees.next(), trees.next()) {
            (true, Some(TokenTree::Ident(receiver)), Some(TokenTree::Punct(dot)))
                if dot.as_char() == '.' && !self.named.contains_key(&receiver.unraw().to_string()) =>
            {
                vec![receiver]
            }
            _ => participants,
        }
    }
}

/// The tokens, taken out of the groups in which `macro_rules!` hands them on.
fn without_groups(tokens: &TokenStream) -> TokenStream {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            without_groups(&group.stream())
        }
        _ => tokens.clone(),
    }
}
