//! Local calls in a file: crashes, lost answers, and what a call may not do.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::log::conformance::local;
use crate::log::{LocalAnswer, LocalCall};

/// Names the file in which the child process of a test dies.
const DYING: &str = "SAGA_LOG_TEST_DYING_CHILD";

const TABLES: &str = "CREATE TABLE effect (name TEXT NOT NULL UNIQUE);
                      CREATE TABLE part (name REFERENCES effect (name) DEFERRABLE INITIALLY DEFERRED);";

fn open(fixture: &Fixture) -> SqliteLog {
    let log = fixture.open();
    fixture.plain().execute_batch(TABLES).expect("SQLite does it");
    log
}

fn write(tx: &Connection, name: &str) {
    tx.prepare_cached("INSERT INTO effect VALUES (?1)").expect("a statement").execute([name]).expect("a row");
}

fn effects(path: &Path) -> Vec<String> {
    let plain = Connection::open(path).expect("SQLite opens it");
    let mut names = plain.prepare("SELECT name FROM effect ORDER BY rowid").expect("a statement");
    names.query_map((), |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("names")
}

/// A call of saga `trip` that has the effect `name` and counts how often it is made.
fn counted(seq: u64, name: &'static str, calls: &Arc<AtomicU32>) -> AppendLocal {
    let calls = Arc::clone(calls);
    local("trip", seq, move |tx: &Connection| {
        calls.fetch_add(1, Ordering::Relaxed);
        write(tx, name);
        true
    })
}

/// Makes a call that tries `sql` and writes the effect `name`; says what SQLite has answered.
async fn tried(log: &SqliteLog, seq: u64, sql: &'static str) -> Result<(), String> {
    let told = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&told);
    let call = local("trip", seq, move |tx: &Connection| {
        *tell.lock().expect("no panic") = Some(tx.execute_batch(sql).map_err(|error| error.to_string()));
        write(tx, &format!("{seq} {sql}"));
        true
    });
    log.append_local(call).await.expect("its record is written");
    told.lock().expect("no panic").take().expect("it is called")
}

#[tokio::test]
async fn conforms() {
    let fixtures = Mutex::new(Vec::new());
    let fresh = || async {
        let fixture = Fixture::new();
        let log = open(&fixture);
        fixtures.lock().expect("no panic").push(fixture);
        log
    };
    conformance::check_local(fresh, write, async |log: &SqliteLog| effects(log.path())).await;
}

#[tokio::test]
async fn a_call_whose_commit_did_not_happen_is_made_again_and_counts_once() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    let calls = Arc::default();
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    fixture.faults.fail_before_commit(1);
    assert!(log.append_local(counted(1, "a", &calls)).await.is_ok());
    assert_eq!(calls.load(Ordering::Relaxed), 2, "of the first one nothing was kept");
    assert_eq!(effects(log.path()), ["a"]);
    assert_eq!(history(&log, "trip").await.records.len(), 2);
}

#[tokio::test]
async fn a_call_whose_commit_is_reported_as_failed_is_not_made_again() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    let calls = Arc::default();
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    fixture.faults.fail_after_commit(1);
    let answer = log.append_local(counted(1, "a", &calls)).await.expect("it stands");
    assert_eq!(answer, history(&log, "trip").await.records[1..]);
    // Here the caller learns nothing, and the log forgets all.
    fixture.faults.fail_after_commit(1);
    fixture.faults.fail_open(1);
    let lost = log.append_local(counted(2, "b", &calls)).await;
    assert!(matches!(lost, Err(AppendError::Unavailable(_))), "{lost:?}");
    drop(log);
    let log = fixture.open();
    let answer = log.append_local(counted(2, "other", &calls)).await.expect("it stands");
    assert_eq!(answer, history(&log, "trip").await.records[2..]);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(effects(log.path()), ["a", "b"]);
}

/// The records of saga `trip`, and the effects.
async fn after_death(fixture: &Fixture, when: &str) -> (usize, Vec<String>) {
    let log = open(fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    drop(log);
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "log::sqlite::tests::local::the_child_dies_in_the_call_or_after_it"])
        .env(DYING, fixture.path())
        .env("SAGA_LOG_TEST_WHEN", when)
        .output()
        .expect("a process");
    assert!(!child.status.success(), "it dies");
    let log = fixture.open();
    (history(&log, "trip").await.records.len(), effects(log.path()))
}

#[tokio::test]
async fn a_process_that_dies_leaves_effect_and_record_or_neither() {
    assert_eq!(after_death(&Fixture::new(), "within").await, (1, Vec::new()));
    assert_eq!(after_death(&Fixture::new(), "behind").await, (2, vec!["a".to_owned()]));
}

/// The process of `a_process_that_dies_leaves_effect_and_record_or_neither`, which sets the variable.
#[tokio::test]
async fn the_child_dies_in_the_call_or_after_it() {
    let Some(path) = std::env::var_os(DYING) else { return };
    let within = std::env::var("SAGA_LOG_TEST_WHEN").is_ok_and(|when| when == "within");
    let log = SqliteLog::open(path).expect("it opens");
    let call = local("trip", 1, move |tx: &Connection| {
        write(tx, "a");
        if within {
            std::process::abort();
        }
        true
    });
    log.append_local(call).await.expect("it is made");
    std::process::abort();
}

