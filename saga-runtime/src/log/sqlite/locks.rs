//! The semantic locks of sagas, as rows of table `lock`.
//!
//! They are taken and let go in the transactions of the records that say so. Who holds a lock is read from two trees that
//! both have all of it, so that no row that is damaged, or that cannot be found behind damage, lets a second root have the
//! lock: they must agree. The row of a saga that has ended means nothing, wherever it comes from.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, Row};

use super::checksum::lock_checksum;
use crate::id::SagaId;
use crate::log::rules::sorted_keys;
use crate::log::{AppendError, DamagedLock, HeldLock, LockCursor, LockPage, Locks};

pub(super) const LOCK_BY_KEY: &str = "SELECT lock.key, lock.saga, lock.root, lock.checksum, saga.id
     FROM lock INDEXED BY sqlite_autoindex_lock_1 LEFT JOIN saga ON saga.number = lock.saga
     WHERE lock.key = ?1 AND (saga.status IS NULL OR saga.status NOT IN ('completed', 'compensated', 'closed'))
     ORDER BY lock.saga";

pub(super) const LOCK_BY_KEY_AGAIN: &str = "SELECT lock.key, lock.saga, lock.root, lock.checksum, saga.id
     FROM lock INDEXED BY lock_again LEFT JOIN saga ON saga.number = lock.saga
     WHERE lock.key = ?1 AND (saga.status IS NULL OR saga.status NOT IN ('completed', 'compensated', 'closed'))
     ORDER BY lock.saga";

pub(super) const LOCKS_BEHIND: &str = "SELECT lock.key, lock.saga, lock.root, lock.checksum, saga.id
     FROM lock INDEXED BY sqlite_autoindex_lock_1 LEFT JOIN saga ON saga.number = lock.saga
     WHERE (lock.key, lock.saga) > (?1, ?2)
       AND (saga.status IS NULL OR saga.status NOT IN ('completed', 'compensated', 'closed'))
     ORDER BY lock.key, lock.saga LIMIT ?3";

/// A saga may take what it holds.
pub(super) const INSERT_LOCK: &str =
    "INSERT INTO lock (key, saga, root, checksum) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

pub(super) const DELETE_LOCKS: &str = "DELETE FROM lock WHERE saga = ?1";

/// Why `saga` cannot have `locks`, or `None` if it can. Writes nothing.
pub(super) fn refusal(
    connection: &Connection,
    saga: &SagaId,
    locks: &Locks,
) -> rusqlite::Result<Option<AppendError>> {
    for key in sorted_keys(locks) {
        let holders = match holders(connection, key)? {
            Ok(holders) => holders,
            Err(lock) => return Ok(Some(AppendError::LockDamaged { saga: saga.clone(), lock })),
        };
        if let Some(other) = holders.into_iter().find(|held| held.root != locks.root) {
            let (saga, key, holder) = (saga.clone(), key.to_owned(), other.holder);
            return Ok(Some(AppendError::Locked { saga, key, holder }));
        }
    }
    Ok(None)
}

/// Gives `locks`, which nobody refuses, to the saga with this number.
pub(super) fn take(connection: &Connection, number: i64, locks: &Locks) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(INSERT_LOCK)?;
    let root = locks.root.as_str();
    for key in sorted_keys(locks) {
        insert.execute((key, number, root, lock_checksum(key, number, root)))?;
    }
    Ok(())
}

/// Lets go of all locks of the saga with this number, which ends in this transaction.
pub(super) fn release(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    connection.prepare_cached(DELETE_LOCKS)?.execute([number]).map(drop)
}

