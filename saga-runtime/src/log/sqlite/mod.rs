//! The saga log in an embedded SQLite file.
//!
//! One thread writes and one reads. All that waits to be appended is committed together, and answered when it is on
//! stable storage. `sqlite3 trips.db "select * from story where id = 'trip-7'"` shows what happened to a saga, also
//! while the program runs.
//!
//! Beside the file `trips.db` stand `trips.db-wal` and `trips.db-shm`, which belong to it and must be copied and moved
//! with it, and `trips.db.lock`, which is empty but for the number of the process that has the log open. Keep them on
//! a local file system.

mod begin;
mod check;
mod checksum;
mod connection;
mod error;
mod heads;
mod load;
mod local;
mod lock;
mod locks;
mod purge;
mod reader;
mod schema;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod writer;

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use self::check::Strays;
use self::error::log_error;
use self::local::Gate;
use self::lock::LockFile;
use self::reader::{Query, Reader};
use self::writer::{Request, Writer};
use super::{
    Append, AppendError, AppendLocal, Cursor, Damaged, History, HistoryError, LockCursor, LockPage, LogError,
    LogFuture, Page, Purge, Record, SagaLog, Transactional, Wake,
};
use crate::id::SagaId;

pub use self::error::{OpenError, OpenErrorReason};
/// The SQLite that the log is written with, for what local calls do in it.
pub use rusqlite;

/// A saga log in an SQLite file.
///
/// It is shared by reference or in an [`Arc`](std::sync::Arc); the file can be open once at a time. Dropping it, as
/// [`close`](Self::close), blocks until what was handed over is durable.
#[derive(Debug)]
pub struct SqliteLog {
    path: PathBuf,
    epoch: u64,
    strays: Strays,
    reader: Worker<Query>,
    writer: Worker<Request>,
}

/// How a [`SqliteLog`] is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    durability: Durability,
    #[cfg(test)]
    faults: testing::Faults,
}

/// What an acknowledged append survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Crashes, and loss of power: an append is answered when the disk has confirmed it.
    #[default]
    Full,
    /// Crashes of the process only. When the system crashes or power is lost, the *latest acknowledged appends are
    /// lost*: sagas that had ended run on from an earlier record, and sagas that had been accepted are unknown, though
    /// their participants have acted. The file stays sound. For sagas whose loss costs less than the wait for the
    /// disk.
    Normal,
}

impl Durability {
    /// The setting of SQLite: its name and the number it reads back as.
    fn synchronous(self) -> (&'static str, i64) {
        match self {
            Self::Full => ("FULL", 2),
            Self::Normal => ("NORMAL", 1),
        }
    }
}

impl Options {
    /// What an acknowledged append survives; [`Durability::Full`] if nothing is said.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Opens the log at `path`, and makes a new one if there is none. Its folder must exist. Blocks while it does.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteLog, OpenError> {
        let path = connection::resolve(path.as_ref())?;
        connection::probe(&path)?;
        let lock = LockFile::acquire(&path)?;
        // What is lost with the power in a weaker mode are appends, and never that an epoch was given.
        let mut writing = connection::open_writer(&path, Durability::Full, true)?;
        let fail = |error| OpenError::from_sqlite(&path, &error);
        let epoch = schema::next_epoch(&writing).map_err(fail)?;
        connection::set_synchronous(&writing, &path, self.durability)?;
        let gate = Gate::default();
        gate.guard(&mut writing).map_err(fail)?;
        let reading = connection::open_reader(&path).map_err(fail)?;
        check_tables(&reading).map_err(fail)?;

        let strays = Strays::default();
        let reader = Reader::new(path.clone(), reading, strays.clone());
        let writer = Writer::new(path.clone(), self, writing, gate, lock, strays.clone());
        let fail = |error| OpenError::from_io(&path, &path, &error);
        let writer = Worker::spawn("saga-log-writer", |requests| writer.run(requests)).map_err(fail)?;
        let reader = Worker::spawn("saga-log-reader", |queries| reader.run(queries)).map_err(fail)?;
        Ok(SqliteLog { path, epoch, strays, reader, writer })
    }
}

