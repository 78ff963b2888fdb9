//! Reads one saga back, and believes nothing that its checksums do not confirm.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use super::checksum::Chain;
use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::{Begin, Cursor, Damaged, History, Page, Record, Status};

pub(super) const SAGA_BY_ID: &str = "SELECT number, id, definition, fingerprint, status, begun_at_ms, records, checksum FROM saga WHERE id = ?1";

pub(super) const SAGA_BY_NUMBER: &str = "SELECT number, id, definition, fingerprint, status, begun_at_ms, records, checksum FROM saga WHERE number = ?1";

pub(super) const JOURNAL: &str =
    "SELECT position, seq, at_ms, step, event, data, checksum FROM journal WHERE saga = ?1 ORDER BY seq";

/// From the index alone, so that a damaged row of `saga` hides no other one.
pub(super) const UNFINISHED: &str = "SELECT number FROM saga INDEXED BY saga_unfinished
     WHERE status NOT IN ('completed', 'compensated') AND number > ?1 ORDER BY number LIMIT ?2";

/// Where the next record of a saga goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The saga's number within the file.
    pub(super) number: i64,
    /// How many records it has.
    pub(super) records: u64,
    /// The checksum after the last of them.
    pub(super) chain: Chain,
}

/// A saga as it was read, all checksums confirmed.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) history: History,
    pub(super) head: Head,
}

/// What was found of a saga.
pub(super) type Found = Result<Loaded, Damaged>;

/// Reads the saga with this id. Must run within one transaction.
pub(super) fn by_id(connection: &Connection, id: &SagaId) -> rusqlite::Result<Option<Found>> {
    found(id.as_str(), load(connection, SAGA_BY_ID, id.as_str()))
}

/// Reads the saga with this number. Must run within one transaction.
pub(super) fn by_number(connection: &Connection, number: i64) -> rusqlite::Result<Option<Found>> {
    found(&format!("number {number}"), load(connection, SAGA_BY_NUMBER, number))
}

/// Reads a page of at most `limit` unfinished sagas. Must run within one transaction.
pub(super) fn unfinished(
    connection: &Connection,
    after: Option<Cursor>,
    limit: usize,
) -> rusqlite::Result<Page> {
    // A cursor that does not fit lies behind every saga.
    let after = after.map_or(i64::MIN, |Cursor(number)| i64::try_from(number).unwrap_or(i64::MAX));
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut statement = connection.prepare_cached(UNFINISHED)?;
    let mut numbers: Vec<i64> =
        statement.query_map((after, one_more), |row| row.get(0))?.collect::<Result<_, _>>()?;
    let more = numbers.len() > limit;
    numbers.truncate(limit);
    let last = numbers.last().and_then(|&number| u64::try_from(number).ok());
    let mut sagas = Vec::with_capacity(numbers.len());
    for number in numbers {
        sagas.push(match by_number(connection, number)? {
            Some(found) => found.map(|loaded| loaded.history),
            None => Err(Damaged {
                saga: format!("number {number}"),
                cause: "an index names it, and table `saga` has no such row".to_owned(),
            }),
        });
    }
    Ok(Page { sagas, next: last.filter(|_| more).map(Cursor) })
}

/// Why a saga was not read.
enum Failure {
    /// Its rows cannot be trusted. The id is told as far as it was read.
    Damage {
        saga: Option<String>,
        cause: String,
    },
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        // Pages of one saga that SQLite cannot make sense of are that saga's damage: others may lie on sound pages.
        if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) {
            return Self::Damage { saga: None, cause: format!("SQLite reports: {error}") };
        }
        Self::Sqlite(error)
    }
}

fn found(name: &str, result: Result<Option<Loaded>, Failure>) -> rusqlite::Result<Option<Found>> {
    match result {
        Ok(loaded) => Ok(loaded.map(Ok)),
        Err(Failure::Damage { saga, cause }) => {
            Ok(Some(Err(Damaged { saga: saga.unwrap_or_else(|| name.to_owned()), cause })))
        }
        Err(Failure::Sqlite(error)) => Err(error),
    }
}

fn load(connection: &Connection, sql: &str, key: impl rusqlite::ToSql) -> Result<Option<Loaded>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let Some(saga) = statement.query_row([key], |row| Ok(SagaRow::read(row))).optional()? else {
        return Ok(None);
    };
    let saga = saga?;
    let id = saga.id.to_string();
    saga.with_journal(connection).map(Some).map_err(|failure| match failure {
        Failure::Damage { cause, .. } => Failure::Damage { saga: Some(id), cause },
        Failure::Sqlite(error) => Failure::Sqlite(error),
    })
}

/// A row of table `saga`, decoded and not yet confirmed.
struct SagaRow {
    number: i64,
    id: SagaId,
    begin: Begin,
    status: Status,
    records: u64,
    checksum: i64,
    seed: Chain,
}

