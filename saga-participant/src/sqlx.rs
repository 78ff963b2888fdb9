//! The barrier in a transaction of `sqlx`, on Postgres or SQLite.
//!
//! The driver is the one that your own dependency on sqlx enables; this crate asks for none. Work is given the transaction,
//! and uses it as `sqlx::query("…").execute(&mut **tx).await?`.
//!
//! In Postgres's usual isolation, `READ COMMITTED`, calls with one key wait for each other and then see what became of the
//! other. In a stricter one the second can be told that it cannot be serialized: an [`Error::Database`], after which
//! another try is as good. On SQLite begin the transaction with `begin_with("BEGIN IMMEDIATE")`, and set a busy timeout:
//! then a call waits for its turn at the beginning, and is not told that the database is busy.

use std::fmt;
use std::future::Future;
use std::time::SystemTime;

use ::sqlx::{ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Transaction, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::action::ActionThen;
use crate::compensation::CompensationThen;
use crate::probe::ProbeThen;
use crate::retention::seconds;
use crate::row::Row;
use crate::sql::{
    EXPIRE, FORGET, INSERT, LOCK_SCHEMA, POSTGRES_SCHEMA, READ_POSTGRES, READ_SQLITE, RELEASE, ROLL_BACK,
    ROUNDS_MAX, SAVEPOINT, SQLITE_SCHEMA, UPDATE,
};
use crate::state::State;
use crate::typed::{What, read, write};
use crate::{
    Action, Answer, Call, Compensated, Compensation, Error, Fault, Probe, Retention, UndoError, WorkError,
};

type Sql<T> = Result<T, ::sqlx::Error>;

/// The barrier of a service whose database is Postgres or SQLite, by `sqlx`.
///
/// Each call takes the transaction, and gives it back as an [`Uncommitted`] answer only if all went well: after an error
/// there is nothing left that could be committed. A call that is dropped in its middle is rolled back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Barrier {
    retention: Retention,
}

impl Barrier {
    /// A barrier that remembers until the saga has ended.
    pub const fn new() -> Self {
        Self::with(Retention::new())
    }

    /// A barrier that remembers for so long.
    pub const fn with(retention: Retention) -> Self {
        Self { retention }
    }

    /// How long it remembers.
    pub const fn retention(&self) -> Retention {
        self.retention
    }

    /// Makes the table, if it is not there: also when all instances of a service start at the same time.
    pub async fn create<DB: BarrierDatabase>(&self, mut tx: Transaction<'_, DB>) -> Result<(), Error> {
        let schema: &[&'static str] = match Dialect::of::<DB>()? {
            Dialect::Postgres => &[LOCK_SCHEMA, POSTGRES_SCHEMA],
            Dialect::Sqlite => &[SQLITE_SCHEMA],
        };
        for part in schema {
            DB::run(&mut tx, part).await.map_err(Error::database)?;
        }
        tx.commit().await.map_err(Error::database)
    }

    /// Does `work` if this action was never answered, and answers what was answered otherwise.
    ///
    /// `work` runs in a savepoint of `tx`. What it returns is stored with what it wrote; when it refuses, what it wrote
    /// is undone and the refusal is stored; when it fails, all is rolled back.
    pub async fn action<'c, DB, T, E>(
        &self,
        mut tx: Transaction<'c, DB>,
        action: &Action,
        work: impl AsyncFnOnce(&mut Transaction<'c, DB>) -> Result<T, WorkError<E>>,
    ) -> Result<Uncommitted<'c, DB, Answer<T, E>>, Error>
    where
        DB: BarrierDatabase,
        T: Serialize + DeserializeOwned,
        E: Serialize + DeserializeOwned,
    {
        let (key, expires) = (action.key(), self.expiry());
        let to_do = match settle(&mut tx, action, expires).await? {
            ActionThen::Work(to_do) => to_do,
            ActionThen::Done(json) => {
                return Ok(Uncommitted { answer: Answer::Done(read(key, What::Answer, &json)?), tx });
            }
            ActionThen::Refused(json) => {
                return Ok(Uncommitted { answer: Answer::Refused(read(key, What::Refusal, &json)?), tx });
            }
            ActionThen::Superseded => return Ok(Uncommitted { answer: Answer::Superseded, tx }),
        };
        DB::run(&mut tx, SAVEPOINT).await.map_err(Error::database)?;
        let (answer, state) = match work(&mut tx).await {
            Ok(done) => {
                let (done, json) = write(key, What::Answer, &done)?;
                DB::run(&mut tx, RELEASE).await.map_err(Error::database)?;
                (Answer::Done(done), to_do.done(json))
            }
            Err(WorkError::Refused(refusal)) => {
                let (refusal, json) = write(key, What::Refusal, &refusal)?;
                DB::run(&mut tx, ROLL_BACK).await.map_err(Error::database)?;
                (Answer::Refused(refusal), to_do.refused(json))
            }
            Err(WorkError::Failed(cause)) => return Err(Error::Work { key: key.to_owned(), cause }),
        };
        update(&mut tx, action, state, expires).await.map_err(Error::database)?;
        Ok(Uncommitted { tx, answer })
    }

