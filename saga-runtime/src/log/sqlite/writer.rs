//! The thread that writes: it owns the one connection that can, and commits for all who wait at once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::slice;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, FileControl, MAIN_DB, ffi};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::Options;
use super::check::Strays;
use super::checksum::Chain;
use super::connection;
use super::error::{from_sqlite, log_error};
use super::heads::Heads;
use super::load::{self, Head, Loaded, signed, wake_column};
use super::local::{self, Gate};
use super::lock::LockFile;
use super::locks;
use super::purge;
use crate::id::SagaId;
use crate::log::rules::{Verdict, conflict, judge, judge_local, record_bytes, validate, wake_after};
use crate::log::{
    Append, AppendError, AppendLocal, Begin, Damaged, LocalAnswer, LogError, Purge, Record, Status,
};

/// At most this many records are gathered for one commit, so that the first of them does not wait for ever.
const COMMIT_RECORDS_MAX: usize = 4096;

/// At most this many bytes of records are gathered for one commit.
const COMMIT_BYTES_MAX: usize = 16 << 20;

/// From this many pages on the write-ahead log is copied into the database.
const CHECKPOINT_PAGES: i64 = 1000;

/// From this many pages on the writer waits for readers, so that the write-ahead log starts anew: 64 MiB.
const WAL_PAGES_MAX: i64 = 16_384;

/// How long the writer waits for readers then.
const WAL_RESET_TIMEOUT: Duration = Duration::from_millis(100);

/// A number is given once, also where the greatest one is a purged saga's.
pub(super) const INSERT_SAGA: &str =
    "INSERT INTO saga (id, definition, fingerprint, status, begun_at_ms, records, checksum, wake_at_ms, number)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
             coalesce(?9, (SELECT numbers + 1 FROM saga_writer
                           WHERE numbers >= coalesce((SELECT max(number) FROM saga), 0))))
     ON CONFLICT (id) DO NOTHING";

/// Whether records have a greater number than the last saga's; what is no number belongs to nobody.
pub(super) const IS_NUMBER_TAKEN_BEHIND: &str =
    "SELECT EXISTS (SELECT 1 FROM journal WHERE saga > ?1 AND saga <= 9223372036854775807)";

pub(super) const IS_NUMBER_TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM journal WHERE saga = ?1)";

pub(super) const NUMBER_LAST: &str =
    "SELECT max(coalesce((SELECT max(number) FROM saga), 0), coalesce((SELECT numbers FROM saga_writer), 0))";

pub(super) const INSERT_RECORD: &str =
    "INSERT INTO journal (saga, seq, at_ms, step, event, data, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Leaves the status and the time to wake alone, and so the indexes on them.
pub(super) const UPDATE_HEAD: &str = "UPDATE saga SET records = ?2, checksum = ?3 WHERE number = ?1";

pub(super) const UPDATE_ROW: &str =
    "UPDATE saga SET records = ?2, checksum = ?3, status = ?4, wake_at_ms = ?5 WHERE number = ?1";

/// Not the text that a local call would use: statements that are kept are found by their text, and what is kept is not
/// looked at again.
const COMMIT: &str = "COMMIT -- by the saga log";

/// What one place in a transaction is told.
type Answer = Result<Written, AppendError>;

/// What was written.
#[derive(Clone)]
enum Written {
    /// What was to be.
    All,
    /// These records of a local call.
    Records(Vec<Record>),
    /// So many ids have expired.
    Expired(u64),
}

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Request {
    Append {
        batch: Vec<Append>,
        answer: oneshot::Sender<Vec<Result<(), AppendError>>>,
    },
    Local {
        local: AppendLocal,
        answer: oneshot::Sender<Result<Vec<Record>, AppendError>>,
    },
    Purge {
        batch: Vec<Purge>,
        answer: oneshot::Sender<Vec<Result<(), AppendError>>>,
    },
    Expire {
        until_ms: u64,
        limit: usize,
        answer: oneshot::Sender<Result<u64, LogError>>,
    },
    /// Handle what was asked before, and end.
    Close,
}

