//! The words of the language: what an editor shows over each of them. There is no code in here.
//!
//! The whole language stands in the documentation of [`saga!`](crate::saga).

/// `with name: Type, …;` names the participants: what calls are made on. Each call sees them as `&Type`.
pub mod with {}

/// `step x: T = call clauses;` is a local transaction. The call sees `cx`, the participants, the inputs and all *earlier*
/// outputs, each as a reference.
pub mod step {}

/// `read x: T = call clauses;` is a step without an effect on the world: nothing is undone, and it can always be made again.
pub mod read {}

/// `pivot x: T = call clauses;` is the point of no return: before it every effect has a compensation, after it none has one.
///
/// Without the word, a last step without `compensate` is the pivot; else there is none.
pub mod pivot {}

/// `local x: T = call;` has its effect in the log's own database, in the transaction of its record: exactly once, and never
/// in doubt.
pub mod local {}

/// `saga x: T = OtherSaga(args);` begins another saga, and waits for its output.
pub mod saga {}

/// `lock a, b;` holds semantic locks, taken together before the first step and held until the end.
pub mod lock {}

/// `parallel { … }`: each statement is a branch, `{ … }` a branch of several statements. Branches do not see each other's
/// outputs; what follows sees them all.
///
/// `parallel for line: Line in expr limit 4 { … }` works on so many items at once.
pub mod parallel {}

/// `receive x: T within 24h;` waits for a signal, which somebody sends through the saga's handle.
///
/// One that comes early waits in the log, one that comes too late is rejected with the reason. None in time is a refusal.
pub mod receive {}

/// `sleep 24h;`, `sleep until (expr);` waits, across restarts too. `expr` is a `SystemTime`.
pub mod sleep {}

/// `deadline 30m;`, `deadline at (expr);`: past it the saga compensates, unless it has passed its pivot.
pub mod deadline {}

/// `timeout 5s` limits each attempt; what did not answer in time may have happened. 30 s if nothing is said.
///
/// As a clause it is for one call, as a statement for all that say nothing else.
pub mod timeout {}

/// `retry 5 times every 100ms..10s`, `retry forever every …`, `retry never`: the attempts after the first one, with
/// exponential back-off from the first wait to the longest.
///
/// As a clause it is for one call, as a statement for all that say nothing else.
pub mod retry {}

/// `compensate call` undoes the effect. The call sees what its step saw, and the step's output.
///
/// If it does not mention the output, it works by key (`cx.action_key()`), and needs no certainty whether the action was
/// done. `compensate call { timeout 3s, retry forever }` has policies of its own. `compensate nothing` declares the effect
/// harmless: it is outside of all-or-nothing.
pub mod compensate {}

/// `probe call` finds out about a lost reply. It answers `Option<T>`: `None` means "did not happen and never will".
pub mod probe {}

/// The call answers the same to the same key, with one effect. A participant's type can promise it for all of its calls:
/// [`Keyed`](crate::Keyed).
pub mod keyed {}

/// `events A, B, C`: domain names of what happens: done, refused, compensated.
pub mod events {}

/// `within 24h`: how long it waits for the signal. None in time is a refusal.
pub mod within {}
