//! Files as older versions of the log have written them.

use rusqlite::Connection;

use crate::disk::Files;
use crate::workload::{FILE, must};

/// What takes each version back to the one before, from version 2 on. A file of no saga that waits, locks or is purged
/// then is what the older version has written.
pub const BACK: &[&str] = &[
    "
    DROP INDEX saga_awake;
    DROP INDEX saga_waiting;
    ALTER TABLE saga DROP COLUMN wake_at_ms;
    CREATE INDEX saga_unfinished ON saga (number, status) WHERE status NOT IN ('completed', 'compensated');
    ",
    "
    DROP VIEW held_lock;
    DROP TABLE lock;
    ",
    "
    DROP TABLE saga_writer;
    DROP INDEX saga_awake;
    CREATE INDEX saga_awake ON saga (number, status, wake_at_ms)
        WHERE status NOT IN ('completed', 'compensated') AND (wake_at_ms IS NULL OR wake_at_ms <= 0);
    ",
    "
    DROP TABLE saga_purged;
    ALTER TABLE saga_writer DROP COLUMN numbers;
    ",
];

/// The schema's version of a log, whose folder holds `files`.
pub fn version(files: &Files) -> u32 {
    let folder = crate::audit::folder();
    lay(files, folder.path());
    let connection = must(Connection::open(folder.path().join(FILE)));
    must(connection.pragma_query_value(None, "user_version", |row| row.get(0)))
}

/// The files of a log, as `version` has written them, with all of it in the database, or what was done last in a
/// write-ahead log that nobody has closed.
pub fn as_written_by(version: u32, files: &Files, closed: bool) -> Files {
    let folder = crate::audit::folder();
    lay(files, folder.path());
    let path = folder.path().join(FILE);
    let back = |connection: &Connection| {
        for sql in BACK.iter().skip(version as usize - 1).rev() {
            must(connection.execute_batch(sql));
        }
        must(connection.pragma_update(None, "user_version", version));
    };
    let mut connection = must(Connection::open(&path));
    must(connection.pragma_update(None, "wal_autocheckpoint", 0));
    back(&connection);
    if closed {
        must(connection.close().map_err(|(_, error)| error));
        connection = must(Connection::open(&path));
    }
    let mut old = Files::new();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        if let Ok(bytes) = std::fs::read(folder.path().join(&name)) {
            old.insert(name, bytes);
        }
    }
    drop(connection);
    old
}

fn lay(files: &Files, folder: &std::path::Path) {
    for (name, bytes) in files {
        must(std::fs::write(folder.join(name), bytes));
    }
}
