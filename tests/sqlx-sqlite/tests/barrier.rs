//! The barrier on SQLite, by sqlx.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use saga_participant::sqlx::Barrier;
use saga_participant::{Action, Answer, Compensated, Compensation, Fault, Retention, WorkError};
use saga_tests_sqlx_sqlite::{
    Asks, BOOK, BOOKINGS, Booking, CANCEL, Delivery, Fate, REMEMBERED, Refusal, Reply, SCHEMA_SQLITE,
    Service, Tables, check, failed, histories,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, Transaction};
use tokio::runtime::Runtime;
use tokio::sync::Barrier as Gate;
use tokio::task::JoinSet;

const BARRIER: Barrier = Barrier::new();

type Tx<'c> = Transaction<'c, Sqlite>;

struct Shop {
    runtime: Arc<Runtime>,
    connection: SqliteConnection,
}

async fn book(tx: &mut Tx<'_>, key: &str, seats: i64) -> sqlx::Result<i64> {
    sqlx::query(BOOK).bind(key).bind(seats).fetch_one(&mut **tx).await?.try_get(0)
}

async fn cancel(tx: &mut Tx<'_>, booking: &Booking) -> sqlx::Result<i64> {
    sqlx::query(CANCEL).bind(booking.number).fetch_one(&mut **tx).await?.try_get(0)
}

async fn prepare(connection: &mut SqliteConnection) {
    sqlx::raw_sql(SCHEMA_SQLITE).execute(&mut *connection).await.unwrap();
    BARRIER.create(connection.begin().await.unwrap()).await.unwrap();
}

async fn count(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(connection).await.unwrap().get(0)
}

impl Service for Shop {
    fn deliver(&mut self, delivery: &Delivery) -> Reply {
        let Self { runtime, connection } = self;
        runtime.block_on(async {
            let tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
            let key = delivery.key();
            match delivery.asks {
                Asks::Action { seats, .. } => {
                    let action = delivery.action().unwrap().unwrap();
                    let work = async |tx: &mut Tx<'_>| delivery.end_work(book(tx, &key, seats).await?);
                    match BARRIER.action(tx, &action, work).await {
                        Ok(answer) if delivery.fate != Fate::Crash => {
                            Reply::Answer(answer.commit().await.unwrap())
                        }
                        Ok(_) => Reply::Nothing,
                        Err(error) => failed(error),
                    }
                }
                Asks::Compensation { .. } => {
                    let compensation = delivery.compensation().unwrap().unwrap();
                    let undo = async |tx: &mut Tx<'_>, booking: Booking| {
                        let seats = cancel(tx, &booking).await?;
                        let fails = delivery.fate == Fate::Fail;
                        if fails { Err(WorkError::failed("the disk is full")) } else { Ok(seats) }
                    };
                    match BARRIER.compensation(tx, &compensation, undo).await {
                        Ok(answer) if delivery.fate != Fate::Crash => {
                            Reply::Compensated(answer.commit().await.unwrap())
                        }
                        Ok(_) => Reply::Nothing,
                        Err(error) => failed(error),
                    }
                }
                Asks::Probe { .. } => {
                    let answer = BARRIER.probe(tx, &delivery.probe().unwrap().unwrap()).await.unwrap();
                    if delivery.fate == Fate::Crash {
                        return Reply::Nothing;
                    }
                    Reply::Found(answer.commit().await.unwrap())
                }
            }
        })
    }

    fn tables(&mut self) -> Tables {
        let Self { runtime, connection } = self;
        runtime.block_on(async {
            let bookings = sqlx::query(BOOKINGS).fetch_all(&mut *connection).await.unwrap();
            let remembered = sqlx::query(REMEMBERED).fetch_all(&mut *connection).await.unwrap();
            Tables {
                bookings: bookings
                    .iter()
                    .map(|row| (row.get(0), row.get(1), row.get::<i64, _>(2) != 0))
                    .collect(),
                remembered: remembered.iter().map(|row| row.get(0)).collect(),
            }
        })
    }
}

