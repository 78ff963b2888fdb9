//! What generated code calls. Not for use by hand: no promise of stability.
//!
//! What is the same for every saga is written here once, so that what `saga!` writes stays short.

mod each;
pub mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

pub use std::boxed::Box;
pub use std::clone::Clone;
pub use std::convert::Infallible;
pub use std::option::Option::{self, None, Some};
pub use std::result::Result::{self, Err, Ok};
pub use std::string::String;
pub use std::sync::Arc;
pub use std::time::Duration;
pub use std::vec::Vec;

pub use self::each::{Body, Each, EachBackward, NothingToUndo};
pub use crate::context::Context;
pub use crate::data::DataError;
use crate::data::{self, SagaData};
pub use crate::definition::{
    Block, Compensation, Definition, EventNames, Field, StepDefinition, StepKind, Zone,
};
use crate::error::{Failure, FailureKind, StepError};
use crate::machine::{Action, Attempts, Next, Phase, Settlement};
pub use crate::machine::{
    AttemptFact, Backward, Call, CallKind, Cause, Control, Event, EventError, Fact, FactKind, Forward, Items,
    Place, Policy, Refusal, Rejected, Retry, Role, Settled, State, Time,
};
use crate::saga::Keyed;
pub use crate::saga::{Saga, Signal, StateOf};

// The calls.

/// One attempt.
pub type CallFuture<E> = Pin<Box<dyn Future<Output = Settled<E>> + Send>>;

/// An attempt that is to be made.
#[derive(Debug)]
pub struct Request<P> {
    /// Which of the step's calls.
    pub kind: CallKind,
    /// The items that it is for.
    pub items: Items,
    /// Whether the action failed, and the value behind `else` is asked for.
    pub has_failed: bool,
    /// What it is made on.
    pub participants: Arc<P>,
    /// What it is told.
    pub cx: Context,
}

impl<P> Request<P> {
    /// The attempt of a call of this kind that `state` has.
    pub fn new<F: Forward>(
        state: &State<F>,
        place: &Place,
        kind: CallKind,
        participants: &Arc<P>,
        cx: Context,
    ) -> Self {
        let has_failed = kind == CallKind::Evaluation
            && match state.next() {
                Next::Calls(calls) => {
                    calls.iter().any(|call| call.place == *place && call.attempts.phase() == Phase::Failed)
                }
                _ => false,
            };
        let items = place.items.clone();
        Self { kind, items, has_failed, participants: Arc::clone(participants), cx }
    }
}

/// What the coordinator evaluated; `None` where the condition around it does not hold any more.
pub fn evaluated<T, E>(value: Option<T>, event: impl FnOnce(T) -> E) -> Settled<E> {
    value.map_or_else(|| Settled::Failed(stale()), |value| Settled::Done(event(value)))
}

/// Until when is waited.
pub fn due<E>(time: Option<Time>) -> Settled<E> {
    time.map_or_else(|| Settled::Failed(stale()), Settled::Due)
}

/// The condition around a call was recorded to hold, and does not when it is evaluated again.
pub fn stale() -> Failure {
    let message = "the condition around it held when it was decided, and does not now: it depends on more than \
                   the saga's data";
    Failure { kind: FailureKind::Transient, message: message.to_owned() }
}

/// What was to be handed to a call cannot be copied.
pub fn unreadable<E>(error: &DataError) -> Settled<E> {
    Settled::Failed(Failure { kind: FailureKind::Transient, message: error.to_string() })
}

/// The items of a `for`.
pub fn items<L: IntoIterator>(list: L) -> Vec<L::Item> {
    list.into_iter().collect()
}

/// The bounds of a call, so that the compiler underlines the whole call, once. What is awaited is then a future whatever
/// the call is.
pub fn send<'c, C: AsyncCall + Send + 'c>(call: C) -> Pin<Box<dyn Future<Output = C::Answer> + Send + 'c>> {
    Box::pin(call.future())
}

/// What a call must be: a future.
#[diagnostic::on_unimplemented(
    message = "a step's call must be asynchronous, but this one returns `{Self}` at once",
    label = "not a future",
    note = "call an `async fn`, or put it into an `async` block"
)]
pub trait AsyncCall: Sized {
    /// What it answers.
    type Answer;

    /// The call.
    fn future(self) -> impl Future<Output = Self::Answer> + Send
    where
        Self: Send;
}

