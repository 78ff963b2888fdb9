//! The barrier in a transaction of `rusqlite`.
//!
//! Begin it with [`TransactionBehavior::Immediate`](::rusqlite::TransactionBehavior::Immediate), and set a busy timeout:
//! then a call waits for its turn at the beginning. In a deferred transaction that has read before, SQLite may answer
//! that it is busy, without waiting: an [`Error::Database`], after which another try is as good.

use ::rusqlite::{Connection, DropBehavior, OptionalExtension, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::SystemTime;

use crate::action::ActionThen;
use crate::compensation::CompensationThen;
use crate::probe::ProbeThen;
use crate::retention::seconds;
use crate::row::Row;
use crate::sql::{
    EXPIRE, FORGET, INSERT, READ_SQLITE, RELEASE, ROLL_BACK, ROUNDS_MAX, SAVEPOINT, SQLITE_SCHEMA, UPDATE,
};
use crate::state::State;
use crate::typed::{What, read, write};
use crate::{Action, Answer, Call, Compensated, Compensation, Error, Probe, Retention, UndoError, WorkError};

/// The barrier of a service whose database is SQLite, by `rusqlite`.
///
/// Each call takes the transaction, and gives it back as an [`Uncommitted`] answer only if all went well: after an error
/// there is nothing left that could be committed.
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

    /// Makes the table, if it is not there.
    pub fn create(&self, connection: &Connection) -> Result<(), Error> {
        connection.execute_batch(SQLITE_SCHEMA).map_err(Error::database)
    }

    /// Does `work` if this action was never answered, and answers what was answered otherwise.
    ///
    /// `work` runs in a savepoint of `tx`. What it returns is stored with what it wrote; when it refuses, what it wrote
    /// is undone and the refusal is stored; when it fails, all is rolled back.
    pub fn action<'c, T, E>(
        &self,
        mut tx: Transaction<'c>,
        action: &Action,
        work: impl FnOnce(&Transaction<'c>) -> Result<T, WorkError<E>>,
    ) -> Result<Uncommitted<'c, Answer<T, E>>, Error>
    where
        T: Serialize + DeserializeOwned,
        E: Serialize + DeserializeOwned,
    {
        let (key, expires) = (action.key(), self.expiry());
        let to_do = match settle(&mut tx, action, expires)? {
            ActionThen::Work(to_do) => to_do,
            ActionThen::Done(json) => {
                return Ok(Uncommitted { answer: Answer::Done(read(key, What::Answer, &json)?), tx });
            }
            ActionThen::Refused(json) => {
                return Ok(Uncommitted { answer: Answer::Refused(read(key, What::Refusal, &json)?), tx });
            }
            ActionThen::Superseded => return Ok(Uncommitted { answer: Answer::Superseded, tx }),
        };
        tx.execute_batch(SAVEPOINT).map_err(Error::database)?;
        let (answer, state) = match work(&tx) {
            Ok(done) => {
                let (done, json) = write(key, What::Answer, &done)?;
                tx.execute_batch(RELEASE).map_err(Error::database)?;
                (Answer::Done(done), to_do.done(json))
            }
            Err(WorkError::Refused(refusal)) => {
                let (refusal, json) = write(key, What::Refusal, &refusal)?;
                tx.execute_batch(ROLL_BACK).map_err(Error::database)?;
                (Answer::Refused(refusal), to_do.refused(json))
            }
            Err(WorkError::Failed(cause)) => return Err(Error::Work { key: key.to_owned(), cause }),
        };
        update(&tx, action, state, expires).map_err(Error::database)?;
        Ok(Uncommitted { tx, answer })
    }

    /// Undoes an action: `undo` is given what the action answered, and runs only if it was done and is not undone.
    /// Otherwise there is nothing to undo, and from now on there never will be.
    pub fn compensation<'c, T, U>(
        &self,
        mut tx: Transaction<'c>,
        compensation: &Compensation,
        undo: impl FnOnce(&Transaction<'c>, T) -> Result<U, UndoError>,
    ) -> Result<Uncommitted<'c, Compensated<U>>, Error>
    where
        T: DeserializeOwned,
        U: Serialize + DeserializeOwned,
    {
        let (key, expires) = (compensation.key(), self.expiry());
        let to_undo = match settle(&mut tx, compensation, expires)? {
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
        let undone = undo(&tx, done).map_err(|error| error.into_error(key))?;
        let (undone, json) = write(key, What::UndoAnswer, &undone)?;
        update(&tx, compensation, to_undo.done(json), expires).map_err(Error::database)?;
        Ok(Uncommitted { tx, answer: Compensated::Undone(undone) })
    }

    /// Tells what became of an action. `None`: it is not done, and no attempt before the probe ever will be.
    pub fn probe<'c, T: DeserializeOwned>(
        &self,
        mut tx: Transaction<'c>,
        probe: &Probe,
    ) -> Result<Uncommitted<'c, Option<T>>, Error> {
        let answer = match settle(&mut tx, probe, self.expiry())? {
            ProbeThen::Found(json) => Some(read(probe.key(), What::Answer, &json)?),
            ProbeThen::Never => None,
        };
        Ok(Uncommitted { tx, answer })
    }

    /// The saga has ended: its rows may go when they have [lingered](Retention::linger).
    pub fn forget(&self, connection: &Connection, saga: &str) -> Result<(), Error> {
        let expires = self.retention.expiry_after_end(SystemTime::now());
        connection.execute(FORGET, params![expires, saga]).map_err(Error::database)?;
        Ok(())
    }

    /// Deletes the rows whose time has come, and says how many. To be called now and then.
    pub fn expire(&self, connection: &Connection, now: SystemTime) -> Result<u64, Error> {
        let gone = connection.execute(EXPIRE, [seconds(now)]).map_err(Error::database)?;
        Ok(gone as u64)
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
    pub fn commit(self) -> Result<A, Error> {
        self.tx.commit().map_err(|error| Error::Commit(error.into()))?;
        Ok(self.answer)
    }
}

