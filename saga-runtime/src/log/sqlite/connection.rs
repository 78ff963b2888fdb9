//! How connections to the file are opened: the settings that durability hangs on, in the order that it needs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::Durability;
use super::error::{OpenError, OpenErrorReason};
use super::schema::{self, Identity};

/// How long a lock that another program holds is waited for.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Size of a page of a new file, in bytes.
const PAGE_BYTES: i64 = 4096;

/// What the write-ahead log is cut to after it has been used up, in bytes.
const WAL_BYTES_KEPT: i64 = 64 << 20;

/// How many statements of one connection stay prepared: all of the log's own, and those of local calls.
const STATEMENTS_KEPT: usize = 256;

/// Memory for pages of one connection, in KiB; negative as SQLite wants it.
const CACHE_KIB: i64 = -16_384;

/// The one name of the file, whatever links lead to it: it decides which lock is taken.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let fail = |reason| OpenError { path: path.to_owned(), reason };
    match fs::canonicalize(path) {
        Ok(resolved) if resolved.is_dir() => return Err(fail(OpenErrorReason::IsFolder)),
        Ok(resolved) => return Ok(resolved),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(OpenError::from_io(path, path, &error));
        }
        Err(_) if fs::symlink_metadata(path).is_ok() => return Err(fail(OpenErrorReason::DanglingLink)),
        Err(_) => {}
    }
    let Some(name) = path.file_name() else { return Err(fail(OpenErrorReason::IsFolder)) };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match fs::canonicalize(folder) {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(fail(OpenErrorReason::NoFolder { folder: folder.to_owned() }))
        }
        Err(error) => Err(OpenError::from_io(path, folder, &error)),
    }
}

/// Refuses a file that is surely not ours before anything is created beside it.
///
/// The file is looked at through SQLite only: opening and closing it by other means would give up the locks that
/// other connections of this process hold on it.
pub(super) fn probe(path: &Path) -> Result<(), OpenError> {
    if !path.exists() {
        return Ok(());
    }
    let looked = open_reader(path).map_err(|error| OpenError::from_sqlite(path, &error));
    match looked.and_then(|connection| schema::identify(&connection, path)) {
        Err(error) if error.is_identity() => Err(error),
        // Anything else may be mended by the writer, as a transaction that a crash left half done.
        _ => Ok(()),
    }
}

/// Opens the writer's connection; `create` where the file may be a new one.
pub(super) fn open_writer(
    path: &Path,
    durability: Durability,
    create: bool,
) -> Result<Connection, OpenError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let fail = |error: rusqlite::Error| OpenError::from_sqlite(path, &error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    harden(&connection).map_err(fail)?;
    let identity = schema::identify(&connection, path)?;
    if identity == Identity::Fresh && !create {
        let cause = "the file has been emptied or replaced since it was opened; put it back";
        return Err(OpenError { path: path.into(), reason: OpenErrorReason::Other { cause: cause.into() } });
    }
    if connection.is_readonly("main").map_err(fail)? {
        let cause = "it is read-only".to_owned();
        return Err(OpenError {
            path: path.to_owned(),
            reason: OpenErrorReason::NoPermission { file: path.to_owned(), cause },
        });
    }
    set_durability(&connection, path, durability)?;
    schema::migrate(&mut connection, identity).map_err(fail)?;
    Ok(connection)
}

/// Opens a connection that cannot write.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    harden(&connection)?;
    Ok(connection)
}

/// A damaged or hostile file must not do more than fail.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Through a memory map an error of the disk would be a signal that kills the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)
}

/// The order matters: with the write-ahead log first, power loss can take a fresh database away, wherever a new write-ahead
/// log is synced without its folder.
fn set_durability(connection: &Connection, path: &Path, durability: Durability) -> Result<(), OpenError> {
    let fail = |error: rusqlite::Error| OpenError::from_sqlite(path, &error);
    connection.pragma_update(None, "page_size", PAGE_BYTES).map_err(fail)?;
    connection.pragma_update(None, "synchronous", "EXTRA").map_err(fail)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    set_synchronous(connection, path, durability)?;
    // On macOS a plain sync leaves data in the drive's cache; elsewhere this says nothing.
    connection.pragma_update(None, "fullfsync", true).map_err(fail)?;
    // The writer does it itself, after it has answered.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(fail)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT).map_err(fail)?;

    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(fail)?;
    confirm(path, "journal_mode", "wal".to_owned(), mode)
}

/// From now on a commit survives this.
pub(super) fn set_synchronous(
    connection: &Connection,
    path: &Path,
    durability: Durability,
) -> Result<(), OpenError> {
    let fail = |error: rusqlite::Error| OpenError::from_sqlite(path, &error);
    let (name, number) = durability.synchronous();
    connection.pragma_update(None, "synchronous", name).map_err(fail)?;
    let level: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(fail)?;
    confirm(path, "synchronous", number.to_string(), level.to_string())
}

fn confirm(path: &Path, setting: &'static str, wanted: String, found: String) -> Result<(), OpenError> {
    if found == wanted {
        return Ok(());
    }
    Err(OpenError { path: path.to_owned(), reason: OpenErrorReason::Setting { setting, wanted, found } })
}