#[diagnostic::do_not_recommend]
impl<F: Future> AsyncCall for F {
    type Answer = F::Output;

    fn future(self) -> impl Future<Output = F::Output> + Send
    where
        F: Send,
    {
        self
    }
}

/// The output of a call that is done. A field, not a method: the compiler then underlines the whole call where the
/// type is another.
#[derive(Debug)]
pub struct Answer<T>(pub T);

/// The output, or the classified failure.
pub fn settle<R: Settle>(result: R) -> Result<Answer<R::Output>, Failure> {
    result.settle().map(Answer)
}

/// What a call may return.
#[diagnostic::on_unimplemented(
    message = "a step's call must return `Result<_, E>`, but this one returns `{Self}`",
    label = "not a `Result`",
    note = "the error says whether the effect took place: `Result<_, std::convert::Infallible>` if it cannot fail"
)]
pub trait Settle {
    /// The output.
    type Output;

    /// The output, or the classified failure.
    fn settle(self) -> Result<Self::Output, Failure>;
}

impl<T, E: StepError> Settle for Result<T, E> {
    type Output = T;

    fn settle(self) -> Result<T, Failure> {
        self.map_err(Failure::from)
    }
}

/// One attempt, whatever its type.
pub fn boxed<E>(call: impl Future<Output = Settled<E>> + Send + 'static) -> CallFuture<E> {
    Box::pin(call)
}

/// How an action or compensation ended.
pub fn settled<T, E>(result: Result<T, Failure>, event: impl FnOnce(T) -> E) -> Settled<E> {
    match result {
        Ok(output) => Settled::Done(event(output)),
        Err(failure) => Settled::Failed(failure),
    }
}

/// What a probe found.
pub fn probed<T, E>(result: Result<Option<T>, Failure>, event: impl FnOnce(T) -> E) -> Settled<E> {
    match result {
        Ok(Some(output)) => Settled::Done(event(output)),
        Ok(None) => Settled::Absent,
        Err(failure) => Settled::Failed(failure),
    }
}

/// Compiles only for a participant that is [`Keyed`].
pub const fn must_be_keyed<T: Keyed + ?Sized>(_: &T) {}

/// Asks whether a type is [`Keyed`]: `IsKeyed::<T>::KEYED` finds the inherent constant where it is, and the one of
/// [`NotKeyed`] where it is not.
pub struct IsKeyed<T: ?Sized>(PhantomData<T>);

/// See [`IsKeyed`].
pub trait NotKeyed {
    /// Not keyed.
    const KEYED: bool = false;
}

impl<T: ?Sized> NotKeyed for IsKeyed<T> {}

impl<T: Keyed + ?Sized> IsKeyed<T> {
    /// Keyed.
    pub const KEYED: bool = true;
}

// The positions.

/// The position after an event, or the same given back where the event is illegal.
pub type Applied<P> = Result<P, Rejected<P>>;

/// What the machine knows of a step.
pub trait Step {
    /// Its output.
    type Output: Payload;

    /// Its call.
    const CALL: &'static StepCall;
}

/// The first attempt of a step is open.
pub fn opened<S: Step>() -> Ledger {
    Ledger { call: S::CALL, role: S::CALL.role, attempts: Attempts::opened() }
}

/// No attempt of a step has been made.
pub fn waiting<S: Step>() -> Ledger {
    Ledger { call: S::CALL, role: S::CALL.role, attempts: Attempts::waiting() }
}

/// The first attempt to compensate a step is open.
pub fn compensation_of<S: Step>() -> Ledger {
    Ledger { call: S::CALL, role: Role::Compensation, attempts: Attempts::opened() }
}

/// The call of a step.
#[derive(Debug)]
pub struct StepCall {
    /// Index of the step.
    pub step: usize,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub kind: StepKind,
    /// What hangs on it.
    pub role: Role,
    /// Whether it answers by key.
    pub keyed: bool,
    /// Whether there is a probe.
    pub probe: bool,
    /// Whether there is a value for the case that it fails.
    pub otherwise: bool,
}

/// A call of a position, and its attempts.
#[derive(Clone, Copy)]
pub struct Ledger {
    call: &'static StepCall,
    role: Role,
    attempts: Attempts,
}

impl Ledger {
    /// The same action, seen from a saga that turned.
    #[must_use]
    pub fn unsettled(self) -> Self {
        Self { role: Role::Settling, attempts: self.attempts.unsettled(), ..self }
    }

