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

/// The same for all texts that [`same_json`] calls the same, and another one for any other text that is met by chance:
/// 32 hexadecimal digits. Stable for ever. Who wants to finds texts with the same digest.
#[cfg(feature = "coordinator")]
pub(crate) fn digest(json: &str) -> String {
    let mut digest = Digest(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    digest.json(json);
    format!("{:032x}", digest.0)
}

/// FNV-1a, 128 bits.
#[cfg(feature = "coordinator")]
struct Digest(u128);

#[cfg(feature = "coordinator")]
impl Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }

    /// The kind and the length come first, so that nothing can be read in two ways.
    fn part(&mut self, kind: u8, length: usize) {
        self.bytes(&[kind]);
        self.bytes(&(length as u64).to_le_bytes());
    }

    fn text(&mut self, kind: u8, text: &str) {
        self.part(kind, text.len());
        self.bytes(text.as_bytes());
    }

    fn json(&mut self, json: &str) {
        use serde_json::value::RawValue;

        // Each kind is known by its first character: no text is read more than once.
        match json.trim_start().as_bytes().first() {
            Some(b'{') if let Some(object) = read::<BTreeMap<String, &RawValue>>(json) => {
                self.part(b'{', object.len());
                for (name, value) in object {
                    self.text(b'"', &name);
                    self.json(value.get());
                }
            }
            Some(b'[') if let Some(array) = read::<Vec<&RawValue>>(json) => {
                self.part(b'[', array.len());
                for value in array {
                    self.json(value.get());
                }
            }
            Some(b'"') if let Some(text) = read::<String>(json) => self.text(b'"', &text),
            _ => self.text(b'0', json.trim()),
        }
    }
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

    #[test]
    fn a_digest_is_the_same_where_the_json_is() {
        let same = [
            [r#"{"a":1,"b":[2,"ü"]}"#, r#" { "b": [2, "\u00fc"], "a": 1 } "#],
            ["[]", "[ ]"],
            ["{}", "{ }"],
            ["7", " 7"],
            [r#""x""#, r#""\u0078""#],
        ];
        let mut digests = Vec::new();
        for [a, b] in same {
            assert!(same_json(a, b));
            assert_eq!(digest(a), digest(b), "{a}");
            digests.push(digest(a));
        }
        let others = [
            "{\"a\":1}",
            "{\"a\":\"1\"}",
            "[1,2]",
            "[[1],2]",
            "[1,[2]]",
            "[12]",
            "null",
            "\"null\"",
            "1.0",
            "1",
        ];
        digests.extend(others.map(digest));
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count, "what differs has another digest");
    }

    /// Logs hold it.
    #[test]
    fn the_digests_stay_as_they_are() {
        assert_eq!(digest(r#"{"trip":7}"#), "b9c5e701dd6fdcaabce3a2ae0ec8b892");
    }
}
