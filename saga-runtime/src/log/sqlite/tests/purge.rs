//! Purges of a file.

use super::*;
use crate::log::conformance::{ended, purge, purge_one};
use crate::log::sqlite::purge as statements;
use crate::log::{Keep, Purge};

fn rows(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, (), |row| row.get(0)).expect("SQLite does it")
}

#[tokio::test]
async fn what_is_purged_stays_so_after_it_is_opened_again() {
    let fixture = Fixture::new();
    let log = fixture.open();
    for name in ["kept", "gone", "there"] {
        ended(&log, name, 1, 2).await;
    }
    let purges = vec![purge("kept", 2), Purge { keep: None, ..purge("gone", 2) }];
    assert_eq!(log.purge(purges).await, [Ok(()), Ok(())]);
    drop(log);
    let log = fixture.open();
    assert!(matches!(append(&log, begun("kept", 1)).await, Err(AppendError::Purged(_))));
    assert!(matches!(append(&log, begun("gone", 1)).await, Err(AppendError::Expired { .. })));
    assert_eq!(history(&log, "there").await.records.len(), 2);
    let plain = fixture.plain();
    assert_eq!(rows(&plain, "SELECT count(*) FROM journal"), 2, "no record of the others is left");
    let left = "SELECT count(*) FROM saga_purged WHERE id_hash IS NOT NULL AND coalesce(id, definition, fingerprint, status,
                ended_at_ms, records, input, outcome, checksum) IS NULL";
    assert_eq!(rows(&plain, left), 1, "of an id that has expired nothing else is known");
}

/// A purge whose commit fails leaves everything, and one whose answer is lost is made again.
#[tokio::test]
async fn a_purge_is_made_or_not_and_can_be_made_again() {
    let fixture = Fixture::new();
    let log = fixture.open();
    ended(&log, "old", 1, 2).await;
    fixture.faults.fail_before_commit(2);
    unavailable(purge_one(&log, purge("old", 2)).await);
    assert_eq!(history(&log, "old").await.records.len(), 2, "nothing is half gone");
    fixture.faults.fail_after_commit(2);
    unavailable(purge_one(&log, purge("old", 2)).await);
    assert_eq!(purge_one(&log, purge("old", 2)).await, Ok(()));
    assert!(matches!(append(&log, begun("old", 1)).await, Err(AppendError::Purged(_))));
}

#[tokio::test]
async fn what_is_freed_is_used_again() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let data = "x".repeat(10_000);
    let round = async |round: u32| {
        let names: Vec<String> = (0..200).map(|number| format!("trip-{round}-{number}")).collect();
        for name in &names {
            let end = next(name, 1, vec![record(2, "flight", "done", &data)], Status::Completed);
            assert_eq!(log.append(vec![begun(name, 1), end]).await, [Ok(()), Ok(())]);
        }
        let purges = names.iter().map(|name| Purge { keep: None, ..purge(name, 2) }).collect();
        assert!(log.purge(purges).await.iter().all(Result::is_ok));
        rows(&fixture.plain(), "SELECT page_count FROM pragma_page_count")
    };
    let first = round(0).await;
    for number in 1..6 {
        let pages = round(number).await;
        assert!(pages < first + first / 10, "{first} pages held one round, and {pages} hold this one");
    }
}

#[tokio::test]
async fn a_damaged_history_is_not_purged() {
    let fixture = Fixture::new();
    let log = fixture.open();
    ended(&log, "old", 1, 2).await;
    ended(&log, "sound", 1, 2).await;
    fixture
        .plain()
        .execute_batch("UPDATE journal SET data = '2' WHERE saga = 1 AND seq = 1")
        .expect("it writes");
    let answers = log.purge(vec![purge("old", 2), purge("sound", 2)]).await;
    assert!(matches!(answers[0], Err(AppendError::Damaged(_))), "{answers:?}");
    assert_eq!(answers[1], Ok(()));
    assert!(
        matches!(log.history(&id("old")).await, Err(HistoryError::Damaged(_))),
        "all of it is still there"
    );
    let page = log.ended(9, None, 10).await.expect("a page");
    assert!(matches!(&page.sagas[..], [Err(_)]), "{page:?}");
}