    /// Whether an attempt is open.
    pub fn is_open(&self) -> bool {
        self.attempts.is_open()
    }

    /// Whether the effect may have taken place although nobody knows.
    pub fn in_doubt(&self) -> bool {
        self.attempts.in_doubt()
    }

    /// Opens nothing after all, where the saga is to turn.
    pub fn hold(&mut self, turn: &Option<Cause>) {
        if turn.is_some() {
            self.attempts = Attempts::waiting();
        }
    }

    /// Whether the action failed, and the value behind `else` is to take the output's place.
    pub fn has_failed(&self) -> bool {
        self.attempts.phase() == Phase::Failed
    }

    /// Records a refusal.
    pub fn refuse(&mut self, refusal: Refusal, turn: &mut Option<Cause>) -> Legal {
        Legal(self.attempts.refuse(self.action(), refusal, turn))
    }

    /// Records a fact about an attempt.
    pub fn record(&mut self, fact: AttemptFact, turn: &mut Option<Cause>) -> Legal {
        Legal(self.attempts.record(self.action(), fact, turn))
    }

    fn action(&self) -> Action {
        let waits = matches!(self.call.kind, StepKind::Sleep | StepKind::Receive);
        Action { step: self.call.name, role: self.role, otherwise: self.call.otherwise, waits }
    }

    /// The call as it is next, or open.
    pub fn call(&self) -> Call {
        let StepCall { step, kind, keyed, probe, otherwise, .. } = *self.call;
        let settlement = match self.role {
            Role::Compensation => Settlement { keyed: true, probe: false },
            _ => Settlement { keyed, probe },
        };
        let kind = match kind {
            _ if self.role == Role::Compensation => CallKind::Compensation,
            _ if self.has_failed() => CallKind::Evaluation,
            StepKind::If | StepKind::For | StepKind::Lock => CallKind::Evaluation,
            StepKind::Sleep | StepKind::Receive if self.attempts.due_ms().is_none() => CallKind::Evaluation,
            StepKind::Sleep | StepKind::Receive => CallKind::Wait,
            StepKind::Call | StepKind::Read | StepKind::Local | StepKind::Saga => {
                settlement.next(&self.attempts)
            }
        };
        let (role, attempts) = (self.role, self.attempts);
        Call { place: step.into(), kind, role, attempts, settlement, otherwise }
    }
}

/// `flight: attempt 1 open`: names and numbers only, so that no personal data gets into a program's own log.
impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call.name, self.attempts)?;
        match self.attempts.made().checked_sub(self.attempts.spent()) {
            None | Some(0) => Ok(()),
            Some(before) => write!(f, ", {before} before the saga turned"),
        }
    }
}

/// Whether an event was legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Legal(bool);

impl Legal {
    /// `position` if the event was legal there, otherwise the same given back.
    pub fn at<P>(self, position: P) -> Applied<P> {
        if self.0 { Ok(position) } else { Err(Rejected(position)) }
    }
}

/// What a branch made of an event, in its `parallel`.
pub fn in_branch<B, P>(applied: Applied<B>, parallel: impl FnOnce(B) -> P) -> Applied<P> {
    match applied {
        Ok(branch) => Ok(parallel(branch)),
        Err(Rejected(branch)) => Err(Rejected(parallel(branch))),
    }
}

/// What a `parallel` made of an event: the position after it once `join` finds every branch at its end.
pub fn in_parallel<P, N, R>(
    applied: Applied<P>,
    join: impl FnOnce(P) -> Result<N, Rejected<P>>,
    next: impl FnOnce(N) -> R,
    stay: impl FnOnce(P) -> R,
) -> Applied<R> {
    match applied {
        Ok(parallel) => Ok(match join(parallel) {
            Ok(joined) => next(joined),
            Err(Rejected(parallel)) => stay(parallel),
        }),
        Err(Rejected(parallel)) => Err(Rejected(stay(parallel))),
    }
}

/// Whether something is in flight, or so much in doubt that the saga cannot turn before it is settled.
pub fn is_open(calls: impl FnOnce(&mut Vec<Call>)) -> bool {
    let mut all = Vec::new();
    calls(&mut all);
    all.iter().any(Call::holds_up_turning)
}

// The data.

