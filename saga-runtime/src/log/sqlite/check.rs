//! Looks for damage that nobody would meet who only reads what the indexes name: a row that says it has ended and has
//! not, a saga without its row, one that its index has lost. And tells a damaged saga's id where that is what is damaged.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use super::checksum::Chain;
use super::load::{self, Loaded, MEND};
use crate::id::SagaId;
use crate::log::{Begin, Damaged, Record, Status};

/// How many records back [`recent`] looks: what one commit writes at most.
const RECENT: i64 = 4096;

/// Of how many damaged sagas it is found out whether one that is to begin is one of them.
const STRAYS_MAX: usize = 1000;

pub(super) const NUMBERS_IN_JOURNAL: &str =
    "SELECT DISTINCT saga FROM journal NOT INDEXED WHERE position > (SELECT max(position) FROM journal) - ?1";

pub(super) const NUMBERS_OF_SAGAS: &str = "SELECT number FROM saga NOT INDEXED ORDER BY number DESC LIMIT ?1";

pub(super) const COUNT_RECORDS: &str = "SELECT count(*) FROM journal WHERE saga = ?1";

pub(super) const NUMBER_OF_ID: &str = "SELECT number FROM saga WHERE id = ?1";

pub(super) const IS_AWAKE: &str = "SELECT count(*) FROM saga INDEXED BY saga_awake
     WHERE status NOT IN ('completed', 'compensated', 'closed') AND (wake_at_ms IS NULL OR wake_at_ms <= 0) AND number = ?1";

pub(super) const IS_WAITING: &str =
    "SELECT count(*) FROM saga INDEXED BY saga_waiting WHERE wake_at_ms = ?1 AND number = ?2";

pub(super) const FIRST_RECORD: &str =
    "SELECT at_ms, step, event, data, checksum FROM journal WHERE saga = ?1 AND seq = 0";

pub(super) const FORM: &str = "SELECT definition, fingerprint FROM saga WHERE number = ?1";

pub(super) const FORMS: &str = "SELECT DISTINCT definition, fingerprint FROM (SELECT definition, fingerprint FROM saga NOT INDEXED ORDER BY number DESC LIMIT 1000)";

/// The damaged sagas that were met, by number: one of them may be known by its id no more. Shared by reader and writer.
#[derive(Debug, Clone, Default)]
pub(super) struct Strays(Arc<Mutex<BTreeSet<i64>>>);

impl Strays {
    pub(super) fn add(&self, number: i64) {
        let mut numbers = self.numbers();
        if numbers.len() < STRAYS_MAX {
            numbers.insert(number);
        }
    }

    /// The damage of the saga that was begun as `id`, though nothing leads from that id to it: the checksum of its first
    /// record fits no other id. `begin` says as what it may have been begun, where that is known.
    ///
    /// Must run within one transaction.
    pub(super) fn claim(
        &self,
        connection: &Connection,
        id: &SagaId,
        begin: Option<&Begin>,
    ) -> rusqlite::Result<Option<Damaged>> {
        let numbers: Vec<i64> = self.numbers().iter().copied().collect();
        for number in numbers {
            let Some(cause) = damage_of(connection, number)? else {
                self.numbers().remove(&number);
                continue;
            };
            if was_begun_as(connection, number, id, begin)? {
                return Ok(Some(Damaged { saga: id.to_string(), cause }));
            }
        }
        Ok(None)
    }

