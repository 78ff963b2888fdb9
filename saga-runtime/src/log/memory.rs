//! A saga log in memory: for tests, and for sagas that need not outlive the process.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, btree_set};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rules::{
    Verdict, conflict, ended_at_ms, id_hash, judge, judge_purge, purged, sorted_keys, validate, wake_after,
};
use super::{
    Append, AppendError, Cursor, HeldLock, History, HistoryError, LockCursor, LockPage, Locks, LogError,
    LogFuture, Page, Purge, Purged, SagaLog, Status, WAKE_MS_MAX, Wake,
};
use crate::id::SagaId;

/// A saga log in memory. It keeps everything that is not purged, ended sagas too, until its last clone is dropped.
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
    sagas: BTreeMap<usize, History>,
    places: BTreeMap<SagaId, usize>,
    /// The place of the next saga: none is given twice.
    next_place: usize,
    purged: HashMap<SagaId, Purged>,
    /// The hashes of the ids that are all that is known of their sagas.
    expired: HashSet<u64>,
    /// The unfinished ones, in the order in which they wake.
    running: BTreeSet<(Wake, usize)>,
    /// The locks that are held, by key and by the place of the holder.
    locks: BTreeMap<(String, usize), HeldLock>,
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
        self.content().sagas.values().cloned().collect()
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
        Box::pin(async move {
            let content = self.content();
            if let Some(history) = content.history(id) {
                return Ok(Some(history.clone()));
            }
            match content.past(id) {
                None => Ok(None),
                Some(Past::Purged(purged)) => Err(HistoryError::Purged(purged)),
                Some(Past::Expired) => Err(HistoryError::Expired { saga: id.clone() }),
            }
        })
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

    fn purge(&self, batch: Vec<Purge>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            let mut content = self.content();
            batch.into_iter().map(|purge| content.purge(&purge)).collect()
        })
    }

    fn expire(&self, until_ms: u64, limit: usize) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move { Ok(self.content().expire(until_ms, limit)) })
    }

    fn ended(
        &self,
        until_ms: u64,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move { Ok(self.content().ended(until_ms, after, limit.max(1))) })
    }

    fn ids<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a SagaId>,
        limit: usize,
    ) -> LogFuture<'a, Result<Vec<SagaId>, LogError>> {
        Box::pin(async move {
            let content = self.content();
            let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
            let ids = content.places.range::<SagaId, _>(behind).map(|(id, _)| id);
            Ok(ids.filter(|id| id.as_str().starts_with(prefix)).take(limit.max(1)).cloned().collect())
        })
    }
}

/// What is left of a saga whose history is gone.
enum Past {
    Purged(Box<Purged>),
    Expired,
}

impl Content {
    fn history(&self, id: &SagaId) -> Option<&History> {
        self.places.get(id).and_then(|place| self.sagas.get(place))
    }

    fn past(&self, id: &SagaId) -> Option<Past> {
        if let Some(purged) = self.purged.get(id) {
            return Some(Past::Purged(Box::new(purged.clone())));
        }
        self.expired.contains(&id_hash(id)).then_some(Past::Expired)
    }

    fn purge(&mut self, purge: &Purge) -> Result<(), AppendError> {
        let hash = id_hash(&purge.saga);
        if self.past(&purge.saga).is_some() {
            if purge.keep.is_none() && self.purged.remove(&purge.saga).is_some() {
                self.expired.insert(hash);
            }
            return Ok(());
        }
        let history = self.history(&purge.saga);
        judge_purge(purge, history)?;
        match (&purge.keep, history) {
            (Some(keep), Some(history)) => {
                let purged = purged(history, keep);
                self.purged.insert(purge.saga.clone(), purged);
            }
            _ => {
                self.expired.insert(hash);
            }
        }
        if let Some(place) = self.places.remove(&purge.saga) {
            self.sagas.remove(&place);
        }
        Ok(())
    }

