//! The live progress, on standard error if that is a terminal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::travel::booking::Ending;
use crate::travel::trip::Trip;

/// How often the elapsed time is drawn anew.
const TICK: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{spinner:.green} {bar:30.green/white.dim} {pos}/{len} trips  {elapsed}  {msg}";

/// The progress of all trips.
pub(super) struct Progress {
    bar: ProgressBar,
    completed: AtomicU64,
    compensated: AtomicU64,
    others: AtomicU64,
}

impl Progress {
    /// For so many trips.
    pub(super) fn new(trips: usize) -> Self {
        let bar = ProgressBar::new(u64::try_from(trips).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(TICK);
        let none = || AtomicU64::new(0);
        Self { bar, completed: none(), compensated: none(), others: none() }
    }

    /// A trip has come to its end, or does not go on by itself.
    pub(super) fn settled(&self, trip: &Trip, ending: &Ending) {
        match ending {
            Ending::Completed(_) => &self.completed,
            Ending::Compensated { .. } => &self.compensated,
            _ => &self.others,
        }
        .fetch_add(1, Ordering::Relaxed);
        if !ending.is_end() {
            self.bar.println(format!("{} is {ending}", trip.id));
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
