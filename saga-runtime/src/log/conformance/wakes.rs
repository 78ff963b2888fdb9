//! Which sagas are unfinished, and in which order they wake.

use super::kit::{append, begun, history, ids, names, names_until, next, record};
use crate::log::{Append, Cursor, SagaLog, Status, WAKE_MS_MAX, Wake};

/// Order of begin, ended ones left out, pages of every size.
pub async fn unfinished_sagas_come_in_pages(log: &impl SagaLog) {
    let mut running = Vec::new();
    // Names that do not sort as they are begun.
    for number in (0..20).rev() {
        let name = format!("trip-{number}");
        let status = if number % 7 == 3 { Status::Completed } else { Status::Running };
        assert_eq!(append(log, Append { status, ..begun(&name, 1) }).await, Ok(()));
        if status == Status::Running {
            running.push(name);
        }
    }
    for limit in [1, 2, 7, 16, 17, 18, 1000] {
        assert_eq!(names(log, limit).await, running, "pages of {limit}");
    }
    assert_eq!(names(log, 0).await, running, "a page has at least one saga");

    let first = log.unfinished(Wake::Now, None, 5).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        first.sagas[0].as_ref().ok(),
        Some(&history(log, &running[0]).await),
        "with all of its records"
    );
    for ended in [&running[1], &running[7]] {
        let end = next(ended, 1, vec![record(2, "flight", "compensated", "1")], Status::Compensated);
        assert_eq!(append(log, end).await, Ok(()));
    }
    assert_eq!(append(log, begun("new", 3)).await, Ok(()));
    let rest = log.unfinished(Wake::Now, first.next, 1000).await.unwrap_or_else(|error| panic!("{error}"));
    let rest: Vec<String> =
        rest.sagas.into_iter().flatten().map(|history| history.saga.to_string()).collect();
    let mut expected = running.clone();
    expected.remove(7);
    expected.push("new".into());
    assert_eq!(rest, expected[5..], "what changes between two pages shifts none");
    let behind = Cursor::behind(Wake::Never);
    let behind =
        log.unfinished(Wake::Never, Some(behind), 10).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(behind.sagas.is_empty() && behind.next.is_none(), "nothing lies behind the end");
}

/// Those that have work to do first, those that time never wakes last; pages of every size, from any place on.
pub async fn sagas_come_in_the_order_in_which_they_wake(log: &impl SagaLog) {
    let begun_in_order = [
        ("noon", Wake::At(12)),
        ("signal", Wake::Never),
        ("work", Wake::Now),
        ("morning", Wake::At(8)),
        ("noon-2", Wake::At(12)),
        ("far", Wake::At(WAKE_MS_MAX)),
        ("first", Wake::At(1)),
        ("lock", Wake::Never),
        ("work-2", Wake::Now),
        ("noon-3", Wake::At(12)),
    ];
    for (name, wake) in begun_in_order {
        assert_eq!(append(log, Append { wake, ..begun(name, 1) }).await, Ok(()));
        assert_eq!(history(log, name).await.wake, wake, "it is read back");
    }
    let ended = Append { status: Status::Completed, wake: Wake::At(8), ..begun("ended", 1) };
    assert_eq!(append(log, ended).await, Ok(()));
    let mut ordered = begun_in_order;
    ordered.sort_by_key(|(_, wake)| *wake);

    let times = [0, 1, 2, 7, 8, 11, 12, 13, WAKE_MS_MAX - 1, WAKE_MS_MAX, u64::MAX].map(Wake::At);
    for until in times.into_iter().chain([Wake::Now, Wake::Never]) {
        let expected: Vec<&str> =
            ordered.iter().filter(|(_, wake)| *wake <= until).map(|(name, _)| *name).collect();
        for limit in [1, 2, 3, 4, 1000] {
            assert_eq!(names_until(log, until, limit).await, expected, "until {until:?} in pages of {limit}");
        }
        for after in times.into_iter().chain([Wake::Now, Wake::Never]) {
            let between = ordered.iter().filter(|(_, wake)| *wake > after && *wake <= until);
            let between: Vec<&str> = between.map(|(name, _)| *name).collect();
            let page = log.unfinished(until, Some(Cursor::behind(after)), 1000).await;
            let page = page.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(ids(page.sagas), between, "behind {after:?} until {until:?}");
        }
    }
    let next = async |after_ms| log.next_wake(after_ms).await;
    for (after_ms, expected) in
        [(0, Some(1)), (1, Some(8)), (7, Some(8)), (8, Some(12)), (11, Some(12)), (12, Some(WAKE_MS_MAX))]
    {
        assert_eq!(next(after_ms).await, Ok(expected), "the next after {after_ms}");
    }
    assert_eq!(next(WAKE_MS_MAX).await, Ok(None), "time does not wake what waits for something else");
    assert_eq!(next(u64::MAX).await, Ok(None));
    for (after_ms, expected) in [(0, 8), (1, 7), (8, 6), (12, 3), (WAKE_MS_MAX, 2), (u64::MAX, 2)] {
        assert_eq!(log.waiting(after_ms).await, Ok(expected), "wait longer than {after_ms}");
    }
}