/// Tables that were altered by other means are found at the start, and not by the first saga.
fn check_tables(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    use self::check::{
        COUNT_RECORDS, FIRST_RECORD, FORM, FORMS, IS_AWAKE, IS_WAITING, NUMBER_OF_ID, NUMBERS_IN_JOURNAL,
        NUMBERS_OF_SAGAS,
    };
    use self::load::{
        AWAKE, COUNT_WAITING, JOURNAL, NEXT_WAKE, SAGA_BY_ID, SAGA_BY_NUMBER, WAITING_BEHIND, WAITING_UNTIL,
    };
    use self::locks::{DELETE_LOCKS, INSERT_LOCK, LOCK_BY_KEY, LOCK_BY_KEY_AGAIN, LOCKS_BEHIND};
    use self::purge::{
        DELETE_RECORDS, DELETE_SAGA, EXPIRE_OLDEST, EXPIRE_ONE, IDS_BEHIND, INSERT_EXPIRED, INSERT_PURGED,
        KEEP_NUMBER, PURGED, ROWS_BEHIND,
    };
    use self::writer::{
        INSERT_RECORD, INSERT_SAGA, IS_NUMBER_TAKEN, IS_NUMBER_TAKEN_BEHIND, NUMBER_LAST, UPDATE_HEAD,
        UPDATE_ROW,
    };
    let all = [
        [INSERT_LOCK, LOCK_BY_KEY, LOCK_BY_KEY_AGAIN, LOCKS_BEHIND],
        [SAGA_BY_ID, SAGA_BY_NUMBER, JOURNAL, NEXT_WAKE],
        [AWAKE, WAITING_UNTIL, WAITING_BEHIND, COUNT_WAITING],
        [INSERT_RECORD, INSERT_SAGA, UPDATE_HEAD, UPDATE_ROW],
        [DELETE_LOCKS, DELETE_RECORDS, DELETE_SAGA, KEEP_NUMBER],
        [PURGED, INSERT_PURGED, INSERT_EXPIRED, EXPIRE_ONE],
        [COUNT_RECORDS, FIRST_RECORD, FORM, FORMS],
        [IS_AWAKE, IS_WAITING, NUMBER_OF_ID, NUMBERS_IN_JOURNAL],
        [NUMBERS_OF_SAGAS, IS_NUMBER_TAKEN, IS_NUMBER_TAKEN_BEHIND, NUMBER_LAST],
    ];
    all.as_flattened()
        .iter()
        .chain([&EXPIRE_OLDEST, &IDS_BEHIND, &ROWS_BEHIND])
        .try_for_each(|sql| connection.prepare(sql).map(drop))
}

impl SqliteLog {
    /// Opens the log at `path` with [`Durability::Full`], and makes a new one if there is none. Its folder must exist.
    /// Blocks while it does.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::options().open(path)
    }

    /// Options to open a log with.
    pub fn options() -> Options {
        Options::default()
    }

    /// The log's file, all links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Answers what was asked before, copies everything into the one file, and closes it. Later calls are answered
    /// with [`LogError`]. Blocks until that is done; dropping the log does the same.
    pub fn close(&self) {
        // The last connection that closes tidies up, and only the writer's can.
        self.reader.close(Query::Close);
        self.writer.close(Request::Close);
    }

    /// Reads the whole log, finished sagas too, and answers what of it is damaged. It blocks no append, and other reads
    /// until it is done.
    ///
    /// A saga's damage is always found before the saga is continued, and before its outcome is answered; a coordinator
    /// looks at those that were written last when it starts. This is for whoever wants to know it of all the others: after
    /// a backup was restored, say.
    pub async fn check_all(&self) -> Result<Vec<Damaged>, LogError> {
        let damaged = self.reader.ask(|answer| Query::Check { all: true, answer }).await;
        damaged.unwrap_or_else(|| Err(self.closed()))
    }

    fn closed(&self) -> LogError {
        log_error(&self.path, "it is closed; open it again")
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        self.close();
    }
}