/// Reads a page of at most `limit` locks. Must run within one transaction.
pub(super) fn page(
    connection: &Connection,
    after: Option<LockCursor>,
    limit: usize,
) -> rusqlite::Result<LockPage> {
    let after = after.map(|LockCursor { key, begun }| (key, i64::try_from(begun).unwrap_or(i64::MAX)));
    // No key is empty.
    let (key, number) = after.clone().unwrap_or_default();
    let mut statement = connection.prepare_cached(LOCKS_BEHIND)?;
    let room = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let rows = statement.query_map((key, number, room), LockRow::read)?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    // Rows in a wrong order are damage, and must not lead to the same page again.
    let last = rows.iter().filter_map(LockRow::place).max().filter(|last| after.as_ref() < Some(last));
    let next = last.filter(|_| more);
    let next = next.and_then(|(key, begun)| Some(LockCursor { key, begun: u64::try_from(begun).ok()? }));
    Ok(LockPage { locks: rows.into_iter().map(LockRow::confirm).collect(), next })
}

/// Who holds the lock `key`, in the order in which they were begun.
fn holders(connection: &Connection, key: &str) -> rusqlite::Result<Result<Vec<HeldLock>, DamagedLock>> {
    let damaged = |cause| Ok(Err(DamagedLock { key: key.to_owned(), cause }));
    let (rows, again) = match rows(connection, LOCK_BY_KEY, key).and_then(|found| {
        let again = rows(connection, LOCK_BY_KEY_AGAIN, key)?;
        Ok((found, again))
    }) {
        Ok(both) => both,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            return damaged(format!("SQLite reports: {error}"));
        }
        Err(error) => return Err(error),
    };
    if rows != again {
        return damaged("table `lock` and its index `lock_again` contradict each other".to_owned());
    }
    Ok(rows.into_iter().map(LockRow::confirm).collect())
}

fn rows(connection: &Connection, sql: &str, key: &str) -> rusqlite::Result<Vec<LockRow>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([key], LockRow::read)?.collect()
}

/// A row of table `lock` with the id of its saga, not yet confirmed.
#[derive(Debug, PartialEq)]
struct LockRow {
    key: Value,
    saga: Value,
    root: Value,
    checksum: Value,
    holder: Value,
}

impl LockRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let cell = |column| match row.get_ref(column)? {
            // A text that is none is damage, and no reason to read no further.
            ValueRef::Text(bytes) if std::str::from_utf8(bytes).is_err() => Ok(Value::Blob(bytes.to_owned())),
            value => Value::try_from(value).map_err(rusqlite::Error::from),
        };
        Ok(Self { key: cell(0)?, saga: cell(1)?, root: cell(2)?, checksum: cell(3)?, holder: cell(4)? })
    }

    fn place(&self) -> Option<(String, i64)> {
        match (&self.key, &self.saga) {
            (Value::Text(key), Value::Integer(saga)) => Some((key.clone(), *saga)),
            _ => None,
        }
    }

    fn confirm(self) -> Result<HeldLock, DamagedLock> {
        let (Value::Text(key), Value::Integer(saga), Value::Text(root)) = (&self.key, &self.saga, &self.root)
        else {
            return Err(self.damaged("a column of table `lock` has a value of a wrong type"));
        };
        if self.checksum != Value::Integer(i64::from(lock_checksum(key, *saga, root))) {
            return Err(self.damaged("the checksum of its row in table `lock` does not fit its content"));
        }
        let Ok(root) = SagaId::new(root) else { return Err(self.damaged("its root is no id of a saga")) };
        match &self.holder {
            Value::Text(id) => match SagaId::new(id) {
                Ok(holder) => Ok(HeldLock { key: key.clone(), holder, root }),
                Err(error) => Err(self.damaged(&format!("its holder is damaged: {error}"))),
            },
            _ => Err(self.damaged(&format!("table `saga` has no number {saga}, which holds it"))),
        }
    }

    fn damaged(&self, cause: &str) -> DamagedLock {
        let key = match &self.key {
            Value::Text(key) => key.clone(),
            Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => "?".to_owned(),
        };
        DamagedLock { key, cause: cause.to_owned() }
    }
}
