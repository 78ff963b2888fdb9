//! A log at work while its folder is recorded, and what it does there.

use std::fs;
use std::future::Future;
use std::path::Path;

use futures_util::future::join_all;
use saga_runtime::SagaId;
use saga_runtime::definition::Fingerprint;
use saga_runtime::log::sqlite::{Durability, OpenError};
use saga_runtime::log::{
    Append, AppendError, Begin, Keep, Locks, Purge, Record, SagaLog, SqliteLog, Status, Wake,
};

use crate::audit;
use crate::disk::{Disk, Files};
use crate::ledger::{Bounds, Ledger, Stage};
use crate::trace::{Mark, Op, Recording};

/// The log's file in its folder.
pub const FILE: &str = "trips.db";

/// What was recorded.
#[derive(Debug, Clone)]
pub struct Trace {
    /// What the disk held before.
    pub before: Disk,
    /// What was asked and answered before.
    pub bounds: Bounds,
    /// What happened.
    pub ops: Vec<Op>,
    /// All that was asked for.
    pub ledger: Ledger,
}

/// A log, its user, and the recording of its folder.
#[derive(Debug)]
pub struct Scene {
    log: SqliteLog,
    recording: Recording,
    ledger: std::cell::RefCell<Ledger>,
}

/// Whether an append is to be refused because another saga has its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    Yes,
    No,
}

/// Records `work` on a log whose folder holds `files` of a disk that is as `before`.
pub fn record<W: Future<Output = Scene>>(
    before: (Disk, Bounds, Ledger),
    files: &Files,
    work: impl FnOnce(Scene) -> W,
    durability: Durability,
) -> Trace {
    let folder = audit::folder();
    for (name, bytes) in files {
        must(fs::write(folder.path().join(name), bytes));
    }
    let (disk, bounds, ledger) = before;
    let recording = must(Recording::start(folder.path()));
    let log = must(open(folder.path(), durability));
    recording.mark(Mark::Opened(log.epoch()));
    let scene = Scene { log, recording, ledger: ledger.into() };
    let Scene { log, recording, ledger } = audit::block_on(work(scene));
    drop(log);
    Trace { before: disk, bounds, ops: must(recording.finish()), ledger: ledger.into_inner() }
}

/// Records `work` on a new log.
pub fn record_fresh<W: Future<Output = Scene>>(
    durability: Durability,
    work: impl FnOnce(Scene) -> W,
) -> Trace {
    record(Default::default(), &Files::new(), work, durability)
}

fn open(folder: &Path, durability: Durability) -> Result<SqliteLog, OpenError> {
    SqliteLog::options().durability(durability).open(folder.join(FILE))
}

impl Scene {
    /// Makes these appends, those of one batch together, all batches at once: so the log commits them in groups.
    pub async fn append(&self, batches: Vec<Vec<Append>>) {
        join_all(batches.into_iter().map(|batch| self.append_batch(batch, Locked::No))).await;
    }

    /// Makes an append that has to be refused, as another saga has its lock.
    pub async fn append_locked(&self, append: Append) {
        self.append_batch(vec![append], Locked::Yes).await;
    }

    async fn append_batch(&self, batch: Vec<Append>, locked: Locked) {
        let mut stages = Vec::new();
        for append in &batch {
            if locked == Locked::No {
                let stage = self.ledger.borrow_mut().enter(append);
                let saga = append.saga.to_string();
                self.recording.mark(Mark::Submitted(saga.clone(), stage));
                stages.push((saga, stage));
            }
        }
        for (place, answer) in self.log.append(batch).await.into_iter().enumerate() {
            match (answer, stages.get(place)) {
                (Ok(()), Some((saga, stage))) => {
                    self.recording.mark(Mark::Acknowledged(saga.clone(), *stage));
                }
                (Err(AppendError::Locked { .. }), None) => {}
                (answer, _) => unreachable!("{answer:?} at {place}"),
            }
        }
    }

    /// Purges a saga that has ended.
    pub async fn purge(&self, name: &str) {
        let Stage::Stands(history, _) = self.ledger.borrow().last(name).clone() else { return };
        let records = history.records.len() as u64;
        let keep = Some(Keep { input: "digest".into(), outcome: format!("\"{name} is over\"") });
        let purge = Purge { saga: id(name), records, keep };
        let stage = self.ledger.borrow_mut().enter_purge(&purge);
        self.recording.mark(Mark::Submitted(name.into(), stage));
        for answer in self.log.purge(vec![purge]).await {
            must(answer);
            self.recording.mark(Mark::Acknowledged(name.into(), stage));
        }
    }

    /// Reads all sagas: what was seen once must be there ever after.
    #[must_use]
    pub async fn see(self, bounds: &Bounds) -> Self {
        let sagas: Vec<String> = self.ledger.borrow().sagas().map(ToOwned::to_owned).collect();
        let names: Vec<&str> = sagas.iter().map(String::as_str).collect();
        let seen = must(audit::stages(&self.log, &names).await);
        for (saga, seen) in sagas.into_iter().zip(seen) {
            let stage = must(self.ledger.borrow().find(&saga, bounds, &seen));
            self.recording.mark(Mark::Acknowledged(saga, stage));
        }
        self
    }