/// The group is one transaction, made anew where it fails, and whatever a call does, the others stand.
#[tokio::test]
async fn calls_share_the_commit_of_those_who_wait() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    let before = fixture.faults.commits();
    // The first call holds the thread, so that all others wait when it is done.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = log.append_local(local("trip", 1, move |_: &Connection| wait.recv().is_ok()));
    let rest = async {
        let mut waiting = Vec::new();
        for number in 0..20 {
            let name = format!("trip-{number}");
            waiting.push(log.append(vec![begun(&name, 1)]));
        }
        let waiting = futures_util::future::join_all(waiting);
        let calls = futures_util::future::join_all((0..20).map(|number| {
            log.append_local(local(&format!("trip-{number}"), 1, move |tx: &Connection| {
                write(tx, &number.to_string());
                assert!(number % 5 != 0, "this one panics");
                true
            }))
        }));
        let free = async { go.send(()).expect("it waits") };
        tokio::join!(waiting, calls, free)
    };
    let (first, (begins, calls, ())) = tokio::join!(first, rest);
    assert!(first.is_ok() && begins.iter().flatten().all(Result::is_ok), "{first:?}");
    for (number, answer) in calls.into_iter().enumerate() {
        assert_eq!(answer.is_ok(), number % 5 != 0, "{answer:?}");
    }
    assert_eq!(effects(log.path()).len(), 16);
    assert!(fixture.faults.commits() - before <= 3, "{} commits", fixture.faults.commits() - before);
}

#[tokio::test]
async fn a_call_cannot_touch_the_transaction_the_settings_or_the_rows_of_the_log() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    let denied = [
        "COMMIT",
        "END",
        "ROLLBACK",
        "BEGIN",
        "RELEASE saga_local",
        "ROLLBACK TO SAGA_LOCAL",
        "SAVEPOINT saga_local",
        "ATTACH ':memory:' AS other",
        "PRAGMA synchronous = OFF",
        "PRAGMA defer_foreign_keys = ON",
        "PRAGMA user_version = 9",
        "PRAGMA wal_checkpoint",
        "ANALYZE",
        "CREATE TEMP TABLE journal (n)",
        "CREATE TEMP VIEW saga AS SELECT 1",
        "CREATE TEMP TRIGGER t AFTER INSERT ON effect BEGIN SELECT 1; END",
        "INSERT INTO journal VALUES (99, 1, 9, 0, '', '', '', 0)",
        "UPDATE saga SET status = 'completed'",
        "DELETE FROM Lock",
        "WITH gone AS (SELECT 1) DELETE FROM journal",
        "DROP TABLE journal",
        "DROP VIEW story",
        "DROP INDEX saga_awake",
        "ALTER TABLE saga ADD COLUMN mine",
        "ALTER TABLE saga RENAME TO tale",
        "CREATE INDEX mine ON journal (step)",
        "CREATE TRIGGER mine AFTER INSERT ON journal BEGIN DELETE FROM effect; END",
        "CREATE TABLE saga_mine (n)",
        "CREATE VIEW SAGA_mine AS SELECT 1",
        "PRAGMA writable_schema = ON",
    ];
    for (seq, sql) in (1..).zip(denied) {
        let error = tried(&log, seq, sql).await.expect_err(sql);
        assert!(error.contains("not authorized") || error.contains("authorization denied"), "{sql}: {error}");
    }
    let count = denied.len();
    let allowed = [
        "SAVEPOINT mine; INSERT INTO effect VALUES ('gone'); ROLLBACK TO mine; RELEASE mine",
        "SAVEPOINT left_open",
        "SELECT count(*) FROM journal JOIN saga ON saga.number = journal.saga",
        "SELECT * FROM story",
        "PRAGMA table_info(effect)",
        "CREATE TABLE IF NOT EXISTS stock (article TEXT PRIMARY KEY, count INTEGER) STRICT",
        "CREATE INDEX stock_count ON stock (count); CREATE VIEW empty AS SELECT * FROM stock WHERE count = 0",
        "CREATE TRIGGER spent AFTER INSERT ON effect BEGIN INSERT OR REPLACE INTO stock VALUES (new.name, 1); END",
        "ALTER TABLE stock ADD COLUMN place TEXT; DROP TRIGGER spent; DROP VIEW empty; DROP TABLE stock",
        "INSERT INTO effect VALUES ('twice'); INSERT OR IGNORE INTO effect VALUES ('twice')",
    ];
    for (seq, sql) in (1 + count as u64..).zip(allowed) {
        assert_eq!(tried(&log, seq, sql).await, Ok(()), "{sql}");
        assert_eq!(append(&log, begun(&format!("other-{seq}"), 1)).await, Ok(()), "{sql}");
    }
    let count = count + allowed.len();
    assert_eq!(effects(log.path()).len(), count + 1, "each has had its effect, and what it undid is gone");
    drop(log);
    let log = fixture.open();
    assert_eq!(history(&log, "trip").await.records.len(), count + 1, "and its record");
}

