//! A saga log in memory: for tests, and for sagas that need not outlive the process.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rules::{Verdict, judge, validate};
use super::{Append, AppendError, Cursor, History, HistoryError, LogError, LogFuture, Page, SagaLog, Status};
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
    running: BTreeSet<usize>,
}

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
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

    fn unfinished(&self, after: Option<Cursor>, limit: usize) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move { Ok(self.content().unfinished(after, limit.max(1))) })
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
        let place = *self.places.entry(append.saga.clone()).or_insert(self.sagas.len());
        if let Some(begin) = append.begin {
            let saga = append.saga;
            self.sagas.push(History { saga, begin, status: append.status, records: Vec::new() });
        }
        let history = &mut self.sagas[place];
        history.records.extend(append.records.into_iter().skip(skip));
        history.status = append.status;
        if append.status == Status::Running {
            self.running.insert(place);
        } else {
            self.running.remove(&place);
        }
        Ok(())
    }

    fn unfinished(&self, after: Option<Cursor>, limit: usize) -> Page {
        // A place that does not fit lies behind every saga.
        let after = after.map(|Cursor(place)| usize::try_from(place).unwrap_or(usize::MAX));
        let mut places =
            self.running.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        let page: Vec<usize> = places.by_ref().take(limit).copied().collect();
        let next = places.next().and(page.last()).map(|&place| Cursor(place as u64));
        Page { sagas: page.into_iter().map(|place| Ok(self.sagas[place].clone())).collect(), next }
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
}