    fn expire(&mut self, until_ms: u64, limit: usize) -> u64 {
        let old = self.purged.values().filter(|purged| purged.ended_at_ms <= until_ms);
        let mut old: Vec<(u64, SagaId)> = old.map(|old| (old.ended_at_ms, old.saga.clone())).collect();
        old.sort_unstable();
        old.truncate(limit);
        for (_, id) in &old {
            self.purged.remove(id);
            self.expired.insert(id_hash(id));
        }
        old.len() as u64
    }

    fn ended(&self, until_ms: u64, after: Option<Cursor>, limit: usize) -> Page {
        let after = after.map(|after| usize::try_from(after.begun).unwrap_or(usize::MAX));
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut looked_at = self.sagas.range(behind);
        let page: Vec<(&usize, &History)> = looked_at.by_ref().take(limit).collect();
        let next = looked_at.next().and(page.last());
        let next = next.map(|(place, _)| Cursor { wake: Wake::Never, begun: **place as u64 });
        let old = |history: &&History| history.status != Status::Running && ended_at_ms(history) <= until_ms;
        let sagas = page.into_iter().map(|(_, history)| history).filter(old);
        Page { sagas: sagas.cloned().map(Ok).collect(), next }
    }

    fn append(&mut self, append: Append) -> Result<(), AppendError> {
        validate(&append)?;
        if !self.places.contains_key(&append.saga) {
            match self.past(&append.saga) {
                None => {}
                Some(Past::Purged(purged)) => return Err(AppendError::Purged(purged)),
                Some(Past::Expired) => return Err(AppendError::Expired { saga: append.saga }),
            }
        }
        let Verdict::Write { skip } = judge(&append, self.history(&append.saga))? else {
            return Ok(());
        };
        if let Some(locks) = &append.locks {
            self.check_locks(&append.saga, locks)?;
        }
        let wake = wake_after(&append);
        let place = match self.places.get(&append.saga) {
            Some(place) => *place,
            None => self.next_place,
        };
        if let Some(begin) = append.begin {
            let saga = append.saga.clone();
            self.places.insert(append.saga.clone(), place);
            self.next_place = self.next_place.max(place + 1);
            self.sagas
                .insert(place, History { saga, begin, status: append.status, wake, records: Vec::new() });
        }
        // A verdict to write is given only on a saga that begins or is there.
        let Some(history) = self.sagas.get_mut(&place) else {
            return Err(conflict(&append.saga, append.first_seq, 0));
        };
        self.running.remove(&(history.wake, place));
        history.records.extend(append.records.into_iter().skip(skip));
        history.status = append.status;
        history.wake = wake;
        if append.status == Status::Running {
            self.running.insert((wake, place));
            if let Some(locks) = append.locks {
                self.take_locks(place, &append.saga, locks);
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
            if let Some((_, held)) = holders.find(|(_, held)| held.root != locks.root) {
                let holder = held.holder.clone();
                return Err(AppendError::Locked { saga: saga.clone(), key: key.to_owned(), holder });
            }
        }
        Ok(())
    }

    fn take_locks(&mut self, place: usize, holder: &SagaId, locks: Locks) {
        for key in locks.keys {
            self.held.entry(place).or_default().insert(key.clone());
            let held = HeldLock { key: key.clone(), holder: holder.clone(), root: locks.root.clone() };
            self.locks.insert((key, place), held);
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
        LockPage { locks: page.into_iter().map(|(_, held)| Ok(held.clone())).collect(), next }
    }

    fn unfinished(&self, until: Wake, after: Option<Cursor>, limit: usize) -> Page {
        // A place that does not fit lies behind every saga.
        let after = after.map(|Cursor { wake, begun }| (wake, usize::try_from(begun).unwrap_or(usize::MAX)));
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut places = self.running.range(behind).take_while(|(wake, _)| *wake <= until);
        let page: Vec<(Wake, usize)> = places.by_ref().take(limit).copied().collect();
        let next = places.next().and(page.last());
        let next = next.map(|&(wake, place)| Cursor { wake, begun: place as u64 });
        let sagas = page.into_iter().filter_map(|(_, place)| self.sagas.get(&place));
        Page { sagas: sagas.cloned().map(Ok).collect(), next }
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