/// The writer and what it remembers.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    options: Options,
    /// `None` after an error that leaves open what the connection is worth.
    connection: Option<Connection>,
    gate: Gate,
    heads: Heads,
    /// The damaged sagas that are known.
    strays: Strays,
    /// Whether the next number of a saga is known to be free of records: SQLite gives the one behind the last row.
    is_next_number_free: bool,
    /// Changes when another program has written to the file.
    data_version: i64,
    /// Whether a commit failed, so that what the file shows may not have reached the disk.
    in_doubt: bool,
    /// Whether a saga that ends leaves its rows in table `lock`, for that is damaged.
    leave_locks: bool,
    /// The size of the write-ahead log at which readers are waited for next, in pages.
    wal_pages_limit: i64,
    /// Given up last, when nothing writes any more.
    _lock: LockFile,
}

/// Requests that are committed together.
#[derive(Default)]
struct Group {
    requests: Vec<Request>,
    records: usize,
    bytes: usize,
}

/// What one place in a transaction is for.
enum Work<'a> {
    Append(&'a Append),
    Local(&'a mut AppendLocal),
    Purge(&'a Purge),
    Expire { until_ms: u64, limit: usize },
}

/// Why a transaction did not come to its end.
enum Failure {
    /// Surely nothing was committed, and nothing can be at the moment.
    Unavailable { error: LogError, keep_connection: bool },
    /// Surely nothing was committed, and it is due to one of the appends.
    OneAppend(rusqlite::Error),
    /// COMMIT itself failed: nobody knows whether the transaction will be there after a restart.
    Unknown(LogError),
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        options: Options,
        connection: Connection,
        gate: Gate,
        lock: LockFile,
        strays: Strays,
    ) -> Self {
        Self {
            path,
            options,
            connection: Some(connection),
            gate,
            heads: Heads::default(),
            strays,
            is_next_number_free: false,
            data_version: 0,
            in_doubt: false,
            leave_locks: false,
            wal_pages_limit: WAL_PAGES_MAX,
            _lock: lock,
        }
    }

    /// Works until it is told to close and everything asked before is answered.
    pub(super) fn run(mut self, mut requests: UnboundedReceiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut group = Group::gather(first, &mut requests);
            let mut works = group.works();
            if works.is_empty() {
                continue;
            }
            let answers = self.settle(&mut works);
            group.answer(&self.path, answers);
            self.checkpoint();
        }
        if let Some(Err((_, error))) = self.connection.take().map(Connection::close) {
            tracing::warn!(log = %self.path.display(), %error, "the saga log was not closed cleanly");
        }
    }

    /// Answers every append, after COMMIT has returned.
    fn settle(&mut self, works: &mut [Work<'_>]) -> Vec<Answer> {
        let settled = match self.commit(works) {
            // Whether it was committed is seen, and what is missing appended again, by doing all of it again.
            Err(Failure::Unknown(error)) => {
                tracing::warn!(%error, "a commit of the saga log failed: it is opened again to see what is there");
                self.commit(works)
            }
            settled => settled,
        };
        match settled {
            Ok(answers) => answers,
            Err(Failure::Unavailable { error, .. } | Failure::Unknown(error)) => {
                vec![Err(AppendError::Unavailable(error)); works.len()]
            }
            Err(Failure::OneAppend(error)) => match works {
                [work] if self.can_leave_locks(work, &error) => {
                    tracing::error!(saga = work.saga(), %error, "the saga log's table `lock` may be damaged: rows of a \
                                    saga that ends stay in it, and mean nothing");
                    self.leave_locks = true;
                    let answers = self.settle(works);
                    self.leave_locks = false;
                    answers
                }
                [work] => vec![Err(self.refused_by_sqlite(work, &error))],
                // The others must not fail for it: each gets a transaction of its own.
                _ => works.iter_mut().flat_map(|work| self.settle(slice::from_mut(work))).collect(),
            },
        }
    }

    /// One transaction for all of `works`, on a connection that is opened if there is none.
    fn commit(&mut self, works: &mut [Work<'_>]) -> Result<Vec<Answer>, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.reopen()?,
        };
        let result = self.transact(&connection, works);
        let keep = match &result {
            Ok(_) | Err(Failure::OneAppend(_)) => true,
            Err(Failure::Unavailable { keep_connection, .. }) => *keep_connection,
            Err(Failure::Unknown(_)) => {
                self.in_doubt = true;
                false
            }
        };
        if result.is_err() {
            // They tell of the transaction that has failed.
            self.forget();
        }
        if keep && (connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok()) {
            self.connection = Some(connection);
        }
        result
    }

    fn transact(&mut self, connection: &Connection, works: &mut [Work<'_>]) -> Result<Vec<Answer>, Failure> {
        self.begin(connection)?;
        let mut answers = Vec::with_capacity(works.len());
        for work in works {
            let answer = match work {
                Work::Append(append) => {
                    self.put(connection, append).map(|answer| answer.map(|()| Written::All))
                }
                Work::Local(local) => {
                    self.put_local(connection, local).map(|answer| answer.map(Written::Records))
                }
                Work::Purge(purge) => {
                    self.heads.remove(&purge.saga);
                    purge::purge(connection, purge).map(|answer| answer.map(|()| Written::All))
                }
                Work::Expire { until_ms, limit } => {
                    purge::expire(connection, *until_ms, *limit).map(|count| Ok(Written::Expired(count)))
                }
            };
            answers.push(answer.map_err(|error| self.not_written(error))?);
        }
        if answers.iter().all(Result::is_err) {
            // Nothing was written.
            return Ok(answers);
        }
        let unknown = |error| Failure::Unknown(from_sqlite(&self.path, &error));
        #[cfg(test)]
        self.options.faults.before_commit().map_err(unknown)?;
        let committed = connection.prepare_cached(COMMIT).and_then(|mut commit| commit.execute(()));
        committed.map_err(|error| match error.sqlite_error_code() {
            // SQLite does not commit a transaction that has met a damaged page, though it may have been only read.
            // Nor one in which a local call leaves foreign keys that refer to nothing.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation) => Failure::OneAppend(error),
            _ => unknown(error),
        })?;
        #[cfg(test)]
        self.options.faults.after_commit().map_err(unknown)?;
        Ok(answers)
    }

    fn begin(&mut self, connection: &Connection) -> Result<(), Failure> {
        #[cfg(test)]
        self.options.faults.limit_pages(connection);
        let prepared = connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute(()));
        prepared.map_err(|error| self.not_written(error))?;
        if has_moved(connection).map_err(|error| self.not_written(error))? {
            let cause = "its file has been moved, deleted or replaced while it was open; put it back: the log goes \
                         on by itself (or start the program again)";
            return Err(Failure::Unavailable { error: log_error(&self.path, cause), keep_connection: true });
        }
        let data_version: i64 = connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut version| version.query_row((), |row| row.get(0)))
            .map_err(|error| self.not_written(error))?;
        if data_version != self.data_version {
            // Somebody has written by other means: the file is the truth, not what is remembered.
            self.forget();
            self.data_version = data_version;
        }
        Ok(())
    }

    /// What an error before COMMIT means. The transaction is rolled back.
    fn not_written(&self, error: rusqlite::Error) -> Failure {
        use ErrorCode::{
            ConstraintViolation, DatabaseBusy, DatabaseCorrupt, DiskFull, OperationAborted, TooBig,
        };
        match error.sqlite_error_code() {
            Some(ConstraintViolation | DatabaseCorrupt | OperationAborted | TooBig) => {
                Failure::OneAppend(error)
            }
            code => Failure::Unavailable {
                error: from_sqlite(&self.path, &error),
                keep_connection: matches!(code, Some(DiskFull | DatabaseBusy)),
            },
        }
    }

    /// Whether an append that SQLite refused can be made without letting go of its locks: rows of a saga that has ended
    /// mean nothing, so that damage among them need not keep it from its end.
    fn can_leave_locks(&self, work: &Work<'_>, error: &rusqlite::Error) -> bool {
        let damaged = error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt);
        let may_end = match work {
            Work::Append(append) => append.status != Status::Running,
            Work::Local(_) => true,
            Work::Purge(_) | Work::Expire { .. } => false,
        };
        damaged && may_end && !self.leave_locks
    }

    /// An append that SQLite refused though all checks had let it pass.
    fn refused_by_sqlite(&self, work: &Work<'_>, error: &rusqlite::Error) -> AppendError {
        let Some(saga) = work.saga_id() else {
            return AppendError::Unavailable(from_sqlite(&self.path, error));
        };
        match error.sqlite_error_code() {
            // The log's own tables have no foreign keys.
            Some(ErrorCode::ConstraintViolation) if is_foreign_key(error) => AppendError::LocalFailed {
                saga: saga.clone(),
                cause: format!("what it leaves cannot be committed: {error}"),
            },
            // Rows stand where the saga's own row says that there are none.
            Some(ErrorCode::ConstraintViolation) => {
                Damaged { saga: saga.to_string(), cause: format!("SQLite reports: {error}") }.into()
            }
            Some(ErrorCode::TooBig) => {
                AppendError::Invalid { saga: saga.clone(), cause: format!("SQLite reports: {error}") }
            }
            _ => AppendError::Unavailable(from_sqlite(&self.path, error)),
        }
    }

    /// Writes one append within the transaction, or says why not.
    fn put(&mut self, connection: &Connection, append: &Append) -> rusqlite::Result<Result<(), AppendError>> {
        if let Err(invalid) = validate(append) {
            return Ok(Err(invalid));
        }
        // Found out before anything is written; an append that stands already is not refused for it.
        let locked = match &append.locks {
            Some(wanted) => locks::refusal(connection, &append.saga, wanted)?,
            None => None,
        };
        if let Some(begin) = &append.begin {
            // Before it is there: one that was purged must not be begun again.
            if let Some(past) = purge::past(connection, &append.saga)? {
                return match load::by_id(connection, &append.saga)? {
                    // It only has the hash of an id that has expired since it was begun.
                    Some(Ok(loaded)) => Ok(judge(append, Some(&loaded.history)).map(drop)),
                    Some(Err(damaged)) => Ok(Err(damaged.into())),
                    None => Ok(Err(past.into())),
                };
            }
            if let Some(damaged) = self.strays.claim(connection, &append.saga, Some(begin))? {
                return Ok(Err(damaged.into()));
            }
            if locked.is_none() {
                let number = if self.is_next_number_free { None } else { free_number(connection)? };
                self.is_next_number_free = number.is_none();
                if let Some(head) = insert_saga(connection, append, begin, number)? {
                    self.remember(append, head);
                    return Ok(Ok(()));
                }
            }
        } else if let Some(head) = self.heads.get(&append.saga)
            && head.records == append.first_seq
        {
            return match locked {
                Some(locked) => Ok(Err(locked)),
                None => self.extend(connection, append, head, 0).map(Ok),
            };
        }
        // A retry, a conflict, or a saga that is not remembered: what the file holds decides.
        let loaded = match load::by_id(connection, &append.saga)? {
            None => match purge::past(connection, &append.saga)? {
                Some(past) => return Ok(Err(past.into())),
                None => None,
            },
            Some(Ok(loaded)) => Some(loaded),
            Some(Err(damaged)) => return Ok(Err(damaged.into())),
        };
        match judge(append, loaded.as_ref().map(|loaded| &loaded.history)) {
            Err(refused) => Ok(Err(refused)),
            Ok(Verdict::Held) => Ok(Ok(())),
            Ok(Verdict::Write { skip }) => match (locked, loaded) {
                (Some(locked), _) => Ok(Err(locked)),
                (None, Some(Loaded { head, .. })) => self.extend(connection, append, head, skip).map(Ok),
                // Its row was there a moment ago, in the same transaction.
                (None, None) => Ok(Err(Damaged {
                    saga: append.saga.to_string(),
                    cause: "table `saga` and its index on `id` contradict each other".to_owned(),
                }
                .into())),
            },
        }
    }

    /// Makes a local call within the transaction and writes what it answers, or says why not.
    fn put_local(
        &mut self,
        connection: &Connection,
        local: &mut AppendLocal,
    ) -> rusqlite::Result<Result<Vec<Record>, AppendError>> {
        let known = self.heads.get(&local.saga).filter(|head| head.records == local.first_seq);
        let head = match known {
            Some(head) => head,
            None => {
                let loaded = match load::by_id(connection, &local.saga)? {
                    None => match purge::past(connection, &local.saga)? {
                        Some(past) => return Ok(Err(past.into())),
                        None => None,
                    },
                    Some(Ok(loaded)) => Some(loaded),
                    Some(Err(damaged)) => return Ok(Err(damaged.into())),
                };
                match judge_local(local, loaded.as_ref().map(|loaded| &loaded.history)) {
                    Ok(None) => {}
                    Ok(Some(standing)) => return Ok(Ok(standing)),
                    Err(refused) => return Ok(Err(refused)),
                }
                match loaded {
                    Some(loaded) => loaded.head,
                    None => return Ok(Err(conflict(&local.saga, local.first_seq, 0))),
                }
            }
        };
        let (saga, first_seq) = (local.saga.clone(), local.first_seq);
        let judge = |answer: LocalAnswer| {
            let LocalAnswer { keep: _, records, status, wake } = answer;
            let append = Append { saga, begin: None, first_seq, records, status, wake, locks: None };
            validate(&append).map(|()| append)
        };
        match self.gate.call(connection, local, judge)? {
            Err(refused) => Ok(Err(refused)),
            Ok(append) => {
                self.extend(connection, &append, head, 0)?;
                Ok(Ok(append.records))
            }
        }
    }

    /// Appends all records but the first `skip` to a saga that is there.
    fn extend(
        &mut self,
        connection: &Connection,
        append: &Append,
        head: Head,
        skip: usize,
    ) -> rusqlite::Result<()> {
        let records = &append.records[skip..];
        let chains = chains(head.chain, head.records, records);
        insert_records(connection, head, records, &chains)?;
        let waking_as_before = head.wake_at_ms;
        let head = advanced(head, &chains, append);
        let (status, wake_at_ms) = (append.status.as_str(), head.wake_at_ms);
        let (number, records) = (head.number, signed(head.records));
        let seal = head.chain.seal(head.records, status, wake_at_ms);
        if append.status == Status::Running && wake_at_ms == waking_as_before {
            connection.prepare_cached(UPDATE_HEAD)?.execute((number, records, seal))?;
        } else {
            let row = (number, records, seal, status, wake_at_ms);
            connection.prepare_cached(UPDATE_ROW)?.execute(row)?;
        }
        if append.status != Status::Running && head.may_hold_locks && !self.leave_locks {
            locks::release(connection, head.number)?;
        }
        take_locks(connection, append, head.number)?;
        self.remember(append, head);
        Ok(())
    }

    fn remember(&mut self, append: &Append, head: Head) {
        if append.status == Status::Running {
            self.heads.insert(&append.saga, head);
        } else {
            self.heads.remove(&append.saga);
        }
    }

    fn reopen(&mut self) -> Result<Connection, Failure> {
        let unavailable = |error| Failure::Unavailable { error, keep_connection: false };
        #[cfg(test)]
        self.options.faults.before_open().map_err(|error| unavailable(from_sqlite(&self.path, &error)))?;
        let mut connection = connection::open_writer(&self.path, self.options.durability, false)
            .map_err(|error| unavailable(error.into_log_error()))?;
        self.gate.guard(&mut connection).map_err(|error| unavailable(from_sqlite(&self.path, &error)))?;
        if self.in_doubt {
            make_durable(&connection, &self.path).map_err(unavailable)?;
            self.in_doubt = false;
        }
        self.forget();
        Ok(connection)
    }

    /// From now on the file says what was remembered of it.
    fn forget(&mut self) {
        self.heads.clear();
        self.is_next_number_free = false;
    }

    /// Keeps the write-ahead log short. Runs after the answers are given, so that nobody waits for it.
    fn checkpoint(&mut self) {
        let Some(connection) = &self.connection else { return };
        if let Err(error) = shorten_wal(connection, &mut self.wal_pages_limit) {
            // It holds all that is not copied yet, and the next commit tries again.
            tracing::warn!(log = %self.path.display(), %error, "the saga log's write-ahead log was not copied");
        }
    }
}