/// The log's own statement for it is prepared, and stays so.
#[tokio::test]
async fn a_call_cannot_commit_by_a_statement_that_is_kept() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    for (seq, sql) in (1..).zip(["COMMIT", "END", "ROLLBACK", "BEGIN IMMEDIATE"]) {
        let call = local("trip", seq, move |tx: &Connection| {
            tx.prepare_cached(sql).and_then(|mut statement| statement.execute(())).is_err()
        });
        assert!(log.append_local(call).await.is_ok(), "{sql}");
    }
    assert_eq!(history(&log, "trip").await.records.len(), 5);
}

#[tokio::test]
async fn a_call_that_loses_the_transaction_harms_no_other_one() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    assert_eq!(append(&log, begun("other", 1)).await, Ok(()));
    let calls = Arc::new(AtomicU32::new(0));
    let again = Arc::clone(&calls);
    let call = local("trip", 1, move |tx: &Connection| {
        write(tx, "a");
        again.fetch_add(1, Ordering::Relaxed);
        // Twice the same name: the whole transaction is rolled back.
        tx.execute("INSERT OR ROLLBACK INTO effect VALUES ('a')", ()).is_err()
    });
    let before = log.append(vec![step("other", 1)]);
    let after = log.append(vec![step("other", 2)]);
    let (before, lost, after) = tokio::join!(before, log.append_local(call), after);
    assert_eq!((before, after), (vec![Ok(())], vec![Ok(())]));
    let lost = unavailable(lost.map(drop));
    assert!(lost.contains("the local call of saga `trip`"), "{lost}");
    assert!(calls.load(Ordering::Relaxed) >= 1);
    assert_eq!(effects(log.path()), Vec::<String>::new());
    assert_eq!(history(&log, "trip").await.records.len(), 1);
    assert!(log.append_local(counted(1, "a", &calls)).await.is_ok(), "it goes on");
}

#[tokio::test]
async fn a_call_that_leaves_what_cannot_be_committed_fails_alone() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    let call =
        local("trip", 1, |tx: &Connection| tx.execute("INSERT INTO part VALUES ('of nothing')", ()).is_ok());
    let other = log.append(vec![begun("other", 1)]);
    let (failed, other) = tokio::join!(log.append_local(call), other);
    assert_eq!(other, [Ok(())]);
    match failed {
        Err(AppendError::LocalFailed { saga, cause }) => {
            assert_eq!(saga, id("trip"));
            assert!(cause.contains("FOREIGN KEY constraint failed"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(history(&log, "trip").await.records.len(), 1);
    assert!(log.append_local(counted(1, "a", &Arc::default())).await.is_ok(), "it goes on");
}

#[tokio::test]
async fn a_full_disk_in_a_call_is_reported_and_the_call_made_when_there_is_room() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    let fills = || {
        local("trip", 1, |tx: &Connection| {
            tx.execute("INSERT INTO effect VALUES (hex(zeroblob(200000)))", ()).is_ok()
        })
    };
    fixture.faults.set_pages_max(60);
    match log.append_local(fills()).await {
        Err(AppendError::Unavailable(_)) => assert_eq!(history(&log, "trip").await.records.len(), 1),
        // Where SQLite undoes the one statement only, the call knows it, and has nothing to keep.
        answer => assert!(answer.is_ok() && effects(log.path()).is_empty(), "{answer:?}"),
    }
    fixture.faults.set_pages_max(10_000);
    let seq = history(&log, "trip").await.records.len() as u64;
    assert!(log.append_local(AppendLocal { first_seq: seq, ..fills() }).await.is_ok());
    assert_eq!(effects(log.path()).len(), 1);
}

#[tokio::test]
async fn what_a_call_holds_may_panic_when_it_is_dropped() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("it is dropped");
        }
    }
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    let bomb = Bomb;
    let call = LocalCall::new(move |_: &Connection| {
        let _held = &bomb;
        LocalAnswer { keep: true, records: vec![flight(1)], status: Status::Running, wake: Wake::Now }
    });
    let call = AppendLocal { saga: id("trip"), first_seq: 1, call };
    assert_eq!(log.append_local(call).await, Ok(vec![flight(1)]));
    assert_eq!(append(&log, step("trip", 2)).await, Ok(()), "the log goes on");
}

#[tokio::test]
async fn a_damaged_table_of_a_user_is_not_the_log_s_business() {
    let fixture = Fixture::new();
    let log = open(&fixture);
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    fixture.plain().execute_batch("DROP TABLE part; DROP TABLE effect").expect("SQLite does it");
    let refused = local("trip", 1, |tx: &Connection| tx.execute("DELETE FROM effect", ()).is_ok());
    assert!(log.append_local(refused).await.is_ok(), "the call was told, and has answered");
    log.close();
    let closed = log.append_local(local("trip", 2, |_: &Connection| true)).await;
    assert!(unavailable(closed.map(drop)).contains("it is closed"));
}
