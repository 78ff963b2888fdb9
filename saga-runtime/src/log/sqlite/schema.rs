//! The tables, their version, and how an older file becomes a newer one.

use std::path::Path;

use rusqlite::Connection;

use super::error::{OpenError, OpenErrorReason};

/// Marks the files of this library: "saga" in ASCII.
const APPLICATION_ID: i64 = 0x7361_6761;

/// One step for each version up to [`VERSION`]: the first makes version 1 of an empty file, each further one the next
/// version of the one before. A step that has been released never changes.
pub(super) const MIGRATIONS: &[&str] = &[VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5];

/// The version that this library writes.
pub(super) const VERSION: i64 = 5;

/// `saga` has the id of the user in one place: everything else refers to its small number, so that ids may be long
/// and random at no cost. `journal` grows at its end only.
///
/// An unknown status counts as unfinished, so that damage to that column is shown instead of hiding a saga. Its index
/// holds the status too, so that it answers without the table.
const VERSION_1: &str = "
    CREATE TABLE saga (
        number      INTEGER PRIMARY KEY,
        id          TEXT    NOT NULL UNIQUE,
        definition  TEXT    NOT NULL,
        fingerprint TEXT    NOT NULL,
        status      TEXT    NOT NULL,
        begun_at_ms INTEGER NOT NULL,
        records     INTEGER NOT NULL,
        checksum    INTEGER NOT NULL
    ) STRICT;

    CREATE INDEX saga_unfinished ON saga (number, status) WHERE status NOT IN ('completed', 'compensated');

    CREATE TABLE journal (
        position INTEGER PRIMARY KEY,
        saga     INTEGER NOT NULL,
        seq      INTEGER NOT NULL,
        at_ms    INTEGER NOT NULL,
        step     TEXT,
        event    TEXT    NOT NULL,
        data     TEXT,
        checksum INTEGER NOT NULL,
        UNIQUE (saga, seq)
    ) STRICT;

    CREATE VIEW story AS
        SELECT saga.id, journal.seq,
               strftime('%Y-%m-%d %H:%M:%fZ', journal.at_ms / 1000.0, 'unixepoch') AS time,
               journal.step, journal.event, journal.data
        FROM journal JOIN saga ON saga.number = journal.saga
        ORDER BY journal.position;
";

/// `wake_at_ms` is null for a saga that has work to do, and once it has ended; so what never waits pays nothing for
/// it. Otherwise it is the time until which the saga waits, and the largest integer where time does not wake it.
///
/// A value that no time has counts as null, so that damage to the column hides no saga: such rows stand in the index of
/// those that are awake. The index of those that wait needs no status: the row of a saga that has ended is in it only
/// through damage, which is shown then.
const VERSION_2: &str = "
    ALTER TABLE saga ADD COLUMN wake_at_ms INTEGER;

    DROP INDEX saga_unfinished;

    CREATE INDEX saga_awake ON saga (number, status, wake_at_ms)
        WHERE status NOT IN ('completed', 'compensated') AND (wake_at_ms IS NULL OR wake_at_ms <= 0);

    CREATE INDEX saga_waiting ON saga (wake_at_ms) WHERE wake_at_ms IS NOT NULL;
";

/// The semantic locks that unfinished sagas hold. The rows follow from the records: the append that takes locks writes
/// them, and the one that ends the saga deletes them.
///
/// `lock_again` holds all of each row a second time, so that damage to one of the two is found before a lock is given
/// away. `root` is the id itself: the log need not know the saga that it names.
const VERSION_3: &str = "
    CREATE TABLE lock (
        key      TEXT    NOT NULL,
        saga     INTEGER NOT NULL,
        root     TEXT    NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (key, saga)
    ) STRICT, WITHOUT ROWID;

    CREATE INDEX lock_again ON lock (key, saga, root, checksum);

    CREATE INDEX lock_of_saga ON lock (saga);

    CREATE VIEW held_lock AS
        SELECT lock.key, saga.id AS holder, lock.root
        FROM lock JOIN saga ON saga.number = lock.saga
        ORDER BY lock.key, lock.saga;
";

/// A saga that was closed by hand has ended, too. `saga_writer` counts those who have opened the file to write.
const VERSION_4: &str = "
    DROP INDEX saga_awake;

    CREATE INDEX saga_awake ON saga (number, status, wake_at_ms)
        WHERE status NOT IN ('completed', 'compensated', 'closed') AND (wake_at_ms IS NULL OR wake_at_ms <= 0);

    CREATE TABLE saga_writer (epoch INTEGER NOT NULL) STRICT;

    INSERT INTO saga_writer (epoch) VALUES (0);
";

/// What is kept of purged sagas. `id_hash` is all that is known of one whose id has expired, for ever: all else is null
/// then, and a row has some ten bytes. A row that is looked for by its id is found by the hash, which is the table's
/// own key, so that a begin pays no more for it than one look.
///
/// `saga_writer.numbers` is the greatest number of a purged saga: none is given twice, for pages are read by numbers.
const VERSION_5: &str = "
    CREATE TABLE saga_purged (
        id_hash     INTEGER PRIMARY KEY,
        id          TEXT,
        definition  TEXT,
        fingerprint TEXT,
        status      TEXT,
        ended_at_ms INTEGER,
        records     INTEGER,
        input       TEXT,
        outcome     TEXT,
        checksum    INTEGER
    ) STRICT;

    CREATE INDEX saga_purged_by_end ON saga_purged (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

    ALTER TABLE saga_writer ADD COLUMN numbers INTEGER NOT NULL DEFAULT 0;
";

/// The fencing epoch of a new writer: greater than that of any before it.
pub(super) fn next_epoch(connection: &Connection) -> rusqlite::Result<u64> {
    const NEXT: &str = "UPDATE saga_writer SET epoch = epoch + 1 RETURNING epoch";
    let epoch = connection.query_row(NEXT, (), |row| row.get::<_, i64>(0))?;
    Ok(epoch.unsigned_abs())
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nobody's yet: it is empty.
    Fresh,
    /// Ours, with this version of the schema.
    Version(i64),
}

/// Reads whose file it is, and changes nothing. Refuses one that is not ours, or too new.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<Identity, OpenError> {
    let number = |sql| {
        let answer: rusqlite::Result<i64> = connection.query_row(sql, (), |row| row.get(0));
        answer.map_err(|error| OpenError::from_sqlite(path, &error))
    };
    let application_id = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let objects = number("SELECT count(*) FROM sqlite_schema")?;
    let refuse = |reason| Err(OpenError { path: path.to_owned(), reason });
    match (application_id, version) {
        (0, 0) if objects == 0 => Ok(Identity::Fresh),
        (APPLICATION_ID, 1..=VERSION) => Ok(Identity::Version(version)),
        (APPLICATION_ID, found) if found > VERSION => {
            refuse(OpenErrorReason::NewerSchema { found, known: VERSION })
        }
        _ => refuse(OpenErrorReason::Foreign { application_id }),
    }
}

/// Brings the file to [`VERSION`], in one transaction.
pub(super) fn migrate(connection: &mut Connection, identity: Identity) -> rusqlite::Result<()> {
    let from = match identity {
        Identity::Fresh => 0,
        Identity::Version(VERSION) => return Ok(()),
        Identity::Version(version) => version,
    };
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for (version, step) in (1..=VERSION).zip(MIGRATIONS).filter(|(version, _)| *version > from) {
        tracing::info!(version, "the saga log's schema is brought up to date");
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
