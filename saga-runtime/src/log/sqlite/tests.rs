//! What only a log in a file can do, suffer and survive.

mod local;
mod locks;
mod purge;

use std::fs;
use std::process::Command;
use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;

use super::testing::Faults;
use super::*;
use crate::log::conformance::{self, all_unfinished, all_until, append, begun, history, id, next, record};
use crate::log::{Record, Status, Wake};

/// Names the file that the child process of a test opens.
const CHILD: &str = "SAGA_LOG_TEST_CHILD";

struct Fixture {
    folder: TempDir,
    faults: Faults,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder"), faults: Faults::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("trips.db")
    }

    fn try_open(&self) -> Result<SqliteLog, OpenError> {
        Options { faults: self.faults.clone(), ..SqliteLog::options() }.open(self.path())
    }

    fn open(&self) -> SqliteLog {
        self.try_open().expect("the log opens")
    }

    /// What a person with `sqlite3` would do to it.
    fn plain(&self) -> Connection {
        Connection::open(self.path()).expect("SQLite opens it")
    }

    fn refusal(&self) -> OpenErrorReason {
        let error = self.try_open().expect_err("it must not open");
        let text = error.to_string();
        assert!(text.contains("trips.db"), "the message names the file: {text}");
        error.reason
    }
}

fn step(name: &str, seq: u64) -> Append {
    next(name, seq, vec![flight(seq)], Status::Running)
}

fn flight(seq: u64) -> Record {
    record(seq, "flight", "done", &format!("{{\"seat\":\"12A\",\"number\":{seq}}}"))
}

/// Three sagas of four records each.
async fn three_sagas(log: &SqliteLog) {
    for name in ["first", "trip", "last"] {
        assert_eq!(append(log, begun(name, 1)).await, Ok(()));
        assert_eq!(append(log, next(name, 1, vec![flight(1), flight(2)], Status::Running)).await, Ok(()));
        assert_eq!(append(log, step(name, 3)).await, Ok(()));
    }
}

fn unavailable(answer: Result<(), AppendError>) -> String {
    match answer {
        Err(AppendError::Unavailable(error)) => error.to_string(),
        other => panic!("it must be unavailable: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    let fixtures = Mutex::new(Vec::new());
    conformance::check(|| async {
        let fixture = Fixture::new();
        let log = fixture.open();
        fixtures.lock().expect("no panic").push(fixture);
        log
    })
    .await;
}

#[tokio::test]
async fn conforms_when_it_is_opened_again() {
    let folder = TempDir::new().expect("a folder");
    let open = |name| {
        let log = SqliteLog::open(folder.path().join(name)).expect("the log opens");
        async { log }
    };
    conformance::check_reopened(open).await;
}

#[tokio::test]
async fn conforms_in_transactions_of_the_user() {
    let fixtures = Mutex::new(Vec::new());
    let fresh = || async {
        let fixture = Fixture::new();
        let log = fixture.open();
        fixtures.lock().expect("no panic").push(fixture);
        log
    };
    conformance::check_begin_in(fresh, async |log: &SqliteLog, appends: Vec<Append>, commit| {
        let mut plain = Connection::open(log.path()).expect("SQLite opens it");
        let transaction = plain.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
        let transaction = transaction.expect("a transaction");
        let answers = appends.iter().map(|append| log.begin_in(&*transaction, append)).collect();
        let ended = if commit { transaction.commit() } else { transaction.rollback() };
        ended.expect("its end");
        answers
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms_without_memory_of_what_it_wrote() {
    /// Reads every saga from the file, for another connection has written since.
    struct Forgetful(SqliteLog, Mutex<Connection>, #[expect(dead_code, reason = "keeps the folder")] Fixture);
    impl SagaLog for Forgetful {
        fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
            let other = self.1.lock().expect("no panic");
            other.execute_batch("PRAGMA busy_timeout = 5000; UPDATE other SET n = n + 1").expect("it writes");
            drop(other);
            self.0.append(batch)
        }
        fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
            self.0.history(id)
        }
        fn unfinished(
            &self,
            until: Wake,
            after: Option<Cursor>,
            limit: usize,
        ) -> LogFuture<'_, Result<Page, LogError>> {
            self.0.unfinished(until, after, limit)
        }
        fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
            self.0.next_wake(after_ms)
        }
        fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
            self.0.waiting(after_ms)
        }
        fn locks(
            &self,
            after: Option<LockCursor>,
            limit: usize,
        ) -> LogFuture<'_, Result<LockPage, LogError>> {
            self.0.locks(after, limit)
        }
        fn purge(&self, batch: Vec<Purge>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
            self.0.purge(batch)
        }
        fn expire(&self, until_ms: u64, limit: usize) -> LogFuture<'_, Result<u64, LogError>> {
            self.0.expire(until_ms, limit)
        }
        fn ended(
            &self,
            until_ms: u64,
            after: Option<Cursor>,
            limit: usize,
        ) -> LogFuture<'_, Result<Page, LogError>> {
            self.0.ended(until_ms, after, limit)
        }
        fn ids<'a>(
            &'a self,
            prefix: &'a str,
            after: Option<&'a SagaId>,
            limit: usize,
        ) -> LogFuture<'a, Result<Vec<SagaId>, LogError>> {
            self.0.ids(prefix, after, limit)
        }
    }
    conformance::check(|| async {
        let fixture = Fixture::new();
        let log = fixture.open();
        let other = fixture.plain();
        other.execute_batch("CREATE TABLE other (n); INSERT INTO other VALUES (0)").expect("it writes");
        Forgetful(log, Mutex::new(other), fixture)
    })
    .await;
}