    /// Closes the log, and opens it again.
    #[must_use]
    pub fn reopened(self, durability: Durability) -> Self {
        let Self { log, recording, ledger } = self;
        let path = log.path().to_owned();
        drop(log);
        let log = must(SqliteLog::options().durability(durability).open(path));
        recording.mark(Mark::Opened(log.epoch()));
        Self { log, recording, ledger }
    }
}

/// All that a log can be asked to append: sagas that are begun, go on, wait, lock, are refused a lock, end and are purged.
pub async fn a_day(scene: Scene, durability: Durability) -> Scene {
    scene.append(vec![vec![begun("first")]]).await;
    scene.append((0..8).map(|n| vec![begun(&format!("trip-{n}"))]).collect()).await;
    scene.append(vec![vec![locking(next("trip-0", 1, 2, Status::Running), "seat/12A")]]).await;
    scene.append_locked(locking(next("trip-1", 1, 1, Status::Running), "seat/12A")).await;
    let waits = Append { wake: Wake::At(77_000), ..next("trip-3", 1, 1, Status::Running) };
    let batch = vec![next("trip-1", 1, 3, Status::Running), waits];
    scene.append(vec![vec![next("first", 1, 1, Status::Running)], batch]).await;
    // Whoever ends lets go of the lock, and another one has it in the same commit.
    let takes = locking(next("trip-2", 1, 1, Status::Running), "seat/12A");
    scene.append(vec![vec![next("trip-0", 3, 1, Status::Completed), takes]]).await;
    let ends = (4..8).map(|n| vec![next(&format!("trip-{n}"), 1, 2, Status::Compensated)]);
    scene.append(ends.collect()).await;
    scene.purge("trip-0").await;
    let scene = scene.reopened(durability);
    scene.append(vec![vec![large(next("first", 2, 2, Status::Running))]]).await;
    scene.append(vec![vec![next("trip-2", 2, 1, Status::Completed), begun("last")]]).await;
    scene.purge("trip-2").await;
    scene.append(vec![vec![next("first", 4, 1, Status::Closed)]]).await;
    scene
}

/// A little of everything, by whoever finds a log that others have written; its sagas have this name and a number.
pub async fn an_hour(scene: Scene, name: &str) -> Scene {
    let [one, two] = [1, 2].map(|number| format!("{name}-{number}"));
    scene.append(vec![vec![begun(&one)], vec![begun(&two)]]).await;
    let ends = next(&one, 1, 2, Status::Completed);
    scene.append(vec![vec![ends], vec![next(&two, 1, 1, Status::Running)]]).await;
    scene
}

/// This many appends to the same sagas: the write-ahead log grows, is copied into the database, and begins anew.
pub async fn many_appends(scene: Scene, count: u64) -> Scene {
    scene.append((0..4).map(|n| vec![begun(&format!("trip-{n}"))]).collect()).await;
    for seq in 1..=count {
        let appends = (0..4).map(|n| vec![next(&format!("trip-{n}"), seq, 1, Status::Running)]);
        scene.append(appends.collect()).await;
    }
    scene
}

/// The begin of a saga.
pub fn begun(name: &str) -> Append {
    let fingerprint = Fingerprint::parse("0123456789abcdef");
    let fingerprint = fingerprint.unwrap_or_else(|| unreachable!("it is a fingerprint"));
    Append {
        saga: id(name),
        begin: Some(Begin { definition: "BookTrip".into(), fingerprint }),
        first_seq: 0,
        records: vec![row(0, None, "begun", format!("{{\"traveller\":\"{name}\"}}"))],
        status: Status::Running,
        wake: Wake::Now,
        locks: None,
    }
}

/// `count` records behind the first `first_seq` ones.
pub fn next(name: &str, first_seq: u64, count: u64, status: Status) -> Append {
    let records = (first_seq..first_seq + count)
        .map(|seq| row(seq, Some("flight"), "done", format!("{{\"seat\":{seq}}}")));
    let (saga, records) = (id(name), records.collect());
    Append { saga, begin: None, first_seq, records, status, wake: Wake::Now, locks: None }
}

fn locking(append: Append, key: &str) -> Append {
    let locks = Some(Locks { keys: vec![key.into()], root: append.saga.clone() });
    Append { locks, ..append }
}

/// Its records take several pages each.
fn large(mut append: Append) -> Append {
    for record in &mut append.records {
        record.data = Some(format!("\"{}\"", "a long story ".repeat(1_200)));
    }
    append
}

fn row(seq: u64, step: Option<&str>, event: &str, data: String) -> Record {
    Record { at_ms: 1_000 + seq, step: step.map(Into::into), event: event.into(), data: Some(data) }
}

/// A saga's id.
pub fn id(name: &str) -> SagaId {
    must(SagaId::new(name))
}

/// What does not fail in a sound log.
pub(crate) fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| unreachable!("{error}"))
}
