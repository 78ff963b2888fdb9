//! Semantic locks in a file: restarts, older files, damage.

use std::collections::BTreeSet;

use super::super::locks as statements;
use super::*;
use crate::log::conformance::locks;
use crate::log::{DamagedLock, HeldLock};

fn takes(name: &str, keys: &[&str]) -> Append {
    Append { locks: locks(keys, name), ..begun(name, 1) }
}

fn end(name: &str, seq: u64) -> Append {
    next(name, seq, vec![flight(seq)], Status::Completed)
}

fn locked(saga: &str, key: &str, holder: &str) -> Result<(), AppendError> {
    Err(AppendError::Locked { saga: id(saga), key: key.into(), holder: id(holder) })
}

async fn listed(log: &SqliteLog) -> Vec<Result<HeldLock, DamagedLock>> {
    let page = log.locks(None, 1000).await.expect("a page");
    assert_eq!(page.next, None);
    page.locks
}

fn rows(plain: &Connection) -> i64 {
    plain.query_row("SELECT count(*) FROM lock", (), |row| row.get(0)).expect("a count")
}

#[tokio::test]
async fn locks_are_held_across_restarts_until_their_saga_ends() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, takes("trip", &["seat", "room"])).await, Ok(()));
    assert_eq!(append(&log, begun("other", 1)).await, Ok(()));
    let wants = || Append { locks: locks(&["seat"], "other"), ..step("other", 1) };
    let before = listed(&log).await;
    drop(log);
    let log = fixture.open();
    assert_eq!(listed(&log).await, before);
    assert_eq!(append(&log, wants()).await, locked("other", "seat", "trip"));
    assert_eq!(append(&log, takes("trip", &["seat", "room"])).await, Ok(()), "a retry across the restart");
    drop(log);
    let log = fixture.open();
    assert_eq!(log.append(vec![end("trip", 1), wants()]).await, [Ok(()), Ok(())]);
    assert_eq!(rows(&fixture.plain()), 1);
    drop(log);
    let log = fixture.open();
    let held = HeldLock { key: "seat".into(), holder: id("other"), root: id("other") };
    assert_eq!(listed(&log).await, [Ok(held)]);
}

#[tokio::test]
async fn a_person_can_see_who_holds_what() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, takes("trip", &["seat"])).await, Ok(()));
    let read = "SELECT key || ' ' || holder || ' ' || root FROM held_lock";
    let seen: String = fixture.plain().query_row(read, (), |row| row.get(0)).expect("a row");
    assert_eq!(seen, "seat trip trip");
}

#[tokio::test]
async fn a_commit_that_fails_takes_and_gives_locks_with_its_records() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, takes("first", &["seat"])).await, Ok(()));
    for fail in [Faults::fail_before_commit, Faults::fail_after_commit] {
        fail(&fixture.faults, 1);
        let answers = log.append(vec![takes("second", &["seat"]), takes("third", &["room"])]).await;
        assert_eq!(answers, [locked("second", "seat", "first"), Ok(())], "as if it had been made once");
    }
    fixture.faults.fail_before_commit(2);
    unavailable(append(&log, end("first", 1)).await);
    assert_eq!(append(&log, takes("second", &["seat"])).await, locked("second", "seat", "first"));
    fixture.faults.fail_after_commit(1);
    assert_eq!(log.append(vec![end("first", 1), takes("second", &["seat"])]).await, [Ok(()), Ok(())]);
    assert_eq!(listed(&log).await.len(), 2);
}

/// Changes the lock `seat` of saga `trip` (number 2), and looks at all others too. `goes_with_holder`: whether the row is
/// still its own, so that its end mends all.
async fn damage(sql: &str, cause: &str, goes_with_holder: bool) {
    let fixture = Fixture::new();
    let log = fixture.open();
    for (name, key) in [("first", "room"), ("trip", "seat"), ("last", "car")] {
        assert_eq!(append(&log, takes(name, &[key])).await, Ok(()));
    }
    drop(log);
    fixture.plain().execute_batch(sql).expect("SQLite does it");

    let log = fixture.open();
    assert_eq!(all_unfinished(&log, 10).await.expect("a page").len(), 3, "{sql}: no saga is hidden");
    let wants = |key| Append { locks: locks(&[key], "new"), ..begun("new", 2) };
    match append(&log, wants("seat")).await {
        Err(AppendError::LockDamaged { saga, lock }) => {
            assert_eq!((saga, lock.key.as_str()), (id("new"), "seat"));
            assert!(lock.cause.contains(cause), "{sql}: {lock} must say {cause}");
            let shown = listed(&log).await.into_iter().filter_map(Result::err).collect::<Vec<_>>();
            assert_eq!(shown, [lock], "{sql}");
        }
        other => panic!("{sql}: nobody is given the lock: {other:?}"),
    }
    assert_eq!(append(&log, wants("room")).await, locked("new", "room", "first"), "{sql}");
    assert_eq!(append(&log, end("last", 1)).await, Ok(()), "{sql}");
    assert_eq!(append(&log, wants("car")).await, Ok(()), "{sql}: the others are as they were");
    if goes_with_holder {
        assert_eq!(append(&log, end("trip", 1)).await, Ok(()), "{sql}: the holder can end");
        let after = Append { locks: locks(&["seat"], "after"), ..begun("after", 3) };
        assert_eq!(append(&log, after).await, Ok(()), "{sql}: and then it means nothing any more");
    }
}