#[tokio::test]
async fn everything_is_there_after_it_is_opened_again() {
    let fixture = Fixture::new();
    let log = fixture.open();
    three_sagas(&log).await;
    let end = next("first", 4, vec![flight(4)], Status::Completed);
    assert_eq!(append(&log, end.clone()).await, Ok(()));
    let before = [history(&log, "first").await, history(&log, "trip").await, history(&log, "last").await];
    drop(log);
    assert!(!fixture.folder.path().join("trips.db-wal").exists(), "all is in the one file");

    let log = fixture.open();
    assert_eq!(
        [history(&log, "first").await, history(&log, "trip").await, history(&log, "last").await],
        before
    );
    let running = all_unfinished(&log, 10).await.expect("a page");
    assert_eq!(running, before[1..].iter().cloned().map(Ok).collect::<Vec<_>>());
    assert_eq!(append(&log, end).await, Ok(()), "a retry across the restart");
    assert_eq!(append(&log, step("trip", 3)).await, Ok(()));
    assert_eq!(append(&log, step("trip", 4)).await, Ok(()));
    assert_eq!(append(&log, step("last", 5)).await.map_err(|error| error.to_string()), {
        Err("saga `last` has 4 records, and record 5 cannot follow them".to_owned())
    });
}

#[tokio::test]
async fn the_settings_hold() {
    let folder = TempDir::new().expect("a folder");
    for (durability, level) in [(Durability::Full, 2), (Durability::Normal, 1)] {
        let path = folder.path().join(format!("{level}.db"));
        let writer = connection::open_writer(&path, durability, true).expect("it opens");
        let reader = connection::open_reader(&path).expect("it opens");
        let number = |connection: &Connection, name: &str| -> i64 {
            connection.pragma_query_value(None, name, |row| row.get(0)).expect("a value")
        };
        assert_eq!(number(&writer, "synchronous"), level);
        let mode: String =
            writer.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("a value");
        assert_eq!(mode, "wal");
        assert_eq!(number(&writer, "user_version"), schema::VERSION);
        assert_eq!(number(&writer, "wal_autocheckpoint"), 0);
        assert_eq!(number(&writer, "fullfsync"), 1);
        for connection in [&writer, &reader] {
            assert_eq!(number(connection, "trusted_schema"), 0);
            assert_eq!(number(connection, "cell_size_check"), 1);
            assert_eq!(number(connection, "busy_timeout"), 5000);
            let defensive = rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE;
            assert_eq!(connection.db_config(defensive), Ok(true));
        }
        assert!(reader.execute_batch("DELETE FROM journal").is_err(), "the reader cannot write");
    }
    let log = SqliteLog::options().durability(Durability::Normal).open(folder.path().join("1.db"));
    assert_eq!(append(&log.expect("it opens"), begun("trip", 1)).await, Ok(()));
}

