//! The live progress, on standard error if that is a terminal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::travel::saga::Ending;
use crate::travel::trip::Trip;

/// How often the elapsed time is drawn anew.
const TICK: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{spinner:.green} {bar:30.green/white.dim} {pos}/{len} trips  {elapsed}  {msg}";

/// The progress of all trips.
pub(super) struct Progress {
    bar: ProgressBar,
    under_way: AtomicU64,
    completed: AtomicU64,
    compensated: AtomicU64,
    parked: AtomicU64,
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
        Self { bar, under_way: none(), completed: none(), compensated: none(), parked: none() }
    }

    /// A trip is under way.
    pub(super) fn begun(&self, _trip: &Trip) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    /// A trip has come to its end.
    pub(super) fn ended(&self, trip: &Trip, ending: &Ending) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        match ending {
            Ending::Completed(_) => &self.completed,
            Ending::Compensated { .. } => &self.compensated,
            Ending::Parked { .. } => &self.parked,
        }
        .fetch_add(1, Ordering::Relaxed);
        if let Ending::Parked { residue } = ending {
            self.bar.println(format!("{} is parked: {residue}", trip.id));
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
        let parked = count(&self.parked);
        let parked = if parked > 0 { format!(", {parked} parked") } else { String::new() };
        self.bar.set_message(format!(
            "{} under way, {} completed, {} compensated{parked}",
            count(&self.under_way),
            count(&self.completed),
            count(&self.compensated)
        ));
    }
}