    /// Undoes an action: `undo` is given what the action answered, and runs only if it was done and is not undone.
    /// Otherwise there is nothing to undo, and from now on there never will be.
    pub async fn compensation<'c, DB, T, U>(
        &self,
        mut tx: Transaction<'c, DB>,
        compensation: &Compensation,
        undo: impl AsyncFnOnce(&mut Transaction<'c, DB>, T) -> Result<U, UndoError>,
    ) -> Result<Uncommitted<'c, DB, Compensated<U>>, Error>
    where
        DB: BarrierDatabase,
        T: DeserializeOwned,
        U: Serialize + DeserializeOwned,
    {
        let (key, expires) = (compensation.key(), self.expiry());
        let to_undo = match settle(&mut tx, compensation, expires).await? {
            CompensationThen::Undo(to_undo) => to_undo,
            CompensationThen::Undone(json) => {
                let answer = Compensated::Undone(read(key, What::UndoAnswer, &json)?);
                return Ok(Uncommitted { tx, answer });
            }
            CompensationThen::NothingToUndo => {
                return Ok(Uncommitted { tx, answer: Compensated::NothingToUndo });
            }
        };
        let done = read(key, What::Answer, to_undo.answer())?;
        let undone = undo(&mut tx, done).await.map_err(|error| error.into_error(key))?;
        let (undone, json) = write(key, What::UndoAnswer, &undone)?;
        update(&mut tx, compensation, to_undo.done(json), expires).await.map_err(Error::database)?;
        Ok(Uncommitted { tx, answer: Compensated::Undone(undone) })
    }

    /// Tells what became of an action. `None`: it is not done, and no attempt before the probe ever will be.
    pub async fn probe<'c, T: DeserializeOwned, DB: BarrierDatabase>(
        &self,
        mut tx: Transaction<'c, DB>,
        probe: &Probe,
    ) -> Result<Uncommitted<'c, DB, Option<T>>, Error> {
        let answer = match settle(&mut tx, probe, self.expiry()).await? {
            ProbeThen::Found(json) => Some(read(probe.key(), What::Answer, &json)?),
            ProbeThen::Never => None,
        };
        Ok(Uncommitted { tx, answer })
    }

    /// The saga has ended: its rows may go when they have [lingered](Retention::linger).
    pub async fn forget<DB: BarrierDatabase>(
        &self,
        connection: &mut DB::Connection,
        saga: &str,
    ) -> Result<(), Error> {
        let expires = self.retention.expiry_after_end(SystemTime::now());
        DB::forget(connection, saga, expires).await.map_err(Error::database)
    }

    /// Deletes the rows whose time has come. To be called now and then.
    pub async fn expire<DB: BarrierDatabase>(
        &self,
        connection: &mut DB::Connection,
        now: SystemTime,
    ) -> Result<(), Error> {
        DB::expire(connection, seconds(now)).await.map_err(Error::database)
    }

    fn expiry(&self) -> Option<i64> {
        self.retention.expiry(SystemTime::now())
    }
}

/// A call that is decided, in a transaction that is not committed yet. [`commit`](Self::commit) gives the answer: before
/// that it cannot be had, so that nobody is told what a crash could undo. Dropped, the transaction is rolled back, as if
/// the call had never come.
#[must_use = "nothing has happened before `commit`"]
pub struct Uncommitted<'c, DB: Database, A> {
    tx: Transaction<'c, DB>,
    answer: A,
}

impl<DB: Database, A> Uncommitted<'_, DB, A> {
    /// Commits, and answers.
    pub async fn commit(self) -> Result<A, Error> {
        self.tx.commit().await.map_err(|error| Error::Commit(error.into()))?;
        Ok(self.answer)
    }
}

impl<DB: Database, A> fmt::Debug for Uncommitted<'_, DB, A> {
    /// Without the answer, which nobody has yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uncommitted").finish_non_exhaustive()
    }
}

impl<E> From<::sqlx::Error> for WorkError<E> {
    fn from(error: ::sqlx::Error) -> Self {
        Self::failed(error)
    }
}

/// A database of sqlx that has what the barrier needs. Postgres and SQLite have; that it is one of the two is found out
/// when it is used.
pub trait BarrierDatabase: Database + statements::Statements {}

impl<DB: Database + statements::Statements> BarrierDatabase for DB {}

/// In what the databases differ.
#[derive(Debug, Clone, Copy)]
enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    fn of<DB: Database>() -> Result<Self, Fault> {
        match DB::NAME {
            "PostgreSQL" => Ok(Self::Postgres),
            "SQLite" => Ok(Self::Sqlite),
            other => Err(Fault::UnknownDatabase(other.to_owned())),
        }
    }

    fn read(self) -> &'static str {
        match self {
            Self::Postgres => READ_POSTGRES,
            Self::Sqlite => READ_SQLITE,
        }
    }
}

