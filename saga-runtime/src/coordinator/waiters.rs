//! Who waits in this process for something that no time in the log tells of: an entry in an index each, and no task.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::SagaId;

/// The sagas that wait for locks, and those that are to be woken in time although their log says that they have work.
#[derive(Default)]
pub(crate) struct Waiters {
    /// By key, in the order in which they came.
    locks: Mutex<HashMap<String, VecDeque<SagaId>>>,
    /// By time, in milliseconds since the Unix epoch.
    times: Mutex<BTreeSet<(u64, SagaId)>>,
}

impl Waiters {
    /// The saga waits for this lock, behind those that came before it. `false` if it did already.
    pub(crate) fn wait_for_lock(&self, key: &str, saga: &SagaId) -> bool {
        let mut locks = guard(&self.locks);
        let queue = locks.entry(key.to_owned()).or_default();
        let is_new = !queue.contains(saga);
        if is_new {
            queue.push_back(saga.clone());
        }
        is_new
    }

    /// The saga does not wait for this lock any more. If it was the first, then this one is now, and is to be told.
    pub(crate) fn leave_lock(&self, key: &str, saga: &SagaId) -> Option<SagaId> {
        let mut locks = guard(&self.locks);
        let queue = locks.get_mut(key)?;
        let place = queue.iter().position(|waiting| waiting == saga)?;
        queue.remove(place);
        let first = queue.front().filter(|_| place == 0).cloned();
        if queue.is_empty() {
            locks.remove(key);
        }
        first
    }

    /// The saga takes no lock any more, whichever it waited for. Answers whom to tell, as [`leave_lock`](Self::leave_lock)
    /// does.
    pub(crate) fn leave_all_locks(&self, saga: &SagaId) -> Vec<SagaId> {
        let keys: Vec<String> = {
            let locks = guard(&self.locks);
            locks.iter().filter(|(_, queue)| queue.contains(saga)).map(|(key, _)| key.clone()).collect()
        };
        keys.iter().filter_map(|key| self.leave_lock(key, saga)).collect()
    }

    /// The saga that has waited for this lock the longest.
    pub(crate) fn first_for_lock(&self, key: &str) -> Option<SagaId> {
        guard(&self.locks).get(key)?.front().cloned()
    }

    /// The saga is to be woken at `at_ms`.
    pub(crate) fn wake_at(&self, at_ms: u64, saga: &SagaId) {
        guard(&self.times).insert((at_ms, saga.clone()));
    }

    /// Those that are to be woken by `now_ms`, and when the next ones are.
    pub(crate) fn woken_by(&self, now_ms: u64) -> (Vec<SagaId>, Option<u64>) {
        let mut times = guard(&self.times);
        let mut woken = Vec::new();
        while let Some((at_ms, _)) = times.first()
            && *at_ms <= now_ms
            && let Some((_, saga)) = times.pop_first()
        {
            woken.push(saga);
        }
        (woken, times.first().map(|(at_ms, _)| *at_ms))
    }
}

/// No code that holds one of these locks can panic; a poisoned one is as good as any.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SagaId {
        SagaId::new(text).expect("it is an id")
    }

    #[test]
    fn who_came_first_is_next() {
        let waiters = Waiters::default();
        let new = ["a", "b", "a", "c"].map(|saga| waiters.wait_for_lock("k", &id(saga)));
        assert_eq!(new, [true, true, false, true]);
        assert_eq!(waiters.first_for_lock("k"), Some(id("a")));
        assert_eq!(waiters.leave_lock("k", &id("b")), None, "it was not the first");
        assert_eq!(waiters.leave_lock("k", &id("b")), None);
        assert_eq!(waiters.leave_lock("k", &id("a")), Some(id("c")));
        assert_eq!(waiters.leave_lock("k", &id("c")), None);
        assert!(guard(&waiters.locks).is_empty() && waiters.first_for_lock("k").is_none());
    }

    #[test]
    fn who_is_gone_waits_for_nothing() {
        let waiters = Waiters::default();
        for (key, saga) in [("k", "a"), ("k", "b"), ("l", "c"), ("l", "a"), ("m", "a")] {
            waiters.wait_for_lock(key, &id(saga));
        }
        assert_eq!(
            waiters.leave_all_locks(&id("a")),
            [id("b")],
            "of the others it was not the first, or alone"
        );
        assert_eq!(waiters.leave_all_locks(&id("a")), []);
        assert_eq!(waiters.first_for_lock("l"), Some(id("c")));
        assert_eq!(waiters.first_for_lock("m"), None);
    }

    #[test]
    fn each_is_woken_at_its_time() {
        let waiters = Waiters::default();
        for (at_ms, saga) in [(30, "c"), (10, "a"), (20, "b")] {
            waiters.wake_at(at_ms, &id(saga));
        }
        assert_eq!(waiters.woken_by(20), (vec![id("a"), id("b")], Some(30)));
        assert_eq!(waiters.woken_by(29), (vec![], Some(30)));
        assert_eq!(waiters.woken_by(30), (vec![id("c")], None));
    }
}
