//! A saga log in memory: for tests, and for sagas that need not outlive the process.

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_set};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rules::{Verdict, judge, sorted_keys, validate, wake_after};
use super::{
    Append, AppendError, Cursor, HeldLock, History, HistoryError, LockCursor, LockPage, Locks, LogError,
    LogFuture, Page, SagaLog, Status, WAKE_MS_MAX, Wake,
};
use crate::id::SagaId;

/// A saga log in memory. It keeps everything, ended sagas too, until its last clone is dropped.
///
/// Clones share their content, so that a coordinator can be "restarted" on the log of the one before.
/// It gives the same answers as a durable log, and nothing survives the process.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    /// In the order in which they were begun.
    sagas: Vec<History>,
    places: HashMap<SagaId, usize>,
    /// The unfinished ones, in the order in which they wake.
    running: BTreeSet<(Wake, usize)>,
    /// The roots of the locks that are held, by key and by the place of the holder.
    locks: BTreeMap<(String, usize), SagaId>,
    /// The keys that each saga holds.
    held: HashMap<usize, BTreeSet<String>>,
}

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every saga, in the order in which they were begun.
    #[cfg(feature = "verify")]
    pub(crate) fn sagas(&self) -> Vec<History> {
        self.content().sagas.clone()
    }

    /// Every change is whole before the lock is given back, so content left by a panic elsewhere is still sound.
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SagaLog for MemoryLog {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            let mut content = self.content();
            batch.into_iter().map(|append| content.append(append)).collect()
        })
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        Box::pin(async move { Ok(self.content().history(id).cloned()) })
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move { Ok(self.content().unfinished(until, after, limit.max(1))) })
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        Box::pin(async move {
            Ok(match self.content().later(after_ms).next() {
                Some((Wake::At(ms), _)) => Some(*ms),
                _ => None,
            })
        })
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move { Ok(self.content().later(after_ms).count() as u64) })
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        Box::pin(async move { Ok(self.content().locks(after, limit.max(1))) })
    }
}

impl Content {
    fn history(&self, id: &SagaId) -> Option<&History> {
        self.places.get(id).map(|&place| &self.sagas[place])
    }

    fn append(&mut self, append: Append) -> Result<(), AppendError> {
        validate(&append)?;
        let Verdict::Write { skip } = judge(&append, self.history(&append.saga))? else {
            return Ok(());
        };
        if let Some(locks) = &append.locks {
            self.check_locks(&append.saga, locks)?;
        }
        let wake = wake_after(&append);
        let place = *self.places.entry(append.saga.clone()).or_insert(self.sagas.len());
        if let Some(begin) = append.begin {
            let saga = append.saga;
            self.sagas.push(History { saga, begin, status: append.status, wake, records: Vec::new() });
        }
        let history = &mut self.sagas[place];
        self.running.remove(&(history.wake, place));
        history.records.extend(append.records.into_iter().skip(skip));
        history.status = append.status;
        history.wake = wake;
        if append.status == Status::Running {
            self.running.insert((wake, place));
            if let Some(locks) = append.locks {
                self.take_locks(place, locks);
            }
        } else {
            for key in self.held.remove(&place).into_iter().flatten() {
                self.locks.remove(&(key, place));
            }
        }
        Ok(())
    }

    /// Refuses locks of which another root holds one.
    fn check_locks(&self, saga: &SagaId, locks: &Locks) -> Result<(), AppendError> {
        for key in sorted_keys(locks) {
            let mut holders = self.locks.range((key.to_owned(), 0)..=(key.to_owned(), usize::MAX));
            if let Some(((_, place), _)) = holders.find(|(_, root)| **root != locks.root) {
                let holder = self.sagas[*place].saga.clone();
                return Err(AppendError::Locked { saga: saga.clone(), key: key.to_owned(), holder });
            }
        }
        Ok(())
    }

    fn take_locks(&mut self, place: usize, locks: Locks) {
        for key in locks.keys {
            self.held.entry(place).or_default().insert(key.clone());
            self.locks.insert((key, place), locks.root.clone());
        }
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LockPage {
        let after =
            after.map(|LockCursor { key, begun }| (key, usize::try_from(begun).unwrap_or(usize::MAX)));
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut locks = self.locks.range(behind);
        let page: Vec<_> = locks.by_ref().take(limit).collect();
        let last = locks.next().and(page.last());
        let next = last.map(|((key, place), _)| LockCursor { key: key.clone(), begun: *place as u64 });
        let held = |((key, place), root): (&(String, usize), &SagaId)| {
            Ok(HeldLock { key: key.clone(), holder: self.sagas[*place].saga.clone(), root: root.clone() })
        };
        LockPage { locks: page.into_iter().map(held).collect(), next }
    }

    fn unfinished(&self, until: Wake, after: Option<Cursor>, limit: usize) -> Page {
        // A place that does not fit lies behind every saga.
        let after = after.map(|Cursor { wake, begun }| (wake, usize::try_from(begun).unwrap_or(usize::MAX)));
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut places = self.running.range(behind).take_while(|(wake, _)| *wake <= until);
        let page: Vec<(Wake, usize)> = places.by_ref().take(limit).copied().collect();
        let next = places.next().and(page.last());
        let next = next.map(|&(wake, place)| Cursor { wake, begun: place as u64 });
        Page { sagas: page.into_iter().map(|(_, place)| Ok(self.sagas[place].clone())).collect(), next }
    }

    /// Those that wake later than `after_ms`.
    fn later(&self, after_ms: u64) -> btree_set::Range<'_, (Wake, usize)> {
        let behind = (Wake::At(after_ms.min(WAKE_MS_MAX)), usize::MAX);
        self.running.range((Bound::Excluded(behind), Bound::Unbounded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::conformance;

    #[tokio::test(flavor = "multi_thread")]
    async fn conforms() {
        conformance::check(|| async { MemoryLog::new() }).await;
    }

    #[tokio::test]
    async fn clones_share_their_content() {
        let log = MemoryLog::new();
        let append = conformance::begun("trip", 1);
        let _ = log.clone().append(vec![append.clone()]).await;
        assert_eq!(log.append(vec![append]).await, [Ok(())], "the clone's append stands");
    }

    #[tokio::test]
    async fn a_local_call_is_refused_with_what_to_use() {
        let log = MemoryLog::new();
        assert_eq!(conformance::append(&log, conformance::begun("trip", 1)).await, Ok(()));
        let answer = log.append_local(conformance::local("trip", 1, |(): &()| true)).await;
        let text = answer.expect_err("it has no transactions").to_string();
        assert!(text.contains("as `SqliteLog`"), "{text}");
    }
}