/// Data of a position: shared by the positions that carry it on and the calls that look at it.
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// Shares `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// Takes the value out, or a copy while another holds it too: saga data need not be `Clone`.
    fn into_owned(self, copy: impl FnOnce(&T) -> Result<T, DataError>) -> Result<T, DataError> {
        Arc::try_unwrap(self.0).or_else(|shared| copy(&shared))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Data of a position in the form in which a call sees it outside of the `if` or `for` in which it was made: as an
/// `Option`, or a `Vec`.
pub trait Gathered: Clone {
    /// The form in which a call sees it.
    type Value;

    /// The value, or a copy where it is held elsewhere too. `what` names it in the error.
    fn gather(self, what: &str) -> Result<Self::Value, DataError>;
}

impl<T: Payload> Gathered for Shared<T> {
    type Value = T;

    fn gather(self, what: &str) -> Result<T, DataError> {
        self.into_owned(|shared| Payload::decode(what, &shared.encode(what)?))
    }
}

impl<G: Gathered> Gathered for Option<G> {
    type Value = Option<G::Value>;

    fn gather(self, what: &str) -> Result<Self::Value, DataError> {
        self.map(|gathered| gathered.gather(what)).transpose()
    }
}

impl<G: Gathered> Gathered for Many<G> {
    type Value = Vec<G::Value>;

    fn gather(self, what: &str) -> Result<Self::Value, DataError> {
        let parts = Arc::try_unwrap(self.0).unwrap_or_else(|shared| Vec::clone(&shared));
        parts.into_iter().map(|gathered| gathered.gather(what)).collect()
    }
}

/// The outputs of the items of a `for`.
pub struct Many<G>(Arc<Vec<G>>);

impl<G> Many<G> {
    /// These outputs, in the order of the items.
    pub fn new(outputs: Vec<G>) -> Self {
        Self(Arc::new(outputs))
    }
}

impl<G> Clone for Many<G> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Does not show the values, see [`Shared`].
impl<G> fmt::Debug for Many<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × …", self.0.len())
    }
}

/// Shares data of any form.
pub trait Share {
    /// The same value, for another holder.
    #[must_use]
    fn share(&self) -> Self;
}

