//! A log that counts, fails, and "crashes the process" on command.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use saga_runtime::SagaId;
use saga_runtime::log::sqlite::rusqlite::Connection;
use saga_runtime::log::{
    Append, AppendError, AppendLocal, Cursor, Damaged, History, HistoryError, LockCursor, LockPage, LogError,
    LogFuture, Page, Purge, Record, SagaLog, Status, Transactional, Wake,
};
use tokio::sync::watch;

/// What happens to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogFault {
    /// The process ends before it is durable.
    CrashBefore,
    /// The process ends after it is durable, before anybody is told.
    CrashAfter,
    /// It is not durable, and the log says that it does not know.
    Lost,
    /// It is durable, and the log says that it does not know.
    Unconfirmed,
}

/// Wraps a log. Clones are the same wrapper: of one "process".
#[derive(Clone)]
pub struct TestLog {
    log: Arc<dyn SagaLog>,
    state: Arc<Mutex<State>>,
    crashed: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    appends: Vec<Append>,
    script: BTreeMap<usize, LogFault>,
    down: bool,
    delay: Duration,
    damaged: BTreeSet<String>,
}

impl TestLog {
    /// Passes everything on to `log`.
    pub fn new(log: impl SagaLog) -> Self {
        Self::over(Arc::new(log))
    }

    /// Passes everything on to `log`.
    pub fn over(log: Arc<dyn SagaLog>) -> Self {
        Self { log, state: Arc::default(), crashed: watch::Sender::new(false) }
    }

    /// `fault` happens to the append with this number, from 1.
    #[must_use]
    pub fn with(self, number: usize, fault: LogFault) -> Self {
        self.state().script.insert(number, fault);
        self
    }

    /// Whether the log answers nothing but that it is unavailable.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// Whether the history of this saga cannot be read.
    pub fn set_damaged(&self, saga: &str, damaged: bool) {
        let sagas = &mut self.state().damaged;
        if damaged {
            sagas.insert(saga.to_owned())
        } else {
            sagas.remove(saga)
        };
    }

    /// How long each append takes from now on.
    pub fn set_delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// How many appends were tried.
    pub fn appends(&self) -> usize {
        self.state().appends.len()
    }

    /// The names of the records of all appends that were tried: `flight done`, or `begun`.
    pub fn story(&self) -> Vec<String> {
        let state = self.state();
        let appends = state.appends.iter().map(|append| {
            let records = append.records.iter().map(|record| match &record.step {
                Some(step) => format!("{step} {}", record.event),
                None => record.event.clone(),
            });
            records.collect::<Vec<_>>().join(", ")
        });
        appends.collect()
    }

    /// Whether a record that was to be appended holds this text.
    pub fn mentions(&self, text: &str) -> bool {
        let state = self.state();
        let mut records = state.appends.iter().flat_map(|append| &append.records);
        records.any(|record| record.data.as_ref().is_some_and(|data| data.contains(text)))
    }

    /// Resolves when the "process" has ended: its tasks are to be dropped.
    pub async fn crashed(&self) {
        // The sender is held by `self`.
        let _ = self.crashed.subscribe().wait_for(|crashed| *crashed).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_up(&self) -> Result<(), LogError> {
        if self.state().down { Err(Self::unavailable()) } else { Ok(()) }
    }

    fn unavailable() -> LogError {
        LogError { place: "of this test".to_owned(), cause: "the test says so".to_owned() }
    }

    async fn crash<T>(&self) -> T {
        self.crashed.send_replace(true);
        pending().await
    }

    async fn append_one(&self, append: Append) -> Result<(), AppendError> {
        let (_, fault) = self.tried(append.clone()).await;
        let inner = async || {
            let answer = self.log.append(vec![append.clone()]).await.pop();
            answer.unwrap_or_else(|| Err(Self::unavailable().into()))
        };
        self.answer(fault?, inner).await
    }

    /// The append of a local call: its records are known when it was made.
    async fn append_one_local(&self, local: AppendLocal) -> Result<Vec<Record>, AppendError> {
        let (saga, first_seq) = (local.saga.clone(), local.first_seq);
        let (status, wake) = (Status::Running, Wake::Now);
        let append = Append { saga, begin: None, first_seq, records: Vec::new(), status, wake, locks: None };
        let (number, fault) = self.tried(append).await;
        let inner = async || {
            let answer = self.log.append_local(local).await;
            if let Ok(records) = &answer {
                self.state().appends[number - 1].records.clone_from(records);
            }
            answer
        };
        self.answer(fault?, inner).await
    }

    /// The number of this append, and what is to happen to it.
    async fn tried(&self, append: Append) -> (usize, Result<Option<LogFault>, LogError>) {
        let delay = self.state().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut state = self.state();
        state.appends.push(append);
        let number = state.appends.len();
        let fault =
            if state.down { Err(Self::unavailable()) } else { Ok(state.script.get(&number).copied()) };
        (number, fault)
    }

    async fn answer<T>(
        &self,
        fault: Option<LogFault>,
        inner: impl AsyncFnOnce() -> Result<T, AppendError>,
    ) -> Result<T, AppendError> {
        match fault {
            None => inner().await,
            Some(LogFault::CrashBefore) => self.crash().await,
            Some(LogFault::CrashAfter) => {
                let _ = inner().await;
                self.crash().await
            }
            Some(LogFault::Lost) => Err(Self::unavailable().into()),
            Some(LogFault::Unconfirmed) => {
                let _ = inner().await;
                Err(Self::unavailable().into())
            }
        }
    }
}

impl SagaLog for TestLog {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            if *self.crashed.borrow() {
                return pending().await;
            }
            let mut answers = Vec::new();
            for append in batch {
                answers.push(self.append_one(append).await);
            }
            answers
        })
    }

    fn epoch(&self) -> u64 {
        self.log.epoch()
    }

    fn begin_in(&self, transaction: &dyn Any, append: &Append) -> Result<(), AppendError> {
        self.log.begin_in(transaction, append)
    }

    fn append_local(&self, local: AppendLocal) -> LogFuture<'_, Result<Vec<Record>, AppendError>> {
        Box::pin(async move {
            if *self.crashed.borrow() {
                return pending().await;
            }
            self.append_one_local(local).await
        })
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        Box::pin(async move {
            if *self.crashed.borrow() {
                return pending().await;
            }
            self.is_up()?;
            if self.state().damaged.contains(id.as_str()) {
                let cause = "the checksum of record 0 is wrong".to_owned();
                return Err(Damaged { saga: id.to_string(), cause }.into());
            }
            self.log.history(id).await
        })
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.unfinished(until, after, limit).await
        })
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.next_wake(after_ms).await
        })
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.waiting(after_ms).await
        })
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.locks(after, limit).await
        })
    }

    fn check(&self) -> LogFuture<'_, Result<Vec<Damaged>, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.check().await
        })
    }

    fn purge(&self, batch: Vec<Purge>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            match self.is_up() {
                Ok(()) => self.log.purge(batch).await,
                Err(error) => vec![Err(error.into()); batch.len()],
            }
        })
    }

    fn expire(&self, until_ms: u64, limit: usize) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.expire(until_ms, limit).await
        })
    }

    fn ended(
        &self,
        until_ms: u64,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.ended(until_ms, after, limit).await
        })
    }

    fn ids<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a SagaId>,
        limit: usize,
    ) -> LogFuture<'a, Result<Vec<SagaId>, LogError>> {
        Box::pin(async move {
            self.is_up()?;
            self.log.ids(prefix, after, limit).await
        })
    }
}