    fn numbers(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks the sagas that were begun or appended to last. Must run within one transaction.
pub(super) fn recent(connection: &Connection, strays: &Strays) -> rusqlite::Result<Vec<Damaged>> {
    behind(connection, strays, RECENT)
}

/// Checks all sagas. Must run within one transaction.
pub(super) fn all(connection: &Connection, strays: &Strays) -> rusqlite::Result<Vec<Damaged>> {
    behind(connection, strays, i64::MAX)
}

fn behind(connection: &Connection, strays: &Strays, records: i64) -> rusqlite::Result<Vec<Damaged>> {
    let mut damaged = Vec::new();
    let mut numbers = BTreeSet::new();
    for sql in [NUMBERS_IN_JOURNAL, NUMBERS_OF_SAGAS] {
        // Behind a page that SQLite cannot read there may be others: what is found until there is looked at.
        if let Err(error) = read_numbers(connection, sql, records, &mut numbers) {
            let cause = unless_corrupt(error)?;
            damaged.push(Damaged { saga: "?".to_owned(), cause });
        }
    }
    for number in numbers {
        if let Some(found) = check(connection, number)? {
            strays.add(number);
            damaged.push(found);
        }
    }
    Ok(damaged)
}

fn read_numbers(
    connection: &Connection,
    sql: &str,
    records: i64,
    numbers: &mut BTreeSet<i64>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    // What is no number is missing at its place.
    for number in statement.query_map([records], |row| Ok(row.get_ref(0)?.as_i64().ok()))? {
        numbers.extend(number?);
    }
    Ok(())
}

/// What is wrong with the saga of this number, and with what leads to it.
fn check(connection: &Connection, number: i64) -> rusqlite::Result<Option<Damaged>> {
    let loaded = match load::by_number(connection, number)? {
        Some(Ok(loaded)) => loaded,
        Some(Err(damaged)) => return Ok(Some(damaged)),
        None => return orphan(connection, number),
    };
    let lost_by = lost_by(connection, &loaded).or_else(|error| unless_corrupt(error).map(Some))?;
    Ok(lost_by.map(|cause| Damaged { saga: loaded.history.saga.to_string(), cause }))
}

/// The damage of records whose saga has no row any more.
fn orphan(connection: &Connection, number: i64) -> rusqlite::Result<Option<Damaged>> {
    let count: rusqlite::Result<i64> =
        connection.prepare_cached(COUNT_RECORDS)?.query_row([number], |row| row.get(0));
    let cause = match count {
        Ok(0) => return Ok(None),
        Ok(count) => format!(
            "table `journal` holds {count} records of the saga with number {number}, and table `saga` has no such \
             row; {MEND}"
        ),
        Err(error) => unless_corrupt(error)?,
    };
    Ok(Some(Damaged { saga: format!("number {number}"), cause }))
}

/// What is wrong with the indexes that lead to a saga, if something is.
fn lost_by(connection: &Connection, loaded: &Loaded) -> rusqlite::Result<Option<String>> {
    let Loaded { history, head } = loaded;
    let number = head.number;
    let lost = |index: &str| {
        Some(format!(
            "row {number} of table `saga` is sound, and its index {index} does not lead to it; stop the program and run \
             `sqlite3 FILE reindex`"
        ))
    };
    let found: Option<i64> = connection
        .prepare_cached(NUMBER_OF_ID)?
        .query_row([history.saga.as_str()], |row| row.get(0))
        .optional()?;
    if found != Some(number) {
        return Ok(lost("on `id`"));
    }
    if history.status != Status::Running {
        return Ok(None);
    }
    let (index, count): (_, i64) = match head.wake_at_ms {
        None => {
            let count = connection.prepare_cached(IS_AWAKE)?.query_row([number], |row| row.get(0))?;
            ("`saga_awake`", count)
        }
        Some(wake_at_ms) => {
            let mut statement = connection.prepare_cached(IS_WAITING)?;
            ("`saga_waiting`", statement.query_row([wake_at_ms, number], |row| row.get(0))?)
        }
    };
    Ok(if count == 1 { None } else { lost(index) })
}

fn damage_of(connection: &Connection, number: i64) -> rusqlite::Result<Option<String>> {
    Ok(check(connection, number)?.map(|damaged| damaged.cause))
}

/// Whether the records with this number are those of a saga that was begun as `id`.
fn was_begun_as(
    connection: &Connection,
    number: i64,
    id: &SagaId,
    begin: Option<&Begin>,
) -> rusqlite::Result<bool> {
    let first = connection.prepare_cached(FIRST_RECORD)?.query_row([number], read_first).optional();
    let Some((record, checksum)) = readable(first)?.flatten().flatten() else { return Ok(false) };
    let mut forms: Vec<(String, String)> =
        begin.map(|begin| (begin.definition.clone(), begin.fingerprint.to_string())).into_iter().collect();
    let own = connection.prepare_cached(FORM)?.query_row([number], read_form).optional();
    match readable(own)?.flatten().flatten() {
        Some(own) => forms.push(own),
        None => {
            let mut statement = connection.prepare_cached(FORMS)?;
            let all = statement.query_map((), read_form)?.collect::<rusqlite::Result<Vec<_>>>();
            forms.extend(readable(all)?.into_iter().flatten().flatten());
        }
    }
    // A saga is begun when its first record is made.
    let fits = |(definition, fingerprint): &(String, String)| {
        let seed = Chain::seed(id.as_str(), definition, fingerprint, record.at_ms);
        i64::from(seed.after(0, &record).value()) == checksum
    };
    Ok(forms.iter().any(fits))
}

/// The first record with its checksum; `None` if one of its columns is none that was written.
fn read_first(row: &Row<'_>) -> rusqlite::Result<Option<(Record, i64)>> {
    let text = |column| -> rusqlite::Result<Option<Option<String>>> {
        Ok(match row.get_ref(column)? {
            ValueRef::Null => Some(None),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().map(|text| Some(text.to_owned())),
            _ => None,
        })
    };
    let integer = |column| row.get_ref(column).map(|value| value.as_i64().ok());
    let (at_ms, checksum) = (integer(0)?.and_then(|at_ms| u64::try_from(at_ms).ok()), integer(4)?);
    let (step, event, data) = (text(1)?, text(2)?.flatten(), text(3)?);
    Ok(at_ms
        .zip(checksum)
        .zip(step.zip(data))
        .zip(event)
        .map(|(((at_ms, checksum), (step, data)), event)| (Record { at_ms, step, event, data }, checksum)))
}

/// As what a saga was begun; `None` if that cannot be read.
fn read_form(row: &Row<'_>) -> rusqlite::Result<Option<(String, String)>> {
    let text = |column| -> rusqlite::Result<Option<String>> {
        Ok(row.get_ref(column)?.as_str().ok().map(ToOwned::to_owned))
    };
    Ok(text(0)?.zip(text(1)?))
}

/// What was read; `None` from a page that SQLite cannot read.
fn readable<T>(read: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) => unless_corrupt(error).map(|_| None),
    }
}

/// What is told of a page that SQLite cannot read; any other error is passed on.
fn unless_corrupt(error: rusqlite::Error) -> rusqlite::Result<String> {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => Ok(format!("SQLite reports: {error}; {MEND}")),
        _ => Err(error),
    }
}
