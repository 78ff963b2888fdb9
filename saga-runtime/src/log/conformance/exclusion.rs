//! Locks.

use super::kit::{append, begun, end, held, history, id, locked, locks, next, record, step};
use crate::log::{
    Append, AppendError, LOCK_KEY_BYTES_MAX, LOCKS_MAX, LockCursor, Locks, SagaLog, Status, Wake,
};

/// Whoever comes second is told who was first, with whatever append it takes them, and whatever the first one does but
/// end.
pub async fn a_lock_excludes_other_roots(log: &impl SagaLog) {
    let first = Append { locks: locks(&["seat"], "first"), ..begun("first", 1) };
    assert_eq!(append(log, first).await, Ok(()));
    assert_eq!(append(log, begun("second", 2)).await, Ok(()));
    let wants = |locks| Append { locks, ..step("second", 1) };
    assert_eq!(append(log, wants(locks(&["seat"], "second"))).await, locked("second", "seat", "first"));
    let third = || Append { locks: locks(&["seat"], "third"), ..begun("third", 3) };
    assert_eq!(append(log, third()).await, locked("third", "seat", "first"));
    assert_eq!(log.history(&id("third")).await, Ok(None), "it is not begun");
    for wake in [Wake::Never, Wake::At(9), Wake::Now] {
        let seq = history(log, "first").await.records.len() as u64;
        assert_eq!(append(log, Append { wake, ..step("first", seq) }).await, Ok(()));
        assert_eq!(append(log, third()).await, locked("third", "seat", "first"), "it is kept while it waits");
    }
    for other in ["Seat", "seat ", "sea", "seat\u{0}", "t"] {
        let seq = history(log, "second").await.records.len() as u64;
        let other = Append { locks: locks(&[other], "second"), ..step("second", seq) };
        assert_eq!(append(log, other).await, Ok(()), "another key is another lock");
    }
}

/// The first key in their order is told, whatever the order in which they are asked for.
pub async fn locks_are_taken_all_or_none(log: &impl SagaLog) {
    let holder = Append { locks: locks(&["d", "b"], "holder"), ..begun("holder", 1) };
    assert_eq!(append(log, holder).await, Ok(()));
    let wants = || Append { locks: locks(&["e", "d", "a", "b", "c"], "wants"), ..begun("wants", 2) };
    assert_eq!(append(log, wants()).await, locked("wants", "b", "holder"));
    assert_eq!(held(log, 10).await, ["b holder holder", "d holder holder"]);
    assert_eq!(append(log, end("holder", 1, Status::Completed)).await, Ok(()));
    assert_eq!(append(log, wants()).await, Ok(()));
    let all = ["a", "b", "c", "d", "e"].map(|key| format!("{key} wants wants"));
    assert_eq!(held(log, 10).await, all);
    // The most that an append takes, one of them twice.
    let long = "ü".repeat(LOCK_KEY_BYTES_MAX / 2);
    let mut keys: Vec<String> = (2..LOCKS_MAX).map(|number| format!("k{number:09}")).collect();
    keys.extend([long.clone(), long]);
    let many = Append { locks: Some(Locks { keys, root: id("many") }), ..begun("many", 3) };
    assert_eq!(append(log, many).await, Ok(()));
    assert_eq!(held(log, 400).await.len(), 5 + LOCKS_MAX - 1, "what is named twice is one lock");
}

/// A saga that takes again what it has, and one that it has called. Each holds it until it ends itself.
pub async fn sagas_of_one_root_share_their_locks(log: &impl SagaLog) {
    let parent = Append { locks: locks(&["b", "a", "b"], "parent"), ..begun("parent", 1) };
    assert_eq!(append(log, parent).await, Ok(()));
    let again = Append { locks: locks(&["c", "b"], "parent"), ..step("parent", 1) };
    assert_eq!(append(log, again).await, Ok(()));
    let child = Append { locks: locks(&["b", "d"], "parent"), ..begun("child", 2) };
    assert_eq!(append(log, child).await, Ok(()));
    let family =
        ["a parent parent", "b parent parent", "b child parent", "c parent parent", "d child parent"];
    assert_eq!(held(log, 10).await, family);

    let other = |key| Append { locks: locks(&[key], "other"), ..begun("other", 3) };
    assert_eq!(append(log, other("b")).await, locked("other", "b", "parent"), "the one that was begun first");
    assert_eq!(append(log, end("parent", 2, Status::Completed)).await, Ok(()));
    assert_eq!(held(log, 10).await, ["b child parent", "d child parent"]);
    assert_eq!(append(log, other("b")).await, locked("other", "b", "child"));
    let grandchild = Append { locks: locks(&["d"], "parent"), ..begun("grandchild", 4) };
    assert_eq!(append(log, grandchild).await, Ok(()), "its root has ended, and is its root");
    assert_eq!(append(log, end("child", 1, Status::Compensated)).await, Ok(()));
    assert_eq!(append(log, other("d")).await, locked("other", "d", "grandchild"));
    assert_eq!(append(log, other("b")).await, Ok(()));
}