impl Group {
    /// Takes all that waits, up to the limits.
    fn gather(first: Request, requests: &mut UnboundedReceiver<Request>) -> Self {
        let mut group = Self::default();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                // What was sent before is still received.
                Request::Close => requests.close(),
                request => group.push(request),
            }
            let full = group.records >= COMMIT_RECORDS_MAX || group.bytes >= COMMIT_BYTES_MAX;
            next = if full { None } else { requests.try_recv().ok() };
        }
        group
    }

    fn push(&mut self, request: Request) {
        match &request {
            Request::Append { batch, .. } => {
                for append in batch {
                    self.records += append.records.len();
                    self.bytes += append.records.iter().map(record_bytes).sum::<usize>();
                    let keys = append.locks.iter().flat_map(|locks| &locks.keys);
                    self.bytes += keys.map(String::len).sum::<usize>();
                }
            }
            Request::Purge { batch, .. } => {
                let records = batch.iter().map(|purge| usize::try_from(purge.records).unwrap_or(usize::MAX));
                self.records = records.fold(self.records, usize::saturating_add);
            }
            Request::Expire { limit, .. } => self.records = self.records.saturating_add(*limit),
            // What a call will answer is not known.
            Request::Local { .. } | Request::Close => self.records += 1,
        }
        self.requests.push(request);
    }

    fn works(&mut self) -> Vec<Work<'_>> {
        let mut works = Vec::new();
        for request in &mut self.requests {
            match request {
                Request::Append { batch, .. } => works.extend(batch.iter().map(Work::Append)),
                Request::Local { local, .. } => works.push(Work::Local(local)),
                Request::Purge { batch, .. } => works.extend(batch.iter().map(Work::Purge)),
                Request::Expire { until_ms, limit, .. } => {
                    works.push(Work::Expire { until_ms: *until_ms, limit: *limit });
                }
                Request::Close => {}
            }
        }
        works
    }

    /// Gives the answers to those who wait for them. Whoever does not any more finds the records there when it appends
    /// again.
    fn answer(self, path: &Path, answers: Vec<Answer>) {
        let mut answers = answers.into_iter();
        for request in self.requests {
            match request {
                Request::Append { batch, answer } => {
                    let answers = answers.by_ref().take(batch.len()).map(|answer| answer.map(drop));
                    let _ = answer.send(answers.collect());
                }
                Request::Local { local, answer } => {
                    local::discard(local);
                    if let Some(answered) = answers.next() {
                        let _ = answer.send(answered.map(|written| match written {
                            Written::Records(records) => records,
                            Written::All | Written::Expired(_) => Vec::new(),
                        }));
                    }
                }
                Request::Purge { batch, answer } => {
                    let answers = answers.by_ref().take(batch.len()).map(|answer| answer.map(drop));
                    let _ = answer.send(answers.collect());
                }
                Request::Expire { answer, .. } => {
                    if let Some(answered) = answers.next() {
                        let _ = answer.send(match answered {
                            Ok(Written::Expired(count)) => Ok(count),
                            Ok(Written::All | Written::Records(_)) => Ok(0),
                            Err(AppendError::Unavailable(error)) => Err(error),
                            Err(error) => Err(log_error(path, error.to_string())),
                        });
                    }
                }
                Request::Close => {}
            }
        }
    }
}

