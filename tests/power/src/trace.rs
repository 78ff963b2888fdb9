//! What happened to the files of one folder, in the order in which it happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::vfs;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// A file that was not there was made.
    Create(String),
    /// Bytes were written.
    Write {
        /// The file.
        file: String,
        /// Where.
        offset: usize,
        /// What.
        data: Vec<u8>,
    },
    /// A file was cut, or grew.
    Truncate {
        /// The file.
        file: String,
        /// Its new size.
        size: usize,
    },
    /// A file was synced: its content and size, not its name.
    Sync(String),
    /// A file was deleted.
    Delete(String),
    /// The folder was synced: the names in it.
    SyncFolder,
    /// What the log's user has done or seen.
    Mark(Mark),
}

/// What the log's user has done or seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// It is about to ask for this stage of this saga.
    Submitted(String, usize),
    /// It was answered that this stage is durable.
    Acknowledged(String, usize),
    /// A log with this epoch has been opened.
    Opened(u64),
}

/// The folders that are recorded now.
static LIVE: Mutex<BTreeMap<PathBuf, Live>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
struct Live {
    ops: Vec<Op>,
    names: BTreeSet<String>,
    /// What went wrong with an operation: then the trace is not what happened.
    broken: Option<String>,
}

/// Records what SQLite does in a folder, until it is [finished](Self::finish).
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
}

impl Recording {
    /// Begins with the files that are there.
    pub fn start(folder: &Path) -> std::io::Result<Self> {
        vfs::install();
        let folder = folder.canonicalize()?;
        let mut live = Live::default();
        for entry in fs::read_dir(&folder)? {
            live.names.insert(entry?.file_name().to_string_lossy().into_owned());
        }
        all().insert(folder.clone(), live);
        Ok(Self { folder })
    }

    /// Adds what the log's user has done or seen.
    pub fn mark(&self, mark: Mark) {
        record(&self.folder, Op::Mark(mark));
    }

    /// Ends it.
    pub fn finish(self) -> Result<Vec<Op>, String> {
        let live = all().remove(&self.folder).unwrap_or_default();
        live.broken.map_or(Ok(live.ops), Err)
    }
}

/// Adds `op`, if the folder is recorded. A file that is created again or deleted twice is no operation.
pub(crate) fn record(folder: &Path, op: Op) {
    let mut all = all();
    let Some(live) = all.get_mut(folder) else { return };
    let happens = match &op {
        Op::Create(file) => live.names.insert(file.clone()),
        Op::Delete(file) => live.names.remove(file),
        _ => true,
    };
    if happens {
        live.ops.push(op);
    }
}

/// Whether what happens in `folder` is recorded.
pub(crate) fn is_recorded(folder: &Path) -> bool {
    all().contains_key(folder)
}

/// Says that the operation that was recorded last has failed.
pub(crate) fn fail(folder: &Path, what: String) {
    if let Some(live) = all().get_mut(folder) {
        live.broken.get_or_insert(what);
    }
}

fn all() -> MutexGuard<'static, BTreeMap<PathBuf, Live>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
