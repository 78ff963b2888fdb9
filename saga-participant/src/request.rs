//! A request as a number: to tell whether a key comes back with another one.

use serde::Serialize;
use serde_json::Value;

use crate::call::{InvalidCall, shorten};

/// Hashes an operation and its request. The order of a map's keys does not count, as it differs from run to run.
pub(crate) fn hash_request(
    key: &str,
    operation: &str,
    request: &(impl Serialize + ?Sized),
) -> Result<i64, InvalidCall> {
    let request = serde_json::to_value(request).map_err(|error| InvalidCall::Request {
        key: shorten(key),
        operation: shorten(operation),
        cause: error.to_string(),
    })?;
    let mut hash = Hash(Hash::START);
    hash.value(&Value::String(operation.to_owned()));
    hash.value(&request);
    Ok(hash.0.cast_signed())
}

/// FNV-1a: stored by one program and compared by the next, so it may never change. It is there to notice mistakes; who
/// forges a collision gets the answer to a request of their own.
struct Hash(u64);

impl Hash {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    fn text(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Self::PRIME);
        }
    }

    /// As JSON without white space, maps in the order of their keys.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                self.text("[");
                for item in items {
                    self.value(item);
                    self.text(",");
                }
                self.text("]");
            }
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(name, _)| name.as_str());
                self.text("{");
                for (name, value) in fields {
                    self.value(&Value::String(name.clone()));
                    self.text(":");
                    self.value(value);
                    self.text(",");
                }
                self.text("}");
            }
            plain => self.text(&plain.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    fn hash(operation: &str, request: &(impl Serialize + ?Sized)) -> i64 {
        hash_request("k", operation, request).unwrap()
    }

    #[derive(Serialize)]
    struct Reserve {
        to: &'static str,
        seats: u8,
    }

    #[test]
    fn the_same_request_is_the_same_number_also_in_the_next_version_of_this_crate() {
        assert_eq!(hash("reserve", &json!({"seats": 2, "to": "LIS"})), GOLDEN);
        assert_eq!(hash("reserve", &Reserve { to: "LIS", seats: 2 }), GOLDEN);
    }

    const GOLDEN: i64 = 2_419_002_099_985_755_760;

    #[test]
    fn the_order_of_a_maps_keys_does_not_count() {
        let map: HashMap<String, u32> = (0..50).map(|n| (n.to_string(), n)).collect();
        let again: HashMap<String, u32> = (0..50).rev().map(|n| (n.to_string(), n)).collect();
        assert_eq!(hash("put", &map), hash("put", &again));
    }

    #[test]
    fn another_request_or_operation_is_another_number() {
        let requests = [
            json!(null),
            json!([]),
            json!({}),
            json!(""),
            json!(0),
            json!(-0.0),
            json!("0"),
            json!([[]]),
            json!([1, 2]),
            json!([2, 1]),
            json!([12]),
            json!({"a": {"b": 1}}),
            json!({"a": 1, "b": 1}),
            json!({"b": 1}),
        ];
        let mut seen: Vec<i64> = requests.iter().map(|request| hash("put", request)).collect();
        seen.push(hash("take", &requests[0]));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), requests.len() + 1);
    }

    #[test]
    fn what_is_no_json_is_refused_with_a_reason() {
        let pairs = HashMap::from([((1, 2), 3)]);
        let error = hash_request("k", "put", &pairs).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the request to put under the key \"k\" cannot be written as JSON: key must be a string"
        );
    }
}