impl Work<'_> {
    fn saga_id(&self) -> Option<&SagaId> {
        match self {
            Self::Append(append) => Some(&append.saga),
            Self::Local(local) => Some(&local.saga),
            Self::Purge(purge) => Some(&purge.saga),
            Self::Expire { .. } => None,
        }
    }

    fn saga(&self) -> &str {
        self.saga_id().map_or("", SagaId::as_str)
    }
}

/// The number for the next saga; `None`: the one that SQLite gives, for no records stand behind those of the last saga.
/// There are some only if their saga's row is gone: they are not to become another one's.
pub(super) fn free_number(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let last: i64 = connection.prepare_cached(NUMBER_LAST)?.query_row((), |row| row.get(0))?;
    let is =
        |sql, number: i64| connection.prepare_cached(sql)?.query_row([number], |row| row.get::<_, bool>(0));
    if !is(IS_NUMBER_TAKEN_BEHIND, last)? {
        return Ok(None);
    }
    let mut number = last.saturating_add(1);
    while number < i64::MAX && is(IS_NUMBER_TAKEN, number)? {
        number += 1;
    }
    // Behind the greatest number SQLite looks for a free one itself.
    Ok(Some(number).filter(|number| *number < i64::MAX))
}

/// Inserts a saga with its first records, unless its id is there already; with this number, or the one behind the last.
pub(super) fn insert_saga(
    connection: &Connection,
    append: &Append,
    begin: &Begin,
    number: Option<i64>,
) -> rusqlite::Result<Option<Head>> {
    let fingerprint = begin.fingerprint.to_string();
    let begun_at_ms = append.records.first().map_or(0, |record| record.at_ms);
    let seed = Chain::seed(append.saga.as_str(), &begin.definition, &fingerprint, begun_at_ms);
    let chains = chains(seed, 0, &append.records);
    let empty = Head { number: 0, records: 0, chain: seed, wake_at_ms: None, may_hold_locks: false };
    let mut head = advanced(empty, &chains, append);
    let inserted = connection.prepare_cached(INSERT_SAGA)?.execute((
        append.saga.as_str(),
        &begin.definition,
        &fingerprint,
        append.status.as_str(),
        signed(begun_at_ms),
        signed(head.records),
        head.chain.seal(head.records, append.status.as_str(), head.wake_at_ms),
        head.wake_at_ms,
        number,
    ))?;
    if inserted == 0 {
        return Ok(None);
    }
    head.number = connection.last_insert_rowid();
    insert_records(connection, Head { records: 0, ..head }, &append.records, &chains)?;
    take_locks(connection, append, head.number)?;
    Ok(Some(head))
}

