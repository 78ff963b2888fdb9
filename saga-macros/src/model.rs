//! The saga resolved: the tree of blocks, each step's zone, and who uses what.
//!
//! `resolve` never fails: what it cannot resolve `check` has reported, and it leaves out.
//!
//! What the coordinator decides or waits for (`if`, `for`, `sleep`) is a step too: an `if` is the step that decides and,
//! behind it, the block of its arms; a `for` the step that makes the list and, behind it, the block of its body.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Deref;

use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::ast;
use crate::expand::names;
use crate::suggest::is_near;
use crate::uses::{bound_names, mentions};

/// Index into [`Model::variables`].
pub(crate) type VariableId = usize;
/// Index into [`Model::steps`]: the order in which the steps are written. The steps of a region are contiguous.
pub(crate) type StepId = usize;

pub(crate) struct Model<'a> {
    pub(crate) ast: &'a ast::Saga,
    pub(crate) variables: Vec<Variable>,
    pub(crate) steps: Vec<Step<'a>>,
    pub(crate) root: Region,
    /// What the `return` expression mentions.
    pub(crate) return_uses: BTreeSet<VariableId>,
    /// What exists at the end: the inputs, and all outputs.
    pub(crate) available: BTreeSet<VariableId>,
}

/// Something that calls can use.
pub(crate) struct Variable {
    pub(crate) name: Ident,
    pub(crate) form: Form,
    pub(crate) origin: Origin,
}

/// What a variable stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Input,
    /// The output of this step, where it stands.
    Output(StepId),
    /// The item of a `for`, in its body.
    Item,
    /// The output of this step, or of several of the same name, behind the `if` or `for` in which they stand.
    Gathered(StepId),
}

/// How a variable is kept.
#[derive(Clone)]
pub(crate) enum Form {
    One(Box<Type>),
    /// It was made in an arm of an `if`.
    Optional(Box<Form>),
    /// It was made for each item of a `for`.
    Many(Box<Form>),
}

/// A sequence of nodes: the saga's body, a branch, an arm, or the body of a `for`.
#[derive(Default)]
pub(crate) struct Region {
    pub(crate) nodes: Vec<Node>,
}

pub(crate) enum Node {
    Step(StepId),
    Block(Block),
}

/// What consists of sequences of its own.
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    /// Branches, arms (the last one is `else`), or the body of a `for`.
    pub(crate) branches: Vec<Region>,
    /// What is seen behind it of what is made in it.
    pub(crate) exports: Vec<Export>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Parallel,
    If {
        decision: StepId,
    },
    For {
        list: StepId,
        item: VariableId,
        limit: u32,
        /// How many other `for`s there are around it.
        depth: usize,
    },
}

/// A variable behind a block, and which variable of each branch it is made from.
pub(crate) struct Export {
    pub(crate) outer: VariableId,
    pub(crate) inner: Vec<Option<VariableId>>,
}

pub(crate) struct Step<'a> {
    pub(crate) ast: Source<'a>,
    /// Names its types and variants: `Flight`.
    pub(crate) label: String,
    /// Names it in the log: `flight`.
    pub(crate) shown: String,
    pub(crate) zone: Zone,
    /// The variable that holds its output; `None` where nobody can see it.
    pub(crate) output: Option<VariableId>,
    /// What the action mentions.
    pub(crate) action_uses: BTreeSet<VariableId>,
    /// What the probe mentions; empty without one.
    pub(crate) probe_uses: BTreeSet<VariableId>,
    /// What the compensation mentions, its own output included; empty without one.
    pub(crate) compensation_uses: BTreeSet<VariableId>,
    /// What the value behind `else` mentions; empty without one.
    pub(crate) otherwise_uses: BTreeSet<VariableId>,
    /// Who has to be `Keyed`, as nothing else settles a doubt about this step: the participants that the action
    /// mentions, or whatever else it is called on. Empty where that is not needed.
    pub(crate) must_be_keyed: Vec<Ident>,
    /// What exists when the step starts: the inputs, and the outputs of the steps before it on its own path.
    pub(crate) available: BTreeSet<VariableId>,
    /// The blocks that it stands in, outermost first, and its branch in each.
    pub(crate) branches: Vec<Branch>,
    /// The conditions around it that bind names, outermost first.
    pub(crate) guards: Vec<Guard>,
    /// The conditions of the arms that an `if` decides between, but that of `else`.
    pub(crate) conditions: Vec<TokenStream>,
}

