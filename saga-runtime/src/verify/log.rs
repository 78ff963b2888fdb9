//! A log in memory that crashes the process, or leaves a commit unknown, where the scenario says so.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::scenario::LogFault;
use super::world::World;
use crate::id::SagaId;
use crate::log::{
    Append, AppendError, Cursor, Damaged, History, HistoryError, LockCursor, LockPage, LogError, LogFuture,
    MemoryLog, Page, SagaLog, Wake,
};

/// So long nothing of an append is durable yet: whoever is told of it too early tells it on.
const A_MOMENT: Duration = Duration::from_millis(10);

/// For so many appends there is no room.
const FULL_APPENDS: usize = 3;

/// The log of one life of the process. What it holds outlives that.
#[derive(Clone)]
pub(crate) struct FaultyLog {
    log: MemoryLog,
    world: World,
    /// Which life it is, from 0.
    life: usize,
    /// What was to be appended, by its records.
    story: Arc<Mutex<Vec<String>>>,
    /// Up to which append there is no room.
    full_until: Arc<AtomicUsize>,
    crashed: watch::Sender<bool>,
}

impl FaultyLog {
    pub(super) fn new(log: &MemoryLog, world: &World, life: usize) -> Self {
        Self {
            log: log.clone(),
            world: world.clone(),
            life,
            story: Arc::default(),
            full_until: Arc::default(),
            crashed: watch::Sender::new(false),
        }
    }

    /// What was to be appended in this life.
    pub(super) fn story(&self) -> Vec<String> {
        self.story.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Resolves when the process has crashed: its tasks are to be dropped.
    pub(super) async fn crashed(&self) {
        // The sender is held by `self`.
        let _ = self.crashed.subscribe().wait_for(|crashed| *crashed).await;
    }

    async fn append_one(&self, append: Append) -> Result<(), AppendError> {
        let records = append.records.iter().map(|record| match &record.step {
            Some(step) => format!("{step} {}", record.event),
            None => record.event.clone(),
        });
        let records = format!("{}: {}", append.saga, records.collect::<Vec<_>>().join(", "));
        let number = {
            let mut story = self.story.lock().unwrap_or_else(PoisonError::into_inner);
            story.push(records.clone());
            story.len()
        };
        let fault = self.world.log_fault_at(self.life, number, &records).await;
        if fault == Some(LogFault::Full) {
            self.full_until.store(number + FULL_APPENDS, Ordering::Relaxed);
        }
        let is_full = number < self.full_until.load(Ordering::Relaxed);
        let is_durable = match fault {
            None => !is_full,
            Some(fault) => matches!(fault, LogFault::CrashAfter | LogFault::Unconfirmed),
        };
        if fault == Some(LogFault::CrashBefore) {
            tokio::time::sleep(A_MOMENT).await;
        }
        let answer = if is_durable { self.log.append(vec![append]).await.pop() } else { None };
        if matches!(fault, Some(LogFault::CrashBefore | LogFault::CrashAfter)) {
            self.crashed.send_replace(true);
            pending::<()>().await;
        }
        let answer = answer.filter(|_| fault.is_none());
        self.world.confirm(&records, answer.is_some());
        answer.unwrap_or_else(|| {
            let place = "of this scenario".to_owned();
            let cause = "nobody knows whether it is durable".to_owned();
            Err(AppendError::Unavailable(LogError { place, cause }))
        })
    }
}

impl SagaLog for FaultyLog {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(batch.len());
            for append in batch {
                answers.push(self.append_one(append).await);
            }
            answers
        })
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        self.log.history(id)
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        self.log.unfinished(until, after, limit)
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        self.log.next_wake(after_ms)
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        self.log.waiting(after_ms)
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        self.log.locks(after, limit)
    }

    fn check(&self) -> LogFuture<'_, Result<Vec<Damaged>, LogError>> {
        self.log.check()
    }
}