/// Takes the locks of `append`, which nobody refuses, unless it ends its saga and so lets go of them at once.
fn take_locks(connection: &Connection, append: &Append, number: i64) -> rusqlite::Result<()> {
    match &append.locks {
        Some(locks) if append.status == Status::Running => locks::take(connection, number, locks),
        _ => Ok(()),
    }
}

/// Inserts `records` behind `head`; `chains` holds the checksum after each of them.
fn insert_records(
    connection: &Connection,
    head: Head,
    records: &[Record],
    chains: &[Chain],
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(INSERT_RECORD)?;
    for ((seq, record), chain) in (head.records..).zip(records).zip(chains) {
        insert.execute((
            head.number,
            signed(seq),
            signed(record.at_ms),
            &record.step,
            &record.event,
            &record.data,
            chain.value(),
        ))?;
    }
    Ok(())
}

/// The checksum after each of `records`, the first of which has number `first_seq`.
fn chains(before: Chain, first_seq: u64, records: &[Record]) -> Vec<Chain> {
    let mut chain = before;
    let after = (first_seq..).zip(records).map(|(seq, record)| {
        chain = chain.after(seq, record);
        chain
    });
    after.collect()
}

/// The head once `append` holds, which adds the records that end `chains`. An ended saga waits for nothing.
fn advanced(head: Head, chains: &[Chain], append: &Append) -> Head {
    let running = append.status == Status::Running;
    Head {
        number: head.number,
        records: head.records + chains.len() as u64,
        chain: chains.last().copied().unwrap_or(head.chain),
        wake_at_ms: if running { wake_column(wake_after(append)) } else { None },
        may_hold_locks: head.may_hold_locks || append.locks.is_some(),
    }
}

