//! The live progress, on standard error if that is a terminal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use saga_runtime::{Handle, Saga, SagaStatus};
use tokio::time::interval;

use crate::ending::Ending;

/// How often it is drawn anew.
const TICK: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{spinner:.green} {bar:30.green/white.dim} {pos}/{len} {prefix}  {elapsed}  {msg}";

/// The progress of all sagas.
pub(super) struct Progress<S: Saga> {
    bar: ProgressBar,
    begun: Mutex<Vec<Handle<S>>>,
    completed: AtomicU64,
    compensated: AtomicU64,
    others: AtomicU64,
}

impl<S: Saga> Progress<S> {
    /// For so many sagas about `subject`.
    pub(super) fn new(sagas: usize, subject: &str) -> Self {
        let bar = ProgressBar::new(u64::try_from(sagas).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(format!("{subject}s"));
        bar.enable_steady_tick(TICK);
        let none = || AtomicU64::new(0);
        let begun = Mutex::new(Vec::new());
        Self { bar, begun, completed: none(), compensated: none(), others: none() }
    }

    /// A saga is begun.
    pub(super) fn begun(&self, saga: &Handle<S>) {
        self.lock().push(saga.clone());
    }

    /// A saga has come to its end, or does not go on by itself.
    pub(super) fn settled(&self, saga: &str, ending: &Ending<S::Output>) {
        match ending {
            Ending::Completed(_) => &self.completed,
            Ending::Compensated { .. } => &self.compensated,
            _ => &self.others,
        }
        .fetch_add(1, Ordering::Relaxed);
        self.lock().retain(|handle| handle.id().as_str() != saga);
        if !ending.is_end() {
            self.bar.println(format!("{saga} is {ending}"));
        }
        self.bar.inc(1);
        self.show();
    }

    /// Shows, for ever, what changes while no saga settles.
    pub(super) async fn keep_showing(&self) {
        let mut ticks = interval(TICK);
        loop {
            ticks.tick().await;
            self.show();
        }
    }

    /// How many sagas are begun and have not settled.
    pub(super) fn under_way(&self) -> usize {
        self.lock().len()
    }

    /// All have settled.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let (completed, compensated) = (count(&self.completed), count(&self.compensated));
        let if_any = |count: u64, what| if count > 0 { format!(", {count} {what}") } else { String::new() };
        let waiting = if_any(self.wait_for_a_lock(), "wait for a lock");
        let others = if_any(count(&self.others), "need an operator");
        self.bar.set_message(format!("{completed} completed, {compensated} compensated{waiting}{others}"));
    }

    fn wait_for_a_lock(&self) -> u64 {
        let waits = |handle: &&Handle<S>| matches!(handle.status(), SagaStatus::WaitsForLock { .. });
        u64::try_from(self.lock().iter().filter(waits).count()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Handle<S>>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
