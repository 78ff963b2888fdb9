//! The guide of the language: one chapter per form, and why the compiler says what it says.
//!
//! | | |
//! | --- | --- |
//! | To begin with | [introduction], [the saga's head](declaration), [participants] |
//! | Steps and their effects | [`step`], [what an error says](errors), [`compensate`], [`keyed`], [`probe`], [`read`], [`local`], [`pivot`] |
//! | Time | [durations], [`timeout` and `retry`](policies), [`deadline`], [`sleep`] |
//! | With other sagas | [`lock`], [child sagas](child) |
//! | Blocks | [`parallel`], [`if`](branches), [`for` and `parallel for`](items) |
//! | From outside, and to the end | [`receive`], [`else`](otherwise), [`events`], [`return`](output) |
//! | When it runs | [operators], [retention] |
//! | Behind it | [what it generates](generated), [why the compiler says so](why) |
//!
//! The examples share a few participants: `Flights` answers by key, `Hotels` does not. `World` makes them, notes what
//! they are asked, and lets a call fail when told to. `run` begins a saga on a [`MemoryLog`](crate::log::MemoryLog),
//! waits for its end, and tells how it ended and what its log holds: the step and the event of each record. The
//! [introduction] shows the same with nothing hidden.

/// One chapter each; a new one is a file, an entry below, and a link in the table above. The text is read only where
/// documentation is made or tested: any other build finds empty modules.
macro_rules! chapters {
    ($($(#[$summary:meta])* $name:ident, $text:literal;)*) => {$(
        $(#[$summary])*
        ///
        #[cfg_attr(
            all(any(doc, doctest), feature = "macros", feature = "sqlite"),
            doc = include_str!($text)
        )]
        pub mod $name {}
    )*};
}

pub mod why;

chapters! {
    /// A first saga, and how it is run.
    introduction, "introduction.md";
    /// `saga Name(input: Type) -> Output { … }`: the head of a saga.
    declaration, "declaration.md";
    /// `with name: Type;`: what calls are made on.
    participants, "participants.md";
    /// `step x: T = call;`: a local transaction.
    step, "step.md";
    /// What an error says about the effect: refused, transient or unknown.
    errors, "errors.md";
    /// `compensate call`: how an effect is undone.
    compensate, "compensate.md";
    /// `keyed`: the same answer to the same key, with one effect.
    keyed, "keyed.md";
    /// `probe call`: finds out what became of an action in doubt.
    probe, "probe.md";
    /// `read x: T = call;`: a call without an effect.
    read, "read.md";
    /// `local x: T = call;`: an effect in the log's own database, with its record.
    local, "local.md";
    /// `pivot x: T = call;`: the point of no return.
    pivot, "pivot.md";
    /// How durations are written.
    durations, "durations.md";
    /// `timeout` and `retry`: how long an attempt may take, and when it is made again.
    policies, "policies.md";
    /// `deadline 30m;`: until when the saga may go forward.
    deadline, "deadline.md";
    /// `lock key, …;`: keeps other sagas away.
    lock, "lock.md";
    /// `saga x: T = Other(args);`: another saga as a step.
    child, "child.md";
    /// `sleep 24h;`: a durable timer.
    sleep, "sleep.md";
    /// `parallel { … }`: branches that run at the same time.
    parallel, "parallel.md";
    /// `if`, `else if`, `else`, `if let`: one of several sequences.
    branches, "branches.md";
    /// `for` and `parallel for`: a sequence for each item.
    items, "items.md";
    /// `receive x: T within 24h;`: a signal from outside.
    receive, "receive.md";
    /// `else expr`: the value in case of failure.
    otherwise, "otherwise.md";
    /// `events A, B, C`: names of the domain for what happens.
    events, "events.md";
    /// `return expr;`: what the saga returns.
    output, "output.md";
    /// What an operator can do about a saga that cannot go on.
    operators, "operators.md";
    /// How long sagas are kept that have ended.
    retention, "retention.md";
    /// What `saga!` generates.
    generated, "generated.md";
}