#[tokio::test]
async fn a_person_can_read_the_story_meanwhile() {
    let fixture = Fixture::new();
    let log = fixture.open();
    three_sagas(&log).await;
    let plain = fixture.plain();
    let read = |sql: &str| -> Vec<(i64, String, Option<String>, String)> {
        let mut statement = plain.prepare(sql).expect("a statement");
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        statement.query_map((), row).expect("rows").collect::<Result<_, _>>().expect("values")
    };
    let sql = "SELECT seq, time, step, event FROM story WHERE id = 'trip'";
    let story = read(sql);
    assert_eq!(story[0], (0, "1970-01-01 00:00:00.001Z".to_owned(), None, "begun".to_owned()));
    assert_eq!(story.iter().map(|row| row.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(story[1].2.as_deref(), Some("flight"));
    // It may even keep on reading.
    plain.execute_batch("BEGIN").expect("a transaction");
    assert_eq!(read(sql).len(), 4);
    assert_eq!(append(&log, step("trip", 4)).await, Ok(()));
    assert_eq!(read(sql).len(), 4);
    plain.execute_batch("COMMIT").expect("its end");
    assert_eq!(read(sql).len(), 5);
}

/// Damages saga `trip` (number 2) alone, and looks at all three.
async fn damage(sql: &str, place: &str) {
    let fixture = Fixture::new();
    let log = fixture.open();
    three_sagas(&log).await;
    let [first, last] = [history(&log, "first").await, history(&log, "last").await];
    drop(log);
    fixture.plain().execute_batch(sql).expect("SQLite does it");

    let log = fixture.open();
    let page = all_unfinished(&log, 10).await.expect("a page");
    assert_eq!(page.len(), 3, "{sql}: {page:?}");
    assert!(page.contains(&Ok(first)) && page.contains(&Ok(last)), "{sql}: {page:?}");
    let damaged = page.into_iter().find_map(Result::err).expect(sql);
    assert!(damaged.to_string().contains(place), "{sql}: {damaged} must say {place}");

    let gone = sql.contains("SET id");
    if !gone {
        assert_eq!(damaged.saga, "trip");
        assert_eq!(log.history(&id("trip")).await, Err(damaged.clone().into()), "{sql}");
        assert_eq!(append(&log, begun("trip", 1)).await, Err(damaged.clone().into()), "{sql}");
        assert_eq!(append(&log, step("trip", 4)).await, Err(damaged.into()), "{sql}");
    }
    let answers = log.append(vec![step("first", 4), step("trip", 4), step("last", 4)]).await;
    assert!(answers[0].is_ok() && answers[1].is_err() && answers[2].is_ok(), "{sql}: {answers:?}");
}

#[tokio::test]
async fn changed_rows_are_damage_of_their_saga_alone() {
    let cases = [
        (
            "UPDATE journal SET data = replace(data, '12A', '12B') WHERE saga = 2 AND seq = 1",
            "row 6 of table `journal`",
        ),
        ("UPDATE journal SET data = NULL WHERE saga = 2 AND seq = 0", "row 5 of table `journal` (record 0)"),
        ("UPDATE journal SET step = event, event = step WHERE saga = 2 AND seq = 2", "row 7"),
        ("UPDATE journal SET at_ms = at_ms + 1 WHERE saga = 2 AND seq = 3", "row 8"),
        (
            "UPDATE journal SET at_ms = -1 WHERE saga = 2 AND seq = 3",
            "row 8 of table `journal`, column `at_ms`: -1",
        ),
        (
            "UPDATE journal SET data = CAST(x'7bff7d' AS TEXT) WHERE saga = 2 AND seq = 3",
            "column `data`: invalid utf-8",
        ),
        ("UPDATE journal SET checksum = 1 WHERE saga = 2 AND seq = 3", "row 8"),
        ("UPDATE saga SET definition = 'Other' WHERE number = 2", "row 5"),
        (
            "UPDATE saga SET fingerprint = 'none' WHERE number = 2",
            "row 2 of table `saga`, column `fingerprint`: \"none\"",
        ),
        ("UPDATE saga SET fingerprint = upper(fingerprint) WHERE number = 2", "row 5"),
        (
            "UPDATE saga SET status = 'paused' WHERE number = 2",
            "row 2 of table `saga`, column `status`: \"paused\"",
        ),
        ("UPDATE saga SET begun_at_ms = 2 WHERE number = 2", "row 5"),
        ("UPDATE saga SET records = 3 WHERE number = 2", "counts 3 records, and table `journal` holds 4"),
        ("UPDATE saga SET records = -1 WHERE number = 2", "column `records`: -1 is less than 0"),
        ("UPDATE saga SET checksum = checksum + 1 WHERE number = 2", "row 2 of table `saga`: its checksum"),
        ("UPDATE saga SET wake_at_ms = 7 WHERE number = 2", "row 2 of table `saga`: its checksum"),
        (
            "UPDATE saga SET wake_at_ms = 9223372036854775807 WHERE number = 2",
            "row 2 of table `saga`: its checksum",
        ),
        ("UPDATE saga SET id = 'trip 2' WHERE number = 2", "saga `trip 2` is damaged"),
        ("UPDATE saga SET id = 'trap' WHERE number = 2", "saga `trap` is damaged"),
    ];
    for (sql, place) in cases {
        damage(sql, place).await;
    }
}

/// A time that is none says nothing about when the saga is to be driven: so it is shown at once.
#[tokio::test]
async fn a_time_to_wake_that_is_none_hides_no_saga() {
    for wake_at_ms in [0, -1, i64::MIN] {
        let fixture = Fixture::new();
        let log = fixture.open();
        for name in ["first", "trip", "last"] {
            let wake = if name == "first" { Wake::Never } else { Wake::At(1000) };
            assert_eq!(append(&log, Append { wake, ..begun(name, 1) }).await, Ok(()));
        }
        drop(log);
        let sql = format!("UPDATE saga SET wake_at_ms = {wake_at_ms} WHERE number <= 2");
        fixture.plain().execute_batch(&sql).expect("SQLite does it");
        let log = fixture.open();
        for limit in [1, 2, 10] {
            let page = all_until(&log, Wake::Now, limit).await.expect("a page");
            assert_eq!(page.len(), 2, "{page:?}");
            for (damaged, (number, name)) in page.into_iter().zip([(1, "first"), (2, "trip")]) {
                let damaged = damaged.expect_err(&sql);
                let place =
                    format!("row {number} of table `saga`, column `wake_at_ms`: {wake_at_ms} is no time");
                assert_eq!(damaged.saga, name);
                assert!(damaged.cause.starts_with(&place), "{damaged}");
                assert_eq!(log.history(&id(name)).await, Err(damaged.into()), "{sql}");
            }
            assert_eq!(all_unfinished(&log, limit).await.expect("a page").len(), 3);
        }
        assert_eq!((log.next_wake(0).await, log.waiting(0).await), (Ok(Some(1000)), Ok(1)));
    }
}

#[tokio::test]
async fn a_changed_time_to_wake_is_damage_of_its_saga_alone() {
    for (wake, status) in
        [(Wake::At(1000), Status::Running), (Wake::Never, Status::Running), (Wake::Now, Status::Completed)]
    {
        for column in ["NULL", "999", "1001", "9223372036854775807"] {
            let same = matches!((wake, column), (Wake::Now, "NULL") | (Wake::Never, "9223372036854775807"));
            let fixture = Fixture::new();
            let log = fixture.open();
            assert_eq!(append(&log, Append { status, wake, ..begun("trip", 1) }).await, Ok(()));
            assert_eq!(append(&log, Append { wake, ..begun("other", 1) }).await, Ok(()));
            let sound = history(&log, "trip").await;
            drop(log);
            let sql = format!("UPDATE saga SET wake_at_ms = {column} WHERE id = 'trip'");
            fixture.plain().execute_batch(&sql).expect("SQLite does it");
            let log = fixture.open();
            match log.history(&id("trip")).await {
                Ok(found) if same => assert_eq!(found, Some(sound)),
                Err(HistoryError::Damaged(damaged)) if !same => {
                    assert!(
                        damaged.cause.contains("row 1 of table `saga`: its checksum"),
                        "{sql}: {damaged}"
                    );
                    let shown = all_unfinished(&log, 10).await.expect("a page");
                    let shown = shown.contains(&Err(damaged));
                    assert!(shown || column == "NULL" && status == Status::Completed, "{sql}: it is shown");
                }
                other => panic!("{sql}: {other:?}"),
            }
            assert_eq!(history(&log, "other").await.wake, wake);
        }
    }
}

/// The file of a library that knew nothing of times to wake, and of one that knew nothing of locks.
#[tokio::test]
async fn a_file_of_an_older_version_becomes_one_of_this_version_with_all_that_it_holds() {
    for version in 1..schema::VERSION {
        becomes_one_of_this_version(version).await;
    }
}

async fn becomes_one_of_this_version(version: i64) {
    let fixture = Fixture::new();
    let log = fixture.open();
    three_sagas(&log).await;
    assert_eq!(append(&log, next("first", 4, vec![flight(4)], Status::Completed)).await, Ok(()));
    let before = [history(&log, "first").await, history(&log, "trip").await, history(&log, "last").await];
    drop(log);
    let copy = "saga (number, id, definition, fingerprint, status, begun_at_ms, records, checksum)
                SELECT number, id, definition, fingerprint, status, begun_at_ms, records, checksum FROM new.saga;
                INSERT INTO journal SELECT * FROM new.journal";
    let new = fixture.folder.path().join("new.db");
    fs::rename(fixture.path(), &new).expect("it moves");
    let old = fixture.plain();
    for (_, step) in (0..version).zip(schema::MIGRATIONS) {
        old.execute_batch(step).expect("the version is made");
    }
    old.execute("ATTACH ?1 AS new", [new.to_str()]).expect("SQLite does it");
    old.execute_batch(&format!(
        "INSERT INTO {copy}; DETACH new; PRAGMA application_id = 0x73616761; PRAGMA user_version = {version}"
    ))
    .expect("SQLite does it");
    drop(old);

    let log = fixture.open();
    let version: i64 =
        fixture.plain().pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version");
    assert_eq!(version, schema::VERSION);
    assert_eq!(
        [history(&log, "first").await, history(&log, "trip").await, history(&log, "last").await],
        before
    );
    assert_eq!(
        all_until(&log, Wake::Now, 1).await.expect("a page"),
        [Ok(before[1].clone()), Ok(before[2].clone())]
    );
    assert_eq!(append(&log, Append { wake: Wake::At(9), ..step("trip", 4) }).await, Ok(()));
    assert_eq!(history(&log, "trip").await.wake, Wake::At(9));
    assert_eq!(log.next_wake(0).await, Ok(Some(9)));
    let locks = conformance::locks(&["seat"], "trip");
    assert_eq!(append(&log, Append { locks, ..step("trip", 5) }).await, Ok(()));
    assert_eq!(log.locks(None, 10).await.expect("a page").locks.len(), 1);
    let records = before[0].records.len() as u64;
    assert_eq!(conformance::purge_one(&log, conformance::purge("first", records)).await, Ok(()));
    assert!(matches!(append(&log, begun("first", 1)).await, Err(AppendError::Purged(_))));
}

#[tokio::test]
async fn missing_and_exchanged_rows_are_damage_of_their_saga_alone() {
    let cases = [
        ("DELETE FROM journal WHERE saga = 2 AND seq = 0", "record 0 is missing before row 6"),
        ("DELETE FROM journal WHERE saga = 2 AND seq = 1", "record 1 is missing before row 7"),
        ("DELETE FROM journal WHERE saga = 2 AND seq = 3", "counts 4 records, and table `journal` holds 3"),
        ("DELETE FROM journal WHERE saga = 2", "holds 0 of them"),
        ("DELETE FROM journal WHERE saga = 2; UPDATE saga SET records = 0 WHERE number = 2", "has no record"),
        // Last row gone, and the count mended: the seal still tells.
        (
            "DELETE FROM journal WHERE saga = 2 AND seq = 3; UPDATE saga SET records = 3 WHERE number = 2",
            "row 2 of table `saga`: its checksum",
        ),
        (
            "UPDATE journal SET seq = 9 WHERE saga = 2 AND seq = 1; UPDATE journal SET seq = 1 WHERE saga = 2 AND seq = 2;
             UPDATE journal SET seq = 2 WHERE saga = 2 AND seq = 9",
            "row 7 of table `journal` (record 1)",
        ),
        // The last record of another saga, which is the same but for the saga.
        (
            "DELETE FROM journal WHERE saga = 2 AND seq = 3;
             INSERT INTO journal SELECT 8, 2, seq, at_ms, step, event, data, checksum FROM journal WHERE saga = 1 AND seq = 3",
            "row 8 of table `journal` (record 3)",
        ),
        // A row too many.
        ("INSERT INTO journal SELECT NULL, 2, 4, at_ms, step, event, data, checksum FROM journal WHERE position = 8", "row 13"),
    ];
    for (sql, place) in cases {
        damage(sql, place).await;
    }
}

#[tokio::test]
async fn values_of_a_wrong_type_are_damage() {
    let lax = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')');
               PRAGMA writable_schema = RESET;";
    let cases = [
        ("UPDATE journal SET data = x'00' WHERE position = 6", "column `data`: a blob instead of a text"),
        (
            "UPDATE journal SET at_ms = 'noon' WHERE position = 6",
            "column `at_ms`: a text instead of an integer",
        ),
        (
            "UPDATE saga SET records = 1.5 WHERE number = 2",
            "column `records`: a real number instead of an integer",
        ),
        (
            "UPDATE saga SET definition = x'00' WHERE number = 2",
            "column `definition`: a blob instead of a text",
        ),
    ];
    for (sql, place) in cases {
        damage(&format!("{lax} {sql}"), place).await;
    }
}

#[tokio::test]
async fn damage_under_a_running_writer_is_found_when_it_appends() {
    let fixture = Fixture::new();
    let log = fixture.open();
    three_sagas(&log).await;
    fixture.plain().execute_batch("DELETE FROM journal WHERE saga = 2 AND seq = 3").expect("SQLite does it");
    let answers = log.append(vec![step("first", 4), step("trip", 4), step("last", 4)]).await;
    assert!(matches!(answers[1], Err(AppendError::Damaged(_))), "{answers:?}");
    assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
}

#[tokio::test]
async fn a_saga_without_its_row_is_damaged_and_keeps_nobody_from_beginning() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, begun("gone", 1)).await, Ok(()));
    fixture.plain().execute_batch("DELETE FROM saga").expect("SQLite does it");
    assert_eq!(log.append(vec![begun("new", 1), begun("other", 1)]).await, [Ok(()), Ok(())]);
    assert_eq!(history(&log, "other").await.records.len(), 1, "its number was free");

    let damaged = log.check().await.expect("an answer");
    assert_eq!(damaged.len(), 1, "{damaged:?}");
    assert_eq!(damaged[0].saga, "number 1");
    assert!(damaged[0].cause.contains("table `journal` holds 1 records"), "{damaged:?}");
    let known = Damaged { saga: "gone".to_owned(), ..damaged[0].clone() };
    assert_eq!(log.history(&id("gone")).await, Err(known.clone().into()), "its first record tells its id");
    assert_eq!(append(&log, begun("gone", 1)).await, Err(known.clone().into()));
    assert_eq!(append(&log, begun("gone", 9)).await, Err(known.into()), "whenever it is begun");
    assert_eq!(log.history(&id("nobody")).await, Ok(None));

    fixture.plain().execute_batch("DELETE FROM journal WHERE saga = 1").expect("SQLite does it");
    assert_eq!(log.check().await, Ok(Vec::new()), "it was never there");
    assert_eq!(append(&log, begun("gone", 1)).await, Ok(()));
}

