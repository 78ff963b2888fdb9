//! What all sagas of one coordinator share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, mpsc, watch};

use crate::coordinator::clock::Clock;
use crate::coordinator::driver::Command;
use crate::coordinator::status::Progress;
use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::{Append, AppendError, LogError, SagaLog};

pub(crate) struct Shared {
    pub(crate) log: Arc<dyn SagaLog>,
    /// The sagas that this coordinator can execute, by their Rust type.
    pub(crate) registered: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    pub(crate) clock: Clock,
    pub(crate) calls_at_once: Arc<Semaphore>,
    pub(crate) sagas_at_once: Arc<Semaphore>,
    entries: Mutex<HashMap<SagaId, Arc<Entry>>>,
    quarantined: Mutex<HashMap<SagaId, String>>,
    shutdown: watch::Sender<bool>,
    /// Every task of the coordinator holds a clone: when all are gone, it has drained.
    alive: watch::Sender<()>,
}

/// A saga that is being driven.
pub(crate) struct Entry {
    pub(crate) definition: &'static str,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) input: Arc<str>,
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
}

/// The task's ends of an [`Entry`].
pub(crate) struct Reins {
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
}

impl Shared {
    pub(crate) fn new(
        log: Arc<dyn SagaLog>,
        registered: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
        calls_at_once: usize,
        sagas_at_once: usize,
    ) -> Self {
        Self {
            log,
            registered,
            clock: Clock::new(),
            calls_at_once: Arc::new(Semaphore::new(calls_at_once)),
            sagas_at_once: Arc::new(Semaphore::new(sagas_at_once)),
            entries: Mutex::default(),
            quarantined: Mutex::default(),
            shutdown: watch::Sender::new(false),
            alive: watch::Sender::new(()),
        }
    }

    /// Appends for one saga.
    pub(crate) async fn append(&self, append: Append) -> Result<(), AppendError> {
        let mut answers = self.log.append(vec![append]).await;
        answers.pop().unwrap_or_else(|| {
            let cause = "it gave no answer to an append".to_owned();
            Err(AppendError::Unavailable(LogError { place: "of this coordinator".to_owned(), cause }))
        })
    }

    /// The entry of a saga that is being driven; otherwise a new one, with the reins for the task to be spawned.
    pub(crate) fn enter(
        &self,
        id: &SagaId,
        definition: &'static str,
        fingerprint: Fingerprint,
        input: &Arc<str>,
    ) -> (Arc<Entry>, Option<Reins>) {
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get(id) {
            return (Arc::clone(entry), None);
        }
        let (progress, progress_seen) = watch::channel(Progress::Beginning);
        let (commands_sent, commands) = mpsc::unbounded_channel();
        let entry = Arc::new(Entry {
            definition,
            fingerprint,
            input: Arc::clone(input),
            progress: progress_seen,
            commands: commands_sent,
        });
        entries.insert(id.clone(), Arc::clone(&entry));
        (entry, Some(Reins { progress, commands }))
    }

    pub(crate) fn remove(&self, id: &SagaId) {
        lock(&self.entries).remove(id);
    }

    pub(crate) fn entry(&self, id: &SagaId) -> Option<Arc<Entry>> {
        lock(&self.entries).get(id).map(Arc::clone)
    }

    pub(crate) fn running(&self) -> usize {
        lock(&self.entries).len()
    }

    pub(crate) fn quarantine(&self, id: &SagaId, cause: &str) {
        lock(&self.quarantined).insert(id.clone(), cause.to_owned());
    }

    /// The saga goes on after all.
    pub(crate) fn release(&self, id: &SagaId) {
        lock(&self.quarantined).remove(id);
    }

    pub(crate) fn quarantined(&self) -> Vec<(SagaId, String)> {
        lock(&self.quarantined).iter().map(|(id, cause)| (id.clone(), cause.clone())).collect()
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        *self.shutdown.borrow()
    }

    /// Begins to drain: what is in flight ends, nothing new starts.
    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.send_replace(true);
        self.calls_at_once.close();
        self.sagas_at_once.close();
    }

    /// Resolves when the coordinator shuts down.
    pub(crate) async fn shutdown(&self) {
        // An error would say that the sender is gone, and it is held by `self`.
        let _ = self.shutdown.subscribe().wait_for(|down| *down).await;
    }

    /// Held by every task.
    pub(crate) fn task(&self) -> watch::Receiver<()> {
        self.alive.subscribe()
    }

    /// Resolves when no task is left.
    pub(crate) async fn drained(&self) {
        self.alive.closed().await;
    }
}

/// No code that holds one of these locks can panic; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
