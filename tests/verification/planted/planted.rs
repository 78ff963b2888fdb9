//! Stands in the runtime while bugs are planted in it.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::id::SagaId;
use crate::log::Record;
use crate::__private::CallFuture;
use crate::machine::{Call, CallKind, Event, Fact, FactKind, Next, Place, Settled};
use crate::saga::{Saga, StateOf};

static PLANTED: LazyLock<String> = LazyLock::new(|| std::env::var("PLANTED").unwrap_or_default());

thread_local! {
    static LATE: RefCell<HashMap<String, Vec<Record>>> = RefCell::default();
    static PASSED: RefCell<Option<Box<dyn Any>>> = RefCell::default();
}

/// Whether this bug is the one that is to be there.
pub fn is(name: &str) -> bool {
    *PLANTED == name
}

/// A process that starts remembers nothing.
pub fn forget() {
    LATE.take();
    PASSED.take();
}

/// Holds back the records of a saga that turns, up to its first compensation.
pub fn late(id: &SagaId, records: Vec<Record>, turns: bool) -> Vec<Record> {
    LATE.with_borrow_mut(|late| {
        if !turns {
            return records;
        }
        let is_first = !late.contains_key(id.as_str());
        let held = late.entry(id.to_string()).or_default();
        let is_over = !is_first && held.is_empty();
        held.extend(records);
        let compensates = held.iter().any(|record| record.event == "compensated");
        if is_over || compensates { std::mem::take(held) } else { Vec::new() }
    })
}

/// Of the last two compensations the other one.
pub fn mirrored<S: Saga>(state: &StateOf<S>, call: &Call) -> Option<(StateOf<S>, Call)> {
    let fact = Fact { place: Some(call.place.clone()), kind: FactKind::Compensated };
    let after = S::Event::from_fact(fact).ok().and_then(|event| state.clone().apply(event).ok());
    if let Some(after) = after
        && let Next::Calls(calls) = after.next()
        && let [other] = calls.as_slice()
        && other.kind == CallKind::Compensation
    {
        PASSED.set(Some(Box::new((state.clone(), call.clone()))));
        return Some((after, other.clone()));
    }
    PASSED.with_borrow(|passed| passed.as_ref()?.downcast_ref::<(StateOf<S>, Call)>().cloned())
}

/// Takes the answer of one compensation for that of another.
pub fn answered_for<E: Event + 'static>(place: Place, call: CallFuture<E>) -> CallFuture<E> {
    Box::pin(async move {
        let settled = call.await;
        let fact = Fact { place: Some(place), kind: FactKind::Compensated };
        match (&settled, E::from_fact(fact)) {
            (Settled::Done(_), Ok(event)) => Settled::Done(event),
            _ => settled,
        }
    })
}
