//! Sagas that are begun in a transaction of the user's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use saga_runtime::coordinator::{BeginError, Builder};
use saga_runtime::log::{MemoryLog, SqliteLog};
use saga_runtime::{Begun, Coordinator, Outcome, SagaId, saga};
use saga_tests::desk::{Desk, Mood};
use tempfile::TempDir;

saga! {
    /// What a purchase sets going.
    saga Ship(order: u32) -> u32 {
        with desk: Desk;
        deadline 30m;
        retry never;

        step box_: u32 = desk.ask(cx) compensate desk.undo(cx);
        step label: u32 = desk.ask(cx) compensate desk.undo(cx);

        return order;
    }

    /// Is not registered.
    saga Return(order: u32) -> u32 {
        with desk: Desk;
        pivot label: u32 = desk.ask(cx);
        return order + label;
    }
}

/// A file with a table of the user's in it.
struct Shop {
    _directory: TempDir,
    path: PathBuf,
    desk: Desk,
}

impl Shop {
    async fn open() -> (Self, Coordinator) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.db");
        let shop = Self { _directory: directory, path, desk: Desk::new() };
        let coordinator = shop.start().await;
        shop.connect().execute_batch("CREATE TABLE purchase (number INTEGER PRIMARY KEY) STRICT").unwrap();
        (shop, coordinator)
    }

    fn builder(&self) -> Builder<SqliteLog> {
        let log = SqliteLog::open(&self.path).unwrap();
        Coordinator::builder(log).register::<Ship>(ShipParticipants { desk: self.desk.clone() })
    }

    async fn start(&self) -> Coordinator {
        self.builder().start().await.unwrap()
    }

    fn connect(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    fn purchases(&self) -> u32 {
        self.connect().query_row("SELECT count(*) FROM purchase", (), |row| row.get(0)).unwrap()
    }
}

fn buy(connection: &Connection, number: u32) {
    connection.execute("INSERT INTO purchase (number) VALUES (?1)", [number]).unwrap();
}

