//! The barrier in a transaction of `tokio-postgres`.
//!
//! In Postgres's usual isolation, `READ COMMITTED`, calls with one key wait for each other and then see what became of the
//! other. In a stricter one the second can be told that it cannot be serialized: an [`Error::Database`], after which
//! another try is as good. Statements are sent with their types and are not prepared: so they pass through a pooler.
//!
//! ```
//! use saga_participant::tokio_postgres::Barrier;
//! use saga_participant::{Action, Answer, WorkError};
//!
//! const BARRIER: Barrier = Barrier::new();
//!
//! # type Error = Box<dyn std::error::Error + Send + Sync>;
//! /// Holds seats, and answers how many are left; or refuses with their number.
//! async fn reserve(
//!     client: &mut tokio_postgres::Client,
//!     key: &str,
//!     seats: i64,
//! ) -> Result<Answer<i64, i64>, Error> {
//!     let action = Action::new(key, "reserve", &seats)?;
//!     let tx = client.transaction().await?;
//!     let answer = BARRIER.action(tx, &action, async |tx| {
//!         let row = tx.query_one("UPDATE flight SET free = free - $1 RETURNING free", &[&seats]).await?;
//!         let free: i64 = row.get(0);
//!         if free < 0 { Err(WorkError::Refused(free + seats)) } else { Ok(free) }
//!     });
//!     Ok(answer.await?.commit().await?)
//! }
//! ```

use std::fmt;
use std::time::SystemTime;

use ::tokio_postgres::types::{ToSql, Type};
use ::tokio_postgres::{GenericClient, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::action::ActionThen;
use crate::compensation::CompensationThen;
use crate::probe::ProbeThen;
use crate::retention::seconds;
use crate::row::Row;
use crate::sql::{
    EXPIRE, FORGET, INSERT, LOCK_SCHEMA, POSTGRES_SCHEMA, READ_POSTGRES, RELEASE, ROLL_BACK, ROUNDS_MAX,
    SAVEPOINT, UPDATE,
};
use crate::state::State;
use crate::typed::{What, read, write};
use crate::{Action, Answer, Call, Compensated, Compensation, Error, Probe, Retention, UndoError, WorkError};

type Sql<T> = Result<T, ::tokio_postgres::Error>;

/// The barrier of a service whose database is Postgres, by `tokio-postgres`.
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
    pub async fn create(&self, client: &impl GenericClient) -> Result<(), Error> {
        client.batch_execute(&format!("{LOCK_SCHEMA}; {POSTGRES_SCHEMA}")).await.map_err(Error::database)
    }

    /// Does `work` if this action was never answered, and answers what was answered otherwise.
    ///
    /// `work` runs in a savepoint of `tx`. What it returns is stored with what it wrote; when it refuses, what it wrote
    /// is undone and the refusal is stored; when it fails, all is rolled back.
    pub async fn action<'c, T, E>(
        &self,
        tx: Transaction<'c>,
        action: &Action,
        work: impl AsyncFnOnce(&Transaction<'c>) -> Result<T, WorkError<E>>,
    ) -> Result<Uncommitted<'c, Answer<T, E>>, Error>
    where
        T: Serialize + DeserializeOwned,
        E: Serialize + DeserializeOwned,
    {
        let (key, expires) = (action.key(), self.expiry());
        let to_do = match settle(&tx, action, expires).await? {
            ActionThen::Work(to_do) => to_do,
            ActionThen::Done(json) => {
                return Ok(Uncommitted { answer: Answer::Done(read(key, What::Answer, &json)?), tx });
            }
            ActionThen::Refused(json) => {
                return Ok(Uncommitted { answer: Answer::Refused(read(key, What::Refusal, &json)?), tx });
            }
            ActionThen::Superseded => return Ok(Uncommitted { answer: Answer::Superseded, tx }),
        };
        tx.batch_execute(SAVEPOINT).await.map_err(Error::database)?;
        let (answer, state) = match work(&tx).await {
            Ok(done) => {
                let (done, json) = write(key, What::Answer, &done)?;
                tx.batch_execute(RELEASE).await.map_err(Error::database)?;
                (Answer::Done(done), to_do.done(json))
            }
            Err(WorkError::Refused(refusal)) => {
                let (refusal, json) = write(key, What::Refusal, &refusal)?;
                tx.batch_execute(ROLL_BACK).await.map_err(Error::database)?;
                (Answer::Refused(refusal), to_do.refused(json))
            }
            Err(WorkError::Failed(cause)) => return Err(Error::Work { key: key.to_owned(), cause }),
        };
        update(&tx, action, state, expires).await.map_err(Error::database)?;
        Ok(Uncommitted { tx, answer })
    }

    /// Undoes an action: `undo` is given what the action answered, and runs only if it was done and is not undone.
    /// Otherwise there is nothing to undo, and from now on there never will be.
    pub async fn compensation<'c, T, U>(
        &self,
        tx: Transaction<'c>,
        compensation: &Compensation,
        undo: impl AsyncFnOnce(&Transaction<'c>, T) -> Result<U, UndoError>,
    ) -> Result<Uncommitted<'c, Compensated<U>>, Error>
    where
        T: DeserializeOwned,
        U: Serialize + DeserializeOwned,
    {
        let (key, expires) = (compensation.key(), self.expiry());
        let to_undo = match settle(&tx, compensation, expires).await? {
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
        let undone = undo(&tx, done).await.map_err(|error| error.into_error(key))?;
        let (undone, json) = write(key, What::UndoAnswer, &undone)?;
        update(&tx, compensation, to_undo.done(json), expires).await.map_err(Error::database)?;
        Ok(Uncommitted { tx, answer: Compensated::Undone(undone) })
    }

    /// Tells what became of an action. `None`: it is not done, and no attempt before the probe ever will be.
    pub async fn probe<'c, T: DeserializeOwned>(
        &self,
        tx: Transaction<'c>,
        probe: &Probe,
    ) -> Result<Uncommitted<'c, Option<T>>, Error> {
        let answer = match settle(&tx, probe, self.expiry()).await? {
            ProbeThen::Found(json) => Some(read(probe.key(), What::Answer, &json)?),
            ProbeThen::Never => None,
        };
        Ok(Uncommitted { tx, answer })
    }

    /// The saga has ended: its rows may go when they have [lingered](Retention::linger).
    pub async fn forget(&self, client: &impl GenericClient, saga: &str) -> Result<(), Error> {
        let expires = self.retention.expiry_after_end(SystemTime::now());
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&expires, Type::INT8), (&saga, Type::TEXT)];
        client.execute_typed(FORGET, &parameters).await.map_err(Error::database)?;
        Ok(())
    }

    /// Deletes the rows whose time has come, and says how many. To be called now and then.
    pub async fn expire(&self, client: &impl GenericClient, now: SystemTime) -> Result<u64, Error> {
        client.execute_typed(EXPIRE, &[(&seconds(now), Type::INT8)]).await.map_err(Error::database)
    }

    fn expiry(&self) -> Option<i64> {
        self.retention.expiry(SystemTime::now())
    }
}