fn is_foreign_key(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}

/// Whether the path no longer leads to the file that is open: what is written then is lost with it.
#[cfg(unix)]
fn has_moved(connection: &Connection) -> rusqlite::Result<bool> {
    let mut moved = 0;
    connection.file_control(Some(MAIN_DB), FileControl::HasMoved(&mut moved))?;
    Ok(moved != 0)
}

/// Elsewhere an open file cannot be moved or deleted.
#[cfg(not(unix))]
fn has_moved(_: &Connection) -> rusqlite::Result<bool> {
    Ok(false)
}

/// Makes what the file shows durable, or fails.
///
/// After a sync has failed the system may show pages that never reached the disk, and report the next sync of them
/// as done. So everything is copied into the database by new writes, and the write-ahead log is emptied.
fn make_durable(connection: &Connection, path: &Path) -> Result<(), LogError> {
    let fail = |error: rusqlite::Error| from_sqlite(path, &error);
    let blocked: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0)).map_err(fail)?;
    if blocked != 0 {
        let cause = "a commit has failed, and another program that reads the file keeps the log from finding out \
                     what is on the disk; end that program: the log goes on by itself";
        return Err(log_error(path, cause));
    }
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    // SQLite keeps no lock on this file that closing it here could give up, as it would for the database.
    let synced = match File::open(&wal) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    synced.map_err(|error| {
        log_error(
            path,
            format!("a commit has failed, and so has the sync after it ({error}); check the storage"),
        )
    })
}