#[tokio::test]
async fn all_of_a_log_is_checked_when_asked_and_what_was_written_last_when_not() {
    let fixture = Fixture::new();
    let log = fixture.open();
    three_sagas(&log).await;
    assert_eq!(append(&log, next("trip", 4, vec![flight(4)], Status::Completed)).await, Ok(()));
    let many = |name: String| {
        let mut begin = begun(&name, 1);
        begin.records = vec![begin.records[0].clone(); 100];
        begin
    };
    assert!(
        log.append((0..50).map(|number| many(format!("many-{number}"))).collect())
            .await
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!((log.check().await, log.check_all().await), (Ok(Vec::new()), Ok(Vec::new())));
    // They seem to have ended, so that nobody looks at them.
    fixture
        .plain()
        .execute_batch("UPDATE saga SET status = 'completed' WHERE number IN (1, 50)")
        .expect("SQLite does it");
    let ids = |damaged: Result<Vec<Damaged>, LogError>| {
        damaged.expect("an answer").into_iter().map(|damaged| damaged.saga).collect::<Vec<_>>()
    };
    assert_eq!(ids(log.check_all().await), ["first", "many-46"]);
    // All rows of `saga` are among the last ones.
    assert_eq!(ids(log.check().await), ["first", "many-46"]);
}

#[tokio::test]
async fn an_index_that_has_lost_a_saga_is_found() {
    for index in ["saga_awake", "saga_waiting", "sqlite_autoindex_saga_1"] {
        let fixture = Fixture::new();
        let log = fixture.open();
        three_sagas(&log).await;
        assert_eq!(append(&log, Append { wake: Wake::At(9), ..begun("waits", 1) }).await, Ok(()));
        drop(log);
        // The index as it would be without the rows of two sagas.
        let lost = "UPDATE sqlite_schema SET sql = replace(sql, 'WHERE ', 'WHERE number NOT IN (2, 4) AND ')";
        let (without, with) = match index {
            "sqlite_autoindex_saga_1" => ("UPDATE saga SET id = id || '!' WHERE number IN (2, 4)", ""),
            _ => ("", lost),
        };
        let plain = fixture.plain();
        let before: String = plain
            .query_row("SELECT coalesce(sql, '') FROM sqlite_schema WHERE name = ?1", [index], |row| {
                row.get(0)
            })
            .expect("it is there");
        if with.is_empty() {
            plain.execute_batch(without).expect("SQLite does it");
        } else {
            plain
                .execute_batch(&format!(
                    "PRAGMA writable_schema = ON; {with} WHERE name = '{index}'; PRAGMA writable_schema = RESET; \
                     REINDEX {index}; PRAGMA writable_schema = ON;"
                ))
                .expect("SQLite does it");
            plain
                .execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = ?2", (before, index))
                .expect("SQLite does it");
        }
        drop(plain);
        let log = fixture.open();
        let damaged = log.check().await.expect("an answer");
        assert!(!damaged.is_empty(), "{index}");
    }
}

#[tokio::test]
async fn no_flipped_bit_changes_a_history_unnoticed() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let names: Vec<String> = (0..60).map(|number| format!("trip-{number}")).collect();
    let mut originals = Vec::new();
    for name in &names {
        let records = vec![flight(1), flight(2), flight(3)];
        assert_eq!(
            log.append(vec![begun(name, 1), next(name, 1, records, Status::Running)]).await,
            [Ok(()), Ok(())]
        );
        originals.push(history(&log, name).await);
    }
    drop(log);
    let sound = fs::read(fixture.path()).expect("the file");
    let mut random = fastrand::Rng::with_seed(7);
    let mut found = 0;
    for _ in 0..200 {
        let mut bytes = sound.clone();
        let place = random.usize(..bytes.len());
        bytes[place] ^= 1 << random.u8(..8);
        fs::write(fixture.path(), bytes).expect("the file");
        let Ok(log) = fixture.try_open() else {
            found += 1;
            continue;
        };
        let mut trouble = false;
        for original in &originals {
            match log.history(&original.saga).await {
                Ok(Some(history)) => assert_eq!(&history, original, "byte {place}"),
                _ => trouble = true,
            }
        }
        match all_unfinished(&log, 7).await {
            Ok(sagas) => {
                trouble |= sagas.len() != originals.len();
                for saga in sagas {
                    match saga {
                        Ok(history) => assert!(originals.contains(&history), "byte {place}"),
                        Err(_) => trouble = true,
                    }
                }
            }
            Err(_) => trouble = true,
        }
        found += u32::from(trouble);
    }
    assert!(found > 50, "most bits matter, and only {found} of 200 were found");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let fixture = Fixture::new();
    drop(fixture.open());
    fixture.plain().pragma_update(None, "user_version", 7).expect("SQLite does it");
    assert_eq!(fixture.refusal(), OpenErrorReason::NewerSchema { found: 7, known: schema::VERSION });
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    for content in ["hello", &"This is not a database. ".repeat(1000)] {
        let fixture = Fixture::new();
        fs::write(fixture.path(), content).expect("a file");
        assert_eq!(fixture.refusal(), OpenErrorReason::NotADatabase);
        assert_eq!(fs::read_to_string(fixture.path()).expect("a file"), content);
        assert_eq!(
            fs::read_dir(fixture.folder.path()).expect("a folder").count(),
            1,
            "nothing lies beside it"
        );
    }
}

