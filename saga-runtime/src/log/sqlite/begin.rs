//! Begins a saga in somebody else's transaction on the log's file.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use super::check::Strays;
use super::error::from_sqlite;
use super::schema::{self, Identity};
use super::{load, locks, purge, writer};
use crate::log::rules::{Verdict, judge, validate};
use crate::log::{Append, AppendError, Begin};

/// Writes the saga's first records in the transaction that is open on `connection`, whose file is to be the log's at
/// `path`. They are durable when that is committed. The log's writer finds that the file has changed, and looks.
pub(super) fn begin_in(
    connection: &Connection,
    path: &Path,
    strays: &Strays,
    append: &Append,
) -> Result<(), AppendError> {
    let invalid = |cause: String| AppendError::Invalid { saga: append.saga.clone(), cause };
    validate(append)?;
    let Some(begin) = &append.begin else {
        return Err(invalid("what is appended in another's transaction has to begin a saga".to_owned()));
    };
    if connection.is_autocommit() {
        let cause = "no transaction is open on this connection: begin one (`transaction()`), and commit what the saga is \
                     about together with it";
        return Err(invalid(cause.to_owned()));
    }
    // The log's own path is a resolved one.
    let own = connection.path().and_then(|own| std::fs::canonicalize(own).ok());
    if own.as_deref() != Some(path) {
        let own = connection.path().filter(|own| !own.is_empty()).unwrap_or("a database in memory");
        return Err(invalid(format!("its transaction is on {own}, and the log is {}", path.display())));
    }
    let unavailable = |error: &rusqlite::Error| AppendError::Unavailable(from_sqlite(path, error));
    let synchronous = connection.query_row("PRAGMA synchronous", (), |row| row.get::<_, i64>(0));
    if synchronous.map_err(|error| unavailable(&error))? < 2 {
        let cause = "the commit on this connection would not survive a loss of power: set `PRAGMA synchronous = FULL` \
                     before the transaction";
        return Err(invalid(cause.to_owned()));
    }
    if schema::identify(connection, path).ok() != Some(Identity::Version(schema::VERSION)) {
        return Err(invalid(format!("{} is not the log any more", path.display())));
    }
    let failed = |error: rusqlite::Error| {
        match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => invalid(
            "the log has written since this transaction has read, or writes for long: roll it back and try again, with \
             `BEGIN IMMEDIATE` (`TransactionBehavior::Immediate`)"
                .to_owned(),
        ),
        _ => unavailable(&error),
    }
    };
    let stray = strays.claim(connection, &append.saga, Some(begin));
    if let Some(damaged) = stray.map_err(|error| unavailable(&error))? {
        return Err(damaged.into());
    }
    let locked = match &append.locks {
        Some(wanted) => {
            locks::refusal(connection, &append.saga, wanted).map_err(|error| unavailable(&error))?
        }
        None => None,
    };
    let past = purge::past(connection, &append.saga).map_err(failed)?;
    if past.is_none() && locked.is_none() && insert(connection, append, begin).map_err(failed)? {
        return Ok(());
    }
    match load::by_id(connection, &append.saga).map_err(|error| unavailable(&error))? {
        Some(Err(damaged)) => Err(damaged.into()),
        Some(Ok(held)) => match judge(append, Some(&held.history))? {
            // It was begun in the same transaction, with the same records.
            Verdict::Held | Verdict::Write { .. } => Ok(()),
        },
        None => match (past, locked) {
            (Some(past), _) => Err(past.into()),
            (None, Some(locked)) => Err(locked),
            (None, None) => {
                Err(invalid("table `saga` and its index on `id` contradict each other".to_owned()))
            }
        },
    }
}

/// Writes all of it or nothing, whatever the caller does after an error. `false`: there is a saga of this id.
fn insert(connection: &Connection, append: &Append, begin: &Begin) -> rusqlite::Result<bool> {
    connection.execute_batch("SAVEPOINT saga_begin")?;
    let inserted = writer::free_number(connection)
        .and_then(|number| writer::insert_saga(connection, append, begin, number));
    if inserted.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK TO saga_begin")?;
    }
    if !connection.is_autocommit() {
        connection.execute_batch("RELEASE saga_begin")?;
    }
    inserted.map(|head| head.is_some())
}
