//! The saga resolved: the tree of blocks, each step's zone, and who uses what.
//!
//! `resolve` never fails: what it cannot resolve `check` has reported, and it leaves out.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use syn::Type;

use crate::ast;

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
