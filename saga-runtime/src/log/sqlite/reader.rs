//! The thread that reads, on a connection of its own, so that nobody who appends waits for it.

use std::path::PathBuf;

use rusqlite::Connection;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::check::{self, Strays};
use super::connection;
use super::error::from_sqlite;
use super::load;
use super::locks;
use super::purge;
use crate::id::SagaId;
use crate::log::{Cursor, Damaged, History, HistoryError, LockCursor, LockPage, LogError, Page, Wake};

/// What the reader is asked for.
#[derive(Debug)]
pub(super) enum Query {
    History {
        id: SagaId,
        answer: oneshot::Sender<Result<Option<History>, HistoryError>>,
    },
    Unfinished {
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
        answer: oneshot::Sender<Result<Page, LogError>>,
    },
    NextWake {
        after_ms: u64,
        answer: oneshot::Sender<Result<Option<u64>, LogError>>,
    },
    Waiting {
        after_ms: u64,
        answer: oneshot::Sender<Result<u64, LogError>>,
    },
    Locks {
        after: Option<LockCursor>,
        limit: usize,
        answer: oneshot::Sender<Result<LockPage, LogError>>,
    },
    Ended {
        until_ms: u64,
        after: Option<Cursor>,
        limit: usize,
        answer: oneshot::Sender<Result<Page, LogError>>,
    },
    Ids {
        prefix: String,
        after: Option<SagaId>,
        limit: usize,
        answer: oneshot::Sender<Result<Vec<SagaId>, LogError>>,
    },
    /// Look for damage: in all that there is, or in what was written last.
    Check {
        all: bool,
        answer: oneshot::Sender<Result<Vec<Damaged>, LogError>>,
    },
    /// Answer what was asked before, and end.
    Close,
}

/// The reader and its connection.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    connection: Option<Connection>,
    strays: Strays,
}

impl Reader {
    pub(super) fn new(path: PathBuf, connection: Connection, strays: Strays) -> Self {
        Self { path, connection: Some(connection), strays }
    }

    /// Works until it is told to close and everything asked before is answered.
    pub(super) fn run(mut self, mut queries: UnboundedReceiver<Query>) {
        while let Some(query) = queries.blocking_recv() {
            // Whoever does not wait any more needs no answer.
            match query {
                Query::History { id, answer } => {
                    let _ = answer.send(self.history(&id));
                }
                Query::Unfinished { until, after, limit, answer } => {
                    let _ = answer.send(self.read(|connection, strays| {
                        load::unfinished(connection, strays, until, after, limit)
                    }));
                }
                Query::NextWake { after_ms, answer } => {
                    let _ = answer.send(self.read(|connection, _| load::next_wake(connection, after_ms)));
                }
                Query::Waiting { after_ms, answer } => {
                    let _ = answer.send(self.read(|connection, _| load::waiting(connection, after_ms)));
                }
                Query::Locks { after, limit, answer } => {
                    let _ =
                        answer.send(self.read(|connection, _| locks::page(connection, after.clone(), limit)));
                }
                Query::Check { all, answer } => {
                    let check = if all { check::all } else { check::recent };
                    let _ = answer.send(self.read(check));
                }
                Query::Ended { until_ms, after, limit, answer } => {
                    let _ = answer
                        .send(self.read(|connection, _| purge::ended(connection, until_ms, after, limit)));
                }
                Query::Ids { prefix, after, limit, answer } => {
                    let ids =
                        self.read(|connection, _| purge::ids(connection, &prefix, after.as_ref(), limit));
                    let _ = answer.send(ids);
                }
                Query::Close => queries.close(),
            }
        }
    }

    fn history(&mut self, id: &SagaId) -> Result<Option<History>, HistoryError> {
        let found = self.read(|connection, strays| match load::by_id(connection, id)? {
            Some(found) => Ok(Some(Ok(found))),
            None => match purge::past(connection, id)? {
                Some(past) => Ok(Some(Err(past))),
                None => Ok(strays.claim(connection, id, None)?.map(|damaged| Ok(Err(damaged)))),
            },
        })?;
        match found {
            None => Ok(None),
            Some(Ok(found)) => Ok(Some(found?.history)),
            Some(Err(past)) => Err(past.into()),
        }
    }

    /// Reads in one transaction: what is appended meanwhile would look like damage otherwise.
    fn read<T>(&mut self, work: impl Fn(&Connection, &Strays) -> rusqlite::Result<T>) -> Result<T, LogError> {
        let connection = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => connection::open_reader(&self.path),
        };
        let result = connection.and_then(|connection| {
            let read = {
                let _transaction = connection.unchecked_transaction()?;
                work(&connection, &self.strays)?
            };
            // After an error it is dropped, and the next one gets a new one.
            self.connection = Some(connection);
            Ok(read)
        });
        result.map_err(|error| from_sqlite(&self.path, &error))
    }
}
