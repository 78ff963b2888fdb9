//! The barrier on Postgres, by tokio-postgres and by sqlx: `scripts/with-postgres cargo test -p saga-tests --features
//! postgres --test barrier_postgres`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the report")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use saga_participant::{
    Action, Answer, Compensated, Compensation, ErrorKind, Fault, Probe, Retention, WorkError,
};
use saga_tests::barrier::{
    Asks, BOOK, BOOKINGS, Booking, CANCEL, Delivery, Fate, REMEMBERED, Refusal, Reply, Service, Tables,
    check, failed, histories,
};
use sqlx::Row as _;
use tokio::runtime::Runtime;
use tokio::sync::{Barrier as Gate, oneshot};
use tokio::task::JoinSet;

const TOKIO: saga_participant::tokio_postgres::Barrier = saga_participant::tokio_postgres::Barrier::new();
const SQLX: saga_participant::sqlx::Barrier = saga_participant::sqlx::Barrier::new();

const SCHEMA: &str = "CREATE TABLE booking (
    number BIGSERIAL PRIMARY KEY, key TEXT NOT NULL, seats BIGINT NOT NULL, cancelled BIGINT NOT NULL)";

/// The schemas of the tests, which share one database.
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A schema for one test, with both tables.
#[derive(Debug, Clone)]
struct Place {
    schema: String,
}

fn server() -> String {
    std::env::var("SAGA_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "these tests need a Postgres, whose address is in SAGA_TEST_POSTGRES: run them by \
             `scripts/with-postgres cargo test -p saga-tests --features postgres --test barrier_postgres`"
        )
    })
}

impl Place {
    async fn new() -> Self {
        let schema = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let place = Self { schema };
        let client = place.connect().await;
        client.batch_execute(&format!("CREATE SCHEMA {0}; {SCHEMA}", place.schema)).await.unwrap();
        TOKIO.create(&client).await.unwrap();
        place
    }

    async fn connect(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&server(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let settings = format!("SET search_path = {0}; SET application_name = {0}", self.schema);
        client.batch_execute(&settings).await.unwrap();
        client
    }

    async fn connect_sqlx(&self) -> sqlx::PgConnection {
        let options: sqlx::postgres::PgConnectOptions = server().parse().unwrap();
        let options = options.options([("search_path", self.schema.as_str())]);
        sqlx::ConnectOptions::connect(&options).await.unwrap()
    }

    /// All bookings, and those that are not cancelled.
    async fn count(&self) -> (i64, i64) {
        let sql = "SELECT count(*), count(*) FILTER (WHERE cancelled = 0) FROM booking";
        let row = self.connect().await.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1))
    }

    /// Comes back when so many statements of this test wait for a lock.
    async fn waiting(&self, number: i64) {
        let client = self.connect().await;
        let sql = "SELECT count(*) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND application_name = current_schema()";
        for _ in 0..1000 {
            if client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) >= number {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody waits");
    }
}

fn action() -> Action {
    Action::new("k", "book", &1).unwrap().of_saga("s-1").unwrap()
}

fn compensation() -> Compensation {
    Compensation::new("k", "cancel", &()).unwrap().of_saga("s-1").unwrap()
}

async fn book(
    tx: &tokio_postgres::Transaction<'_>,
    key: &str,
    seats: i64,
) -> Result<i64, tokio_postgres::Error> {
    Ok(tx.query_one(BOOK, &[&key, &seats]).await?.get(0))
}

async fn cancel(
    tx: &tokio_postgres::Transaction<'_>,
    booking: &Booking,
) -> Result<i64, tokio_postgres::Error> {
    Ok(tx.query_one(CANCEL, &[&booking.number]).await?.get(0))
}

/// Books for the key `k`, or is answered what was answered before.
async fn book_once(client: &mut tokio_postgres::Client) -> Answer<Booking, Refusal> {
    let tx = client.transaction().await.unwrap();
    let work = async |tx: &tokio_postgres::Transaction<'_>| {
        Ok(Booking { number: book(tx, "k", 1).await?, seats: 1 })
    };
    TOKIO.action(tx, &action(), work).await.unwrap().commit().await.unwrap()
}

async fn cancel_once(client: &mut tokio_postgres::Client) -> Compensated<i64> {
    let tx = client.transaction().await.unwrap();
    let undo = async |tx: &tokio_postgres::Transaction<'_>, booking: Booking| Ok(cancel(tx, &booking).await?);
    TOKIO.compensation(tx, &compensation(), undo).await.unwrap().commit().await.unwrap()
}