impl<T> Share for Shared<T> {
    fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<G> Share for Many<G> {
    fn share(&self) -> Self {
        self.clone()
    }
}

impl<S: Share> Share for Option<S> {
    fn share(&self) -> Self {
        self.as_ref().map(Share::share)
    }
}

/// Does not show the value: no personal data gets into a program's own log.
impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// [`SagaData`] without its supertraits: the compiler then says in one error that a type is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saga data: it is not journalable",
    label = "a saga's inputs, outputs and results must survive a restart",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`; it must own its data and be `Send + Sync`"
)]
pub trait Payload: Sized {
    /// Writes it as JSON. `what` names it in the error.
    fn encode(&self, what: &str) -> Result<String, DataError>;

    /// Reads it from JSON. `what` names it in the error.
    fn decode(what: &str, json: &str) -> Result<Self, DataError>;
}

#[diagnostic::do_not_recommend]
impl<T: SagaData> Payload for T {
    fn encode(&self, what: &str) -> Result<String, DataError> {
        data::encode(what, self)
    }

    fn decode(what: &str, json: &str) -> Result<Self, DataError> {
        data::decode(what, json)
    }
}

/// The output of a step as the log holds it.
pub fn json_of<S: Step>(output: &S::Output) -> Result<String, DataError> {
    output.encode(S::CALL.name)
}

/// Reads what [`json_of`] wrote.
pub fn output_of<S: Step>(json: &str) -> Result<S::Output, DataError> {
    Payload::decode(S::CALL.name, json)
}

/// The output of a step, for `return`.
pub fn owned<S: Step>(output: Shared<S::Output>) -> Result<S::Output, DataError> {
    output.into_owned(|shared| Payload::decode(S::CALL.name, &shared.encode(S::CALL.name)?))
}

const OUTPUT: &str = "the output";

/// Whether a fact tells of a signal.
pub fn is_signal(fact: &FactKind) -> bool {
    matches!(fact, FactKind::Sent(_))
}

/// The fact that a signal for a step was sent.
pub fn sent<S: Step>(signal: &S::Output) -> Result<Fact, DataError> {
    let place = Place::from(S::CALL.step);
    Ok(Fact { place: Some(place), kind: FactKind::Sent(json_of::<S>(signal)?) })
}

/// What a saga of type `S` returned, as the log is to hold it.
pub fn completed<S: Saga>(output: &S::Output) -> Result<String, DataError> {
    data::encode(OUTPUT, output)
}

/// The same of a saga with parameters, which has no one type.
pub fn completed_with<T: SagaData>(output: &T) -> Result<String, DataError> {
    data::encode(OUTPUT, output)
}

/// What a saga of type `S` returned, as the log holds it.
pub fn returned<S: Saga>(json: &str) -> Result<S::Output, DataError> {
    data::decode(OUTPUT, json)
}

/// The same of a saga with parameters.
pub fn returned_with<T: SagaData>(json: &str) -> Result<T, DataError> {
    data::decode(OUTPUT, json)
}

/// Stands where a `return` is missing or wrong, which the compiler has reported.
pub fn no_output<T>() -> Result<T, DataError> {
    let cause = "the saga did not compile".to_owned();
    Err(DataError { what: OUTPUT.to_owned(), ty: std::any::type_name::<T>(), cause })
}

/// An input.
pub struct Input<T> {
    name: &'static str,
    encode: fn(&T, &str) -> Result<String, DataError>,
    decode: fn(&str, &str) -> Result<T, DataError>,
}

/// The input called `name`. This is the only place that asks what its type has to be: the compiler says it once.
pub fn input<T: Payload>(name: &'static str) -> Input<T> {
    Input { name, encode: T::encode, decode: T::decode }
}

impl<T> Input<T> {
    /// Writes it by its name, which is a Rust name: it needs no escape.
    pub fn write(self, fields: &mut FieldsWriter, value: &T) -> Result<(), DataError> {
        let json = (self.encode)(value, self.name)?;
        let separator = if fields.0.is_empty() { "" } else { "," };
        fields.0.extend([separator, "\"", self.name, "\":", &json]);
        Ok(())
    }

    /// Reads it by its name. One that is missing is read as `null`.
    pub fn read(self, fields: &mut FieldsReader<'_>) -> Result<T, DataError> {
        let json = fields.0.remove(self.name).map_or("null", serde_json::value::RawValue::get);
        (self.decode)(self.name, json)
    }

    /// The input for `return`.
    pub fn owned(self, value: Shared<T>) -> Result<T, DataError> {
        value.into_owned(|shared| (self.decode)(self.name, &(self.encode)(shared, self.name)?))
    }
}

/// Writes inputs as one JSON object.
#[derive(Debug, Default)]
pub struct FieldsWriter(String);

impl FieldsWriter {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// The object.
    pub fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// Reads inputs from one JSON object.
#[derive(Debug)]
pub struct FieldsReader<'j>(BTreeMap<String, &'j serde_json::value::RawValue>);

impl<'j> FieldsReader<'j> {
    /// Reads the object.
    pub fn new(json: &'j str) -> Result<Self, DataError> {
        serde_json::from_str(json).map(Self).map_err(|error| data::data_error::<Self>("the input", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_any_size_are_read_back_by_name() {
        let mut writer = FieldsWriter::new();
        input::<u128>("big").write(&mut writer, &u128::MAX).unwrap();
        input::<String>("text").write(&mut writer, &"a\"b".to_owned()).unwrap();
        let json = writer.finish();
        let mut reader = FieldsReader::new(&json).unwrap();
        assert_eq!(input::<String>("text").read(&mut reader), Ok("a\"b".to_owned()));
        assert_eq!(input::<u128>("big").read(&mut reader), Ok(u128::MAX));
        assert_eq!(input::<Option<u8>>("missing").read(&mut reader), Ok(None));
        assert!(input::<u8>("missing").read(&mut reader).is_err());
    }

    #[test]
    fn a_shared_value_is_copied_and_an_unshared_one_moved() {
        let value = Shared::new(vec![1, 2]);
        let other = value.clone();
        assert_eq!(input::<Vec<i32>>("numbers").owned(value), Ok(vec![1, 2]));
        assert_eq!(input::<Vec<i32>>("numbers").owned(other), Ok(vec![1, 2]));
    }

    #[test]
    fn what_a_program_logs_shows_no_data() {
        struct Flight;
        impl Step for Flight {
            type Output = String;
            const CALL: &'static StepCall = &StepCall {
                step: 0,
                name: "flight",
                kind: StepKind::Call,
                role: Role::Compensatable,
                keyed: true,
                probe: false,
                otherwise: false,
            };
        }
        let shown = format!("{:?} {:?}", Shared::new("Ann"), opened::<Flight>());
        assert_eq!(shown, "… flight: attempt 1 open");
    }
}
