//! What the user wrote, with its spans. It can hold sagas that are wrong: `check` says what is.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Path, Type, Visibility};

/// One `saga Name(inputs) -> Output { … }`.
pub(crate) struct Saga {
    /// Doc comments and attributes, forwarded; `#[saga(…)]` is taken out into `options`.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) options: Options,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) inputs: Vec<Field>,
    /// `None` stands for `()`.
    pub(crate) output: Option<Type>,
    pub(crate) participants: Vec<Field>,
    /// The `timeout …;` and `retry …;` statements.
    pub(crate) defaults: Policies,
    pub(crate) body: Vec<Statement>,
    /// `return expr;` and its expression.
    pub(crate) returns: Option<Call>,
    /// Where the saga's braces end: the place for "something is missing here".
    pub(crate) end: Span,
}

/// `#[saga(crate = path, version = N)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) crate_path: Option<Path>,
    pub(crate) version: Option<u32>,
}

/// `name: Type`, an input or a participant.
pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

pub(crate) enum Statement {
    Step(Step),
    Parallel(Parallel),
}

/// `parallel { … }`: each statement is a branch, `{ … }` a branch of several.
pub(crate) struct Parallel {
    pub(crate) keyword: Span,
    pub(crate) branches: Vec<Vec<Statement>>,
}

/// `step x: T = call clauses;` and its kin.
pub(crate) struct Step {
    /// Doc comments.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) kind: StepKind,
    pub(crate) keyword: Span,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) action: Call,
    pub(crate) policies: Policies,
    /// The clause word `keyed`.
    pub(crate) keyed: Option<Span>,
    pub(crate) probe: Option<Probe>,
    pub(crate) compensate: Option<Compensate>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StepKind {
    Step,
    Read,
    Pivot,
}

pub(crate) struct Probe {
    pub(crate) keyword: Span,
    pub(crate) call: Call,
}

pub(crate) struct Compensate {
    pub(crate) keyword: Span,
    pub(crate) undo: Undo,
    /// `compensate call { timeout 3s, retry … }`.
    pub(crate) policies: Policies,
}

pub(crate) enum Undo {
    Nothing,
    Call(Call),
}

/// The raw tokens of a call: passed on untouched.
pub(crate) struct Call {
    pub(crate) tokens: TokenStream,
    /// Whether `check` (or the parser) found this call wrong: it is then not emitted to rustc again.
    pub(crate) refused: bool,
}

#[derive(Default, Clone)]
pub(crate) struct Policies {
    pub(crate) timeout: Option<DurationValue>,
    pub(crate) retry: Option<Retry>,
}

#[derive(Clone)]
pub(crate) enum DurationValue {
    /// Nanoseconds of a literal such as `1h30m`.
    Literal(u128),
    /// `(expr)`: any expression of type `Duration`.
    Expression(TokenStream),
}

#[derive(Clone)]
pub(crate) enum Retry {
    Never,
    /// `retry N times every A..B` (`limit`: `Some(N)`) or `retry forever every A..B` (`limit`: `None`).
    Every { limit: Option<u32>, first: DurationValue, cap: DurationValue },
}
