//! Why a log could not be opened, and what an error of SQLite means for whoever runs the program.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::log::LogError;

/// Why a log could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the saga log {} cannot be opened: {reason}", path.display())]
pub struct OpenError {
    /// The log's file.
    pub path: PathBuf,
    /// What is wrong, and how it is mended.
    pub reason: OpenErrorReason,
}

/// What is wrong with a file that should become or be a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenErrorReason {
    /// The folder of the file does not exist.
    #[error("the folder {} does not exist; create it, or name another one", folder.display())]
    NoFolder {
        /// The missing folder.
        folder: PathBuf,
    },
    /// The path names a folder.
    #[error("it is a folder; name a file in it")]
    IsFolder,
    /// The path is a symbolic link to a file that does not exist.
    #[error(
        "it is a link to a file that does not exist; create an empty file there, or name the file itself"
    )]
    DanglingLink,
    /// The file system does not let this user read and write the file or its folder.
    #[error(
        "this user may not read and write {} ({cause}); allow it for the file and for its folder, in which \
         files with the endings -wal, -shm and .lock appear",
        file.display()
    )]
    NoPermission {
        /// The file that may not be opened.
        file: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// Another process, or this one, has the log open already.
    #[error(
        "{} has it open (it holds {}), and a log has one writer; end that one, or share one `SqliteLog`",
        Holder(*holder),
        lock.display()
    )]
    InUse {
        /// The file whose lock is held.
        lock: PathBuf,
        /// The process that holds it, where that is known.
        holder: Option<u32>,
    },
    /// The file system cannot lock files.
    #[error("{} cannot be locked ({cause}); keep the log on a local file system", lock.display())]
    NoLock {
        /// The file that was to be locked.
        lock: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// The file is not an SQLite database, or it is encrypted.
    #[error("the file is not an SQLite database; name another file, or one that does not exist yet")]
    NotADatabase,
    /// The file is the SQLite database of another program.
    #[error(
        "the file is the SQLite database of another program (its application_id is {application_id}); \
         give the sagas a file of their own"
    )]
    Foreign {
        /// The `application_id` in the file's header.
        application_id: i64,
    },
    /// A newer version of this library has written the file.
    #[error(
        "a newer version of saga-runtime has written it (schema {found}, and this one knows up to {known}); \
         upgrade saga-runtime"
    )]
    NewerSchema {
        /// The file's schema version.
        found: i64,
        /// The newest that this version knows.
        known: i64,
    },
    /// SQLite did not take a setting that durability depends on.
    #[error(
        "SQLite answers `{found}` for `{setting}` where `{wanted}` is needed to keep data safe; keep the log on a \
         local file system, and close other programs that have it open"
    )]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// The value that it must have.
        wanted: String,
        /// The value that it has.
        found: String,
    },
    /// Anything else that SQLite or the system reports.
    #[error("{cause}")]
    Other {
        /// What is reported, and the mend where there is one.
        cause: String,
    },
}

struct Holder(Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(process) if process == std::process::id() => f.write_str("this process itself"),
            Some(process) => write!(f, "another process (number {process})"),
            None => f.write_str("another process"),
        }
    }
}

impl OpenError {
    /// The system refused `file`, which belongs to the log at `path`.
    pub(super) fn from_io(path: &Path, file: &Path, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                OpenErrorReason::NoPermission { file: file.to_owned(), cause: error.to_string() }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                OpenErrorReason::Other { cause: DISK_FULL.to_owned() }
            }
            _ => OpenErrorReason::Other { cause: format!("{}: {error}", file.display()) },
        };
        Self { path: path.to_owned(), reason }
    }

    pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let reason = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => OpenErrorReason::NotADatabase,
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                OpenErrorReason::NoPermission { file: path.to_owned(), cause: error.to_string() }
            }
            _ => OpenErrorReason::Other { cause: cause(error) },
        };
        Self { path: path.to_owned(), reason }
    }

    /// Whether the file is surely not one of ours, or not one that this version can use.
    pub(super) fn is_identity(&self) -> bool {
        use OpenErrorReason::{Foreign, NewerSchema, NotADatabase};
        matches!(self.reason, NotADatabase | Foreign { .. } | NewerSchema { .. })
    }

    /// As it is told to those who append to a log that had to be opened again.
    pub(super) fn into_log_error(self) -> LogError {
        log_error(
            &self.path,
            format!("it cannot be opened again: {}; it is tried at every call", self.reason),
        )
    }
}

pub(super) const DISK_FULL: &str =
    "the disk is full; free some space: nothing that was acknowledged is lost, and the log goes on by itself";

pub(super) fn log_error(path: &Path, cause: impl Into<String>) -> LogError {
    LogError { place: path.display().to_string(), cause: cause.into() }
}

pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> LogError {
    log_error(path, cause(error))
}

/// What an error of SQLite means, and the mend where there is one.
fn cause(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => DISK_FULL.to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "another program keeps the database locked ({error}); end its transaction: the log goes on by itself"
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => format!(
            "the file can no longer be opened for writing ({error}); put it back, or allow it: \
             the log goes on by itself"
        ),
        Some(ErrorCode::SystemIoFailure) => format!(
            "the storage reports an error ({error}); check it, and the system's messages: \
             the log goes on by itself once it can write"
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => format!(
            "the file is damaged ({error}); stop the program, keep a copy of the file and of its -wal, then \
             restore a backup or run `sqlite3 FILE .recover`"
        ),
        _ => error.to_string(),
    }
}