/// Each way to end, and the append that begins, locks and ends.
pub async fn an_end_lets_go_of_all_locks(log: &impl SagaLog) {
    for status in [Status::Completed, Status::Compensated, Status::Closed] {
        let name = status.as_str();
        let waits = format!("{name}-waits");
        let takes = Append { locks: locks(&["x", "y"], name), ..begun(name, 1) };
        assert_eq!(append(log, takes).await, Ok(()));
        let more = Append { locks: locks(&["z"], name), ..step(name, 1) };
        assert_eq!(append(log, more).await, Ok(()));
        let waiting = || Append { locks: locks(&["z", "y"], &waits), ..begun(&waits, 2) };
        assert_eq!(append(log, waiting()).await, locked(&waits, "y", name));
        let last = Append { locks: locks(&["w"], name), ..end(name, 2, status) };
        assert_eq!(append(log, last).await, Ok(()), "the last append may name some, and lets go of them");
        assert_eq!(held(log, 10).await, Vec::<String>::new());
        assert_eq!(append(log, waiting()).await, Ok(()));
        let short = format!("{name}-short");
        let short = |key| Append { status, locks: locks(&[key], &short), ..begun(&short, 3) };
        assert_eq!(
            append(log, short("y")).await,
            locked(&format!("{name}-short"), "y", &waits),
            "one that ends at once needs them all the same"
        );
        assert_eq!(append(log, short("x")).await, Ok(()));
        assert_eq!(held(log, 10).await, [format!("y {waits} {waits}"), format!("z {waits} {waits}")]);
        assert_eq!(append(log, end(&waits, 1, Status::Completed)).await, Ok(()));
        assert_eq!(held(log, 10).await, Vec::<String>::new());
    }
}

/// What an append takes is taken for the next one, and what it lets go is free.
pub async fn the_appends_of_a_batch_take_locks_in_their_order(log: &impl SagaLog) {
    let takes = |name: &str| Append { locks: locks(&["seat"], name), ..begun(name, 1) };
    let answers = log
        .append(vec![
            takes("a"),
            takes("b"),
            begun("c", 1),
            Append { locks: locks(&["seat"], "c"), ..step("c", 1) },
            end("a", 1, Status::Completed),
            Append { locks: locks(&["seat"], "c"), ..step("c", 1) },
            takes("d"),
            end("c", 2, Status::Compensated),
            takes("b"),
        ])
        .await;
    let expected = [
        Ok(()),
        locked("b", "seat", "a"),
        Ok(()),
        locked("c", "seat", "a"),
        Ok(()),
        Ok(()),
        locked("d", "seat", "c"),
        Ok(()),
        Ok(()),
    ];
    assert_eq!(answers, expected);
    assert_eq!(held(log, 10).await, ["seat b b"]);
    assert_eq!(history(log, "c").await.records.len(), 3);
    assert_eq!(log.history(&id("d")).await, Ok(None));
}

/// An append whose answer was lost is made again, while the saga holds its locks and after it has ended.
pub async fn what_stands_already_takes_no_lock(log: &impl SagaLog) {
    let takes = Append { locks: locks(&["x"], "trip"), ..begun("trip", 1) };
    let more = Append { locks: locks(&["y", "x"], "trip"), ..step("trip", 1) };
    for append_now in [&takes, &takes, &more, &more] {
        assert_eq!(append(log, append_now.clone()).await, Ok(()));
    }
    assert_eq!(held(log, 10).await, ["x trip trip", "y trip trip"]);
    let other = Append { locks: locks(&["z"], "trip"), ..more.clone() };
    assert_eq!(append(log, other).await, Ok(()), "the records count");
    assert_eq!(held(log, 10).await, ["x trip trip", "y trip trip"], "and change nothing");

    let longer = next(
        "trip",
        1,
        vec![record(1, "flight", "done", "1"), record(2, "car", "done", "1")],
        Status::Running,
    );
    let longer = Append { locks: locks(&["z", "y"], "trip"), ..longer };
    assert_eq!(append(log, longer).await, Ok(()), "the missing part is added, with its locks");
    assert_eq!(held(log, 10).await, ["x trip trip", "y trip trip", "z trip trip"]);

    let last = end("trip", 3, Status::Completed);
    assert_eq!(append(log, last.clone()).await, Ok(()));
    let next = Append { locks: locks(&["x", "y"], "next"), ..begun("next", 3) };
    assert_eq!(append(log, next).await, Ok(()));
    assert_eq!(append(log, more).await, Ok(()), "it stands, though its locks are another's by now");
    assert_eq!(append(log, last).await, Ok(()), "and its end does not end what another holds");
    let exists = append(log, takes).await;
    assert!(
        matches!(exists, Err(AppendError::Exists(_))),
        "what exists is told, and not the lock: {exists:?}"
    );
    assert_eq!(held(log, 10).await, ["x next next", "y next next"]);
}