/// A step as written, or as made for what is a step without being called one.
pub(crate) enum Source<'a> {
    Written(&'a ast::Step),
    Made(Box<ast::Step>),
}

/// One branch of one block; `block` numbers those of a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Branch {
    pub(crate) block: usize,
    pub(crate) index: usize,
    pub(crate) kind: BranchKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BranchKind {
    Parallel,
    If,
    For,
}

/// A condition with `let`: what it binds can be used in its arm.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) condition: TokenStream,
    pub(crate) binds: HashSet<String>,
}

impl Deref for Source<'_> {
    type Target = ast::Step;

    fn deref(&self) -> &ast::Step {
        match self {
            Self::Written(step) => step,
            Self::Made(step) => step,
        }
    }
}

impl Form {
    /// The type that calls see.
    pub(crate) fn ty(&self) -> Type {
        match self {
            Self::One(ty) => Type::clone(ty),
            Self::Optional(form) => {
                let ty = form.ty();
                Type::Verbatim(quote!(::core::option::Option<#ty>))
            }
            Self::Many(form) => {
                let ty = form.ty();
                Type::Verbatim(quote!(::std::vec::Vec<#ty>))
            }
        }
    }
}

impl Variable {
    /// The step whose output it is.
    pub(crate) fn step(&self) -> Option<StepId> {
        match self.origin {
            Origin::Output(step) | Origin::Gathered(step) => Some(step),
            Origin::Input | Origin::Item => None,
        }
    }
}

impl Step<'_> {
    /// How many `for`s there are around it.
    pub(crate) fn depth(&self) -> usize {
        self.branches.iter().filter(|branch| branch.kind == BranchKind::For).count()
    }

    /// Whether it is undone by a call of its own, or by turning the child saga that it began.
    pub(crate) fn is_undone(&self) -> bool {
        let by_call = matches!(&self.ast.compensate, Some(ast::Compensate { undo: ast::Undo::Call(_), .. }));
        let is_compensated = by_call && matches!(self.ast.kind, ast::StepKind::Step | ast::StepKind::Local);
        self.zone == Zone::Compensatable && (is_compensated || self.ast.kind == ast::StepKind::Saga)
    }

    /// Whether its compensation mentions its output.
    pub(crate) fn is_compensated_by_output(&self) -> bool {
        self.output.is_some_and(|output| self.compensation_uses.contains(&output))
    }

    /// Whether nothing in the saga settles a doubt about this step: its action is not declared to be keyed, cannot be
    /// probed, and is not compensated by its key, done or not. Then its participants have to be `Keyed`.
    ///
    /// `false` also where something is wrong with the step that has to be mended first.
    pub(crate) fn leaves_doubt(&self) -> bool {
        let is_compensated_by_key = self.ast.compensate.is_some() && !self.is_compensated_by_output();
        let settles = match self.zone {
            // Without a compensation it is refused anyway.
            Zone::Compensatable => is_compensated_by_key || self.ast.compensate.is_none(),
            Zone::Pivot { .. } | Zone::Retriable => false,
        };
        let is_remote = matches!(self.ast.kind, ast::StepKind::Step | ast::StepKind::Pivot);
        is_remote && !settles && self.ast.keyed.is_none() && self.ast.probe.is_none() && !self.ast.broken
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
        guards: Vec::new(),
        blocks: 0,
    };
    let mut available = BTreeSet::new();
    for input in &saga.inputs {
        available.insert(resolver.declare(&input.name, Form::One(Box::new(input.ty.clone())), Origin::Input));
    }
    let pivot = pivot(saga);
    let mut root = Region::default();
    if let Some(lock) = &saga.lock {
        let id = resolver.step(Source::Made(Box::new(lock_step(lock))), Zone::Compensatable, &mut available);
        root.nodes.push(Node::Step(id));
    }
    for (position, statement) in saga.body.iter().enumerate() {
        let zone = zone(position, statement, pivot);
        resolver.statement(statement, zone, &mut available, &mut root);
    }
    let return_uses =
        saga.returns.as_ref().map(|call| resolver.uses(&call.tokens, &available)).unwrap_or_default();
    Model { ast: saga, variables: resolver.variables, steps: resolver.steps, root, return_uses, available }
}

/// The position of the pivot in the body, and whether it is written.
fn pivot(saga: &ast::Saga) -> Option<(usize, bool)> {
    let is_pivot = |statement: &ast::Statement| matches!(statement, ast::Statement::Step(step) if step.kind == ast::StepKind::Pivot);
    if let Some(position) = saga.body.iter().position(is_pivot) {
        return Some((position, true));
    }
    match saga.body.last()? {
        ast::Statement::Step(step)
            if matches!(step.kind, ast::StepKind::Step | ast::StepKind::Local)
                && step.compensate.is_none() =>
        {
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
    variables: Vec<Variable>,
    steps: Vec<Step<'a>>,
    /// All variables of a name, in their order.
    named: HashMap<String, Vec<VariableId>>,
    /// Where the statements being resolved stand.
    branches: Vec<Branch>,
    guards: Vec<Guard>,
    blocks: usize,
}

impl<'a> Resolver<'a> {
    /// Resolves a statement that sees what is `available`, and adds its outputs to that.
    fn statement(
        &mut self,
        statement: &'a ast::Statement,
        zone: Zone,
        available: &mut BTreeSet<VariableId>,
        region: &mut Region,
    ) {
        match statement {
            ast::Statement::Step(step) => {
                let id = self.step(Source::Written(step), zone, available);
                region.nodes.push(Node::Step(id));
            }
            ast::Statement::Parallel(parallel) => {
                let block = self.parallel(parallel, zone, available);
                region.nodes.push(Node::Block(block));
            }
            ast::Statement::If(branching) => self.branching(branching, zone, available, region),
            ast::Statement::For(each) => self.each(each, zone, available, region),
            ast::Statement::Sleep(sleep) => {
                let id = self.step(Source::Made(Box::new(sleep_step(sleep))), zone, available);
                region.nodes.push(Node::Step(id));
            }
        }
    }

    fn region(
        &mut self,
        statements: &'a [ast::Statement],
        zone: Zone,
        branch: Branch,
        available: &mut BTreeSet<VariableId>,
    ) -> Region {
        self.branches.push(branch);
        let mut region = Region::default();
        for statement in statements {
            self.statement(statement, zone, available, &mut region);
        }
        self.branches.pop();
        region
    }

    fn next_block(&mut self) -> usize {
        self.blocks += 1;
        self.blocks
    }

    fn parallel(
        &mut self,
        parallel: &'a ast::Parallel,
        zone: Zone,
        available: &mut BTreeSet<VariableId>,
    ) -> Block {
        let block = self.next_block();
        let before = available.clone();
        let mut branches = Vec::new();
        for (index, statements) in parallel.branches.iter().enumerate() {
            let branch = Branch { block, index, kind: BranchKind::Parallel };
            let mut in_branch = before.clone();
            branches.push(self.region(statements, zone, branch, &mut in_branch));
            available.append(&mut in_branch);
        }
        Block { kind: BlockKind::Parallel, branches, exports: Vec::new() }
    }

    fn branching(
        &mut self,
        branching: &'a ast::If,
        zone: Zone,
        available: &mut BTreeSet<VariableId>,
        region: &mut Region,
    ) {
        let decision = self.step(Source::Made(Box::new(decision_step(branching))), zone, available);
        let conditions = branching.arms.iter().map(|arm| arm.condition.tokens.clone());
        self.steps[decision].conditions = conditions.collect();
        let block = self.next_block();
        let before = available.clone();
        let (mut branches, mut made) = (Vec::new(), Vec::new());
        let bodies = branching.arms.iter().map(|arm| (Some(&arm.condition), &arm.body[..]));
        let otherwise = branching.otherwise.as_deref().unwrap_or_default();
        for (index, (condition, body)) in bodies.chain([(None, otherwise)]).enumerate() {
            let guard = condition.and_then(|condition| guard(&condition.tokens));
            let guards = self.guards.len();
            self.guards.extend(guard);
            let mut in_arm = before.clone();
            let branch = Branch { block, index, kind: BranchKind::If };
            branches.push(self.region(body, zone, branch, &mut in_arm));
            self.guards.truncate(guards);
            made.push(&in_arm - &before);
        }
        let exports = self.gather(&made, available);
        region.nodes.push(Node::Step(decision));
        region.nodes.push(Node::Block(Block { kind: BlockKind::If { decision }, branches, exports }));
    }

    fn each(
        &mut self,
        each: &'a ast::For,
        zone: Zone,
        available: &mut BTreeSet<VariableId>,
        region: &mut Region,
    ) {
        let list = self.step(Source::Made(Box::new(list_step(self.saga, each))), zone, available);
        let depth = self.branches.iter().filter(|branch| branch.kind == BranchKind::For).count();
        let item = self.declare(&each.item.name, Form::One(Box::new(each.item.ty.clone())), Origin::Item);
        let mut before = available.clone();
        before.insert(item);
        let mut in_body = before.clone();
        let branch = Branch { block: self.next_block(), index: 0, kind: BranchKind::For };
        let body = self.region(&each.body, zone, branch, &mut in_body);
        let exports = (&in_body - &before).into_iter().map(|inner| {
            let Variable { name, form, origin } = &self.variables[inner];
            let step = match origin {
                Origin::Output(step) | Origin::Gathered(step) => *step,
                Origin::Input | Origin::Item => list,
            };
            (name.clone(), Form::Many(Box::new(form.clone())), Origin::Gathered(step), inner)
        });
        let exports = exports.collect::<Vec<_>>();
        let exports = exports.into_iter().map(|(name, form, origin, inner)| {
            let outer = self.declare(&name, form, origin);
            available.insert(outer);
            Export { outer, inner: vec![Some(inner)] }
        });
        let exports = exports.collect();
        let kind = BlockKind::For { list, item, limit: each.limit.unwrap_or(1), depth };
        region.nodes.push(Node::Step(list));
        region.nodes.push(Node::Block(Block { kind, branches: vec![body], exports }));
    }

    /// What the arms of an `if` made, as it is seen behind it: what all of them made is there, anything else perhaps.
    fn gather(&mut self, made: &[BTreeSet<VariableId>], available: &mut BTreeSet<VariableId>) -> Vec<Export> {
        let mut exports = Vec::<(String, Vec<Option<VariableId>>)>::new();
        for (arm, variables) in made.iter().enumerate() {
            for variable in variables {
                let name = self.variables[*variable].name.unraw().to_string();
                let at = exports.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                    exports.push((name, vec![None; made.len()]));
                    exports.len() - 1
                });
                exports[at].1[arm] = Some(*variable);
            }
        }
        let declared = exports.into_iter().filter_map(|(_, inner)| {
            let first = inner.iter().flatten().copied().next()?;
            let Variable { name, form, origin } = &self.variables[first];
            let (Origin::Output(step) | Origin::Gathered(step)) = *origin else { return None };
            let form = if inner.iter().all(Option::is_some) {
                form.clone()
            } else {
                Form::Optional(Box::new(form.clone()))
            };
            let outer = self.declare(&name.clone(), form, Origin::Gathered(step));
            available.insert(outer);
            Some(Export { outer, inner })
        });
        declared.collect()
    }

    fn step(&mut self, step: Source<'a>, zone: Zone, available: &mut BTreeSet<VariableId>) -> StepId {
        let id = self.steps.len();
        let (label, shown) = self.names(&step);
        let before = available.clone();
        let output = (!step.kind.is_made())
            .then(|| self.declare(&step.name, Form::One(Box::new(step.ty.clone())), Origin::Output(id)));
        available.extend(output);
        let compensation = match &step.compensate {
            Some(ast::Compensate { undo: ast::Undo::Call(call), .. }) => Some(call),
            _ => None,
        };
        let uses = |call: Option<&ast::Call>, available| {
            call.map(|call| self.uses_of_call(&call.tokens, available)).unwrap_or_default()
        };
        let mut action_uses = uses(Some(&step.action), &before);
        if let Some(ast::DurationValue::Expression(tokens)) = &step.within {
            action_uses.extend(self.uses_of_call(tokens, &before));
        }
        let mut resolved = Step {
            label,
            shown,
            zone,
            output,
            action_uses,
            probe_uses: uses(step.probe.as_ref().map(|probe| &probe.call), &before),
            compensation_uses: uses(compensation, available),
            otherwise_uses: uses(step.otherwise.as_ref().map(|otherwise| &otherwise.call), &before),
            must_be_keyed: Vec::new(),
            available: before,
            branches: self.branches.clone(),
            guards: self.guards.clone(),
            conditions: Vec::new(),
            ast: step,
        };
        if resolved.leaves_doubt() {
            resolved.must_be_keyed = self.who_answers(&resolved.ast.action.tokens);
        }
        self.steps.push(resolved);
        id
    }

    /// The label of a step and its name in the log. Steps of exclusive arms may have one name: then they are numbered.
    fn names(&self, step: &ast::Step) -> (String, String) {
        let label =
            names::free(&names::camel(&step.name), |label| self.steps.iter().any(|step| step.label == label));
        let shown = if step.kind.is_made() {
            step.name.to_string().replacen('_', " ", 1)
        } else {
            step.name.unraw().to_string()
        };
        let is_taken = |shown: &str| self.steps.iter().any(|step| step.shown == shown);
        let numbered = (2_usize..).map(|number| format!("{shown} {number}"));
        let mut all = std::iter::once(shown.clone()).chain(numbered);
        let shown = all.find(|shown| !is_taken(shown)).unwrap_or(shown);
        (label, shown)
    }

    fn declare(&mut self, name: &Ident, form: Form, origin: Origin) -> VariableId {
        let id = self.variables.len();
        self.variables.push(Variable { name: name.clone(), form, origin });
        self.named.entry(name.unraw().to_string()).or_default().push(id);
        id
    }

    /// The variables that a call of a step uses: those that it mentions and, where it mentions what a condition around it
    /// binds, those of that condition.
    fn uses_of_call(&self, tokens: &TokenStream, available: &BTreeSet<VariableId>) -> BTreeSet<VariableId> {
        let mut uses = self.uses(tokens, available);
        for guard in guards_of(&self.guards, tokens) {
            uses.extend(self.uses(&guard.condition, available));
        }
        uses
    }

    /// The variables that some tokens mention, of those that are `available`. One that is probably meant is in scope as
    /// well: so rustc can suggest it.
    fn uses(&self, tokens: &TokenStream, available: &BTreeSet<VariableId>) -> BTreeSet<VariableId> {
        let bound = bound_names(tokens);
        let mut uses = BTreeSet::new();
        for mention in mentions(tokens) {
            if let Some(variables) = self.named.get(&mention.name) {
                uses.extend(variables);
            } else if !mention.is_called
                && !bound.contains(&mention.name)
                && !self.guards.iter().any(|guard| guard.binds.contains(&mention.name))
                && !self.is_participant(&mention.name)
            {
                let is_meant = |(name, _): &(&String, &Vec<_>)| is_near(&mention.name, name);
                uses.extend(self.named.iter().filter(is_meant).flat_map(|(_, variables)| variables));
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

/// The conditions that bind a name which these tokens mention.
pub(crate) fn guards_of<'g>(guards: &'g [Guard], tokens: &TokenStream) -> impl Iterator<Item = &'g Guard> {
    let mentioned = mentions(tokens).into_iter().map(|mention| mention.name).collect::<HashSet<_>>();
    // What a later condition mentions may be bound by an earlier one.
    let mut needed = mentioned;
    let mut used = Vec::new();
    for guard in guards.iter().rev() {
        if guard.binds.iter().any(|name| needed.contains(name)) {
            needed.extend(mentions(&guard.condition).into_iter().map(|mention| mention.name));
            used.push(guard);
        }
    }
    used.into_iter().rev()
}

/// A condition that binds names.
fn guard(condition: &TokenStream) -> Option<Guard> {
    let binds = bound_names(condition);
    (!binds.is_empty()).then(|| Guard { condition: condition.clone(), binds })
}

/// The step that decides which arm of an `if` is taken: its output is the number of the arm.
fn decision_step(branching: &ast::If) -> ast::Step {
    let first = branching.arms.iter().map(|arm| &arm.body[..]);
    let first = first.chain(branching.otherwise.as_deref()).find_map(first_name);
    let name = first.map_or_else(|| "if".to_owned(), |name| format!("if_{}", name.unraw()));
    let mut decision = TokenStream::new();
    for (number, arm) in (0..).zip(&branching.arms) {
        let (condition, number) = (&arm.condition.tokens, Literal::u32_unsuffixed(number));
        decision.extend(quote!(if #condition { #number } else));
    }
    let last = Literal::usize_unsuffixed(branching.arms.len());
    decision.extend(quote!({ #last }));
    let refused = branching.arms.iter().any(|arm| arm.condition.is_refused());
    made_step(ast::StepKind::If, &name, branching.keyword, &branching.attrs, quote!(u32), decision, refused)
}

/// The step that makes the items of a `for`.
fn list_step(saga: &ast::Saga, each: &ast::For) -> ast::Step {
    let name = format!("for_{}", each.item.name.unraw());
    let ty = &each.item.ty;
    let list = quote_spanned!(ty.span()=> ::std::vec::Vec<#ty>);
    // Without a type of the item nothing can be said of the list.
    let refused = each.items.is_refused() || saga.poisoned.contains(&each.item.name);
    let items = each.items.tokens.clone();
    made_step(ast::StepKind::For, &name, each.keyword, &each.attrs, list, items, refused)
}

/// The step that takes the locks: its output is their keys.
fn lock_step(lock: &ast::Lock) -> ast::Step {
    let keys = lock.keys.iter().map(|key| &key.tokens);
    let refused = lock.keys.iter().any(ast::Call::is_refused);
    let (keys, ty) = (quote!(#(#keys),*), quote!(::std::vec::Vec<::std::string::String>));
    made_step(ast::StepKind::Lock, "lock", lock.keyword, &[], ty, keys, refused)
}

/// The step that waits: for so long, or until the time that is its action.
fn sleep_step(sleep: &ast::Sleep) -> ast::Step {
    let unit = quote_spanned!(sleep.keyword=> ());
    let (within, time, refused) = match &sleep.time {
        ast::Time::After(duration) => (Some(duration.clone()), TokenStream::new(), false),
        ast::Time::At(call) => (None, call.tokens.clone(), call.is_refused()),
    };
    let made = made_step(ast::StepKind::Sleep, "sleep", sleep.keyword, &sleep.attrs, unit, time, refused);
    ast::Step { within, ..made }
}

fn made_step(
    kind: ast::StepKind,
    name: &str,
    keyword: Span,
    attrs: &[syn::Attribute],
    ty: TokenStream,
    action: TokenStream,
    refused: bool,
) -> ast::Step {
    let action = ast::Call::new(action);
    if refused {
        action.refuse();
    }
    ast::Step {
        attrs: attrs.to_vec(),
        kind,
        name: Ident::new(name, keyword.resolved_at(Span::call_site())),
        ty: Type::Verbatim(ty),
        action,
        within: None,
        policies: ast::Policies::default(),
        keyed: None,
        probe: None,
        compensate: None,
        otherwise: None,
        events: None,
        broken: false,
    }
}

/// The name of the first step in some statements.
fn first_name(statements: &[ast::Statement]) -> Option<&Ident> {
    statements.iter().find_map(|statement| match statement {
        ast::Statement::Step(step) => Some(&step.name),
        ast::Statement::Parallel(parallel) => parallel.branches.iter().find_map(|branch| first_name(branch)),
        ast::Statement::If(branching) => {
            let arms = branching.arms.iter().map(|arm| &arm.body[..]);
            arms.chain(branching.otherwise.as_deref()).find_map(first_name)
        }
        ast::Statement::For(each) => first_name(&each.body),
        ast::Statement::Sleep(_) => None,
    })
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
