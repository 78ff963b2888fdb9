//! The live progress, on standard error if that is a terminal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::ending::Ending;

/// How often the elapsed time is drawn anew.
const TICK: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{spinner:.green} {bar:30.green/white.dim} {pos}/{len} {prefix}  {elapsed}  {msg}";

/// The progress of all sagas.
pub(super) struct Progress {
    bar: ProgressBar,
    completed: AtomicU64,
    compensated: AtomicU64,
    others: AtomicU64,
}

impl Progress {
    /// For so many sagas about `subject`.
    pub(super) fn new(sagas: usize, subject: &str) -> Self {
        let bar = ProgressBar::new(u64::try_from(sagas).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(format!("{subject}s"));
        bar.enable_steady_tick(TICK);
        let none = || AtomicU64::new(0);
        Self { bar, completed: none(), compensated: none(), others: none() }
    }

    /// A saga has come to its end, or does not go on by itself.
    pub(super) fn settled<O>(&self, saga: &str, ending: &Ending<O>) {
        match ending {
            Ending::Completed(_) => &self.completed,
            Ending::Compensated { .. } => &self.compensated,
            _ => &self.others,
        }
        .fetch_add(1, Ordering::Relaxed);
        if !ending.is_end() {
            self.bar.println(format!("{saga} is {ending}"));
        }
        self.bar.inc(1);
        self.show();
    }

    /// All have.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let others = count(&self.others);
        let others = if others > 0 { format!(", {others} need an operator") } else { String::new() };
        let (completed, compensated) = (count(&self.completed), count(&self.compensated));
        self.bar.set_message(format!("{completed} completed, {compensated} compensated{others}"));
    }
}
