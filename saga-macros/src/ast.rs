//! What the user wrote, with its spans. It can hold sagas that are wrong: `check` says what is.

use std::cell::Cell;

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
    /// Names whose declaration is wrong, or twice: a call that mentions one is refused without a word.
    pub(crate) poisoned: Vec<Ident>,
    /// Something here could not be read, and was reported: what seems to be missing is then not reported as well.
    pub(crate) broken: bool,
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

#[expect(clippy::large_enum_variant, reason = "a saga has few statements, and most of them are steps")]
pub(crate) enum Statement {
    Step(Step),
    Parallel(Parallel),
}

/// `parallel { … }`: each statement is a branch, `{ … }` a branch of several.
pub(crate) struct Parallel {
    pub(crate) branches: Vec<Vec<Statement>>,
}

/// `step x: T = call clauses;` and its kin.
pub(crate) struct Step {
    /// Doc comments.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) kind: StepKind,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) action: Call,
    pub(crate) policies: Policies,
    /// The clause word `keyed`.
    pub(crate) keyed: Option<Span>,
    pub(crate) probe: Option<Probe>,
    pub(crate) compensate: Option<Compensate>,
    /// Something here could not be read, and was reported: what seems to be missing is then not reported as well.
    /// Where it is the type that is missing, `ty` is `()` and the name is among [`Saga::poisoned`].
    pub(crate) broken: bool,
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
    refused: Cell<bool>,
}

impl Call {
    pub(crate) fn new(tokens: TokenStream) -> Self {
        Self { tokens, refused: Cell::new(false) }
    }

    /// The call is wrong, and that was reported: it is not emitted to rustc again.
    pub(crate) fn refuse(&self) {
        self.refused.set(true);
    }

    /// Whether `check` or the parser found this call wrong: rustc must not see it, only an editor may.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.get()
    }
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
    Every {
        limit: Option<u32>,
        first: DurationValue,
        cap: DurationValue,
    },
}
