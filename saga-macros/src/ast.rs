//! What the user wrote, with its spans. It can hold sagas that are wrong: `check` says what is.

use std::cell::Cell;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Generics, Path, Type, Visibility};

use crate::report::At;

/// One `saga Name(inputs) -> Output { … }`.
pub(crate) struct Saga {
    /// Doc comments and attributes, forwarded; `#[saga(…)]` is taken out into `options`.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) options: Options,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    /// `<P: Desk>` and `where …`.
    pub(crate) generics: Generics,
    pub(crate) inputs: Vec<Field>,
    /// `None` stands for `()`.
    pub(crate) output: Option<Type>,
    pub(crate) participants: Vec<Field>,
    /// The `timeout …;` and `retry …;` statements.
    pub(crate) defaults: Policies,
    /// `deadline 30m;`
    pub(crate) deadline: Option<Deadline>,
    /// `lock a, b;`
    pub(crate) lock: Option<Lock>,
    pub(crate) body: Vec<Statement>,
    /// `return expr;` and its expression.
    pub(crate) returns: Option<Call>,
    /// Where the saga's braces end, or its `return` that says nothing: the place for "something is missing here".
    pub(crate) end: At,
    /// Names whose declaration is wrong, or twice: a call that mentions one is refused without a word.
    pub(crate) poisoned: Vec<Ident>,
    /// The words of the language that begin its statements and clauses.
    pub(crate) words: Vec<Ident>,
    /// Something here could not be read, and was reported: what seems to be missing is then not reported as well.
    pub(crate) broken: bool,
    /// A `pivot` could not be read, and was reported: what stands before it and what behind it is then not known.
    pub(crate) lost_pivot: bool,
}

/// `#[saga(crate = path, version = N, tx = Type)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) crate_path: Option<Path>,
    pub(crate) version: Option<u32>,
    /// The type of the transactions in which `local` calls are made.
    pub(crate) tx: Option<Type>,
}

/// `name: Type`, an input or a participant.
pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// `deadline 30m;` or `deadline at (expr);`
pub(crate) struct Deadline {
    pub(crate) time: Time,
}

/// A time, seen from when it is asked for.
pub(crate) enum Time {
    /// So long from now: `24h`.
    After(DurationValue),
    /// At this time: an expression of type `SystemTime`, as in `sleep until (expr)`.
    At(Call),
}

/// `lock a, b;`: the keys, each an expression.
pub(crate) struct Lock {
    pub(crate) keyword: Span,
    pub(crate) keys: Vec<Call>,
}

#[expect(clippy::large_enum_variant, reason = "a saga has few statements, and most of them are steps")]
pub(crate) enum Statement {
    Step(Step),
    Parallel(Parallel),
    If(If),
    For(For),
    Sleep(Sleep),
}

/// `parallel { … }`: each statement is a branch, `{ … }` a branch of several.
pub(crate) struct Parallel {
    pub(crate) branches: Vec<Vec<Statement>>,
}

/// `if … { … } else if … { … } else { … }`
pub(crate) struct If {
    /// Doc comments.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) keyword: Span,
    /// At least one.
    pub(crate) arms: Vec<Arm>,
    /// `else { … }`
    pub(crate) otherwise: Option<Vec<Statement>>,
}

/// `if condition { body }`
pub(crate) struct Arm {
    /// All between `if` and `{`, `let` included.
    pub(crate) condition: Call,
    pub(crate) body: Vec<Statement>,
}

/// The name of an item that has none, or one that cannot be: nobody can mention it.
pub(crate) const UNNAMED_ITEM: &str = "__saga_item";

/// `for item: Type in items { … }`, `parallel for item: Type in items limit N { … }`
pub(crate) struct For {
    /// Doc comments.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) keyword: Span,
    /// Where its type is missing, that is `()`, and the item is among [`Saga::poisoned`].
    pub(crate) item: Field,
    /// Any expression that can be iterated and yields owned items.
    pub(crate) items: Call,
    /// How many items are worked on at once; `None` for a plain `for`.
    pub(crate) limit: Option<u32>,
    pub(crate) body: Vec<Statement>,
}

/// `sleep 24h;` or `sleep until (expr);`
pub(crate) struct Sleep {
    /// Doc comments.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) keyword: Span,
    pub(crate) time: Time,
}

/// `step x: T = call clauses;` and its kin.
pub(crate) struct Step {
    /// Doc comments.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) kind: StepKind,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// What stands behind `=`. A `receive` has none: it is empty.
    pub(crate) action: Call,
    /// `within 24h` of a `receive`, and how long a `sleep` takes. `None` for any other step, and where it is missing,
    /// which was reported.
    pub(crate) within: Option<DurationValue>,
    pub(crate) policies: Policies,
    /// The clause word `keyed`.
    pub(crate) keyed: Option<Span>,
    pub(crate) probe: Option<Probe>,
    pub(crate) compensate: Option<Compensate>,
    /// `else expr`
    pub(crate) otherwise: Option<Otherwise>,
    /// `events A, B, C`
    pub(crate) events: Option<Events>,
    /// Something here could not be read, and was reported: what seems to be missing is then not reported as well.
    /// Where it is the type that is missing, `ty` is `()` and the name is among [`Saga::poisoned`].
    pub(crate) broken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StepKind {
    Step,
    Read,
    Pivot,
    /// `local x: T = call;`
    Local,
    /// `receive x: T within 24h;`
    Receive,
    /// `saga x: T = OtherSaga(args);`: `action` is what stands behind `=`.
    Saga,
    /// The decision of an `if`: `action` is the number of the arm. Made by the model, never written.
    If,
    /// The list of a `for`: `action` makes the items. Made by the model.
    For,
    /// A `sleep`: it takes as long as `within` says, or until `action`. Made by the model.
    Sleep,
    /// The `lock`: `action` is its keys. Made by the model.
    Lock,
}

impl StepKind {
    const ALL: [Self; 6] = [Self::Step, Self::Read, Self::Pivot, Self::Local, Self::Receive, Self::Saga];

    /// Whether it is made by the model of a statement that is no step.
    pub(crate) fn is_made(self) -> bool {
        matches!(self, Self::If | Self::For | Self::Sleep | Self::Lock)
    }

    /// The word that begins its statement.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Read => "read",
            Self::Pivot => "pivot",
            Self::Local => "local",
            Self::Receive => "receive",
            Self::Saga => "saga",
            Self::If => "if",
            Self::For => "for",
            Self::Sleep => "sleep",
            Self::Lock => "lock",
        }
    }

    /// The kind whose statement begins with this word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

pub(crate) struct Probe {
    pub(crate) keyword: Span,
    pub(crate) call: Call,
}

pub(crate) struct Otherwise {
    pub(crate) keyword: Span,
    pub(crate) call: Call,
}

/// `events FlightReserved, FlightReservationFailed, FlightCancelled`: at least one name, at most three.
pub(crate) struct Events {
    pub(crate) done: Ident,
    pub(crate) refused: Option<Ident>,
    pub(crate) compensated: Option<Ident>,
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

    /// No call where one has to be, which was reported.
    pub(crate) fn missing() -> Self {
        Self { tokens: TokenStream::new(), refused: Cell::new(true) }
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

impl DurationValue {
    /// Whether it is a literal that takes no time.
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Self::Literal(0))
    }
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
