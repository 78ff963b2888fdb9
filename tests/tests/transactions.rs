//! Transactions that go wrong, and what an operator writes that cannot be read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use rusqlite::Connection;
use saga_runtime::coordinator::{BeginError, Intervention, Operator};
use saga_runtime::log::SqliteLog;
use saga_runtime::{Coordinator, saga};
use saga_tests::desk::{Desk, Mood};

saga! {
    /// Ships.
    saga Ship(order: u32) -> u32 {
        with desk: Desk;
        retry never;
        step label: u32 = desk.ask(cx) compensate desk.undo(cx);
        return order + label;
    }

    /// Has an output whose `Deserialize` panics.
    saga Picky() -> Small {
        with desk: Desk;
        retry never;
        pivot small: Small = small(desk, cx) keyed;
        return small;
    }
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(from = "u32")]
struct Small(u32);

impl From<u32> for Small {
    fn from(value: u32) -> Self {
        assert!(value < 10, "too large");
        Self(value)
    }
}

async fn small(desk: &Desk, cx: &saga_runtime::Context) -> Result<Small, saga_tests::desk::DeskSays> {
    desk.ask(cx).await.map(Small)
}

/// The transaction is rolled back; another begins a saga of the same id, with another input.
#[tokio::test]
async fn another_saga_of_the_same_id_is_not_taken_for_the_one_that_was_rolled_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let log = SqliteLog::open(&path).unwrap();
    let desk = Desk::new();
    let coordinator =
        Coordinator::builder(log).register::<Ship>(ShipParticipants { desk }).start().await.unwrap();
    let mut database = Connection::open(&path).unwrap();
    let transaction = database.transaction().unwrap();
    let pending = coordinator.begin_in::<Ship>(&transaction, "s", 7).unwrap();
    transaction.rollback().unwrap();
    let other = coordinator.begin::<Ship>("s", 8).await.unwrap();
    assert_eq!(other.outcome().await.unwrap(), saga_runtime::Outcome::Completed(9));
    let started = coordinator.started(pending).await;
    assert!(
        matches!(started, Err(BeginError::Conflict { .. } | BeginError::NotCommitted { .. })),
        "{started:?}"
    );
}

/// The first statement of a deferred transaction reads, and the log writes meanwhile.
#[tokio::test]
async fn a_transaction_that_has_read_too_early_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let log = SqliteLog::open(&path).unwrap();
    let desk = Desk::new();
    let coordinator =
        Coordinator::builder(log).register::<Ship>(ShipParticipants { desk }).start().await.unwrap();
    let mut database = Connection::open(&path).unwrap();
    let transaction = database.transaction().unwrap();
    let _: i64 = transaction.query_row("SELECT count(*) FROM saga", (), |row| row.get(0)).unwrap();
    coordinator.begin::<Ship>("other", 8).await.unwrap().outcome().await.unwrap();
    let refused = coordinator.begin_in::<Ship>(&transaction, "s", 7).unwrap_err();
    assert!(refused.to_string().contains("IMMEDIATE"), "{refused}");
}

/// `begin_in` fails between the saga's row and its records, and the user commits all the same.
#[tokio::test]
async fn a_begin_that_fails_leaves_nothing_in_the_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let log = SqliteLog::open(&path).unwrap();
    let desk = Desk::new();
    let coordinator =
        Coordinator::builder(log).register::<Ship>(ShipParticipants { desk }).start().await.unwrap();
    let mut database = Connection::open(&path).unwrap();
    // Stands for any error between the two statements: a full disk, an interrupt.
    database
        .execute_batch(
            "CREATE TEMP TRIGGER t BEFORE INSERT ON main.journal BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    let transaction = database.transaction().unwrap();
    let refused = coordinator.begin_in::<Ship>(&transaction, "s", 7);
    assert!(refused.is_err());
    transaction.commit().unwrap();
    let rows: i64 = database.query_row("SELECT count(*) FROM saga", (), |row| row.get(0)).unwrap();
    assert_eq!(rows, 0, "a saga without records");
}

/// What an operator writes must not harm the saga.
#[tokio::test(start_paused = true)]
async fn an_output_whose_deserialize_panics_is_refused() {
    let desk = Desk::new();
    desk.becomes(Mood::Mute, "s/small");
    let coordinator = Coordinator::builder(saga_runtime::log::MemoryLog::new())
        .register::<Picky>(PickyParticipants { desk })
        .start()
        .await
        .unwrap();
    let begun = coordinator.begin::<Picky>("s", ()).await.unwrap();
    let handle = begun.handle().unwrap();
    handle.settled().await;
    let by = Operator { name: "ann".to_owned(), reason: "so".to_owned() };
    let done = Intervention::ActionDone { step: "small".to_owned(), output: "11".to_owned() };
    let refused = handle.operate(&by, done).await;
    assert_eq!(coordinator.quarantined(), Vec::new(), "{refused:?}");
}
