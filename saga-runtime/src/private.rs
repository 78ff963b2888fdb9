//! What generated code calls. Not for use by hand: no promise of stability.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

pub use std::boxed::Box;
pub use std::clone::Clone;
pub use std::string::String;
pub use std::sync::Arc;

use crate::data::{self, DataError, SagaData};
use crate::error::{Failure, StepError};
pub use crate::machine::legal;
use crate::machine::{AttemptFact, Attempts, Fact, FactKind, Refusal, Settled};
use crate::saga::Keyed;

/// One attempt.
pub type CallFuture<E> = Pin<Box<dyn Future<Output = Settled<E>> + Send>>;

/// The bound of a call in a statement of its own, so that the compiler underlines the whole call, once.
pub fn send<F: Future + Send>(future: F) -> F {
    future
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

/// Compiles only for a participant that is [`Keyed`].
pub const fn must_be_keyed<T: Keyed + ?Sized>() {}

/// The fact that a step is done.
pub fn done<T: SagaData>(step: usize, name: &str, output: &T) -> Result<Fact, DataError> {
    Ok(Fact { step: Some(step), kind: FactKind::Done(data::encode(name, output)?) })
}

/// The fact that a step was refused.
pub fn refused(step: usize, refusal: &Refusal) -> Fact {
    Fact { step: Some(step), kind: FactKind::Refused(refusal.clone()) }
}

/// A fact about an attempt of an action.
pub fn attempt(step: usize, fact: &AttemptFact) -> Fact {
    Fact { step: Some(step), kind: FactKind::Attempt(fact.clone()) }
}

/// The fact that a step is compensated.
pub fn compensated(step: usize) -> Fact {
    Fact { step: Some(step), kind: FactKind::Compensated }
}

/// A fact about an attempt of a compensation.
pub fn compensation(step: usize, fact: &AttemptFact) -> Fact {
    Fact { step: Some(step), kind: FactKind::Compensation(fact.clone()) }
}

/// The fact that the saga was cancelled.
pub fn cancelled(reason: &str) -> Fact {
    Fact { step: None, kind: FactKind::Cancelled(reason.to_owned()) }
}

/// The fact that the saga returned.
pub fn completed<T: SagaData>(output: &T) -> Result<Fact, DataError> {
    Ok(Fact { step: None, kind: FactKind::Completed(data::encode("the output", output)?) })
}

/// `flight: attempt 1 open`: names and numbers only, so that no personal data gets into a program's own log.
pub fn debug(f: &mut fmt::Formatter<'_>, name: &str, attempts: &Attempts) -> fmt::Result {
    write!(f, "{name}: {attempts}")
}

/// Writes values by name as one JSON object.
#[derive(Debug, Default)]
pub struct FieldsWriter(String);

impl FieldsWriter {
    /// Adds a value. `name` is a Rust name: it needs no escape.
    pub fn push<T: SagaData>(&mut self, name: &str, value: &T) -> Result<(), DataError> {
        let json = data::encode(name, value)?;
        let separator = if self.0.is_empty() { "" } else { "," };
        self.0.extend([separator, "\"", name, "\":", &json]);
        Ok(())
    }

    /// The object.
    pub fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// Reads values by name from one JSON object.
#[derive(Debug)]
pub struct FieldsReader<'j>(BTreeMap<String, &'j serde_json::value::RawValue>);

impl<'j> FieldsReader<'j> {
    /// Reads the object.
    pub fn new(json: &'j str) -> Result<Self, DataError> {
        serde_json::from_str(json).map(Self).map_err(|error| data::data_error::<Self>("the input", &error))
    }

    /// Takes a value out. One that is missing is read as `null`.
    pub fn take<T: SagaData>(&mut self, name: &str) -> Result<T, DataError> {
        data::decode(name, self.0.remove(name).map_or("null", serde_json::value::RawValue::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_size_are_read_back_by_name() {
        let mut writer = FieldsWriter::default();
        writer.push("big", &u128::MAX).unwrap();
        writer.push("text", &"a\"b".to_owned()).unwrap();
        let json = writer.finish();
        let mut reader = FieldsReader::new(&json).unwrap();
        assert_eq!(reader.take::<String>("text"), Ok("a\"b".to_owned()));
        assert_eq!(reader.take::<u128>("big"), Ok(u128::MAX));
        assert_eq!(reader.take::<Option<u8>>("missing"), Ok(None));
        assert!(reader.take::<u8>("missing").is_err());
    }
}
