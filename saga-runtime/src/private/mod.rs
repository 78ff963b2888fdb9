//! What generated code calls. Not for use by hand: no promise of stability.
//!
//! What is the same for every saga is written here once, so that what `saga!` writes stays short.

mod child;
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

pub use self::child::{LockKey, begins, local, lock_key, locks, must_be_compensatable};
pub use self::each::{Body, Each, EachBackward, NothingToUndo};
pub use crate::context::Context;
pub use crate::data::DataError;
use crate::data::{self, SagaData};
pub use crate::definition::{
    Block, Compensation, Definition, EventNames, Field, Parameter, StandsFor, StepDefinition, StepKind, Zone,
};
use crate::error::{Failure, StepError};
#[cfg(feature = "coordinator")]
pub use crate::log::Transactional;
#[cfg(feature = "sqlite")]
pub use crate::log::sqlite::SqliteLog;
pub use crate::machine::{
    Applied, AttemptFact, Backward, Call, CallKind, Cause, Event, EventError, Fact, FactKind, Forward, Items,
    Ledger, Place, Policy, Refusal, Region, Rejected, Retry, Role, Settled, State, StepCall, Tells, Time,
    Told,
};
use crate::machine::{Held, Json, Next, Phase};
pub use crate::parameter::SagaParameter;
use crate::saga::Keyed;
pub use crate::saga::{Compensatable, RunsOn, Saga, Signal, StateOf};

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
    /// The attempt of a call that `state` has; `None` if it has none there.
    pub fn new<F: Forward>(
        state: &State<F>,
        place: &Place,
        kind: CallKind,
        participants: &Arc<P>,
        cx: Context,
    ) -> Option<Self> {
        let Next::Calls(calls) = state.next() else { return None };
        let call = calls.iter().find(|call| call.place == *place)?;
        let has_failed = kind == CallKind::Evaluation && call.attempts.phase() == Phase::Failed;
        let items = place.items.clone();
        Some(Self { kind, items, has_failed, participants: Arc::clone(participants), cx })
    }

    /// What the user's call sees of it.
    pub fn parts(&self) -> (&Context, &P) {
        (&self.cx, &self.participants)
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
    Failure::transient(message)
}

/// Data of a position in the form in which a call sees it.
pub fn gathered<G: Gathered>(data: G, what: &str) -> Result<G::Value, Failure> {
    let unreadable = |error: DataError| Failure::transient(error.to_string());
    data.gather(what).map_err(unreadable)
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

/// What a call answers: the event that it is done, or the classified failure.
pub type Outcome<E> = Result<E, Failure>;

/// One attempt, whatever its type.
pub fn boxed<E>(call: impl Future<Output = Settled<E>> + Send + 'static) -> CallFuture<E> {
    Box::pin(call)
}

/// One attempt of an action or compensation.
pub fn attempt<E>(call: impl Future<Output = Outcome<E>> + Send + 'static) -> CallFuture<E> {
    Box::pin(async { settled(call.await) })
}

/// How an action or compensation ended.
pub fn settled<E>(outcome: Outcome<E>) -> Settled<E> {
    outcome.map_or_else(Settled::Failed, Settled::Done)
}

/// What a probe found.
pub fn probed<E>(outcome: Outcome<Option<E>>) -> Settled<E> {
    match outcome {
        Ok(Some(event)) => Settled::Done(event),
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

/// What the machine knows of a step.
pub trait Step {
    /// Its output.
    type Output: Payload;
    /// The steps that it is one of.
    type Steps: Steps;

    /// Its index among them.
    const INDEX: usize;
    /// Whether the types of its participants say that it answers by key.
    const KEYED: bool = false;
    /// Its call.
    const CALL: &'static StepCall = &StepCall::new(Self::Steps::STEPS, Self::INDEX, Self::KEYED);

    /// The output as an event tells of it.
    fn held(output: &Self::Output) -> Held<'_> {
        Held::new(Self::CALL.name(), output)
    }

    /// Reads what the log holds of the output.
    fn read(json: &str) -> Result<Self::Output, DataError> {
        Payload::decode(Self::CALL.name(), json)
    }
}

/// The steps of a saga.
pub trait Steps {
    /// In the order in which they are written.
    const STEPS: &'static [StepDefinition];
}

/// The first attempt of a step is open.
pub fn opened<S: Step>() -> Ledger {
    Ledger::opened(S::CALL)
}

/// No attempt of a step has been made.
pub fn waiting<S: Step>() -> Ledger {
    Ledger::waiting(S::CALL)
}

/// The first attempt to compensate a step is open.
pub fn compensation_of<S: Step>() -> Ledger {
    Ledger::compensation(S::CALL)
}

/// An event of a saga as a whole.
pub fn of_saga<'e>(name: &'static str, tells: Tells<'e>) -> Told<'e> {
    Told { step: None, name, tells }
}

/// Opens nothing after all at a step.
pub fn hold(at: &mut impl Region) {
    if let Some(ledger) = at.ledger() {
        ledger.hold();
    }
}

/// A position that was just arrived at: it opens nothing after all where the saga is to turn.
pub fn arrived<R: Region>(mut at: R, turn: &Option<Cause>) -> R {
    if turn.is_some() {
        at.hold();
    }
    at
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

/// [`Share::share`], where the trait is not in scope.
pub fn share<S: Share>(data: &S) -> S {
    data.share()
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
impl<T: Payload> Json for T {
    fn json(&self, what: &str) -> Result<String, DataError> {
        self.encode(what)
    }
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

/// `T`, said so that it uses `Self`: what holds data is generic over all parameters that the data of its saga uses, and
/// Rust wants each of them to stand in it.
pub trait Beside<T> {
    /// `T`.
    type Type;
}

impl<P, T> Beside<T> for P {
    type Type = T;
}

/// The output of a step, for `return`.
pub fn owned<S: Step>(output: Shared<S::Output>) -> Result<S::Output, DataError> {
    output.into_owned(|shared| S::read(&S::held(shared).to_json()?))
}

const OUTPUT: &str = "the output";

/// Whether a fact tells of a signal.
pub fn is_signal(fact: &FactKind) -> bool {
    matches!(fact, FactKind::Sent(_))
}

/// The fact that a signal for a step was sent.
pub fn sent<S: Step>(signal: &S::Output) -> Result<Fact, DataError> {
    let place = Place::from(S::CALL.step());
    Ok(Fact { place: Some(place), kind: FactKind::Sent(S::held(signal).to_json()?) })
}

/// What a saga of type `S` returned, as its last event tells of it.
pub fn completed<S: Saga>(output: &S::Output) -> Held<'_> {
    Held::new(OUTPUT, output)
}

/// The same of a saga with parameters, which has no one type.
pub fn completed_with<T: SagaData>(output: &T) -> Held<'_> {
    Held::new(OUTPUT, output)
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
            type Steps = Self;
            const INDEX: usize = 0;
        }
        impl Steps for Flight {
            const STEPS: &'static [StepDefinition] =
                &[StepDefinition::new(StepKind::Call, "flight", "String")];
        }
        let shown = format!("{:?} {:?}", Shared::new("Ann"), opened::<Flight>());
        assert_eq!(shown, "… flight: attempt 1 open");
    }
}
