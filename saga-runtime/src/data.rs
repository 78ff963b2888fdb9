//! What a saga's log can hold: inputs, outputs and results, as JSON.

#[cfg(feature = "coordinator")]
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that a saga can keep in its log: it must survive a restart of the process.
///
/// Implemented for every `Serialize + DeserializeOwned + Send + Sync + 'static`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saga data: it is not journalable",
    label = "a saga's inputs, outputs and results must survive a restart",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`; it must own its data and be `Send + Sync`"
)]
pub trait SagaData: Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> SagaData for T {}

/// A value that could not be written as JSON or read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is no `{ty}`: {cause}")]
pub struct DataError {
    /// Which value: an input, or the output of a step.
    pub what: String,
    /// Its Rust type.
    pub ty: &'static str,
    /// What serde says.
    pub cause: String,
}

/// Writes `value` as JSON. `what` names it in the error.
pub fn encode<T: SagaData>(what: &str, value: &T) -> Result<String, DataError> {
    serde_json::to_string(value).map_err(|error| data_error::<T>(what, &error))
}

/// Reads a `T` from JSON. `what` names it in the error.
pub fn decode<T: SagaData>(what: &str, json: &str) -> Result<T, DataError> {
    serde_json::from_str(json).map_err(|error| data_error::<T>(what, &error))
}

/// Whether two JSON texts say the same, whatever the order of their keys and their white space. Numbers are compared as
/// they are written, to the last digit.
#[cfg(feature = "coordinator")]
pub(crate) fn same_json(a: &str, b: &str) -> bool {
    use serde_json::value::RawValue;

    if a == b {
        return true;
    }
    // One level at a time: what lies within is still text, and so nothing of it is rounded.
    if let (Some(a), Some(b)) = (read::<BTreeMap<String, &RawValue>>(a), read::<BTreeMap<_, _>>(b)) {
        let same = |((name, value), (other_name, other)): ((&String, &&RawValue), (&String, &&RawValue))| {
            name == other_name && same_json(value.get(), other.get())
        };
        return a.len() == b.len() && a.iter().zip(&b).all(same);
    }
    if let (Some(a), Some(b)) = (read::<Vec<&RawValue>>(a), read::<Vec<&RawValue>>(b)) {
        return a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_json(a.get(), b.get()));
    }
    if let (Some(a), Some(b)) = (read::<String>(a), read::<String>(b)) {
        return a == b;
    }
    a.trim() == b.trim()
}

#[cfg(feature = "coordinator")]
fn read<'j, T: serde::Deserialize<'j>>(json: &'j str) -> Option<T> {
    serde_json::from_str(json).ok()
}

pub(crate) fn data_error<T>(what: &str, error: &serde_json::Error) -> DataError {
    DataError { what: what.to_owned(), ty: std::any::type_name::<T>(), cause: error.to_string() }
}

#[cfg(all(test, feature = "coordinator"))]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        assert!(same_json(r#"{"a":1,"b":2}"#, r#"{ "b": 2, "a": 1 }"#));
        assert!(same_json(r#"{"a":[{"b":"ü"},null]}"#, r#"{"a": [ {"b": "\u00fc"}, null ]}"#));
        assert!(!same_json(r#"{"a":1}"#, r#"{"a":2}"#));
        assert!(!same_json(r#"{"a":1}"#, r#"{"a":1,"b":1}"#));
        assert!(!same_json("[1,2]", "[2,1]"));
        assert!(!same_json(&u128::MAX.to_string(), &(u128::MAX - 1).to_string()));
    }
}
