//! What is booked, and what comes of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A trip: whatever its participants understand. It is passed on to them as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trip(pub Map<String, Value>);

/// A booked trip: what each participant answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Itinerary {
    /// The flight's answer.
    pub flight: Value,
    /// The hotel's.
    pub hotel: Value,
    /// The car's.
    pub car: Value,
}

impl Default for Trip {
    /// The trip that is booked if nothing is said.
    fn default() -> Self {
        let parts = [("traveller", json!("Ada Keller")), ("from", json!("ZRH")), ("to", json!("LIS"))];
        Self(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}