struct TokioShop {
    runtime: Arc<Runtime>,
    client: tokio_postgres::Client,
}

impl Service for TokioShop {
    fn deliver(&mut self, delivery: &Delivery) -> Reply {
        let Self { runtime, client } = self;
        runtime.block_on(async {
            let tx = client.transaction().await.unwrap();
            let key = delivery.key();
            match delivery.asks {
                Asks::Action { seats, .. } => {
                    let action = delivery.action().unwrap().unwrap();
                    let work = async |tx: &tokio_postgres::Transaction<'_>| {
                        delivery.end_work(book(tx, &key, seats).await?)
                    };
                    match TOKIO.action(tx, &action, work).await {
                        Ok(answer) if delivery.fate != Fate::Crash => {
                            Reply::Answer(answer.commit().await.unwrap())
                        }
                        Ok(_) => Reply::Nothing,
                        Err(error) => failed(error),
                    }
                }
                Asks::Compensation { .. } => {
                    let compensation = delivery.compensation().unwrap().unwrap();
                    let undo = async |tx: &tokio_postgres::Transaction<'_>, booking: Booking| {
                        let seats = cancel(tx, &booking).await?;
                        let fails = delivery.fate == Fate::Fail;
                        if fails { Err(WorkError::failed("the disk is full")) } else { Ok(seats) }
                    };
                    match TOKIO.compensation(tx, &compensation, undo).await {
                        Ok(answer) if delivery.fate != Fate::Crash => {
                            Reply::Compensated(answer.commit().await.unwrap())
                        }
                        Ok(_) => Reply::Nothing,
                        Err(error) => failed(error),
                    }
                }
                Asks::Probe { .. } => {
                    let answer = TOKIO.probe(tx, &delivery.probe().unwrap().unwrap()).await.unwrap();
                    if delivery.fate == Fate::Crash {
                        return Reply::Nothing;
                    }
                    Reply::Found(answer.commit().await.unwrap())
                }
            }
        })
    }

    fn tables(&mut self) -> Tables {
        let Self { runtime, client } = self;
        runtime.block_on(tables(client))
    }
}

async fn tables(client: &tokio_postgres::Client) -> Tables {
    let bookings = client.query(BOOKINGS, &[]).await.unwrap();
    let remembered = client.query(REMEMBERED, &[]).await.unwrap();
    Tables {
        bookings: bookings.iter().map(|row| (row.get(0), row.get(1), row.get::<_, i64>(2) != 0)).collect(),
        remembered: remembered.iter().map(|row| row.get(0)).collect(),
    }
}

type SqlxTx<'c> = sqlx::Transaction<'c, sqlx::Postgres>;

struct SqlxShop {
    runtime: Arc<Runtime>,
    connection: sqlx::PgConnection,
    reader: tokio_postgres::Client,
}

async fn sqlx_book(tx: &mut SqlxTx<'_>, key: &str, seats: i64) -> sqlx::Result<i64> {
    sqlx::query(BOOK).bind(key).bind(seats).fetch_one(&mut **tx).await?.try_get(0)
}

async fn sqlx_cancel(tx: &mut SqlxTx<'_>, booking: &Booking) -> sqlx::Result<i64> {
    sqlx::query(CANCEL).bind(booking.number).fetch_one(&mut **tx).await?.try_get(0)
}

impl Service for SqlxShop {
    fn deliver(&mut self, delivery: &Delivery) -> Reply {
        let Self { runtime, connection, .. } = self;
        runtime.block_on(async {
            let tx = sqlx::Connection::begin(connection).await.unwrap();
            let key = delivery.key();
            match delivery.asks {
                Asks::Action { seats, .. } => {
                    let action = delivery.action().unwrap().unwrap();
                    let work =
                        async |tx: &mut SqlxTx<'_>| delivery.end_work(sqlx_book(tx, &key, seats).await?);
                    match SQLX.action(tx, &action, work).await {
                        Ok(answer) if delivery.fate != Fate::Crash => {
                            Reply::Answer(answer.commit().await.unwrap())
                        }
                        Ok(_) => Reply::Nothing,
                        Err(error) => failed(error),
                    }
                }
                Asks::Compensation { .. } => {
                    let compensation = delivery.compensation().unwrap().unwrap();
                    let undo = async |tx: &mut SqlxTx<'_>, booking: Booking| {
                        let seats = sqlx_cancel(tx, &booking).await?;
                        let fails = delivery.fate == Fate::Fail;
                        if fails { Err(WorkError::failed("the disk is full")) } else { Ok(seats) }
                    };
                    match SQLX.compensation(tx, &compensation, undo).await {
                        Ok(answer) if delivery.fate != Fate::Crash => {
                            Reply::Compensated(answer.commit().await.unwrap())
                        }
                        Ok(_) => Reply::Nothing,
                        Err(error) => failed(error),
                    }
                }
                Asks::Probe { .. } => {
                    let answer = SQLX.probe(tx, &delivery.probe().unwrap().unwrap()).await.unwrap();
                    if delivery.fate == Fate::Crash {
                        return Reply::Nothing;
                    }
                    Reply::Found(answer.commit().await.unwrap())
                }
            }
        })
    }

    fn tables(&mut self) -> Tables {
        let Self { runtime, connection, reader } = self;
        runtime.block_on(async {
            // Rolls back what was dropped.
            sqlx::Connection::ping(connection).await.unwrap();
            tables(reader).await
        })
    }
}

