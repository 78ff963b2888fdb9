//! Reads one saga back, and believes nothing that its checksums do not confirm.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use super::check::Strays;
use super::checksum::Chain;
use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::{Begin, Cursor, Damaged, History, Page, Record, Status, WAKE_MS_MAX, Wake};

pub(super) const SAGA_BY_ID: &str = "SELECT number, id, definition, fingerprint, status, begun_at_ms, records, checksum, wake_at_ms FROM saga WHERE id = ?1";

pub(super) const SAGA_BY_NUMBER: &str = "SELECT number, id, definition, fingerprint, status, begun_at_ms, records, checksum, wake_at_ms FROM saga WHERE number = ?1";

pub(super) const JOURNAL: &str =
    "SELECT position, seq, at_ms, step, event, data, checksum FROM journal WHERE saga = ?1 ORDER BY seq";

/// Those that have work to do. This list and the next two come from the indexes alone, so that a damaged row of `saga`
/// hides no other one.
pub(super) const AWAKE: &str = "SELECT number FROM saga INDEXED BY saga_awake
     WHERE status NOT IN ('completed', 'compensated', 'closed') AND (wake_at_ms IS NULL OR wake_at_ms <= 0) AND number > ?1
     ORDER BY number LIMIT ?2";

/// Those that wake at one time.
pub(super) const WAITING_UNTIL: &str = "SELECT number FROM saga INDEXED BY saga_waiting
     WHERE wake_at_ms = ?1 AND number > ?2 ORDER BY number LIMIT ?3";

/// Those that wake later than one time, up to another.
pub(super) const WAITING_BEHIND: &str = "SELECT number, wake_at_ms FROM saga INDEXED BY saga_waiting
     WHERE wake_at_ms > ?1 AND wake_at_ms <= ?2 ORDER BY wake_at_ms, number LIMIT ?3";

pub(super) const NEXT_WAKE: &str = "SELECT CAST(min(wake_at_ms) AS INTEGER) FROM saga INDEXED BY saga_waiting
     WHERE wake_at_ms > ?1 AND wake_at_ms < 9223372036854775807";

pub(super) const COUNT_WAITING: &str =
    "SELECT count(*) FROM saga INDEXED BY saga_waiting WHERE wake_at_ms > ?1";

/// What helps a saga whose rows are damaged.
pub(super) const MEND: &str = "nothing is done for it until its rows are as they were: stop the program, and restore them \
                               from a backup of the file";

/// Column `wake_at_ms` of a saga that time does not wake.
const NEVER: i64 = i64::MAX;

/// Where the next record of a saga goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The saga's number within the file.
    pub(super) number: i64,
    /// How many records it has.
    pub(super) records: u64,
    /// The checksum after the last of them.
    pub(super) chain: Chain,
    /// Column `wake_at_ms`.
    pub(super) wake_at_ms: Option<i64>,
    /// Whether rows of table `lock` may be its own; those of a saga that was read from the file may.
    pub(super) may_hold_locks: bool,
}

/// Column `wake_at_ms` of an unfinished saga that wakes then.
pub(super) fn wake_column(wake: Wake) -> Option<i64> {
    match wake {
        Wake::Now => None,
        Wake::At(ms) => Some(i64::try_from(ms.min(WAKE_MS_MAX)).unwrap_or(NEVER)),
        Wake::Never => Some(NEVER),
    }
}