#[test]
fn the_database_of_another_program_is_refused_and_left_alone() {
    let fixture = Fixture::new();
    fixture.plain().execute_batch("CREATE TABLE customer (name)").expect("SQLite does it");
    let before = fs::read(fixture.path()).expect("a file");
    assert_eq!(fixture.refusal(), OpenErrorReason::Foreign { application_id: 0 });
    fixture.plain().execute_batch("DROP TABLE customer; PRAGMA application_id = 5").expect("SQLite does it");
    assert_eq!(fixture.refusal(), OpenErrorReason::Foreign { application_id: 5 });
    fs::write(fixture.path(), before).expect("a file");
    assert_eq!(fs::read_dir(fixture.folder.path()).expect("a folder").count(), 1, "nothing lies beside it");
}

#[test]
fn altered_tables_are_found_at_the_start() {
    let fixture = Fixture::new();
    drop(fixture.open());
    fixture
        .plain()
        .execute_batch("DROP VIEW story; ALTER TABLE journal RENAME TO diary")
        .expect("SQLite does it");
    let reason = fixture.refusal().to_string();
    assert!(reason.contains("no such table: journal"), "{reason}");
}

#[test]
fn a_path_that_cannot_be_a_log_is_refused() {
    let fixture = Fixture::new();
    let reason = |path: &Path| SqliteLog::open(path).expect_err("it must not open").reason;
    let folder = fixture.folder.path().join("nowhere");
    assert_eq!(reason(&folder.join("trips.db")), OpenErrorReason::NoFolder { folder });
    assert_eq!(reason(fixture.folder.path()), OpenErrorReason::IsFolder);
    assert_eq!(reason(Path::new("/")), OpenErrorReason::IsFolder);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nothing", fixture.path()).expect("a link");
        assert_eq!(fixture.refusal(), OpenErrorReason::DanglingLink);
    }
    // Root may do everything, so the system's refusal itself is played here.
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let text = OpenError::from_io(&fixture.path(), &fixture.path(), &denied).to_string();
    assert!(text.contains("trips.db cannot be opened: this user may not read and write"), "{text}");
}

