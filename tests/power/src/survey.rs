//! All images of a trace, each checked once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZero;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::audit;
use crate::disk::{Disk, Files, Kept, Obeys};
use crate::ledger::{Bounds, Ledger};
use crate::trace::Op;
use crate::workload::Trace;

/// How many images wait to be checked.
const WAITING: usize = 32;

/// What the survey of a trace has found.
#[derive(Debug, Default)]
pub struct Found {
    /// How many images were checked; none of them twice.
    pub images: usize,
    /// What is not as promised, and of which image.
    pub broken: Vec<String>,
}

struct Image {
    files: Files,
    bounds: Arc<Bounds>,
    name: String,
}

/// Checks the images after each operation from number `from` on, with `seeds` random ones for each.
pub fn survey(trace: &Trace, from: usize, obeys: Obeys, seeds: u64) -> Found {
    let found = Mutex::new(Found::default());
    let (send, receive) = mpsc::sync_channel(WAITING);
    let receive = Arc::new(Mutex::new(receive));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, NonZero::get) {
            let receive = Arc::clone(&receive);
            scope.spawn(|| audit::block_on(check_all(receive, &trace.ledger, &found)));
        }
        // Once all that receive are gone, sending fails.
        drop(receive);
        images(trace, from, obeys, seeds, |image| {
            // Who would receive it has panicked, and says so when the scope ends.
            let _ = send.send(image);
        });
        drop(send);
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The state of the disk, and what was asked and answered, after the first `count` operations.
pub fn after(trace: &Trace, count: usize) -> (Disk, Bounds) {
    after_on(trace, count, Obeys::All)
}

/// The same of a disk that does not obey all syncs.
pub fn after_on(trace: &Trace, count: usize, obeys: Obeys) -> (Disk, Bounds) {
    let (mut disk, mut bounds) = (trace.before.clone(), trace.bounds.clone());
    for op in trace.ops.iter().take(count) {
        disk.perform(op, obeys);
        bounds.note(op);
    }
    (disk, bounds)
}

async fn check_all(images: Arc<Mutex<Receiver<Image>>>, ledger: &Ledger, found: &Mutex<Found>) {
    let folder = audit::folder();
    let next = || images.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(Image { files, bounds, name }) = next() {
        let checked = audit::check(folder.path(), &files, ledger, &bounds).await;
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.images += 1;
        if let Err(cause) = checked {
            found.broken.push(format!("{name}: {cause}"));
        }
    }
}

fn images(trace: &Trace, from: usize, obeys: Obeys, seeds: u64, mut give: impl FnMut(Image)) {
    let (mut disk, mut bounds) = (trace.before.clone(), trace.bounds.clone());
    let mut seen = HashSet::new();
    for count in 0..=trace.ops.len() {
        if let Some(op) = count.checked_sub(1).and_then(|last| trace.ops.get(last)) {
            disk.perform(op, obeys);
            bounds.note(op);
        }
        if count < from {
            continue;
        }
        let all = Arc::new(bounds.clone());
        for kept in kept(count, seeds) {
            let files = disk.after_loss(kept);
            let mut hasher = DefaultHasher::new();
            (&files, &*all).hash(&mut hasher);
            if seen.insert(hasher.finish()) {
                let last = trace.ops.get(count.saturating_sub(1)).map(short).unwrap_or_default();
                give(Image {
                    files,
                    bounds: Arc::clone(&all),
                    name: format!("after {count} ({last}), {kept:?}"),
                });
            }
        }
    }
}

fn kept(count: usize, seeds: u64) -> impl Iterator<Item = Kept> {
    let torn = (0..seeds).map(move |number| Kept::Torn {
        seed: number << 32 | count as u64,
        percent: [50, 90, 10][usize::try_from(number % 3).unwrap_or_default()],
    });
    [Kept::Nothing, Kept::Everything, Kept::Names, Kept::Contents].into_iter().chain(torn)
}

/// The operation, without what was written.
fn short(op: &Op) -> String {
    match op {
        Op::Write { file, offset, data } => format!("{} bytes at {offset} of {file}", data.len()),
        other => format!("{other:?}"),
    }
}