/// What [`wake_column`] writes, read back; `None` if it does not write that.
fn wake_of(column: Option<i64>) -> Option<Wake> {
    match column {
        None => Some(Wake::Now),
        Some(NEVER) => Some(Wake::Never),
        Some(ms) => u64::try_from(ms).ok().filter(|ms| *ms > 0).map(Wake::At),
    }
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

/// Reads a page of at most `limit` unfinished sagas that wake by `until`. Must run within one transaction.
pub(super) fn unfinished(
    connection: &Connection,
    strays: &Strays,
    until: Wake,
    after: Option<Cursor>,
    limit: usize,
) -> rusqlite::Result<Page> {
    let mut places = places(connection, until, after, limit.saturating_add(1))?;
    let more = places.len() > limit;
    places.truncate(limit);
    let last = places.last().copied().filter(|_| more);
    let next = last.and_then(|(wake_at_ms, number)| {
        Some(Cursor { wake: wake_of(wake_at_ms)?, begun: u64::try_from(number).ok()? })
    });
    let mut sagas = Vec::with_capacity(places.len());
    for (_, number) in places {
        let found = match by_number(connection, number)? {
            Some(found) => found.map(|loaded| loaded.history),
            None => Err(Damaged {
                saga: format!("number {number}"),
                cause: format!("an index names it, and table `saga` has no such row; {MEND}"),
            }),
        };
        if found.is_err() {
            strays.add(number);
        }
        sagas.push(found);
    }
    Ok(Page { sagas, next })
}

/// Where a saga stands in the order in which they wake: `wake_at_ms` and `number`.
type Place = (Option<i64>, i64);

/// The places of at most `limit` unfinished sagas.
fn places(
    connection: &Connection,
    until: Wake,
    after: Option<Cursor>,
    limit: usize,
) -> rusqlite::Result<Vec<Place>> {
    // A cursor that does not fit lies behind every saga.
    let number = after.map_or(i64::MIN, |after| i64::try_from(after.begun).unwrap_or(i64::MAX));
    let wake_at_ms = after.and_then(|after| wake_column(after.wake));
    let mut places: Vec<Place> = Vec::new();
    let room = |places: &Vec<Place>| i64::try_from(limit - places.len()).unwrap_or(i64::MAX);
    match wake_at_ms {
        None => {
            let mut statement = connection.prepare_cached(AWAKE)?;
            for found in statement.query_map((number, room(&places)), |row| row.get(0))? {
                places.push((None, found?));
            }
        }
        Some(_) if after.is_some_and(|after| after.wake > until) => {}
        Some(wake_at_ms) => {
            let mut statement = connection.prepare_cached(WAITING_UNTIL)?;
            for found in statement.query_map((wake_at_ms, number, room(&places)), |row| row.get(0))? {
                places.push((Some(wake_at_ms), found?));
            }
        }
    }
    if let Some(until) = wake_column(until)
        && places.len() < limit
    {
        let mut statement = connection.prepare_cached(WAITING_BEHIND)?;
        let behind = wake_at_ms.unwrap_or(0);
        // What is no time is damage, which is shown when the saga is read.
        let read = |row: &Row<'_>| Ok((row.get_ref(1)?.as_i64().unwrap_or(NEVER), row.get(0)?));
        for place in statement.query_map((behind, until, room(&places)), read)? {
            let (wake_at_ms, number) = place?;
            places.push((Some(wake_at_ms), number));
        }
    }
    Ok(places)
}

/// The earliest time later than `after_ms` at which a saga wakes.
pub(super) fn next_wake(connection: &Connection, after_ms: u64) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached(NEXT_WAKE)?;
    let found: Option<i64> = statement.query_row([wake_column(Wake::At(after_ms))], |row| row.get(0))?;
    Ok(found.and_then(|ms| u64::try_from(ms).ok()))
}

/// How many sagas wake later than `after_ms`, or never.
pub(super) fn waiting(connection: &Connection, after_ms: u64) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(COUNT_WAITING)?;
    let count: i64 = statement.query_row([wake_column(Wake::At(after_ms))], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Why a saga was not read.
pub(super) enum Failure {
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
            let saga = saga.unwrap_or_else(|| name.to_owned());
            Ok(Some(Err(Damaged { saga, cause: format!("{cause}; {MEND}") })))
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
    wake_at_ms: Option<i64>,
    wake: Wake,
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
        let wake_at_ms = cells.optional_integer(8).map_err(known)?;
        let wake = wake_of(wake_at_ms).ok_or_else(|| {
            known(cells.wrong(8, &format!("{} is no time to wake", wake_at_ms.unwrap_or_default())))
        })?;
        let wake = if status == Status::Running { wake } else { Wake::Never };
        // The text is what was written, so it is what counts, even where another text reads the same.
        let seed = Chain::seed(&id_text, &definition, &fingerprint_text, begun_at_ms);
        let begin = Begin { definition, fingerprint };
        Ok(Self { number, id, begin, status, records, checksum, wake_at_ms, wake, seed })
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
        let Self { number, id: saga, begin, status, wake, wake_at_ms, .. } = self;
        let head = Head { number, records: self.records, chain, wake_at_ms, may_hold_locks: true };
        let history = History { saga, begin, status, wake, records };
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
        if i64::from(chain.seal(found, self.status.as_str(), self.wake_at_ms)) != self.checksum {
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
pub(super) struct Cells<'a> {
    row: &'a Row<'a>,
    table: &'static str,
    number: i64,
}

impl<'a> Cells<'a> {
    /// Those of `row`, which has this number in `table`.
    pub(super) fn new(row: &'a Row<'a>, table: &'static str, number: i64) -> Self {
        Self { row, table, number }
    }

    pub(super) fn wrong(&self, column: usize, what: &str) -> Failure {
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        let cause = format!("row {} of table `{}`, column `{name}`: {what}", self.number, self.table);
        Failure::Damage { saga: None, cause }
    }

    pub(super) fn integer(&self, column: usize) -> Result<i64, Failure> {
        self.optional_integer(column)?.ok_or_else(|| self.wrong(column, "null instead of an integer"))
    }

    fn optional_integer(&self, column: usize) -> Result<Option<i64>, Failure> {
        match self.row.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            other => {
                Err(self.wrong(column, &format!("{} instead of an integer", type_name(other.data_type()))))
            }
        }
    }

    pub(super) fn natural(&self, column: usize) -> Result<u64, Failure> {
        let value = self.integer(column)?;
        u64::try_from(value).map_err(|_| self.wrong(column, &format!("{value} is less than 0")))
    }

    pub(super) fn text(&self, column: usize) -> Result<String, Failure> {
        self.optional_text(column)?.ok_or_else(|| self.wrong(column, "null instead of a text"))
    }

    pub(super) fn optional_text(&self, column: usize) -> Result<Option<String>, Failure> {
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

/// SQLite's integers have a sign. Times are checked before, and no saga has so many records.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
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
