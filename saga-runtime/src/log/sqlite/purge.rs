//! What is left of sagas whose history was purged: rows of table `saga_purged`, which become still less when their ids
//! expire.

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::checksum::purged_checksum;
use super::load::{self, Cells, Failure, signed};
use super::locks::DELETE_LOCKS;
use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::rules::{ended_at_ms, id_hash, judge_purge, purged};
use crate::log::{
    AppendError, Begin, Cursor, Damaged, HistoryError, Keep, Page, Purge, Purged, Status, Wake,
};

pub(super) const PURGED: &str =
    "SELECT id, definition, fingerprint, status, ended_at_ms, records, input, outcome, checksum
     FROM saga_purged WHERE id_hash = ?1";

pub(super) const INSERT_PURGED: &str =
    "INSERT INTO saga_purged (id_hash, id, definition, fingerprint, status, ended_at_ms, records, input, outcome, checksum)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

pub(super) const INSERT_EXPIRED: &str =
    "INSERT INTO saga_purged (id_hash) VALUES (?1) ON CONFLICT DO NOTHING";

pub(super) const EXPIRE_ONE: &str =
    "UPDATE saga_purged SET id = NULL, definition = NULL, fingerprint = NULL, status = NULL,
            ended_at_ms = NULL, records = NULL, input = NULL, outcome = NULL, checksum = NULL
     WHERE id_hash = ?1";

pub(super) const EXPIRE_OLDEST: &str =
    "UPDATE saga_purged SET id = NULL, definition = NULL, fingerprint = NULL, status = NULL,
            ended_at_ms = NULL, records = NULL, input = NULL, outcome = NULL, checksum = NULL
     WHERE id_hash IN (SELECT id_hash FROM saga_purged INDEXED BY saga_purged_by_end
                       WHERE ended_at_ms <= ?1 ORDER BY ended_at_ms, id_hash LIMIT ?2)";

pub(super) const DELETE_RECORDS: &str = "DELETE FROM journal WHERE saga = ?1";

pub(super) const DELETE_SAGA: &str = "DELETE FROM saga WHERE number = ?1";

pub(super) const KEEP_NUMBER: &str = "UPDATE saga_writer SET numbers = max(numbers, ?1)";

/// Looks at so many rows, whatever they are.
pub(super) const ROWS_BEHIND: &str =
    "SELECT number, status, begun_at_ms FROM saga WHERE number > ?1 ORDER BY number LIMIT ?2";

/// Ids are ASCII.
pub(super) const IDS_BEHIND: &str =
    "SELECT id FROM saga WHERE id > ?1 AND id >= ?2 AND id < ?2 || char(127) ORDER BY id LIMIT ?3";

/// What is left of a saga whose history is gone.
pub(super) enum Past {
    Purged(Box<Purged>),
    Expired(SagaId),
    Damaged(Damaged),
}

impl From<Past> for AppendError {
    fn from(past: Past) -> Self {
        match past {
            Past::Purged(purged) => Self::Purged(purged),
            Past::Expired(saga) => Self::Expired { saga },
            Past::Damaged(damaged) => Self::Damaged(damaged),
        }
    }
}

impl From<Past> for HistoryError {
    fn from(past: Past) -> Self {
        match past {
            Past::Purged(purged) => Self::Purged(purged),
            Past::Expired(saga) => Self::Expired { saga },
            Past::Damaged(damaged) => Self::Damaged(damaged),
        }
    }
}

/// What is left of the saga `id`, if it was purged. Table `saga` is to be asked first, unless it is to be begun.
pub(super) fn past(connection: &Connection, id: &SagaId) -> rusqlite::Result<Option<Past>> {
    let mut statement = connection.prepare_cached(PURGED)?;
    let hash = key(id);
    let found = statement.query_row([hash], |row| {
        let cells = Cells::new(row, "saga_purged", hash);
        Ok(read(&cells, id))
    });
    Ok(match found.optional()? {
        None => None,
        Some(Ok(past)) => past,
        Some(Err(Failure::Damage { cause, .. })) => {
            Some(Past::Damaged(Damaged { saga: id.to_string(), cause }))
        }
        Some(Err(Failure::Sqlite(error))) => return Err(error),
    })
}

/// Purges one saga within the transaction, or says why not.
pub(super) fn purge(connection: &Connection, purge: &Purge) -> rusqlite::Result<Result<(), AppendError>> {
    let id = &purge.saga;
    let loaded = match load::by_id(connection, id)? {
        Some(Err(damaged)) => return Ok(Err(damaged.into())),
        Some(Ok(loaded)) => loaded,
        None => {
            return match past(connection, id)? {
                None => Ok(judge_purge(purge, None)),
                Some(Past::Damaged(damaged)) => Ok(Err(damaged.into())),
                Some(Past::Expired(_)) => Ok(Ok(())),
                Some(Past::Purged(_)) if purge.keep.is_some() => Ok(Ok(())),
                Some(Past::Purged(_)) => {
                    connection.prepare_cached(EXPIRE_ONE)?.execute([key(id)])?;
                    Ok(Ok(()))
                }
            };
        }
    };
    if let Err(refused) = judge_purge(purge, Some(&loaded.history)) {
        return Ok(Err(refused));
    }
    match &purge.keep {
        None => drop(connection.prepare_cached(INSERT_EXPIRED)?.execute([key(id)])?),
        Some(keep) => match insert(connection, &purged(&loaded.history, keep)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                let cause = "another id that was purged has the same hash; its history stays".to_owned();
                return Ok(Err(AppendError::Invalid { saga: id.clone(), cause }));
            }
            inserted => inserted?,
        },
    }
    let number = loaded.head.number;
    for sql in [DELETE_RECORDS, DELETE_LOCKS, DELETE_SAGA, KEEP_NUMBER] {
        connection.prepare_cached(sql)?.execute([number])?;
    }
    Ok(Ok(()))
}

