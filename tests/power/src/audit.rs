//! Opens an image with the real log, and looks whether it keeps what the log has promised.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::future::Future;
use std::path::Path;

use futures_util::future::join_all;
use saga_runtime::SagaId;
use saga_runtime::log::{History, HistoryError, SagaLog, SqliteLog, Status, Wake};
use tempfile::TempDir;

use crate::disk::Files;
use crate::ledger::{Bounds, Ledger, Stage};
use crate::workload::{FILE, begun, id, must, next};

/// More than any log here holds.
const ALL: usize = 10_000;

/// A folder in memory, where there is one: a sync costs nothing there.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    must(if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() })
}

/// Runs to its end.
pub fn block_on<F: Future>(work: F) -> F::Output {
    must(tokio::runtime::Builder::new_current_thread().build()).block_on(work)
}

/// Puts `files` where `folder` is and opens the log; answers what is not as promised.
pub async fn check(folder: &Path, files: &Files, ledger: &Ledger, bounds: &Bounds) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(text)? {
        fs::remove_file(entry.map_err(text)?.path()).map_err(text)?;
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).map_err(text)?;
    }
    let log = SqliteLog::open(folder.join(FILE)).map_err(|error| format!("it does not open: {error}"))?;
    if log.epoch() <= bounds.epoch {
        return Err(format!("epoch {} was given before, or a later one: {}", log.epoch(), bounds.epoch));
    }
    let damaged = log.check_all().await.map_err(text)?;
    if !damaged.is_empty() {
        return Err(format!("it is damaged: {damaged:?}"));
    }
    let running = keeps(&log, ledger, bounds).await?;
    goes_on(&log, running).await
}

/// What a log holds of these sagas, in their order. They are asked for at once.
pub async fn stages(log: &SqliteLog, sagas: &[&str]) -> Result<Vec<Stage>, String> {
    let page = log.locks(None, ALL).await.map_err(text)?;
    let locks = page.locks.into_iter().collect::<Result<Vec<_>, _>>().map_err(text)?;
    let ids: Vec<SagaId> = sagas.iter().copied().map(id).collect();
    let histories = join_all(ids.iter().map(|id| log.history(id))).await;
    let stage = |history: Result<Option<History>, _>| match history {
        Ok(None) => Ok(Stage::Absent),
        Ok(Some(history)) => {
            let held = locks.iter().filter(|lock| lock.holder == history.saga);
            let held = held.map(|lock| format!("{} {}", lock.key, lock.root)).collect();
            Ok(Stage::Stands(Box::new(history), held))
        }
        Err(HistoryError::Purged(purged)) => Ok(Stage::Purged(purged.keep.outcome.clone())),
        Err(error) => Err(text(error)),
    };
    histories.into_iter().map(stage).collect()
}

/// Whether each saga is at a stage that it may be at, and nothing else is there; answers one that has not ended, and how
/// many records it has.
async fn keeps(log: &SqliteLog, ledger: &Ledger, bounds: &Bounds) -> Result<Option<(String, u64)>, String> {
    let (mut standing, mut running) = (BTreeSet::new(), BTreeSet::new());
    let (mut locks, mut one) = (0, None);
    let sagas: Vec<&str> = ledger.sagas().collect();
    for (saga, stage) in sagas.iter().zip(stages(log, &sagas).await?) {
        ledger.find(saga, bounds, &stage)?;
        let Stage::Stands(history, held) = stage else { continue };
        standing.insert((*saga).to_owned());
        locks += held.len();
        if history.status == Status::Running {
            running.insert((*saga).to_owned());
            one = Some(((*saga).to_owned(), history.records.len() as u64));
        }
    }
    let ids = log.ids("", None, ALL).await.map_err(text)?;
    let found: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    let page = log.unfinished(Wake::Never, None, ALL).await.map_err(text)?;
    let unfinished = page.sagas.into_iter().map(|saga| saga.map(|history| history.saga.to_string()));
    let unfinished = unfinished.collect::<Result<BTreeSet<_>, _>>().map_err(text)?;
    if found != standing || unfinished != running {
        return Err(format!(
            "{found:?} are there and {unfinished:?} unfinished, not {standing:?} and {running:?}"
        ));
    }
    let all_locks = log.locks(None, ALL).await.map_err(text)?.locks.len();
    if all_locks != locks {
        return Err(format!("{all_locks} locks are held, not {locks}"));
    }
    Ok(one)
}

/// Whether the log takes appends: of a new saga, and of one that has not ended.
async fn goes_on(log: &SqliteLog, running: Option<(String, u64)>) -> Result<(), String> {
    let mut batch = vec![begun("after-the-loss")];
    batch.extend(running.iter().map(|(saga, records)| next(saga, *records, 1, Status::Completed)));
    for answer in log.append(batch).await {
        answer.map_err(|error| format!("it takes no append: {error}"))?;
    }
    let mut expected = vec![("after-the-loss".to_owned(), 1)];
    expected.extend(running.map(|(saga, records)| (saga, records + 1)));
    let sagas: Vec<&str> = expected.iter().map(|(saga, _)| saga.as_str()).collect();
    for ((saga, records), stage) in expected.iter().zip(stages(log, &sagas).await?) {
        match stage {
            Stage::Stands(history, _) if history.records.len() as u64 == *records => {}
            other => return Err(format!("what was appended to `{saga}` is not there: {other:?}")),
        }
    }
    Ok(())
}

fn text(error: impl Display) -> String {
    error.to_string()
}