impl<A> fmt::Debug for Uncommitted<'_, A> {
    /// Without the answer, which nobody has yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uncommitted").finish_non_exhaustive()
    }
}

impl<E> From<::rusqlite::Error> for WorkError<E> {
    fn from(error: ::rusqlite::Error) -> Self {
        Self::failed(error)
    }
}

/// Decides, and writes what is to be remembered.
fn settle<C: Call>(tx: &mut Transaction<'_>, call: &C, expires: Option<i64>) -> Result<C::Then, Error> {
    // Whatever its owner has said: dropped without an answer it must not be committed.
    tx.set_drop_behavior(DropBehavior::Rollback);
    let first = call.decide(None)?;
    for _ in 0..ROUNDS_MAX {
        if let Some(state) = &first.write
            && insert(tx, call, state.clone(), expires).map_err(Error::database)?
        {
            return Ok(first.then);
        }
        let Some(row) = read_row(tx, call.key()).map_err(Error::database)? else { continue };
        let decision = call.decide(Some(&row.into_state(call.key())?))?;
        if let Some(state) = decision.write {
            update(tx, call, state, expires).map_err(Error::database)?;
        }
        return Ok(decision.then);
    }
    Err(Error::contended(call.key()))
}

fn insert(
    tx: &Transaction<'_>,
    call: &impl Call,
    state: State,
    expires: Option<i64>,
) -> ::rusqlite::Result<bool> {
    let Row { state, request, attempt, undo_request, .. } = state.into();
    tx.prepare_cached(INSERT)?.exists(params![
        call.key(),
        call.saga(),
        state,
        request,
        attempt,
        undo_request,
        expires
    ])
}

fn read_row(tx: &Transaction<'_>, key: &str) -> ::rusqlite::Result<Option<Row>> {
    tx.prepare_cached(READ_SQLITE)?
        .query_row([key], |row| {
            Ok(Row {
                state: row.get(0)?,
                request: row.get(1)?,
                answer: row.get(2)?,
                attempt: row.get(3)?,
                undo_request: row.get(4)?,
                undo_answer: row.get(5)?,
            })
        })
        .optional()
}

fn update(
    tx: &Transaction<'_>,
    call: &impl Call,
    state: State,
    expires: Option<i64>,
) -> ::rusqlite::Result<()> {
    let Row { state, request, answer, attempt, undo_request, undo_answer } = state.into();
    tx.prepare_cached(UPDATE)?.execute(params![
        call.saga(),
        state,
        request,
        answer,
        attempt,
        undo_request,
        undo_answer,
        expires,
        call.key()
    ])?;
    Ok(())
}