impl SagaLog for SqliteLog {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            if batch.is_empty() {
                return Vec::new();
            }
            let count = batch.len();
            let answers = self.writer.ask(|answer| Request::Append { batch, answer }).await;
            answers.unwrap_or_else(|| vec![Err(self.closed().into()); count])
        })
    }

    fn append_local(&self, local: AppendLocal) -> LogFuture<'_, Result<Vec<Record>, AppendError>> {
        Box::pin(async move {
            let answer = self.writer.ask(|answer| Request::Local { local, answer }).await;
            answer.unwrap_or_else(|| Err(self.closed().into()))
        })
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn begin_in(&self, transaction: &dyn Any, append: &Append) -> Result<(), AppendError> {
        let Some(connection) = transaction.downcast_ref::<rusqlite::Connection>() else {
            let cause = "its transaction is of no `rusqlite::Connection`".to_owned();
            return Err(AppendError::Invalid { saga: append.saga.clone(), cause });
        };
        begin::begin_in(connection, &self.path, &self.strays, append)
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        Box::pin(async move {
            let id = id.clone();
            let history = self.reader.ask(|answer| Query::History { id, answer }).await;
            history.unwrap_or_else(|| Err(self.closed().into()))
        })
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move {
            let limit = limit.max(1);
            let page = self.reader.ask(|answer| Query::Unfinished { until, after, limit, answer }).await;
            page.unwrap_or_else(|| Err(self.closed()))
        })
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        Box::pin(async move {
            let next = self.reader.ask(|answer| Query::NextWake { after_ms, answer }).await;
            next.unwrap_or_else(|| Err(self.closed()))
        })
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            let count = self.reader.ask(|answer| Query::Waiting { after_ms, answer }).await;
            count.unwrap_or_else(|| Err(self.closed()))
        })
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        Box::pin(async move {
            let limit = limit.max(1);
            let page = self.reader.ask(|answer| Query::Locks { after, limit, answer }).await;
            page.unwrap_or_else(|| Err(self.closed()))
        })
    }

    fn check(&self) -> LogFuture<'_, Result<Vec<Damaged>, LogError>> {
        Box::pin(async move {
            let damaged = self.reader.ask(|answer| Query::Check { all: false, answer }).await;
            damaged.unwrap_or_else(|| Err(self.closed()))
        })
    }

    fn purge(&self, batch: Vec<Purge>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        Box::pin(async move {
            if batch.is_empty() {
                return Vec::new();
            }
            let count = batch.len();
            let answers = self.writer.ask(|answer| Request::Purge { batch, answer }).await;
            answers.unwrap_or_else(|| vec![Err(self.closed().into()); count])
        })
    }

    fn expire(&self, until_ms: u64, limit: usize) -> LogFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            let expired = self.writer.ask(|answer| Request::Expire { until_ms, limit, answer }).await;
            expired.unwrap_or_else(|| Err(self.closed()))
        })
    }

    fn ended(
        &self,
        until_ms: u64,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        Box::pin(async move {
            let limit = limit.max(1);
            let page = self.reader.ask(|answer| Query::Ended { until_ms, after, limit, answer }).await;
            page.unwrap_or_else(|| Err(self.closed()))
        })
    }

    fn ids<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a SagaId>,
        limit: usize,
    ) -> LogFuture<'a, Result<Vec<SagaId>, LogError>> {
        Box::pin(async move {
            let (prefix, after, limit) = (prefix.to_owned(), after.cloned(), limit.max(1));
            let ids = self.reader.ask(|answer| Query::Ids { prefix, after, limit, answer }).await;
            ids.unwrap_or_else(|| Err(self.closed()))
        })
    }
}

/// A local call is given the connection itself, within its savepoint: everything that rusqlite and code for it can do
/// with a shared reference can be done here, prepared statements and nested savepoints too. A call's own tables stand in
/// the log's file. They can be made by local calls, or by another connection once the log is open.
///
/// SQLite denies to a call what is not its business: to begin, commit or roll back, to attach files, to change settings, to
/// make temporary tables, to write the log's tables, and to name something `saga_…`, which later versions of the log may
/// use. It is told so by the error of its statement.
///
/// ```
/// use saga_runtime::SagaId;
/// use saga_runtime::log::sqlite::rusqlite::Connection;
/// use saga_runtime::log::{AppendLocal, LocalAnswer, LocalCall, Record, Status, Wake};
///
/// /// Takes `count` out of the stock, if there is as much.
/// fn take(tx: &Connection, article: &str, count: u32) -> rusqlite::Result<bool> {
///     let sql = "UPDATE stock SET count = count - ?2 WHERE article = ?1 AND count >= ?2";
///     Ok(tx.prepare_cached(sql)?.execute((article, count))? == 1)
/// }
/// # use saga_runtime::log::sqlite::rusqlite;
///
/// fn take_pens(saga: SagaId, first_seq: u64) -> AppendLocal {
///     let call = LocalCall::new(|tx: &Connection| {
///         let (keep, event) = match take(tx, "pen", 2) {
///             Ok(true) => (true, "done"),
///             Ok(false) | Err(_) => (false, "refused"),
///         };
///         let record = Record { at_ms: 1, step: Some("pens".into()), event: event.into(), data: None };
///         LocalAnswer { keep, records: vec![record], status: Status::Running, wake: Wake::Now }
///     });
///     AppendLocal { saga, first_seq, call }
/// }
/// ```
impl Transactional for SqliteLog {
    type Tx = rusqlite::Connection;
}

/// A thread, and the way to ask it. Each caller waits for its answer, so that callers bound the queue.
#[derive(Debug)]
struct Worker<T> {
    sender: UnboundedSender<T>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<T: Send + 'static> Worker<T> {
    fn spawn(name: &str, run: impl FnOnce(UnboundedReceiver<T>) + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(receiver))?;
        Ok(Self { sender, thread: Mutex::new(Some(thread)) })
    }

    /// The answer, or `None` if the thread has ended.
    async fn ask<R>(&self, question: impl FnOnce(oneshot::Sender<R>) -> T) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        self.sender.send(question(answer)).ok()?;
        answered.await.ok()
    }

    /// Tells the thread to end, and waits until it has.
    fn close(&self, message: T) {
        // It has ended already if it does not take the message.
        let _ = self.sender.send(message);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            // The thread itself may drop the log, with the last task that it has answered: it ends soon after.
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("a thread of the saga log has panicked");
        }
    }
}