#[tokio::test]
async fn a_changed_row_is_damage_of_its_lock_alone() {
    let lax = "PRAGMA writable_schema = ON;
               UPDATE sqlite_schema SET sql = replace(sql, ') STRICT, WITHOUT ROWID', ') WITHOUT ROWID');
               PRAGMA writable_schema = RESET;";
    let other_number =
        "INSERT INTO saga SELECT 4, 'x', definition, fingerprint, status, begun_at_ms, records, checksum,
                            wake_at_ms FROM saga WHERE number = 1;
                        DELETE FROM saga WHERE number = 2";
    let cases = [
        ("UPDATE lock SET root = 'tr1p' WHERE saga = 2", "the checksum", true),
        ("UPDATE lock SET root = 'not a root' WHERE saga = 2", "the checksum", true),
        ("UPDATE lock SET root = CAST(x'ff' AS TEXT) WHERE saga = 2", "a value of a wrong type", true),
        ("UPDATE lock SET checksum = checksum + 1 WHERE saga = 2", "the checksum", true),
        ("UPDATE lock SET saga = 1 WHERE saga = 2", "the checksum", false),
        (other_number, "has no number 2", false),
        ("UPDATE saga SET id = 'no id' WHERE number = 2", "its holder is damaged", false),
    ];
    for (sql, cause, goes_with_holder) in cases {
        damage(sql, cause, goes_with_holder).await;
    }
    for (sql, cause) in [
        ("UPDATE lock SET root = x'00' WHERE saga = 2", "a value of a wrong type"),
        ("UPDATE lock SET checksum = 'x' WHERE saga = 2", "the checksum"),
    ] {
        damage(&format!("{lax} {sql}"), cause, true).await;
    }
}

/// They are not there, unless damage has kept them: they hold nobody up.
#[tokio::test]
async fn a_row_of_an_ended_saga_means_nothing() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert_eq!(append(&log, takes("trip", &["seat"])).await, Ok(()));
    let plain = fixture.plain();
    plain.execute_batch("CREATE TABLE kept AS SELECT * FROM lock").expect("SQLite does it");
    assert_eq!(append(&log, end("trip", 1)).await, Ok(()));
    plain.execute_batch("INSERT INTO lock SELECT * FROM kept").expect("SQLite does it");
    assert_eq!(listed(&log).await, []);
    assert_eq!(append(&log, takes("other", &["seat"])).await, Ok(()));
    assert_eq!(append(&log, takes("third", &["seat"])).await, locked("third", "seat", "other"));
}

#[tokio::test]
async fn no_flipped_bit_gives_a_lock_to_two_roots() {
    let fixture = Fixture::new();
    let log = fixture.open();
    let key = |number: usize| format!("seat/{number:03}");
    let name = |number: usize| format!("trip-{number:03}");
    for number in 0..12 {
        assert_eq!(append(&log, takes(&name(number), &[&key(number)])).await, Ok(()));
    }
    drop(log);
    let sound = fs::read(fixture.path()).expect("the file");
    // Where keys stand is the content of the pages in question; their heads come before it.
    let mut places: Vec<usize> =
        sound.windows(5).enumerate().filter(|(_, found)| *found == b"seat/").map(|(at, _)| at).collect();
    assert!(places.len() >= 24, "each key stands in two trees");
    let pages: BTreeSet<usize> = places.iter().map(|place| place / 4096 * 4096).collect();
    places.extend(pages);
    let mut random = fastrand::Rng::with_seed(11);
    let mut noticed = 0;
    for _ in 0..100 {
        let mut bytes = sound.clone();
        let place = places[random.usize(..places.len())];
        let place = (place + random.usize(..40)).min(place / 4096 * 4096 + 4095);
        bytes[place] ^= 1 << random.u8(..8);
        fs::write(fixture.path(), bytes).expect("the file");
        let Ok(log) = fixture.try_open() else { continue };
        let _ = log.locks(None, 7).await;
        for number in 0..12 {
            let wants = Append { locks: locks(&[&key(number)], "new"), ..begun("new", 2) };
            let mut answers = log.append(vec![wants, step(&name(number), 1)]).await;
            assert_eq!(answers.pop(), Some(Ok(())), "byte {place}: it hinders no other one");
            match answers.remove(0) {
                Err(AppendError::Locked { holder, .. }) => {
                    assert_eq!(holder, id(&name(number)), "byte {place}");
                }
                Err(AppendError::LockDamaged { .. }) => noticed += 1,
                other => panic!("byte {place}: nobody is given the lock: {other:?}"),
            }
        }
        for number in 0..12 {
            assert_eq!(append(&log, end(&name(number), 2)).await, Ok(()), "byte {place}: its holder can end");
        }
    }
    assert!(noticed > 20, "flipped bits matter, and only {noticed} were noticed");
}

#[test]
fn a_lock_is_found_by_its_key_in_two_trees_and_let_go_by_its_saga() {
    let fixture = Fixture::new();
    let _log = fixture.open();
    let plain = fixture.plain();
    let join = "SEARCH saga USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN";
    let plans: [(&str, &[&str]); 4] = [
        (statements::LOCK_BY_KEY, &["SEARCH lock USING PRIMARY KEY (key=?)", join]),
        (statements::LOCK_BY_KEY_AGAIN, &["SEARCH lock USING COVERING INDEX lock_again (key=?)", join]),
        (statements::LOCKS_BEHIND, &["SEARCH lock USING PRIMARY KEY ((key,saga)>(?,?))", join]),
        (statements::DELETE_LOCKS, &["SEARCH lock USING INDEX lock_of_saga (saga=?)"]),
    ];
    for (sql, expected) in plans {
        let mut statement = plain.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let steps =
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        assert_eq!(steps.expect("a plan"), expected, "{sql}");
    }
}