/// Each append says it anew, and a repeated one does not.
pub async fn a_saga_wakes_when_its_last_append_says(log: &impl SagaLog) {
    const NOW: u64 = 100;
    let waits =
        [Wake::Now, Wake::At(50), Wake::At(150), Wake::Never, Wake::Never, Wake::At(150), Wake::At(150)];
    let waits = waits.into_iter().chain([Wake::Now, Wake::Now, Wake::At(0), Wake::At(u64::MAX), Wake::Now]);
    assert_eq!(append(log, begun("other", 1)).await, Ok(()));
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let mut seq = 1;
    for wake in waits.clone() {
        let flight = next("trip", seq, vec![record(seq, "flight", "done", "1")], Status::Running);
        assert_eq!(append(log, Append { wake, ..flight.clone() }).await, Ok(()));
        let kept = match wake {
            Wake::At(0) => Wake::Now,
            Wake::At(u64::MAX) => Wake::At(WAKE_MS_MAX),
            wake => wake,
        };
        for other in waits.clone() {
            assert_eq!(append(log, Append { wake: other, ..flight.clone() }).await, Ok(()));
            assert_eq!(history(log, "trip").await.wake, kept, "what stands already changes nothing");
        }
        let awake = names_until(log, Wake::At(NOW), 10).await;
        assert_eq!(awake.iter().any(|name| name == "trip"), kept <= Wake::At(NOW), "{wake:?}");
        assert!(awake.iter().any(|name| name == "other"), "the other one is where it was");
        let at = if let Wake::At(ms) = kept { Some(ms) } else { None };
        assert_eq!(log.next_wake(0).await, Ok(at), "{wake:?}");
        assert_eq!(log.waiting(NOW).await, Ok(u64::from(kept > Wake::At(NOW))), "{wake:?}");
        seq += 1;
    }
    let more = |first, records, wake| {
        let records = (first..first + records).map(|at_ms| record(at_ms, "hotel", "done", "1")).collect();
        Append { wake, ..next("trip", first, records, Status::Running) }
    };
    assert_eq!(append(log, more(seq, 1, Wake::At(150))).await, Ok(()));
    assert_eq!(append(log, more(seq, 2, Wake::Never)).await, Ok(()), "the missing part is added");
    assert_eq!(history(log, "trip").await.wake, Wake::Never);
    assert_eq!(append(log, more(seq + 2, 1, Wake::At(150))).await, Ok(()));
    let end = next("trip", seq + 3, vec![record(seq + 3, "flight", "done", "1")], Status::Completed);
    assert_eq!(append(log, Append { wake: Wake::At(150), ..end }).await, Ok(()));
    assert_eq!(history(log, "trip").await.wake, Wake::Never, "an end is not driven any more");
    assert_eq!(names(log, 10).await, ["other"]);
    assert_eq!((log.next_wake(0).await, log.waiting(0).await), (Ok(None), Ok(0)));
}

/// One that is driven while pages are read moves, and no other one is shifted.
pub async fn what_moves_between_two_pages_shifts_none(log: &impl SagaLog) {
    for number in 0..8 {
        let wake = if number % 2 == 0 { Wake::At(10) } else { Wake::Now };
        assert_eq!(append(log, Append { wake, ..begun(&format!("trip-{number}"), 1) }).await, Ok(()));
    }
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = log.unfinished(Wake::At(10), after, 1).await.unwrap_or_else(|error| panic!("{error}"));
        after = page.next;
        for name in ids(page.sagas) {
            let done = next(&name, 1, vec![record(2, "flight", "done", "1")], Status::Running);
            assert_eq!(append(log, Append { wake: Wake::At(11), ..done }).await, Ok(()));
            found.push(name);
        }
        if after.is_none() {
            break;
        }
    }
    let order = [1, 3, 5, 7, 0, 2, 4, 6].map(|number| format!("trip-{number}"));
    assert_eq!(found, order);
    let order: Vec<String> = (0..8).map(|number| format!("trip-{number}")).collect();
    assert_eq!(names(log, 3).await, order, "now all of them wake at one time");
}