/// Whatever it is refused for.
pub async fn an_append_that_is_refused_takes_no_lock(log: &impl SagaLog) {
    let holder = Append { locks: locks(&["taken"], "holder"), ..begun("holder", 1) };
    assert_eq!(append(log, holder).await, Ok(()));
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let before = history(log, "trip").await;
    let wants = |keys: &[&str]| Append { locks: locks(keys, "trip"), ..step("trip", 1) };
    let keys =
        |count: usize| Some(Locks { keys: (0..count).map(|n| n.to_string()).collect(), root: id("trip") });
    let invalid = [
        wants(&[]),
        wants(&["free", ""]),
        wants(&["free", &"x".repeat(LOCK_KEY_BYTES_MAX + 1)]),
        Append { locks: keys(LOCKS_MAX + 1), ..step("trip", 1) },
        Append { records: Vec::new(), ..wants(&["free"]) },
    ];
    for invalid in invalid {
        let answer = append(log, invalid).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    }
    let gap = Append { first_seq: 3, ..wants(&["free"]) };
    let conflict = AppendError::Conflict { saga: id("trip"), expected: 3, found: 1 };
    assert_eq!(append(log, gap).await, Err(conflict));
    let gap = Append { first_seq: 3, ..wants(&["taken"]) };
    let conflict = AppendError::Conflict { saga: id("trip"), expected: 3, found: 1 };
    assert_eq!(append(log, gap).await, Err(conflict), "what waiting does not mend comes first");
    let unknown = Append { saga: id("nobody"), ..wants(&["free"]) };
    assert!(append(log, unknown).await.is_err());
    let other = Append { locks: locks(&["free"], "trip"), ..begun("trip", 9) };
    assert!(matches!(append(log, other).await, Err(AppendError::Exists(_))));
    let answers = log.append(vec![begun("other", 1), wants(&["free", "taken"]), step("other", 1)]).await;
    assert_eq!(answers, [Ok(()), locked("trip", "taken", "holder"), Ok(())], "it hinders no other one");
    assert_eq!(history(log, "trip").await, before);
    assert_eq!(held(log, 10).await, ["taken holder holder"]);
}

/// Pages of every size, from any place on.
pub async fn locks_are_listed_in_pages(log: &impl SagaLog) {
    let mut expected = Vec::new();
    for (number, keys) in [["b", "ä", "z"], ["c", "b", "日"], ["Z", "b", "a\u{0}"]].iter().enumerate() {
        let name = format!("trip-{number}");
        let takes = Append { locks: locks(keys, "root"), ..begun(&name, 1) };
        assert_eq!(append(log, takes).await, Ok(()));
        expected.extend(keys.map(|key| (key.to_owned(), number, format!("{key} {name} root"))));
    }
    expected.sort();
    let expected: Vec<String> = expected.into_iter().map(|(_, _, text)| text).collect();
    for limit in [0, 1, 2, 3, 8, 9, 10, 1000] {
        assert_eq!(held(log, limit).await, expected, "pages of {limit}");
    }
    let from = LockCursor { key: "b".into(), begun: u64::MAX };
    let page = log.locks(Some(from), 1000).await.unwrap_or_else(|error| panic!("{error}"));
    let keys: Vec<String> = page.locks.into_iter().flatten().map(|lock| lock.key).collect();
    assert_eq!(keys, ["c", "z", "ä", "日"], "behind the holders of one key");
    let behind = LockCursor { key: "\u{10FFFF}".into(), begun: 0 };
    let page = log.locks(Some(behind), 10).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(page.locks.is_empty() && page.next.is_none(), "nothing lies behind the end");
}
