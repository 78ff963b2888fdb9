//! What a `lock`, a `local` and a child saga are made of.

use std::fmt::Display;

use super::{Outcome, stale};
use crate::data::DataError;
use crate::definition::Definition;
use crate::error::Failure;
use crate::machine::{Begins, Local, Settled};
use crate::saga::Compensatable;

/// The child saga that a step begins, and its input as JSON; `None` where the condition around it does not hold any more.
pub fn begins<E>(definition: &'static Definition, input: Option<Result<String, DataError>>) -> Settled<E> {
    match input {
        None => Settled::Failed(stale()),
        Some(Ok(input)) => Settled::Begins(Begins { definition, input }),
        Some(Err(error)) => Settled::Failed(Failure::transient(error.to_string())),
    }
}

/// The call of a `local` step, which waits for its transaction.
pub fn local<Tx: 'static, E>(mut call: impl FnMut(&Tx) -> Outcome<E> + Send + 'static) -> Settled<E> {
    Settled::Local(Local::new(move |tx: &Tx| match call(tx) {
        Ok(event) => Settled::Done(event),
        Err(failure) => Settled::Failed(failure),
    }))
}

/// Compiles only for a saga that can compensate until its very end.
pub const fn must_be_compensatable<S: Compensatable>() {}

/// What a lock is called.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a lock: it is no text",
    label = "does not implement `Display`",
    note = "the sagas that write the same text exclude one another: lock an id, or `format!(\"account/{{id}}\")`"
)]
pub trait LockKey {
    /// Its text.
    fn text(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> LockKey for T {
    fn text(&self) -> String {
        self.to_string()
    }
}

/// The text of a lock's key.
pub fn lock_key<K: LockKey + ?Sized>(key: &K) -> String {
    key.text()
}

/// The locks that are taken together: in order, and each once.
pub fn locks(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys.dedup();
    keys
}
