//! Libraries that a program links: cano, durare, duroxide.

use saga_runtime::log::SqliteLog;
use saga_runtime::log::sqlite::Durability;
use saga_runtime::log::sqlite::rusqlite::{self, Connection};
use saga_runtime::{Coordinator, Outcome, StepError, saga};
use saga_tests::logs::LogFault;
use saga_tests::run::{End, Scenario, run};
use saga_tests::sagas::Shape;
use saga_tests::world::{Fault, Prudent, Which, World};

use super::scene::{action, compensation, replay, told};

/// cano 0.15.2 (measured): nothing records that a saga unwinds. After a crash in mid-rollback it resumes *forward*, and
/// answers `Ok(Done)` with the hotel already cancelled.
#[test]
fn a_crash_in_mid_rollback_sends_the_saga_forward_again() {
    // From the refusal on: before and after each append.
    for append in 3..=6 {
        for crash in [LogFault::CrashBefore, LogFault::CrashAfter] {
            let report = replay(&Scenario {
                faults: vec![(action("car", 1), Fault::Refuse)],
                log: vec![(0, append, crash)],
                ..Scenario::default()
            });
            assert_eq!(report.end, End::Compensated, "{report:?}");
            let rollback = report.calls.iter().skip_while(|call| call.which == Which::Action);
            assert!(rollback.clone().all(|call| call.which == Which::Compensation), "{report:?}");
            assert!(rollback.count() >= 2, "{report:?}");
        }
    }
}

/// durare 0.5.0, `examples/saga.rs` (read): `book_hotel(..).await?` leaves the flight booked when the hotel fails, and a
/// cancel that fails first keeps the second one from being made.
#[test]
fn an_early_return_leaks_the_flight_and_a_failed_cancel_skips_the_next() {
    let refused = vec![(action("hotel", 1), Fault::Refuse)];
    let report = replay(&Scenario { faults: refused, ..Scenario::default() });
    assert_eq!((report.end, &*told(&report.calls)), (End::Compensated, "flight hotel -flight"));

    let refused = vec![(action("car", 1), Fault::Refuse), (compensation("hotel", 1), Fault::Unreachable)];
    let report = replay(&Scenario { faults: refused, ..Scenario::default() });
    let calls = "flight hotel car -hotel -hotel -flight";
    assert_eq!((report.end, &*told(&report.calls)), (End::Compensated, calls));
}

saga! {
    /// What is paid comes first.
    saga Paid(order: u32) -> u32 {
        with desk: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step payment: u32 = desk.reserve(cx) compensate desk.cancel(cx, payment);
        step parcel: u32 = desk.reserve(cx) compensate desk.cancel(cx, parcel);

        return delivered(order, payment, parcel);
    }
}

fn delivered(order: u32, _payment: u32, _parcel: u32) -> u32 {
    order
}

impl Shape for Paid {
    const EFFECTS: &'static [&'static str] = &["payment", "parcel"];
    const APPENDS: usize = 3;

    fn participants(world: &World) -> PaidParticipants {
        PaidParticipants { desk: Prudent(world.clone()) }
    }
}

/// duroxide 0.1.32, README and guide (read): `?` after a paid step refunds nothing, and the cancel of an orchestration
/// gives it no chance to compensate.
#[test]
fn a_failure_or_a_cancel_after_a_paid_step_refunds_nothing() {
    let refunded = |scenario: Scenario| {
        let report = run::<Paid>(&scenario).unwrap_or_else(|broken| panic!("{broken}"));
        assert_eq!(report.end, End::Compensated);
        assert!(report.calls.contains(&compensation("payment", 1)), "{report:?}");
    };
    for fault in [Fault::Refuse, Fault::Unreachable, Fault::Transient] {
        let faults = [1, 2].map(|nth| (action("parcel", nth), fault)).to_vec();
        refunded(Scenario { faults, ..Scenario::default() });
    }
    for place in [action("payment", 1), action("parcel", 1)] {
        let faults = vec![(place, Fault::Slow)];
        refunded(Scenario { faults, cancel: Some(place), ..Scenario::default() });
    }
}

#[derive(Debug, thiserror::Error, StepError)]
#[error(transparent)]
#[outcome(refused)]
struct Sqlite(#[from] rusqlite::Error);

/// What weakens a connection to SQLite, by words that it knows and one that it would take for `NORMAL`.
const WEAKER: [&str; 6] = [
    "PRAGMA synchronous = OFF",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA synchronous = 'FULL_SYNC'",
    "PRAGMA main.synchronous = 0",
    "PRAGMA fullfsync = OFF",
    "PRAGMA journal_mode = MEMORY",
];

/// How many of them the very connection that writes the log obeys.
fn weaken(tx: &Connection) -> Result<usize, Sqlite> {
    tx.query_row("SELECT count(*) FROM story", [], |row| row.get::<_, i64>(0))?;
    Ok(WEAKER.into_iter().filter(|sql| tx.execute_batch(sql).is_ok()).count())
}

saga! {
    /// Tries to weaken the log that it is written in.
    saga Weaken() -> usize {
        local weakened: usize = weaken(tx) compensate nothing;
        return weakened;
    }
}

/// duroxide 0.1.32 and durare 0.5.0 on SQLite (verified): not durable across power loss unless one asks for it. Their
/// `synchronous` is `NORMAL`; duroxide sets a value that SQLite does not know and reads as `NORMAL`.
///
/// Here it is `FULL` if nothing is said, and read back: the log does not open with another one, and its own test
/// `the_settings_hold` sees both connections. From outside can be seen that there is no wrong word to say, that a file
/// which refuses the settings is not opened, and that no code which shares the connection changes them.
#[tokio::test]
async fn what_was_acknowledged_is_lost_with_the_power_by_default() {
    assert_eq!(Durability::default(), Durability::Full);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sagas.db");
    let log = SqliteLog::open(&path).unwrap();
    let coordinator = Coordinator::builder(log).register::<Weaken>(WeakenParticipants {});
    let coordinator = coordinator.start().await.unwrap();
    let weakened = coordinator.begin::<Weaken>("w", ()).await.unwrap().outcome().await;
    assert_eq!(weakened.unwrap(), Outcome::Completed(0));
    coordinator.shutdown().await;

    // Somebody has changed the file's journal mode, and keeps it from being changed back.
    let other = Connection::open(&path).unwrap();
    let mode: String = other.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
    other.execute_batch("BEGIN; SELECT count(*) FROM saga").unwrap();
    let refused = SqliteLog::open(&path).unwrap_err().to_string();
    assert!(refused.contains("cannot be opened"), "{refused}");
    other.execute_batch("COMMIT").unwrap();
    let _log = SqliteLog::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    let mode: String = other.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