#[test]
fn a_fresh_file_that_a_crash_left_empty_becomes_a_log() {
    let fixture = Fixture::new();
    fs::write(fixture.path(), "").expect("a file");
    drop(fixture.open());
    let fixture = Fixture::new();
    fixture.plain().execute_batch("PRAGMA journal_mode = WAL").expect("SQLite does it");
    drop(fixture.open());
}

#[test]
fn a_second_opener_is_refused() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let lock = fixture.folder.path().join("trips.db.lock").canonicalize().expect("a lock file");
    let in_use = OpenErrorReason::InUse { lock, holder: Some(std::process::id()) };
    assert_eq!(fixture.refusal(), in_use);
    assert!(in_use.to_string().starts_with("this process itself has it open"), "{in_use}");
    #[cfg(unix)]
    {
        let link = fixture.folder.path().join("link.db");
        std::os::unix::fs::symlink("trips.db", &link).expect("a link");
        assert_eq!(SqliteLog::open(link).expect_err("it is the same file").reason, in_use);
    }
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "log::sqlite::tests::the_child_of_a_second_opener_is_refused"])
        .env(CHILD, fixture.path())
        .output()
        .expect("a process");
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
    drop(log);
    drop(fixture.open());
}

/// The other process of `a_second_opener_is_refused`, which sets the variable; alone it has nothing to open.
#[test]
fn the_child_of_a_second_opener_is_refused() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let text = SqliteLog::open(path).expect_err("it must not open").to_string();
    assert!(text.contains("another process (number "), "{text}");
    assert!(text.contains("trips.db"), "{text}");
}

