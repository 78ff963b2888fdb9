//! Who waits in this process for something that no time in the log tells of: an entry in an index each, and no task.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::SagaId;

/// The sagas that wait for locks, and those that are to be woken in time although their log says that they have work.
#[derive(Default)]
pub(crate) struct Waiters {
    /// By key, in the order in which they came.
    locks: Mutex<HashMap<String, VecDeque<SagaId>>>,
    /// By time, in milliseconds since the Unix epoch.
    times: Mutex<BTreeSet<(u64, SagaId)>>,
    families: Mutex<Families>,
}

/// The children that wait for locks, and who has what they wait for. Only they can wait in a circle: what is nobody's
/// child takes its locks before anything else, and has none as long as it waits.
#[derive(Default)]
struct Families {
    waiting: BTreeMap<SagaId, WaitingChild>,
    /// By key, the saga with whose end the lock is let go.
    owners: HashMap<String, SagaId>,
}

/// A child that waits for a lock.
struct WaitingChild {
    /// All that cannot end before it does: itself, its parent, and so on.
    lineage: Vec<SagaId>,
    key: String,
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

    /// The child waits for this lock, which is let go with the end of `owner`: by then, all of its `lineage` have to wait.
    /// Answers the children with whom it waits in a circle, and what they wait for.
    pub(crate) fn wait_as_child(
        &self,
        lineage: &[SagaId],
        key: &str,
        owner: &SagaId,
    ) -> Option<Vec<(SagaId, String)>> {
        let child = lineage.first()?;
        let mut families = guard(&self.families);
        families.owners.insert(key.to_owned(), owner.clone());
        let waiting = WaitingChild { lineage: lineage.to_vec(), key: key.to_owned() };
        families.waiting.insert(child.clone(), waiting);
        families.circle(child)
    }

    /// The lock is let go with the end of `owner` from now on. Answers the children that wait for it in a circle by that.
    pub(crate) fn taken(&self, key: &str, owner: &SagaId) -> Vec<SagaId> {
        let mut families = guard(&self.families);
        match families.owners.get_mut(key) {
            Some(known) => known.clone_from(owner),
            None => return Vec::new(),
        }
        let behind = families.waiting.iter().filter(|(_, waiting)| waiting.key == key);
        let circling = behind.filter(|(child, _)| families.circle(child).is_some());
        circling.map(|(child, _)| child.clone()).collect()
    }

    /// Whether a child waits for the lock.
    pub(crate) fn is_awaited_by_child(&self, key: &str) -> bool {
        guard(&self.families).owners.contains_key(key)
    }

    /// The saga does not wait for this lock any more. If it was the first, then this one is now, and is to be told.
    pub(crate) fn leave_lock(&self, key: &str, saga: &SagaId) -> Option<SagaId> {
        guard(&self.families).leave(key, saga);
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

impl Families {
    fn leave(&mut self, key: &str, child: &SagaId) {
        if self.waiting.get(child).is_some_and(|waiting| waiting.key == key) {
            self.waiting.remove(child);
            if self.waiting.values().all(|waiting| waiting.key != key) {
                self.owners.remove(key);
            }
        }
    }

    /// The children that have to end before the one that `child` waits for can, if that waits for `child` itself.
    fn circle(&self, child: &SagaId) -> Option<Vec<(SagaId, String)>> {
        let WaitingChild { lineage, key } = self.waiting.get(child)?;
        // For each owner that was come by, the child behind which it was found.
        let mut found: Vec<(&SagaId, Option<(usize, &SagaId)>)> = vec![(self.owners.get(key)?, None)];
        let mut next = 0;
        while let Some((owner, _)) = found.get(next).copied() {
            if lineage.contains(owner) {
                let mut circle = Vec::new();
                let mut behind = found[next].1;
                while let Some((before, child)) = behind {
                    circle.push((child.clone(), self.waiting.get(child)?.key.clone()));
                    behind = found[before].1;
                }
                circle.reverse();
                return Some(circle);
            }
            for (other, waiting) in self.waiting.iter().filter(|(_, other)| other.lineage.contains(owner)) {
                if let Some(owner) = self.owners.get(&waiting.key)
                    && found.iter().all(|(known, _)| *known != owner)
                {
                    found.push((owner, Some((next, other))));
                }
            }
            next += 1;
        }
        None
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
    fn children_that_wait_for_each_other_are_found() {
        let waiters = Waiters::default();
        let lineage = |child: &str, root: &str| [id(child), id(root)];
        assert_eq!(waiters.wait_as_child(&lineage("a/c", "a"), "y", &id("b")), None);
        assert_eq!(waiters.wait_as_child(&lineage("b/c", "b"), "z", &id("d")), None);
        let circle = waiters.wait_as_child(&lineage("d/c", "d"), "x", &id("a"));
        let texts = [(id("a/c"), "y".to_owned()), (id("b/c"), "z".to_owned())];
        assert_eq!(circle, Some(texts.to_vec()));
        assert_eq!(waiters.leave_lock("y", &id("a/c")), None);
        assert_eq!(waiters.wait_as_child(&lineage("d/c", "d"), "x", &id("a")), None, "one is gone");
        assert_eq!(waiters.wait_as_child(&lineage("a/c", "a"), "y", &id("e")), None);
        assert_eq!(waiters.taken("y", &id("f")), []);
        assert_eq!(waiters.taken("y", &id("b")), [id("a/c")], "who takes a lock can close the circle, too");
        for (child, key) in [("a/c", "y"), ("b/c", "z"), ("d/c", "x")] {
            assert!(waiters.is_awaited_by_child(key));
            waiters.leave_lock(key, &id(child));
            assert!(!waiters.is_awaited_by_child(key));
        }
        assert!(guard(&waiters.families).waiting.is_empty());
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