/// That of the file that is below. A log in memory that is below refuses every local call.
impl Transactional for TestLog {
    type Tx = Connection;
}

/// A log with threads of its own, for virtual time: the clock does not advance while it is at work.
#[derive(Clone)]
pub struct Unhurried<L> {
    log: Arc<L>,
    in_turn: bool,
}

impl<L: SagaLog> Unhurried<L> {
    /// Wraps `log`.
    pub fn new(log: L) -> Self {
        Self { log: Arc::new(log), in_turn: false }
    }

    /// Wraps `log`, so that nothing else happens while it is at work: then all that happens on one thread happens in
    /// the same order each time.
    pub fn in_turn(log: L) -> Self {
        Self { in_turn: true, ..Self::new(log) }
    }

    async fn unhurried<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&L) -> T + Send + 'static,
    ) -> Option<T> {
        let log = Arc::clone(&self.log);
        if self.in_turn {
            return Some(block_on(work(&log)));
        }
        let runtime = tokio::runtime::Handle::current();
        // Virtual time stands still as long as a blocking task runs.
        tokio::task::spawn_blocking(move || runtime.block_on(work(&log))).await.ok()
    }
}

/// Waits on this thread, which may be one of a runtime.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = TaskContext::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
        thread::park();
    }
}

impl<L: SagaLog> SagaLog for Unhurried<L> {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            self.unhurried(async move |log: &L| log.append(batch).await).await.unwrap_or_default()
        })
    }

    fn epoch(&self) -> u64 {
        self.log.epoch()
    }

    fn begin_in(&self, transaction: &dyn Any, append: &Append) -> Result<(), AppendError> {
        self.log.begin_in(transaction, append)
    }

    fn append_local(&self, local: AppendLocal) -> LogFuture<'_, Result<Vec<Record>, AppendError>> {
        Box::pin(async move {
            let answer = self.unhurried(async move |log: &L| log.append_local(local).await).await;
            answer.unwrap_or_else(|| Err(TestLog::unavailable().into()))
        })
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        let id = id.clone();
        Box::pin(async move {
            let history = self.unhurried(async move |log: &L| log.history(&id).await).await;
            history.unwrap_or_else(|| Err(TestLog::unavailable().into()))
        })
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move {
            let page = self.unhurried(async move |log: &L| log.unfinished(until, after, limit).await).await;
            page.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        Box::pin(async move {
            let next = self.unhurried(async move |log: &L| log.next_wake(after_ms).await).await;
            next.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            let count = self.unhurried(async move |log: &L| log.waiting(after_ms).await).await;
            count.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        Box::pin(async move {
            let page = self.unhurried(async move |log: &L| log.locks(after, limit).await).await;
            page.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }

    fn check(&self) -> LogFuture<'_, Result<Vec<Damaged>, LogError>> {
        Box::pin(async move {
            let damaged = self.unhurried(async |log: &L| log.check().await).await;
            damaged.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }

    fn purge(&self, batch: Vec<Purge>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            self.unhurried(async move |log: &L| log.purge(batch).await).await.unwrap_or_default()
        })
    }

    fn expire(&self, until_ms: u64, limit: usize) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            let expired = self.unhurried(async move |log: &L| log.expire(until_ms, limit).await).await;
            expired.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }

    fn ended(
        &self,
        until_ms: u64,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move {
            let page = self.unhurried(async move |log: &L| log.ended(until_ms, after, limit).await).await;
            page.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }

    fn ids<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a SagaId>,
        limit: usize,
    ) -> LogFuture<'a, Result<Vec<SagaId>, LogError>> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        Box::pin(async move {
            let ids = async move |log: &L| log.ids(&prefix, after.as_ref(), limit).await;
            self.unhurried(ids).await.unwrap_or_else(|| Err(TestLog::unavailable()))
        })
    }
}