#[test]
fn whatever_arrives_in_whatever_order_has_one_effect_or_none() {
    let runtime = Arc::new(Runtime::new().unwrap());
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(history in histories())| {
        let connection = runtime.block_on(async {
            let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
            prepare(&mut connection).await;
            connection
        });
        check(&mut Shop { runtime: Arc::clone(&runtime), connection }, &history)?;
    });
}

fn options(directory: &tempfile::TempDir) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(directory.path().join("shop.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(10))
}

async fn book_once(connection: &mut SqliteConnection) -> Answer<Booking, Refusal> {
    let tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let action = Action::new("k", "book", &1).unwrap();
    let work = async |tx: &mut Tx<'_>| Ok(Booking { number: book(tx, "k", 1).await?, seats: 1 });
    BARRIER.action(tx, &action, work).await.unwrap().commit().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_is_done_and_all_are_answered_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = options(&directory).connect().await.unwrap();
    prepare(&mut connection).await;
    let gate = Arc::new(Gate::new(8));
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let (gate, options) = (Arc::clone(&gate), options(&directory));
        callers.spawn(async move {
            let mut connection = options.connect().await.unwrap();
            gate.wait().await;
            book_once(&mut connection).await
        });
    }
    let answers = callers.join_all().await;
    assert_eq!(answers, vec![Answer::Done(Booking { number: 1, seats: 1 }); 8]);
    assert_eq!(count(&mut connection, "SELECT count(*) FROM booking").await, 1);
}

#[tokio::test]
async fn what_was_answered_by_one_library_is_answered_by_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = options(&directory).connect().await.unwrap();
    prepare(&mut connection).await;
    let booked = book_once(&mut connection).await;
    let mut other = rusqlite::Connection::open(directory.path().join("shop.db")).unwrap();
    let barrier = saga_participant::rusqlite::Barrier::new();
    let action = Action::new("k", "book", &1).unwrap();
    let tx = other.transaction().unwrap();
    let again = barrier.action(tx, &action, |_| -> Result<Booking, WorkError<Refusal>> { panic!("twice") });
    assert_eq!(again.unwrap().commit().unwrap(), booked);
    let compensation = Compensation::new("k", "cancel", &()).unwrap();
    let tx = other.transaction().unwrap();
    let undone = barrier.compensation(tx, &compensation, |tx, booking: Booking| {
        Ok(tx.query_row(CANCEL, [booking.number], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(undone.unwrap().commit().unwrap(), Compensated::Undone(1));
    assert_eq!(book_once(&mut connection).await, Answer::Superseded);
}

#[tokio::test]
async fn rows_go_when_their_time_has_come() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    prepare(&mut connection).await;
    let barrier = Barrier::with(Retention::new().linger(Duration::ZERO));
    let tx = connection.begin().await.unwrap();
    let action = Action::new("k", "book", &1).unwrap().of_saga("s-1").unwrap();
    barrier.action(tx, &action, async |_| Ok::<_, WorkError<()>>(1)).await.unwrap().commit().await.unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    barrier.expire::<Sqlite>(&mut connection, later).await.unwrap();
    assert_eq!(count(&mut connection, "SELECT count(*) FROM saga_barrier").await, 1);
    barrier.forget::<Sqlite>(&mut connection, "s-1").await.unwrap();
    barrier.expire::<Sqlite>(&mut connection, later).await.unwrap();
    assert_eq!(count(&mut connection, "SELECT count(*) FROM saga_barrier").await, 0);
}

#[tokio::test]
async fn another_request_is_a_fault() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    prepare(&mut connection).await;
    book_once(&mut connection).await;
    let tx = connection.begin().await.unwrap();
    let other = Action::new("k", "book", &2).unwrap();
    let error = BARRIER.action(tx, &other, async |_| Ok::<_, WorkError<()>>(1)).await.map(drop).unwrap_err();
    assert!(matches!(error.fault(), Some(Fault::OtherRequest { .. })), "{error:?}");
}
