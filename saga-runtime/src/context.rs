//! What an attempt is told about itself.

use std::borrow::Cow;
use std::fmt;

use crate::id::SagaId;
use crate::machine::Items;

/// The attempt that a call is made for. Every call gets one as `cx`.
///
/// What a participant needs of it is [`key`](Self::key): it is the same for every attempt of the same action, so
/// that the participant can answer a repeated call without a second effect.
#[derive(Debug, Clone)]
pub struct Context {
    definition: &'static str,
    saga: SagaId,
    step: &'static str,
    items: Items,
    key: IdempotencyKey,
    action_key: IdempotencyKey,
    attempt: u32,
    epoch: u64,
}

/// Names one effect: one per saga, step, item and direction, the same for every attempt.
///
/// Visible ASCII characters; as text `BookTrip/trip-7/flight`, and `BookTrip/trip-7/flight.compensate` for the
/// compensation; in a `for`, `FulfilOrder/order-7/pick[2]`. Fits an HTTP header as it is, and no two effects share one: of the three parts only the
/// saga's id can hold a `/`, and no part but the last a `.`-suffix.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

impl Context {
    /// The attempt number `attempt` of the action (or probe) of `step`.
    pub fn action(definition: &'static str, saga: SagaId, step: &'static str, attempt: u32) -> Self {
        let key = IdempotencyKey::action(definition, &saga, step, &Items::NONE);
        Self { definition, saga, step, items: Items::NONE, action_key: key.clone(), key, attempt, epoch: 1 }
    }

    /// The attempt number `attempt` of the compensation of `step`.
    pub fn compensation(definition: &'static str, saga: SagaId, step: &'static str, attempt: u32) -> Self {
        Self::action(definition, saga, step, attempt).into_compensation()
    }

    /// The same for an item of the `for`s around the step.
    #[must_use]
    pub fn of_items(self, items: Items) -> Self {
        let is_compensation = self.is_compensation();
        let key = IdempotencyKey::action(self.definition, &self.saga, self.step, &items);
        let action = Self { items, action_key: key.clone(), key, ..self };
        if is_compensation { action.into_compensation() } else { action }
    }

    /// The same, made by the writer of its log with this epoch.
    #[must_use]
    pub fn in_epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    fn into_compensation(self) -> Self {
        let key = IdempotencyKey(format!("{}.compensate", self.action_key).into());
        Self { key, ..self }
    }

    /// The idempotency key of this call: in an action and its probe the action's, in a compensation its own.
    pub fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// The idempotency key of the step's action: what a compensation by key undoes.
    pub fn action_key(&self) -> &IdempotencyKey {
        &self.action_key
    }

    /// Whether the call is a compensation.
    pub fn is_compensation(&self) -> bool {
        self.key != self.action_key
    }

    /// The id of the saga.
    pub fn saga_id(&self) -> &SagaId {
        &self.saga
    }

    /// Name of the saga's definition, such as `BookTrip`.
    pub fn definition(&self) -> &'static str {
        self.definition
    }

    /// Name of the step.
    pub fn step(&self) -> &'static str {
        self.step
    }

    /// The items that the call is for, by their numbers from 0: one for each `for` around the step, outermost first.
    pub fn items(&self) -> &[u32] {
        self.items.numbers()
    }

    /// Number of this attempt, from 1. It never falls: of two calls with the same key the one with the lower number
    /// was sent first, also across a crash. A probe counts as an attempt of its action, so that a participant that
    /// answers `None` can bar exactly the attempts before it.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The fencing epoch of the writer of the saga's log: it grows whenever the log is taken over, as by a restart. Of two
    /// calls with the same key, the one with the lower epoch was sent by whoever had the log before.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl IdempotencyKey {
    fn action(definition: &str, saga: &SagaId, step: &str, items: &Items) -> Self {
        Self(format!("{}/{saga}/{}{items}", ascii(definition), ascii(step)).into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A Rust name in visible ASCII: `%` stands in no name, so that different names stay different.
fn ascii(name: &str) -> Cow<'_, str> {
    let name = name.strip_prefix("r#").unwrap_or(name);
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            text.extend(["%", &format!("{:x}", u32::from(c)), "%"]);
        }
    }
    Cow::Owned(text)
}

impl AsRef<str> for IdempotencyKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compensation_has_a_key_of_its_own_and_names_the_actions() {
        let saga = SagaId::new("trip-7").unwrap();
        let action = Context::action("BookTrip", saga.clone(), "flight", 1);
        let compensation = Context::compensation("BookTrip", saga, "flight", 1);
        assert_eq!(action.key().as_str(), "BookTrip/trip-7/flight");
        assert_eq!(compensation.key().as_str(), "BookTrip/trip-7/flight.compensate");
        assert_eq!(compensation.action_key(), action.key());
    }

    #[test]
    fn each_item_has_a_key_of_its_own() {
        let saga = SagaId::new("order-7").unwrap();
        let compensation = Context::compensation("FulfilOrder", saga, "pick", 1).of_items(vec![2].into());
        assert_eq!(compensation.action_key().as_str(), "FulfilOrder/order-7/pick[2]");
        assert_eq!(compensation.key().as_str(), "FulfilOrder/order-7/pick[2].compensate");
    }

    #[test]
    fn no_two_effects_share_a_key() {
        let compensation = Context::compensation("S", SagaId::new("x").unwrap(), "a", 1);
        let action = Context::action("S", SagaId::new("x/a").unwrap(), "compensate", 1);
        assert_ne!(compensation.key(), action.key());
    }

    #[test]
    fn a_key_is_visible_ascii_whatever_the_step_is_called() {
        let key = Context::action("S", SagaId::new("x").unwrap(), "flügel", 1).key().to_string();
        assert!(key.bytes().all(|b| b.is_ascii_graphic()), "{key}");
    }
}