/// Decides, and writes what is to be remembered.
async fn settle<C: Call, DB: BarrierDatabase>(
    tx: &mut Transaction<'_, DB>,
    call: &C,
    expires: Option<i64>,
) -> Result<C::Then, Error> {
    let read = Dialect::of::<DB>()?.read();
    let first = call.decide(None)?;
    for _ in 0..ROUNDS_MAX {
        if let Some(state) = &first.write
            && DB::insert(tx, Entry::new(call, state.clone(), expires)).await.map_err(Error::database)?
        {
            return Ok(first.then);
        }
        let Some(row) = DB::read(tx, read, call.key()).await.map_err(Error::database)? else { continue };
        let decision = call.decide(Some(&row.into_state(call.key())?))?;
        if let Some(state) = decision.write {
            update(tx, call, state, expires).await.map_err(Error::database)?;
        }
        return Ok(decision.then);
    }
    Err(Error::contended(call.key()))
}

async fn update<DB: BarrierDatabase>(
    tx: &mut Transaction<'_, DB>,
    call: &impl Call,
    state: State,
    expires: Option<i64>,
) -> Sql<()> {
    DB::update(tx, Entry::new(call, state, expires)).await
}

/// A row as it is written.
#[derive(Debug)]
pub struct Entry {
    key: String,
    saga: Option<String>,
    row: Row,
    expires: Option<i64>,
}

impl Entry {
    fn new(call: &impl Call, state: State, expires: Option<i64>) -> Self {
        let (key, saga) = (call.key().to_owned(), call.saga().map(str::to_owned));
        Self { key, saga, row: state.into(), expires }
    }
}

/// What sqlx asks for to run the statements, said once for both databases.
mod statements {
    use super::{
        ColumnIndex, Database, Decode, EXPIRE, Encode, Entry, Executor, FORGET, Future, INSERT,
        IntoArguments, Row, Sql, Type, UPDATE,
    };
    use sqlx::Row as _;

    pub trait Statements: Database {
        fn run(connection: &mut Self::Connection, sql: &'static str) -> impl Future<Output = Sql<()>> + Send;
        fn insert(connection: &mut Self::Connection, entry: Entry) -> impl Future<Output = Sql<bool>> + Send;
        fn read(
            connection: &mut Self::Connection,
            sql: &'static str,
            key: &str,
        ) -> impl Future<Output = Sql<Option<Row>>> + Send;
        fn update(connection: &mut Self::Connection, entry: Entry) -> impl Future<Output = Sql<()>> + Send;
        fn forget(
            connection: &mut Self::Connection,
            saga: &str,
            expires: i64,
        ) -> impl Future<Output = Sql<()>> + Send;
        fn expire(connection: &mut Self::Connection, now: i64) -> impl Future<Output = Sql<()>> + Send;
    }

    impl<DB> Statements for DB
    where
        DB: Database,
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
        DB::Arguments: IntoArguments<DB>,
        usize: ColumnIndex<DB::Row>,
        for<'q> String: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
        for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
        for<'q> Option<String>: Encode<'q, DB>,
        for<'q> Option<i64>: Encode<'q, DB>,
    {
        async fn run(connection: &mut DB::Connection, sql: &'static str) -> Sql<()> {
            sqlx::raw_sql(sql).execute(connection).await?;
            Ok(())
        }

        async fn insert(connection: &mut DB::Connection, entry: Entry) -> Sql<bool> {
            let Row { state, request, attempt, undo_request, .. } = entry.row;
            let taken = sqlx::query(INSERT)
                .bind(entry.key)
                .bind(entry.saga)
                .bind(state)
                .bind(request)
                .bind(attempt)
                .bind(undo_request)
                .bind(entry.expires)
                .fetch_optional(connection)
                .await?;
            Ok(taken.is_some())
        }

        async fn read(connection: &mut DB::Connection, sql: &'static str, key: &str) -> Sql<Option<Row>> {
            let Some(row) = sqlx::query(sql).bind(key.to_owned()).fetch_optional(connection).await? else {
                return Ok(None);
            };
            Ok(Some(Row {
                state: row.try_get(0)?,
                request: row.try_get(1)?,
                answer: row.try_get(2)?,
                attempt: row.try_get(3)?,
                undo_request: row.try_get(4)?,
                undo_answer: row.try_get(5)?,
            }))
        }

        async fn update(connection: &mut DB::Connection, entry: Entry) -> Sql<()> {
            let Row { state, request, answer, attempt, undo_request, undo_answer } = entry.row;
            sqlx::query(UPDATE)
                .bind(entry.saga)
                .bind(state)
                .bind(request)
                .bind(answer)
                .bind(attempt)
                .bind(undo_request)
                .bind(undo_answer)
                .bind(entry.expires)
                .bind(entry.key)
                .execute(connection)
                .await?;
            Ok(())
        }

        async fn forget(connection: &mut DB::Connection, saga: &str, expires: i64) -> Sql<()> {
            sqlx::query(FORGET).bind(expires).bind(saga.to_owned()).execute(connection).await?;
            Ok(())
        }

        async fn expire(connection: &mut DB::Connection, now: i64) -> Sql<()> {
            sqlx::query(EXPIRE).bind(now).execute(connection).await?;
            Ok(())
        }
    }
}