/// A call that is decided, in a transaction that is not committed yet. [`commit`](Self::commit) gives the answer: before
/// that it cannot be had, so that nobody is told what a crash could undo. Dropped, the transaction is rolled back, as if
/// the call had never come.
#[must_use = "nothing has happened before `commit`"]
pub struct Uncommitted<'c, A> {
    tx: Transaction<'c>,
    answer: A,
}

impl<A> Uncommitted<'_, A> {
    /// Commits, and answers.
    pub async fn commit(self) -> Result<A, Error> {
        self.tx.commit().await.map_err(|error| Error::Commit(error.into()))?;
        Ok(self.answer)
    }
}

impl<A> fmt::Debug for Uncommitted<'_, A> {
    /// Without the answer, which nobody has yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uncommitted").finish_non_exhaustive()
    }
}

impl<E> From<::tokio_postgres::Error> for WorkError<E> {
    fn from(error: ::tokio_postgres::Error) -> Self {
        Self::failed(error)
    }
}

/// Decides, and writes what is to be remembered.
async fn settle<C: Call>(tx: &Transaction<'_>, call: &C, expires: Option<i64>) -> Result<C::Then, Error> {
    let first = call.decide(None)?;
    for _ in 0..ROUNDS_MAX {
        if let Some(state) = &first.write
            && insert(tx, call, state.clone(), expires).await.map_err(Error::database)?
        {
            return Ok(first.then);
        }
        let Some(row) = read_row(tx, call.key()).await.map_err(Error::database)? else { continue };
        let decision = call.decide(Some(&row.into_state(call.key())?))?;
        if let Some(state) = decision.write {
            update(tx, call, state, expires).await.map_err(Error::database)?;
        }
        return Ok(decision.then);
    }
    Err(Error::contended(call.key()))
}

async fn insert(tx: &Transaction<'_>, call: &impl Call, state: State, expires: Option<i64>) -> Sql<bool> {
    let Row { state, request, attempt, undo_request, .. } = state.into();
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&call.key(), Type::TEXT),
        (&call.saga(), Type::TEXT),
        (&state, Type::TEXT),
        (&request, Type::INT8),
        (&attempt, Type::INT8),
        (&undo_request, Type::INT8),
        (&expires, Type::INT8),
    ];
    Ok(tx.query_typed_opt(INSERT, &parameters).await?.is_some())
}

async fn read_row(tx: &Transaction<'_>, key: &str) -> Sql<Option<Row>> {
    let Some(row) = tx.query_typed_opt(READ_POSTGRES, &[(&key, Type::TEXT)]).await? else { return Ok(None) };
    Ok(Some(Row {
        state: row.try_get(0)?,
        request: row.try_get(1)?,
        answer: row.try_get(2)?,
        attempt: row.try_get(3)?,
        undo_request: row.try_get(4)?,
        undo_answer: row.try_get(5)?,
    }))
}

async fn update(tx: &Transaction<'_>, call: &impl Call, state: State, expires: Option<i64>) -> Sql<()> {
    let Row { state, request, answer, attempt, undo_request, undo_answer } = state.into();
    let parameters: [(&(dyn ToSql + Sync), Type); 9] = [
        (&call.saga(), Type::TEXT),
        (&state, Type::TEXT),
        (&request, Type::INT8),
        (&answer, Type::TEXT),
        (&attempt, Type::INT8),
        (&undo_request, Type::INT8),
        (&undo_answer, Type::TEXT),
        (&expires, Type::INT8),
        (&call.key(), Type::TEXT),
    ];
    tx.execute_typed(UPDATE, &parameters).await?;
    Ok(())
}