/// Keeps no more than the ids of those that ended first, and answers how many these were.
pub(super) fn expire(connection: &Connection, until_ms: u64, limit: usize) -> rusqlite::Result<u64> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let expired = connection.prepare_cached(EXPIRE_OLDEST)?.execute((signed(until_ms), limit))?;
    Ok(expired as u64)
}

/// The sagas among the next `limit` behind `after` that ended at `until_ms` or before. Must run within one transaction.
pub(super) fn ended(
    connection: &Connection,
    until_ms: u64,
    after: Option<Cursor>,
    limit: usize,
) -> rusqlite::Result<Page> {
    let after = after.map_or(i64::MIN, |after| i64::try_from(after.begun).unwrap_or(i64::MAX));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(ROWS_BEHIND)?;
    // What is no status or no time is damage, and nothing that is purged.
    let rows = statement.query_map((after, limit), |row| {
        let status = row.get_ref(1)?.as_str().ok().and_then(Status::parse);
        Ok((row.get(0)?, status, row.get_ref(2)?.as_i64().unwrap_or(i64::MAX)))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<(i64, Option<Status>, i64)>>>()?;
    let until = signed(until_ms);
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let more = full && rows.iter().any(|(_, _, begun_at_ms)| *begun_at_ms <= until);
    let last = rows.last().filter(|_| more).and_then(|(number, ..)| u64::try_from(*number).ok());
    let next = last.map(|begun| Cursor { wake: Wake::Never, begun });
    let mut sagas = Vec::new();
    for (number, status, begun_at_ms) in rows {
        if begun_at_ms > until || status.is_none_or(|status| status == Status::Running) {
            continue;
        }
        match load::by_number(connection, number)? {
            Some(Ok(loaded)) if ended_at_ms(&loaded.history) <= until_ms => sagas.push(Ok(loaded.history)),
            Some(Err(damaged)) => sagas.push(Err(damaged)),
            Some(Ok(_)) | None => {}
        }
    }
    Ok(Page { sagas, next })
}

/// The first ids behind `after` that begin with `prefix`.
pub(super) fn ids(
    connection: &Connection,
    prefix: &str,
    after: Option<&SagaId>,
    limit: usize,
) -> rusqlite::Result<Vec<SagaId>> {
    let after = after.map_or("", SagaId::as_str);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(IDS_BEHIND)?;
    let found = statement.query_map((after, prefix, limit), |row| row.get::<_, String>(0))?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found.iter().filter_map(|id| SagaId::new(id).ok()).collect())
}

fn insert(connection: &Connection, purged: &Purged) -> rusqlite::Result<()> {
    let Purged { saga, begin, status, ended_at_ms, records, keep } = purged;
    let inserted = connection.prepare_cached(INSERT_PURGED)?.execute((
        key(saga),
        saga.as_str(),
        &begin.definition,
        begin.fingerprint.to_string(),
        status.as_str(),
        signed(*ended_at_ms),
        signed(*records),
        &keep.input,
        &keep.outcome,
        purged_checksum(purged),
    ));
    inserted.map(drop)
}

/// Column `id_hash`.
fn key(id: &SagaId) -> i64 {
    id_hash(id).cast_signed()
}

/// Reads the row that has the hash of `id`; `None` if it is another id's.
fn read(cells: &Cells<'_>, id: &SagaId) -> Result<Option<Past>, Failure> {
    let Some(found) = cells.optional_text(0)? else {
        return Ok(Some(Past::Expired(id.clone())));
    };
    if found != id.as_str() {
        // It may be this id, damaged: the checksum says so, and then nobody begins it.
        let sound = SagaId::new(&found).ok().map(|other| confirmed(cells, &other));
        return match sound {
            Some(Ok(_)) => Ok(None),
            Some(Err(failure)) => Err(failure),
            None => Err(cells.wrong(0, "it is no id of a saga")),
        };
    }
    confirmed(cells, id).map(|purged| Some(Past::Purged(Box::new(purged))))
}

fn confirmed(cells: &Cells<'_>, id: &SagaId) -> Result<Purged, Failure> {
    let fingerprint = cells.text(2)?;
    let fingerprint =
        Fingerprint::parse(&fingerprint).ok_or_else(|| cells.wrong(2, "it is no fingerprint"))?;
    let status = Status::parse(&cells.text(3)?).ok_or_else(|| cells.wrong(3, "it is no status"))?;
    let purged = Purged {
        saga: id.clone(),
        begin: Begin { definition: cells.text(1)?, fingerprint },
        status,
        ended_at_ms: cells.natural(4)?,
        records: cells.natural(5)?,
        keep: Keep { input: cells.text(6)?, outcome: cells.text(7)? },
    };
    if cells.integer(8)? != i64::from(purged_checksum(&purged)) {
        return Err(cells.wrong(8, "it does not fit the row's content"));
    }
    Ok(purged)
}
