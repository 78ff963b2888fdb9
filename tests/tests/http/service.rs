//! A service with the participant kit's barrier in an SQLite file, behind axum.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use rusqlite::Connection;
use rusqlite::TransactionBehavior::Immediate;
use saga_participant::axum::{Caller, Probed, Problem};
use saga_participant::rusqlite::Barrier;
use saga_participant::{Answer, Compensated, WorkError};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reserve {
    pub(crate) seats: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) number: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("only {left} are left")]
pub(crate) struct SoldOut {
    pub(crate) left: i64,
}

const BARRIER: Barrier = Barrier::new();

/// A service that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) file: PathBuf,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Service {
    pub(crate) async fn start(file: &Path, seats: i64) -> Self {
        let connection = open(file, Duration::from_secs(5)).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        BARRIER.create(&connection).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE flight (free INTEGER NOT NULL);
                 CREATE TABLE reservation (number INTEGER PRIMARY KEY AUTOINCREMENT, saga TEXT, seats INTEGER);
                 INSERT INTO flight VALUES ({seats})"
            ))
            .unwrap();
        let app = Router::new()
            .route("/seats", post(reserve))
            .route("/seats/cancel", post(cancel))
            .route("/seats/find", post(find))
            .with_state(file.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, file: file.to_owned(), server }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is held, by saga, and what is free.
    pub(crate) fn audit(&self) -> (Vec<(String, i64)>, i64) {
        let connection = open(&self.file, Duration::from_secs(5)).unwrap();
        let mut held = connection.prepare("SELECT saga, seats FROM reservation ORDER BY saga").unwrap();
        let held = held.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap);
        let free = connection.query_row("SELECT free FROM flight", [], |row| row.get(0)).unwrap();
        (held.collect(), free)
    }
}

pub(crate) fn open(file: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

/// Runs `work` where it may block, on a connection of its own.
async fn with<A: Send + 'static>(
    file: PathBuf,
    work: impl FnOnce(&mut Connection) -> Result<A, Problem> + Send + 'static,
) -> Result<A, Problem> {
    let with = move || {
        let mut connection = open(&file, Duration::from_millis(100)).map_err(Problem::transient)?;
        work(&mut connection)
    };
    tokio::task::spawn_blocking(with).await.unwrap_or_else(|panic| Err(Problem::unknown(panic)))
}

async fn reserve(
    State(file): State<PathBuf>,
    caller: Caller,
    Json(request): Json<Reserve>,
) -> Result<Answer<Reservation, SoldOut>, Problem> {
    let action = caller.action("reserve", &request)?;
    let saga = caller.saga().unwrap_or_default().to_owned();
    let work = move |connection: &mut Connection| {
        let tx = connection.transaction_with_behavior(Immediate).map_err(Problem::transient)?;
        let answer = BARRIER.action(tx, &action, |tx| {
            let take = "UPDATE flight SET free = free - ?1 RETURNING free";
            let free: i64 = tx.query_row(take, [request.seats], |row| row.get(0))?;
            if free < 0 {
                return Err(WorkError::Refused(SoldOut { left: free + request.seats }));
            }
            let hold = "INSERT INTO reservation (saga, seats) VALUES (?1, ?2)";
            tx.execute(hold, (saga, request.seats))?;
            Ok(Reservation { number: tx.last_insert_rowid() })
        })?;
        Ok(answer.commit()?)
    };
    with(file, work).await
}

async fn cancel(State(file): State<PathBuf>, caller: Caller) -> Result<Compensated<i64>, Problem> {
    let compensation = caller.compensation("cancel", &())?;
    let work = move |connection: &mut Connection| {
        let tx = connection.transaction_with_behavior(Immediate).map_err(Problem::transient)?;
        let answer = BARRIER.compensation(tx, &compensation, |tx, reserved: Reservation| {
            let release = "DELETE FROM reservation WHERE number = ?1 RETURNING seats";
            let seats: i64 = tx.query_row(release, [reserved.number], |row| row.get(0))?;
            tx.execute("UPDATE flight SET free = free + ?1", [seats])?;
            Ok(seats)
        })?;
        Ok(answer.commit()?)
    };
    with(file, work).await
}

async fn find(State(file): State<PathBuf>, caller: Caller) -> Result<Probed<Reservation>, Problem> {
    let probe = caller.probe()?;
    let work = move |connection: &mut Connection| {
        let tx = connection.transaction_with_behavior(Immediate).map_err(Problem::transient)?;
        Ok(Probed(BARRIER.probe(tx, &probe)?.commit()?))
    };
    with(file, work).await
}