/// Copies the write-ahead log into the database when it is long, and starts it anew when it is too long.
fn shorten_wal(connection: &Connection, limit: &mut i64) -> rusqlite::Result<()> {
    let (_, pages, copied) = wal_checkpoint(connection, "PRAGMA wal_checkpoint(NOOP)")?;
    if pages - copied < CHECKPOINT_PAGES {
        return Ok(());
    }
    // Waits for nobody. Once all is copied and nobody reads, the next commit starts the write-ahead log anew.
    let (_, pages, _) = wal_checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    if pages < WAL_PAGES_MAX {
        *limit = WAL_PAGES_MAX;
        return Ok(());
    }
    if pages < *limit {
        return Ok(());
    }
    // Readers follow each other without a gap, or one of them does not end.
    connection.busy_timeout(WAL_RESET_TIMEOUT)?;
    let result = wal_checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    connection.busy_timeout(connection::BUSY_TIMEOUT)?;
    let (blocked, pages, _) = result?;
    *limit = if blocked == 0 { WAL_PAGES_MAX } else { pages + WAL_PAGES_MAX };
    if blocked != 0 {
        let file = connection.path().unwrap_or_default();
        let bytes = fs::metadata(format!("{file}-wal")).map_or(0, |metadata| metadata.len());
        tracing::warn!(
            log = file,
            wal_bytes = bytes,
            "a program that reads the saga log without end makes it grow"
        );
    }
    Ok(())
}

/// Whether it was blocked, the pages in the write-ahead log, and how many of them are copied.
fn wal_checkpoint(connection: &Connection, sql: &str) -> rusqlite::Result<(i64, i64, i64)> {
    connection.prepare_cached(sql)?.query_row((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}