/// What is kept decides whether a saga is begun: it must not be forgotten, or be another's, unnoticed.
#[tokio::test]
async fn a_changed_outcome_is_damage_and_nobody_begins_its_id() {
    let fixture = Fixture::new();
    let log = fixture.open();
    for name in ["old", "other"] {
        ended(&log, name, 1, 2).await;
        assert_eq!(purge_one(&log, purge(name, 2)).await, Ok(()));
    }
    let plain = fixture.plain();
    let changes = [
        "id = 'older'",
        "id = 'ü'",
        "definition = 'x'",
        "fingerprint = 'x'",
        "status = 'compensated'",
        "status = 'x'",
        "ended_at_ms = 3",
        "records = 3",
        "input = 'x'",
        "outcome = 'x'",
        "outcome = NULL",
        "checksum = 0",
    ];
    for change in changes {
        plain.execute_batch("SAVEPOINT change").expect("SQLite does it");
        let sql = format!("UPDATE saga_purged SET {change} WHERE id = 'old'");
        assert_eq!(plain.execute(&sql, ()).expect("SQLite does it"), 1);
        plain.execute_batch("RELEASE change").expect("SQLite does it");
        let begun_again = append(&log, begun("old", 1)).await;
        let Err(AppendError::Damaged(damaged)) = begun_again else { panic!("{change}: {begun_again:?}") };
        assert!(damaged.cause.contains("saga_purged"), "{damaged}");
        assert!(matches!(log.history(&id("old")).await, Err(HistoryError::Damaged(_))), "{change}");
        assert!(matches!(append(&log, begun("other", 1)).await, Err(AppendError::Purged(_))));
        let back =
            "UPDATE saga_purged SET id = 'old', definition = 'BookTrip', fingerprint = '0123456789abcdef',
                    status = 'completed', ended_at_ms = 2, records = 2, input = 'the input of old',
                    outcome = '{\"output\":7}', checksum = ?1 WHERE id <> 'other'";
        plain.execute(back, [sound_checksum()]).expect("SQLite does it");
        assert!(matches!(append(&log, begun("old", 1)).await, Err(AppendError::Purged(_))));
    }
}

fn sound_checksum() -> u32 {
    let begin = begun("old", 1).begin.expect("it begins");
    let keep = Keep { input: "the input of old".into(), outcome: "{\"output\":7}".into() };
    let status = Status::Completed;
    checksum::purged_checksum(&crate::log::Purged {
        saga: id("old"),
        begin,
        status,
        ended_at_ms: 2,
        records: 2,
        keep,
    })
}

/// Two ids with one hash: neither is taken for the other while more than the hash is known.
#[tokio::test]
async fn an_id_with_the_hash_of_another_one_is_its_own() {
    let fixture = Fixture::new();
    let log = fixture.open();
    ended(&log, "old", 1, 2).await;
    ended(&log, "twin", 1, 2).await;
    assert_eq!(purge_one(&log, purge("old", 2)).await, Ok(()));
    let hash = crate::log::rules::id_hash(&id("twin")).cast_signed();
    fixture.plain().execute("UPDATE saga_purged SET id_hash = ?1", [hash]).expect("SQLite does it");
    assert_eq!(history(&log, "twin").await.records.len(), 2);
    assert!(matches!(append(&log, begun("twin", 1)).await, Err(AppendError::Exists(_))));
    assert!(matches!(purge_one(&log, purge("twin", 2)).await, Err(AppendError::Invalid { .. })));
    assert_eq!(history(&log, "twin").await.records.len(), 2, "it stays");
}

#[test]
fn what_is_purged_is_found_without_a_look_at_every_row() {
    let fixture = Fixture::new();
    let _log = fixture.open();
    let plain = fixture.plain();
    let plans = [
        (statements::PURGED, "SEARCH saga_purged USING INTEGER PRIMARY KEY (rowid=?)"),
        (statements::ROWS_BEHIND, "SEARCH saga USING INTEGER PRIMARY KEY (rowid>?)"),
        (statements::DELETE_RECORDS, "SEARCH journal USING INDEX sqlite_autoindex_journal_1 (saga=?)"),
    ];
    for (sql, expected) in plans {
        let mut statement = plain.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let steps =
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        assert_eq!(steps.expect("a plan"), [expected]);
    }
}