const CLEAR: &str = "TRUNCATE booking, saga_barrier";

#[test]
fn whatever_arrives_by_tokio_postgres_has_one_effect_or_none() {
    let runtime = Arc::new(Runtime::new().unwrap());
    let place = runtime.block_on(Place::new());
    proptest!(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() }, |(history in histories())| {
        let client = runtime.block_on(place.connect());
        runtime.block_on(client.batch_execute(CLEAR)).unwrap();
        check(&mut TokioShop { runtime: Arc::clone(&runtime), client }, &history)?;
    });
}

#[test]
fn whatever_arrives_by_sqlx_has_one_effect_or_none() {
    let runtime = Arc::new(Runtime::new().unwrap());
    let place = runtime.block_on(Place::new());
    proptest!(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() }, |(history in histories())| {
        let reader = runtime.block_on(place.connect());
        runtime.block_on(reader.batch_execute(CLEAR)).unwrap();
        let connection = runtime.block_on(place.connect_sqlx());
        check(&mut SqlxShop { runtime: Arc::clone(&runtime), connection, reader }, &history)?;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_is_done_and_all_are_answered_the_same() {
    for _ in 0..20 {
        let place = Place::new().await;
        let gate = Arc::new(Gate::new(8));
        let mut callers = JoinSet::new();
        for number in 0..8 {
            let (gate, place) = (Arc::clone(&gate), place.clone());
            callers.spawn(async move {
                // Half of them come by the one library, half by the other: the table is the same.
                if number % 2 == 0 {
                    let mut client = place.connect().await;
                    gate.wait().await;
                    return book_once(&mut client).await;
                }
                let mut connection = place.connect_sqlx().await;
                gate.wait().await;
                let tx = sqlx::Connection::begin(&mut connection).await.unwrap();
                let work = async |tx: &mut SqlxTx<'_>| {
                    Ok(Booking { number: sqlx_book(tx, "k", 1).await?, seats: 1 })
                };
                SQLX.action(tx, &action(), work).await.unwrap().commit().await.unwrap()
            });
        }
        let answers = callers.join_all().await;
        assert!(matches!(answers[0], Answer::Done(_)), "{answers:?}");
        assert_eq!(answers, vec![answers[0].clone(); 8]);
        assert_eq!(place.count().await, (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actions_and_compensations_that_race_leave_nothing() {
    let (mut undone, mut nothing) = (0, 0);
    for _ in 0..40 {
        let place = Place::new().await;
        let gate = Arc::new(Gate::new(6));
        let mut actions = JoinSet::new();
        let mut compensations = JoinSet::new();
        for _ in 0..3 {
            let (of, gate_of) = (place.clone(), Arc::clone(&gate));
            actions.spawn(async move {
                let mut client = of.connect().await;
                gate_of.wait().await;
                book_once(&mut client).await
            });
            let (of, gate_of) = (place.clone(), Arc::clone(&gate));
            compensations.spawn(async move {
                let mut client = of.connect().await;
                gate_of.wait().await;
                cancel_once(&mut client).await
            });
        }
        let answers = actions.join_all().await;
        let compensated = compensations.join_all().await;
        assert_eq!(compensated, vec![compensated[0].clone(); 3]);
        let (all, live) = place.count().await;
        assert_eq!(live, 0, "{answers:?} {compensated:?}");
        match &compensated[0] {
            Compensated::Undone(1) => {
                undone += 1;
                assert_eq!(all, 1);
            }
            Compensated::NothingToUndo => {
                nothing += 1;
                assert_eq!((all, answers), (0, vec![Answer::Superseded; 3]));
            }
            other @ Compensated::Undone(_) => panic!("{other:?}"),
        }
    }
    println!("compensated {undone} times after the action, {nothing} times before it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_waits_for_the_first_and_does_the_work_if_that_is_rolled_back() {
    for commits in [true, false] {
        let place = Place::new().await;
        let (mut first, mut second) = (place.connect().await, place.connect().await);
        let tx = first.transaction().await.unwrap();
        let booked = TOKIO
            .action(tx, &action(), async |tx| {
                Ok::<_, WorkError<Refusal>>(Booking { number: book(tx, "k", 1).await?, seats: 1 })
            })
            .await
            .unwrap();
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move {
            // Nobody listens if the test has failed.
            let _ = sender.send(book_once(&mut second).await);
        });
        place.waiting(1).await;
        let first = if commits {
            booked.commit().await.unwrap()
        } else {
            drop(booked);
            Answer::Superseded
        };
        let second = receiver.await.unwrap();
        assert!(matches!(second, Answer::Done(_)), "{second:?}");
        assert_eq!(first == second, commits);
        assert_eq!(place.count().await, (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compensation_waits_for_the_action_and_undoes_it() {
    let place = Place::new().await;
    let (mut first, mut second) = (place.connect().await, place.connect().await);
    let tx = first.transaction().await.unwrap();
    let booked = TOKIO
        .action(tx, &action(), async |tx| {
            Ok::<_, WorkError<Refusal>>(Booking { number: book(tx, "k", 1).await?, seats: 1 })
        })
        .await
        .unwrap();
    let compensated = tokio::spawn(async move { cancel_once(&mut second).await });
    place.waiting(1).await;
    booked.commit().await.unwrap();
    assert_eq!(compensated.await.unwrap(), Compensated::Undone(1));
    assert_eq!(place.count().await, (1, 0));
}

#[tokio::test]
async fn work_that_hides_an_sql_error_is_not_committed() {
    let place = Place::new().await;
    let mut client = place.connect().await;
    // Postgres goes on with nothing after an error: what the work calls done cannot be committed.
    let tx = client.transaction().await.unwrap();
    let error = TOKIO
        .action(tx, &action(), async |tx| {
            let _ = tx.execute("SELECT no_such_column FROM booking", &[]).await;
            Ok::<_, WorkError<Refusal>>(1)
        })
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    // But it may refuse because of one: the savepoint takes it back.
    let tx = client.transaction().await.unwrap();
    let action = action();
    let refused = TOKIO.action(tx, &action, async |tx| -> Result<i64, _> {
        book(tx, "k", 1).await?;
        let full = tx.execute("INSERT INTO booking SELECT * FROM booking", &[]).await;
        assert!(full.is_err());
        Err(WorkError::Refused(Refusal::SoldOut(1)))
    });
    let refused = refused.await.unwrap().commit().await.unwrap();
    assert_eq!(refused, Answer::Refused(Refusal::SoldOut(1)));
    assert_eq!(place.count().await, (0, 0));
}

#[tokio::test]
async fn a_compensation_that_hides_an_sql_error_is_not_committed() {
    let place = Place::new().await;
    let mut client = place.connect().await;
    book_once(&mut client).await;
    let tx = client.transaction().await.unwrap();
    let undone = TOKIO
        .compensation(tx, &compensation(), async |tx, _: Booking| {
            let _ = tx.execute("SELECT no_such_column FROM booking", &[]).await;
            Ok(1_i64)
        })
        .await;
    assert_eq!(undone.map(drop).unwrap_err().kind(), ErrorKind::Transient);
    assert_eq!(cancel_once(&mut client).await, Compensated::Undone(1));
}

#[tokio::test]
async fn a_call_that_is_dropped_in_its_middle_leaves_nothing() {
    let place = Place::new().await;
    let mut client = place.connect().await;
    let tx = client.transaction().await.unwrap();
    let action = action();
    let call = TOKIO.action(tx, &action, async |tx| -> Result<(), WorkError<()>> {
        book(tx, "k", 1).await?;
        std::future::pending().await
    });
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    assert!(matches!(book_once(&mut client).await, Answer::Done(_)));
    assert_eq!(place.count().await, (1, 1));
}

#[tokio::test]
async fn a_probe_that_found_nothing_bars_and_is_raised() {
    let place = Place::new().await;
    let mut client = place.connect().await;
    for attempt in [2, 4, 3] {
        let tx = client.transaction().await.unwrap();
        let probe = Probe::new("k").unwrap().attempt(attempt);
        let found: Option<Booking> = TOKIO.probe(tx, &probe).await.unwrap().commit().await.unwrap();
        assert_eq!(found, None);
    }
    for (attempt, is_done) in [(3, false), (4, false), (5, true)] {
        let tx = client.transaction().await.unwrap();
        let action = action().attempt(attempt);
        let work = async |tx: &tokio_postgres::Transaction<'_>| {
            Ok::<_, WorkError<Refusal>>(Booking { number: book(tx, "k", 1).await?, seats: 1 })
        };
        let answer = TOKIO.action(tx, &action, work).await.unwrap().commit().await.unwrap();
        assert_eq!(matches!(answer, Answer::Done(_)), is_done, "{answer:?}");
    }
}

#[tokio::test]
async fn rows_go_when_their_time_has_come() {
    let place = Place::new().await;
    let mut client = place.connect().await;
    book_once(&mut client).await;
    let now = SystemTime::now();
    assert_eq!(TOKIO.expire(&client, now + Duration::from_hours(25)).await.unwrap(), 0);
    TOKIO.forget(&client, "s-1").await.unwrap();
    assert_eq!(TOKIO.expire(&client, now).await.unwrap(), 0);
    assert_eq!(TOKIO.expire(&client, now + Duration::from_hours(25)).await.unwrap(), 1);

    let mut connection = place.connect_sqlx().await;
    let barrier = saga_participant::sqlx::Barrier::with(Retention::new().horizon(Duration::from_mins(1)));
    for key in ["horizon", "ended"] {
        let tx = sqlx::Connection::begin(&mut connection).await.unwrap();
        let action = Action::new(key, "book", &1).unwrap().of_saga(key).unwrap();
        barrier
            .action(tx, &action, async |_| Ok::<_, WorkError<()>>(1))
            .await
            .unwrap()
            .commit()
            .await
            .unwrap();
    }
    let at_once = saga_participant::sqlx::Barrier::with(Retention::new().linger(Duration::ZERO));
    at_once.forget::<sqlx::Postgres>(&mut connection, "ended").await.unwrap();
    let rows = async |client: &tokio_postgres::Client| -> i64 {
        client.query_one("SELECT count(*) FROM saga_barrier", &[]).await.unwrap().get(0)
    };
    barrier.expire::<sqlx::Postgres>(&mut connection, now + Duration::from_secs(1)).await.unwrap();
    assert_eq!(rows(&client).await, 1);
    barrier.expire::<sqlx::Postgres>(&mut connection, now + Duration::from_secs(90)).await.unwrap();
    assert_eq!(rows(&client).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_instances_of_a_service_may_make_the_table_at_once() {
    for _ in 0..10 {
        let place = Place::new().await;
        place.connect().await.batch_execute("DROP TABLE saga_barrier").await.unwrap();
        let mut instances = JoinSet::new();
        for number in 0..6 {
            let place = place.clone();
            instances.spawn(async move {
                if number % 2 == 0 {
                    return TOKIO.create(&place.connect().await).await.unwrap();
                }
                let mut connection = place.connect_sqlx().await;
                SQLX.create(sqlx::Connection::begin(&mut connection).await.unwrap()).await.unwrap();
            });
        }
        instances.join_all().await;
    }
}

#[tokio::test]
async fn a_stricter_isolation_is_transient_at_worst() {
    let place = Place::new().await;
    let (mut first, mut second) = (place.connect().await, place.connect().await);
    let strict = second.build_transaction().isolation_level(tokio_postgres::IsolationLevel::Serializable);
    let tx = strict.start().await.unwrap();
    // It looks at the world before the first one has changed it.
    tx.query_one("SELECT count(*) FROM booking", &[]).await.unwrap();
    let booked = book_once(&mut first).await;
    let error = TOKIO
        .action(tx, &action(), async |_| -> Result<Booking, WorkError<Refusal>> { panic!("twice") })
        .await;
    assert_eq!(error.map(drop).unwrap_err().kind(), ErrorKind::Transient);
    assert_eq!(book_once(&mut second).await, booked);
}

#[tokio::test]
async fn a_row_that_nobody_understands_is_a_fault() {
    let place = Place::new().await;
    let mut client = place.connect().await;
    client.batch_execute("INSERT INTO saga_barrier (key, state) VALUES ('k', 'done')").await.unwrap();
    let tx = client.transaction().await.unwrap();
    let error = TOKIO.action(tx, &action(), async |_| Ok::<_, WorkError<()>>(1)).await.map(drop).unwrap_err();
    let row = Fault::Row { key: "k".to_owned(), state: "done".to_owned() };
    assert_eq!(error.fault(), Some(&row));
}
