//! What a declared saga is to the runtime.

use std::convert::Infallible;
use std::sync::Arc;

use crate::__private::CallFuture;
use crate::context::Context;
use crate::data::{DataError, SagaData};
use crate::definition::Definition;
use crate::machine::{CallKind, Event, Fact, Forward, Place, Policy, State, Time};

/// A declared saga: a typed state machine and the calls that it makes. Implemented by `saga!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no saga",
    label = "it is not declared by `saga!`",
    note = "a child saga is declared by `saga!` as its parent is; what is no saga is called by a `step` or a `read`"
)]
pub trait Saga: Sized + Send + Sync + 'static {
    /// What it is begun with: the input, or a tuple of the inputs in their order.
    type Input: Send + 'static;
    /// The function from the inputs, one by one, to [`Input`](Self::Input).
    type Inputs;
    /// What it returns.
    type Output: SagaData;
    /// Its events: what the log holds.
    type Event: Event;
    /// Its positions on the way forward.
    type Forward: Forward<Event = Self::Event>;
    /// What its calls are made on.
    type Participants: Send + Sync + 'static;
    /// The signals that it receives.
    type Signal: Signal;

    /// Itself. What is asked through this is not asked of what is no saga: that is one mistake.
    #[doc(hidden)]
    type Itself;

    /// With this its inputs are given one by one, as the arguments of a call.
    const INPUTS: Self::Inputs;

    /// The declaration as data.
    const DEFINITION: &'static Definition;

    /// The state with which it begins: the first attempts are open.
    fn begin(input: Self::Input) -> State<Self::Forward>;

    /// The input as a JSON object, by name.
    fn encode_input(input: &Self::Input) -> Result<String, DataError>;

    /// Reads what [`encode_input`](Self::encode_input) wrote.
    fn decode_input(json: &str) -> Result<Self::Input, DataError>;

    /// The sagas that it begins as its children.
    fn children() -> Vec<&'static Definition> {
        Vec::new()
    }

    /// The policy of a call of the step with index `step`.
    fn policy(step: usize, kind: CallKind) -> Policy;

    /// When its deadline is, if it has one. `Time::After` counts from its begin.
    fn deadline(input: &Self::Input) -> Option<Time> {
        let _ = input;
        None
    }

    /// One attempt of a call that `state` has; `None` if it has no such call. Nothing runs before the first poll. An
    /// evaluation is ready at once.
    fn call(
        state: &State<Self::Forward>,
        place: &Place,
        kind: CallKind,
        participants: &Arc<Self::Participants>,
        cx: Context,
    ) -> Option<CallFuture<Self::Event>>;

    /// The event with which it returns, from the state that is to return; `None` for any other state.
    fn complete(state: State<Self::Forward>) -> Option<Result<Self::Event, DataError>>;
}

/// A saga that can compensate until its very end: it has no pivot, and every effect of it has a compensation.
/// Implemented by `saga!` where that is so.
///
/// Only such a saga can be a child before its parent's pivot: if the parent turns, the child is compensated as any other
/// step is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compensated once it is done: it has a pivot",
    label = "a child saga before the pivot has to be compensatable throughout",
    note = "move this step behind the pivot, or give every step of `{Self}` a compensation: without a pivot it can turn until its parent ends"
)]
pub trait Compensatable {}

/// A saga that can run on logs of type `L`: any saga on any log, but one with a `local` step only where the log's own
/// transactions are of the type that its calls take. Implemented by `saga!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run on `{L}`",
    label = "its `local` steps need a log whose transactions they can take part in",
    note = "`SqliteLog` has such transactions; `#[saga(tx = Type)]` says which type the `local` calls take"
)]
pub trait RunsOn<L: ?Sized> {}

/// A signal of some saga: what the macro generates as `PlaceOrderSignal`, one variant per `receive`.
pub trait Signal: Send + 'static {
    /// The fact that it was sent.
    fn to_fact(&self) -> Result<Fact, DataError>;
}

/// A saga that receives nothing.
impl Signal for Infallible {
    fn to_fact(&self) -> Result<Fact, DataError> {
        match *self {}
    }
}

/// The state of a saga of type `S`.
pub type StateOf<S> = State<<S as Saga>::Forward>;

/// Marks a participant that answers the same to the same idempotency key, with one effect, refusals included.
///
/// The compiler asks for it where nothing else could settle a doubt: an action whose reply was lost is then asked
/// again with the same key. It is a promise about the service, not about Rust code.
#[diagnostic::on_unimplemented(
    message = "nobody could settle a doubt about this step: `{Self}` does not promise to answer by key",
    label = "if the reply of this participant is lost, nobody can say whether the effect took place",
    note = "if it answers the same to the same idempotency key with one effect, say so: `impl saga_runtime::Keyed for {Self} {{}}`",
    note = "or add to the step: `probe <call>`, or a `compensate <call>` that works by key and does not mention the step's output"
)]
pub trait Keyed {}

#[diagnostic::do_not_recommend]
impl<T: Keyed + ?Sized> Keyed for &T {}
#[diagnostic::do_not_recommend]
impl<T: Keyed + ?Sized> Keyed for Box<T> {}
#[diagnostic::do_not_recommend]
impl<T: Keyed + ?Sized> Keyed for Arc<T> {}
