//! `local` steps: their effect stands in the log's own database, in the transaction of their record.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a desk answers at once")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use saga_runtime::log::SqliteLog;
use saga_runtime::log::sqlite::rusqlite::{Connection, Error, params};
use saga_runtime::machine::Cause;
use saga_runtime::{Begun, Context, Coordinator, Outcome, SagaId, StepError, saga};

#[derive(Debug, thiserror::Error, StepError)]
enum No {
    #[error("only {0} left")]
    #[outcome(refused)]
    TooFew(i64),
    #[error(transparent)]
    #[outcome(transient)]
    Sqlite(#[from] Error),
}

/// Takes from the stock, which is a table in the log's own file.
fn take(tx: &Connection, what: &str, count: i64) -> Result<i64, No> {
    tx.execute_batch("CREATE TABLE IF NOT EXISTS stock (what TEXT PRIMARY KEY, left INTEGER NOT NULL)")?;
    tx.execute("INSERT INTO stock VALUES (?1, 10) ON CONFLICT DO NOTHING", [what])?;
    tx.execute("UPDATE stock SET left = left - ?2 WHERE what = ?1", params![what, count])?;
    let left: i64 = tx.query_row("SELECT left FROM stock WHERE what = ?1", [what], |row| row.get(0))?;
    // What was taken already is put back by the savepoint.
    if left < 0 { Err(No::TooFew(left + count)) } else { Ok(left) }
}

fn put_back(tx: &Connection, what: &str, count: i64) -> Result<(), No> {
    tx.execute("UPDATE stock SET left = left + ?2 WHERE what = ?1", params![what, count])?;
    Ok(())
}

/// Refuses as often as it was told.
#[derive(Clone, Default)]
struct Till {
    refusals: Arc<AtomicU32>,
}

impl saga_runtime::Keyed for Till {}

#[derive(Debug, thiserror::Error, StepError)]
#[error("no money")]
#[outcome(refused)]
struct NoMoney;

impl Till {
    async fn charge(&self, _cx: &Context) -> Result<u32, NoMoney> {
        let left = |left: u32| left.checked_sub(1);
        let refused = self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left);
        refused.map_or(Ok(7), |_| Err(NoMoney))
    }
}

saga! {
    /// Takes nuts and bolts from the stock, then money.
    saga Sell(count: i64) -> i64 {
        with till: Till;

        local nuts: i64 = take(tx, "nuts", *count) compensate put_back(tx, "nuts", *count);
        if *nuts > 0 {
            local bolts: i64 = take(tx, "bolts", *count) compensate put_back(tx, "bolts", *count);
        }
        pivot paid: u32 = till.charge(cx);
        local sold: i64 = take(tx, "sold", 1);

        return nuts + bolts.unwrap_or_default() + i64::from(paid) + sold;
    }
}

async fn start(file: &Path, till: &Till) -> Coordinator {
    let log = SqliteLog::open(file).unwrap();
    let participants = SellParticipants { till: till.clone() };
    Coordinator::builder(log).register::<Sell>(participants).start().await.unwrap()
}

fn left(file: &Path, what: &str) -> i64 {
    let database = Connection::open(file).unwrap();
    database.query_row("SELECT left FROM stock WHERE what = ?1", [what], |row| row.get(0)).unwrap()
}

async fn outcome(coordinator: &Coordinator, id: &str, count: i64) -> Outcome<i64> {
    coordinator.begin::<Sell>(id, count).await.unwrap().outcome().await.unwrap()
}

#[tokio::test]
async fn a_local_step_has_its_effect_with_its_record() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let coordinator = start(&file, &Till::default()).await;
    assert_eq!(outcome(&coordinator, "one", 3).await, Outcome::Completed(7 + 7 + 7 + 9));
    assert_eq!((left(&file, "nuts"), left(&file, "bolts"), left(&file, "sold")), (7, 7, 9));
    coordinator.shutdown().await;
}

#[tokio::test]
async fn a_refused_local_step_leaves_nothing_and_the_steps_before_are_compensated() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let till = Till::default();
    let coordinator = start(&file, &till).await;
    let refused = outcome(&coordinator, "too-many", 11).await;
    let cause = Cause::Refused { step: "nuts", message: "only 10 left".to_owned() };
    assert_eq!(refused, Outcome::Compensated(cause));
    assert_eq!(outcome(&coordinator, "few", 1).await, Outcome::Completed(9 + 9 + 7 + 9));
    assert_eq!(left(&file, "nuts"), 9, "what the refused one did was undone with it");

    till.refusals.store(1, Ordering::SeqCst);
    assert!(matches!(outcome(&coordinator, "no-money", 2).await, Outcome::Compensated(_)));
    assert_eq!((left(&file, "nuts"), left(&file, "bolts")), (9, 9));
    coordinator.shutdown().await;
}

#[tokio::test]
async fn what_a_local_step_did_is_there_once_whatever_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let till = Till::default();
    for life in 0..5 {
        let coordinator = start(&file, &till).await;
        for number in 0..=life {
            let begun = coordinator.begin::<Sell>(format!("s-{number}"), 1).await.unwrap();
            if number < life {
                assert!(matches!(begun, Begun::Finished(_) | Begun::Attached(_)));
            }
        }
        coordinator.shutdown().await;
    }
    let coordinator = start(&file, &till).await;
    let mut completed = 0;
    for number in 0..5 {
        let id = SagaId::new(format!("s-{number}")).unwrap();
        let begun = coordinator.find::<Sell>(&id).await.unwrap().unwrap();
        completed += i64::from(matches!(begun.outcome().await.unwrap(), Outcome::Completed(_)));
    }
    assert_eq!(left(&file, "nuts"), 10 - 5);
    assert_eq!((completed, left(&file, "sold")), (5, 10 - 5));
    coordinator.shutdown().await;
}