impl SagaRow {
    fn read(row: &Row<'_>) -> Result<Self, Failure> {
        let number = row.get(0)?;
        let cells = Cells { row, table: "saga", number };
        let id_text = cells.text(1)?;
        let known = |failure| match failure {
            Failure::Damage { cause, .. } => Failure::Damage { saga: Some(id_text.clone()), cause },
            failure @ Failure::Sqlite(_) => failure,
        };
        let id = SagaId::new(&id_text).map_err(|error| known(cells.wrong(1, &error.to_string())))?;
        let definition = cells.text(2).map_err(known)?;
        let fingerprint_text = cells.text(3).map_err(known)?;
        let fingerprint = Fingerprint::parse(&fingerprint_text)
            .ok_or_else(|| known(cells.wrong(3, &format!("{fingerprint_text:?} is no fingerprint"))))?;
        let status_text = cells.text(4).map_err(known)?;
        let status = Status::parse(&status_text)
            .ok_or_else(|| known(cells.wrong(4, &format!("{status_text:?} is no status"))))?;
        let begun_at_ms = cells.natural(5).map_err(known)?;
        let records = cells.natural(6).map_err(known)?;
        let checksum = cells.integer(7).map_err(known)?;
        // The text is what was written, so it is what counts, even where another text reads the same.
        let seed = Chain::seed(&id_text, &definition, &fingerprint_text, begun_at_ms);
        Ok(Self { number, id, begin: Begin { definition, fingerprint }, status, records, checksum, seed })
    }

    fn with_journal(self, connection: &Connection) -> Result<Loaded, Failure> {
        let mut chain = self.seed;
        let mut records: Vec<Record> = Vec::new();
        let mut statement = connection.prepare_cached(JOURNAL)?;
        let mut rows = statement.query([self.number])?;
        while let Some(row) = rows.next()? {
            let seq = records.len() as u64;
            let (record, next) = read_record(row, seq, chain)?;
            chain = next;
            records.push(record);
        }
        self.confirm(records.len() as u64, chain)?;
        let head = Head { number: self.number, records: self.records, chain };
        let history = History { saga: self.id, begin: self.begin, status: self.status, records };
        Ok(Loaded { history, head })
    }

    /// The journal must end where the saga's row says.
    fn confirm(&self, found: u64, chain: Chain) -> Result<(), Failure> {
        let number = self.number;
        let damage = |cause| Err(Failure::Damage { saga: None, cause });
        if found != self.records {
            let counted = self.records;
            return damage(format!(
                "row {number} of table `saga` counts {counted} records, and table `journal` holds {found} of them"
            ));
        }
        if found == 0 {
            return damage(format!("row {number} of table `saga` has no record"));
        }
        if i64::from(chain.seal(found, self.status.as_str())) != self.checksum {
            return damage(format!(
                "row {number} of table `saga`: its checksum does not fit its content and its last record"
            ));
        }
        Ok(())
    }
}

/// Reads record `seq`, which must continue `chain`.
fn read_record(row: &Row<'_>, seq: u64, chain: Chain) -> Result<(Record, Chain), Failure> {
    let position = row.get(0)?;
    let cells = Cells { row, table: "journal", number: position };
    let found = cells.natural(1)?;
    if found != seq {
        let damage = format!("record {seq} is missing before row {position} of table `journal`");
        return Err(Failure::Damage { saga: None, cause: damage });
    }
    let record = Record {
        at_ms: cells.natural(2)?,
        step: cells.optional_text(3)?,
        event: cells.text(4)?,
        data: cells.optional_text(5)?,
    };
    let chain = chain.after(seq, &record);
    if cells.integer(6)? != i64::from(chain.value()) {
        let before = if seq == 0 { "that of the saga's row" } else { "the record before" };
        return Err(Failure::Damage {
            saga: None,
            cause: format!(
                "row {position} of table `journal` (record {seq}): its checksum does not fit its content and {before}"
            ),
        });
    }
    Ok((record, chain))
}

/// Reads the columns of one row, and says where a wrong one is.
struct Cells<'a> {
    row: &'a Row<'a>,
    table: &'static str,
    number: i64,
}

impl Cells<'_> {
    fn wrong(&self, column: usize, what: &str) -> Failure {
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        let cause = format!("row {} of table `{}`, column `{name}`: {what}", self.number, self.table);
        Failure::Damage { saga: None, cause }
    }

    fn integer(&self, column: usize) -> Result<i64, Failure> {
        match self.row.get_ref(column)? {
            ValueRef::Integer(value) => Ok(value),
            other => {
                Err(self.wrong(column, &format!("{} instead of an integer", type_name(other.data_type()))))
            }
        }
    }

    fn natural(&self, column: usize) -> Result<u64, Failure> {
        let value = self.integer(column)?;
        u64::try_from(value).map_err(|_| self.wrong(column, &format!("{value} is less than 0")))
    }

    fn text(&self, column: usize) -> Result<String, Failure> {
        self.optional_text(column)?.ok_or_else(|| self.wrong(column, "null instead of a text"))
    }

    fn optional_text(&self, column: usize) -> Result<Option<String>, Failure> {
        match self.row.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(error) => Err(self.wrong(column, &error.to_string())),
            },
            other => Err(self.wrong(column, &format!("{} instead of a text", type_name(other.data_type())))),
        }
    }
}

fn type_name(found: Type) -> &'static str {
    match found {
        Type::Null => "null",
        Type::Integer => "an integer",
        Type::Real => "a real number",
        Type::Text => "a text",
        Type::Blob => "a blob",
    }
}