/// The words of an error that names the saga and the mend.
fn refusal<T: std::fmt::Debug>(answer: Result<T, BeginError>) -> String {
    match answer.unwrap_err() {
        BeginError::Transaction { cause, .. } => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_saga_is_begun_if_and_only_if_its_transaction_is_committed() {
    let (shop, coordinator) = Shop::open().await;
    let mut database = shop.connect();

    let transaction = database.transaction().unwrap();
    buy(&transaction, 1);
    let pending = coordinator.begin_in::<Ship>(&transaction, "ship-1", 1).unwrap();
    transaction.rollback().unwrap();
    let refused = coordinator.started(pending).await.unwrap_err();
    assert!(matches!(refused, BeginError::NotCommitted { .. }), "{refused}");
    assert_eq!((shop.purchases(), shop.desk.held()), (0, Vec::new()));

    let transaction = database.transaction().unwrap();
    buy(&transaction, 1);
    let pending = coordinator.begin_in::<Ship>(&transaction, "ship-1", 1).unwrap();
    assert!(coordinator.find::<Ship>(pending.id()).await.unwrap().is_none(), "it is not there before");
    transaction.commit().unwrap();
    let begun = coordinator.started(pending).await.unwrap();
    assert_eq!(begun.outcome().await, Ok(Outcome::Completed(1)));
    assert_eq!((shop.purchases(), shop.desk.held().len()), (1, 2));
}

#[tokio::test]
async fn one_that_nobody_has_started_is_found_at_the_next_start() {
    let (shop, coordinator) = Shop::open().await;
    let mut database = shop.connect();
    let transaction = database.transaction().unwrap();
    buy(&transaction, 1);
    let pending = coordinator.begin_in::<Ship>(&transaction, "ship-1", 1).unwrap();
    transaction.commit().unwrap();
    let id = pending.id().clone();
    drop((pending, database));
    coordinator.shutdown().await;
    assert_eq!(shop.desk.story(), Vec::<String>::new());

    let coordinator = shop.start().await;
    assert_eq!(coordinator.recovery().resumed, 1);
    let begun = coordinator.find::<Ship>(&id).await.unwrap().unwrap();
    assert_eq!(begun.outcome().await, Ok(Outcome::Completed(1)));
}

#[tokio::test]
async fn the_same_again_is_the_same_saga_and_another_input_a_conflict() {
    let (shop, coordinator) = Shop::open().await;
    let mut database = shop.connect();
    let transaction = database.transaction().unwrap();
    let first = coordinator.begin_in::<Ship>(&transaction, "ship-1", 1).unwrap();
    let second = coordinator.begin_in::<Ship>(&transaction, "ship-1", 1).unwrap();
    let other = coordinator.begin_in::<Ship>(&transaction, "ship-1", 2);
    assert!(matches!(other, Err(BeginError::Conflict { .. })), "{other:?}");
    transaction.commit().unwrap();
    for pending in [first, second] {
        assert_eq!(coordinator.started(pending).await.unwrap().outcome().await, Ok(Outcome::Completed(1)));
    }
    let transaction = database.transaction().unwrap();
    let third = coordinator.begin_in::<Ship>(&transaction, "ship-1", 1).unwrap();
    transaction.commit().unwrap();
    let ended = coordinator.started(third).await.unwrap();
    assert!(matches!(ended, Begun::Finished(Outcome::Completed(1))), "{ended:?}");
    assert_eq!(shop.desk.story().len(), 2);
}

#[tokio::test]
async fn sagas_that_are_begun_and_executed_at_the_same_time_disturb_each_other_in_nothing() {
    let (shop, coordinator) = Shop::open().await;
    shop.desk.becomes(Mood::Refuses, "own-7/label");
    let own = (0..40).map(|number| {
        let coordinator = coordinator.clone();
        tokio::spawn(async move {
            let begun = coordinator.begin::<Ship>(format!("own-{number}"), number).await.unwrap();
            begun.outcome().await.unwrap()
        })
    });
    let own = own.collect::<Vec<_>>();
    let path = shop.path.clone();
    let beginner = coordinator.clone();
    let pending = tokio::task::spawn_blocking(move || {
        let mut database = Connection::open(path).unwrap();
        let begin = |number: u32| {
            let transaction =
                database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
            buy(&transaction, number);
            let pending = beginner.begin_in::<Ship>(&transaction, format!("ship-{number}"), number).unwrap();
            transaction.commit().unwrap();
            pending
        };
        (0..40).map(begin).collect::<Vec<_>>()
    });
    for (number, pending) in (0..).zip(pending.await.unwrap()) {
        let begun = coordinator.started(pending).await.unwrap();
        assert_eq!(begun.outcome().await, Ok(Outcome::Completed(number)));
    }
    let mut compensated = 0;
    for outcome in own {
        compensated += u32::from(matches!(outcome.await.unwrap(), Outcome::Compensated(_)));
    }
    assert_eq!((compensated, shop.purchases(), shop.desk.held().len()), (1, 40, 2 * 79));
    assert_eq!(coordinator.quarantined(), Vec::new());
}

#[tokio::test]
async fn what_cannot_be_begun_so_is_refused_with_the_mend_and_writes_nothing() {
    let (shop, coordinator) = Shop::open().await;
    let begin = |connection: &Connection| refusal(coordinator.begin_in::<Ship>(connection, "ship-1", 1));

    let mut database = shop.connect();
    assert!(begin(&database).contains("no transaction is open"), "{}", begin(&database));
    database.pragma_update(None, "synchronous", "NORMAL").unwrap();
    let transaction = database.transaction().unwrap();
    assert!(begin(&transaction).contains("set `PRAGMA synchronous = FULL`"), "{}", begin(&transaction));
    drop(transaction);

    let elsewhere = shop.path.with_file_name("elsewhere.db");
    for path in [elsewhere.as_path(), Path::new(":memory:")] {
        let mut other = Connection::open(path).unwrap();
        let transaction = other.transaction().unwrap();
        assert!(begin(&transaction).contains("and the log is"), "{}", begin(&transaction));
    }

    let mut database = shop.connect();
    let transaction = database.transaction().unwrap();
    let unknown = coordinator.begin_in::<Return>(&transaction, "return-1", 1);
    assert!(matches!(unknown, Err(BeginError::NotRegistered { .. })), "{unknown:?}");
    let invalid = coordinator.begin_in::<Ship>(&transaction, "", 1);
    assert!(matches!(invalid, Err(BeginError::InvalidId(_))), "{invalid:?}");
    transaction.commit().unwrap();

    let memory =
        Coordinator::builder(MemoryLog::new()).register::<Ship>(ShipParticipants { desk: Desk::new() });
    let memory = memory.start().await.unwrap();
    let transaction = database.transaction().unwrap();
    let refused = refusal(memory.begin_in::<Ship>(&transaction, "ship-1", 1));
    assert!(refused.contains("`SqliteLog` has"), "{refused}");
    transaction.commit().unwrap();
    assert!(coordinator.find::<Ship>(&SagaId::new("ship-1").unwrap()).await.unwrap().is_none());
}