#[tokio::test]
async fn a_closed_log_answers_so() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    log.close();
    log.close();
    assert!(
        unavailable(append(&log, step("trip", 1)).await).contains("trips.db is unavailable: it is closed")
    );
    assert!(matches!(log.history(&id("trip")).await, Err(HistoryError::Unavailable(_))));
    assert!(log.unfinished(Wake::Never, None, 1).await.is_err());
    assert!(log.next_wake(0).await.is_err() && log.waiting(0).await.is_err());
    let again = fixture.open();
    assert_eq!(history(&again, "trip").await.records.len(), 1, "its file is free");
}

#[tokio::test]
async fn what_was_handed_over_is_written_before_it_closes() {
    let fixture = Fixture::new();
    let log = fixture.open();
    for number in 0..500 {
        let (answer, _) = oneshot::channel();
        let batch = vec![begun(&format!("trip-{number}"), 1)];
        log.writer.sender.send(Request::Append { batch, answer }).expect("the writer lives");
    }
    drop(log);
    assert_eq!(all_unfinished(&fixture.open(), 1000).await.expect("a page").len(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_share_one_commit() {
    let fixture = Fixture::new();
    let log = Arc::new(fixture.open());
    let tasks: Vec<_> = (0..128)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let name = format!("trip-{number}");
                assert_eq!(append(&*log, begun(&name, 1)).await, Ok(()));
                for seq in 1..20 {
                    assert_eq!(append(&*log, step(&name, seq)).await, Ok(()));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let commits = fixture.faults.commits();
    assert!(commits < 128 * 20 / 4, "2560 appends took {commits} commits");
}

#[tokio::test]
async fn a_commit_that_did_not_happen_is_made_again() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    fixture.faults.fail_before_commit(1);
    let batch = vec![step("trip", 1), step("trip", 7), begun("other", 1), step("trip", 2)];
    let answers = log.append(batch).await;
    assert!(answers[0].is_ok() && answers[2].is_ok() && answers[3].is_ok(), "{answers:?}");
    assert_eq!(answers[1], Err(AppendError::Conflict { saga: id("trip"), expected: 7, found: 2 }));
    assert_eq!(history(&log, "trip").await.records[1..], [flight(1), flight(2)]);
}

#[tokio::test]
async fn a_commit_that_happened_and_was_reported_as_failed_is_not_made_twice() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    fixture.faults.fail_after_commit(1);
    let end = next("trip", 2, vec![flight(2)], Status::Completed);
    let answers = log.append(vec![step("trip", 1), begun("other", 1), begun("other", 2), end]).await;
    assert!(answers[0].is_ok() && answers[1].is_ok() && answers[3].is_ok(), "{answers:?}");
    assert!(matches!(answers[2], Err(AppendError::Exists(_))), "{answers:?}");
    let found = history(&log, "trip").await;
    assert_eq!(found.records[1..], [flight(1), flight(2)]);
    assert_eq!(found.status, Status::Completed);
    assert_eq!(all_unfinished(&log, 10).await.expect("a page").len(), 1);
}

#[tokio::test]
async fn a_storage_that_keeps_failing_is_reported_and_tried_again() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    for fail in [Faults::fail_before_commit, Faults::fail_after_commit] {
        let seq = history(&log, "trip").await.records.len() as u64;
        fail(&fixture.faults, 2);
        let text = unavailable(append(&log, step("trip", seq)).await);
        assert!(text.contains("trips.db is unavailable: the storage reports an error"), "{text}");
        fixture.faults.fail_open(1);
        let text = unavailable(append(&log, step("trip", seq)).await);
        assert!(text.contains("can no longer be opened"), "{text}");
        assert_eq!(append(&log, step("trip", seq)).await, Ok(()), "it goes on by itself");
        assert_eq!(history(&log, "trip").await.records.len() as u64, seq + 1);
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_writing_goes_on_when_there_is_room() {
    let fixture = Fixture::new();
    let log = fixture.open();
    fixture.faults.set_pages_max(40);
    let mut acknowledged = Vec::new();
    let mut full = None;
    for number in 0..100 {
        let name = format!("trip-{number}");
        let mut begin = begun(&name, 1);
        begin.records.push(record(1, "flight", "done", &"x".repeat(3000)));
        match append(&log, begin).await {
            Ok(()) => acknowledged.push(name),
            Err(AppendError::Unavailable(error)) => {
                full = Some(error.to_string());
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    let full = full.expect("the disk is full at last");
    assert!(full.contains("trips.db is unavailable: the disk is full; free some space"), "{full}");
    assert!(acknowledged.len() > 3);
    for name in &acknowledged {
        assert_eq!(history(&log, name).await.records.len(), 2, "reading goes on");
    }
    assert!(
        unavailable(
            append(&log, {
                let mut begin = begun("more", 1);
                begin.records.push(record(1, "flight", "done", &"x".repeat(30_000)));
                begin
            })
            .await
        )
        .contains("the disk is full")
    );
    fixture.faults.set_pages_max(10_000);
    assert_eq!(append(&log, begun("more", 1)).await, Ok(()), "it goes on by itself");
    drop(log);
    let log = fixture.open();
    for name in &acknowledged {
        assert_eq!(history(&log, name).await.records.len(), 2, "what was acknowledged is there");
    }
    assert_eq!(all_unfinished(&log, 7).await.expect("a page").len(), acknowledged.len() + 1);
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_was_moved_away() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, begun("trip", 1)).await, Ok(()));
    let away = fixture.folder.path().join("away.db");
    fs::rename(fixture.path(), &away).expect("it moves");
    let text = unavailable(append(&log, step("trip", 1)).await);
    assert!(text.contains("moved, deleted or replaced"), "{text}");
    fs::rename(&away, fixture.path()).expect("it moves");
    assert_eq!(append(&log, step("trip", 1)).await, Ok(()));
}

#[tokio::test]
async fn the_write_ahead_log_does_not_grow_without_end() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let wal = fixture.folder.path().join("trips.db-wal");
    let size = || fs::metadata(&wal).expect("the file").len();
    let data = "x".repeat(1 << 20);
    let grow = |number: u32| {
        let mut begin = begun(&format!("trip-{number}"), 1);
        begin.records.push(record(1, "flight", "done", &data));
        append(&log, begin)
    };
    for number in 0..40 {
        assert_eq!(grow(number).await, Ok(()));
    }
    assert!(size() < 12 << 20, "40 MiB were written, and {} bytes wait", size());

    let plain = fixture.plain();
    plain.execute_batch("BEGIN; SELECT count(*) FROM saga").expect("a transaction");
    for number in 40..120 {
        assert_eq!(grow(number).await, Ok(()), "a reader that does not end hinders nobody");
    }
    assert!(size() > 70 << 20, "what it may still read is kept");
    plain.execute_batch("COMMIT").expect("its end");
    for number in 120..130 {
        assert_eq!(grow(number).await, Ok(()));
    }
    assert!(size() <= 64 << 20, "{} bytes wait", size());
}

#[test]
fn what_the_writer_remembers_is_bounded() {
    let mut heads = heads::Heads::default();
    let chain = checksum::Chain::seed("", "", "", 0);
    let head = |number| load::Head { number, records: 1, chain, wake_at_ms: None, may_hold_locks: false };
    for number in 0..200_000 {
        heads.insert(&id(&format!("trip-{number}")), head(number));
        // One that is used all the time stays.
        let often = heads.get(&id("trip-0")).expect("it stays");
        heads.insert(&id("trip-0"), often);
    }
    let known = (0..200_000).filter(|number| heads.get(&id(&format!("trip-{number}"))).is_some()).count();
    assert!((65_536..=131_072).contains(&known), "{known}");
    heads.remove(&id("trip-0"));
    assert_eq!(heads.get(&id("trip-0")), None);
}

#[test]
fn the_list_of_the_unfinished_is_read_from_its_index_alone() {
    let fixture = Fixture::new();
    let _log = fixture.open();
    let plain = fixture.plain();
    let plans = [
        (load::AWAKE, "SEARCH saga USING COVERING INDEX saga_awake (number>?)"),
        (load::WAITING_UNTIL, "SEARCH saga USING COVERING INDEX saga_waiting (wake_at_ms=? AND rowid>?)"),
        (
            load::WAITING_BEHIND,
            "SEARCH saga USING COVERING INDEX saga_waiting (wake_at_ms>? AND wake_at_ms<?)",
        ),
        (load::NEXT_WAKE, "SEARCH saga USING COVERING INDEX saga_waiting (wake_at_ms>? AND wake_at_ms<?)"),
        (load::COUNT_WAITING, "SEARCH saga USING COVERING INDEX saga_waiting (wake_at_ms>?)"),
    ];
    for (sql, expected) in plans {
        let mut statement = plain.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let steps =
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        assert_eq!(steps.expect("a plan"), [expected], "no step to sort, and none that reads the table");
    }
}

#[test]
fn what_was_written_last_is_found_by_its_place_however_much_lies_before_it() {
    let fixture = Fixture::new();
    let _log = fixture.open();
    let plain = fixture.plain();
    let plans = [
        (check::NUMBERS_IN_JOURNAL, "SEARCH journal USING INTEGER PRIMARY KEY (rowid>?)"),
        (check::NUMBERS_OF_SAGAS, "SCAN saga"),
        (check::IS_AWAKE, "SEARCH saga USING COVERING INDEX saga_awake (number=?)"),
        (check::IS_WAITING, "SEARCH saga USING COVERING INDEX saga_waiting (wake_at_ms=? AND rowid=?)"),
        (
            writer::IS_NUMBER_TAKEN_BEHIND,
            "SEARCH journal USING COVERING INDEX sqlite_autoindex_journal_1 (saga>? AND saga<?)",
        ),
    ];
    for (sql, expected) in plans {
        let mut statement = plain.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let steps =
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        let steps = steps.expect("a plan");
        assert!(steps.iter().any(|step| step == expected), "{sql}: {steps:?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER")), "{sql}: {steps:?}");
    }
}

#[test]
fn every_version_has_its_migration() {
    assert_eq!(i64::try_from(schema::MIGRATIONS.len()), Ok(schema::VERSION));
}
