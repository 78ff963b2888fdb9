//! Records: begun, appended, read back, and refused.

use super::kit::{append, begun, end, history, id, locks, names, next, record, step};
use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::{Append, AppendError, History, RECORD_BYTES_MAX, Record, SagaLog, Status, Wake};

/// A saga that nobody has begun.
pub async fn an_unknown_saga_has_no_history(log: &impl SagaLog) {
    assert_eq!(log.history(&id("nobody")).await, Ok(None));
    assert_eq!(names(log, 10).await, Vec::<String>::new());
    let lost = next("nobody", 1, vec![record(1, "flight", "done", "1")], Status::Running);
    let expected = AppendError::Conflict { saga: id("nobody"), expected: 1, found: 0 };
    assert_eq!(append(log, lost).await, Err(expected));
    assert_eq!(log.history(&id("nobody")).await, Ok(None), "a refused append begins nothing");
}

/// Begin, append, end.
pub async fn what_is_appended_is_read_back(log: &impl SagaLog) {
    let begin = begun("trip", 10);
    assert_eq!(append(log, begin.clone()).await, Ok(()));
    let mut expected = History {
        saga: id("trip"),
        begin: begin.begin.clone().unwrap_or_else(|| panic!("it begins")),
        status: Status::Running,
        wake: Wake::Now,
        records: begin.records.clone(),
    };
    assert_eq!(history(log, "trip").await, expected);

    let more = vec![record(11, "flight", "done", "{}"), record(11, "hotel", "refused", "\"full\"")];
    assert_eq!(append(log, next("trip", 1, more.clone(), Status::Running)).await, Ok(()));
    expected.records.extend(more);
    assert_eq!(history(log, "trip").await, expected);

    let last = vec![record(12, "flight", "compensated", "null")];
    assert_eq!(append(log, next("trip", 3, last.clone(), Status::Compensated)).await, Ok(()));
    expected.records.extend(last);
    expected.status = Status::Compensated;
    expected.wake = Wake::Never;
    assert_eq!(history(log, "trip").await, expected);

    let short = Append { status: Status::Completed, ..begun("short", 13) };
    assert_eq!(append(log, short).await, Ok(()));
    assert_eq!(history(log, "short").await.status, Status::Completed, "a saga may end with its first append");
}

/// Absent, empty, long and foreign texts.
pub async fn any_text_is_read_back(log: &impl SagaLog) {
    let large = "ü".repeat(700_000);
    let texts =
        ["", " ", "null", "0", "\"quoted\" 'and' so on", "日本語 🚆 \u{0} \u{10FFFF}\r\n", large.as_str()];
    let mut records = Vec::new();
    for text in texts {
        records.push(Record {
            at_ms: 0,
            step: Some(text.into()),
            event: text.into(),
            data: Some(text.into()),
        });
        records.push(Record {
            at_ms: u64::from(u32::MAX),
            step: None,
            event: text.into(),
            data: Some(text.into()),
        });
        records.push(Record { at_ms: 1 << 62, step: Some(text.into()), event: text.into(), data: None });
    }
    let name = format!("!{}~", "x".repeat(SagaId::MAX_LENGTH - 2));
    let mut begin = begun(&name, 0);
    if let Some(begin) = &mut begin.begin {
        begin.definition = "Größe\u{0}".into();
    }
    begin.records.extend(records.iter().cloned());
    let expected = begin.clone();
    assert_eq!(append(log, begin).await, Ok(()));
    let found = history(log, &name).await;
    assert_eq!(Some(found.begin), expected.begin);
    assert!(found.records == expected.records, "every text is read back as it was written");
    assert_eq!(append(log, expected).await, Ok(()), "and is known again");
}

/// Nothing to do.
pub async fn an_empty_batch_is_answered(log: &impl SagaLog) {
    assert_eq!(log.append(Vec::new()).await, Vec::new());
}

/// An append whose answer was lost is made again.
pub async fn the_same_append_again_changes_nothing(log: &impl SagaLog) {
    let begin = begun("trip", 1);
    let flight = next("trip", 1, vec![record(2, "flight", "done", "1")], Status::Running);
    let end = next(
        "trip",
        2,
        vec![record(3, "hotel", "done", "2"), record(3, "car", "done", "3")],
        Status::Completed,
    );
    let all = [begin, flight, end];
    for (made, append_now) in all.iter().enumerate() {
        for again in &all[..=made] {
            assert_eq!(append(log, append_now.clone()).await, Ok(()));
            let before = history(log, "trip").await;
            let answer = append(log, again.clone()).await;
            // A begin that something has followed is somebody's saga, not an answer that was lost.
            if again.begin.is_some() && made > 0 {
                assert_eq!(answer, Err(AppendError::Exists(Box::new(before.clone()))));
            } else {
                assert_eq!(answer, Ok(()));
            }
            assert_eq!(history(log, "trip").await, before);
        }
    }
    assert_eq!(history(log, "trip").await.records.len(), 4);
    assert_eq!(names(log, 10).await, Vec::<String>::new(), "a saga that ended stays ended");
    assert_eq!(log.append(all[1..].to_vec()).await, [Ok(()), Ok(())], "in one batch, too");
}

/// A caller that remembers more than was written appends all that it remembers.
pub async fn the_missing_part_of_an_append_is_added(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let records: Vec<Record> = (2..6).map(|at_ms| record(at_ms, "flight", "done", "1")).collect();
    assert_eq!(append(log, next("trip", 1, records[..2].to_vec(), Status::Running)).await, Ok(()));
    assert_eq!(append(log, next("trip", 1, records.clone(), Status::Completed)).await, Ok(()));
    let found = history(log, "trip").await;
    assert_eq!(found.records[1..], records);
    assert_eq!(found.status, Status::Completed);
}

/// Two sagas want one id.
pub async fn another_begin_is_told_what_exists(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let flight = vec![record(2, "flight", "done", "1")];
    assert_eq!(append(log, next("trip", 1, flight, Status::Running)).await, Ok(()));
    let there = history(log, "trip").await;
    let exists = Err(AppendError::Exists(Box::new(there.clone())));

    let later = begun("trip", 7);
    assert_eq!(append(log, later).await, exists, "the same input at another time");
    let mut other = begun("trip", 1);
    if let Some(begin) = &mut other.begin {
        begin.definition = "Other".into();
    }
    assert_eq!(append(log, other).await, exists, "another definition");
    let mut other = begun("trip", 1);
    if let Some(begin) = &mut other.begin {
        begin.fingerprint = Fingerprint::parse("fedcba9876543210").unwrap_or(begin.fingerprint);
    }
    assert_eq!(append(log, other).await, exists, "another fingerprint");
    let mut other = begun("trip", 1);
    other.records.push(record(9, "hotel", "done", "1"));
    assert_eq!(append(log, other).await, exists, "other records behind the first");
    let other = Append { status: Status::Completed, ..begun("trip", 1) };
    assert_eq!(append(log, other).await, exists, "another status");
    assert_eq!(history(log, "trip").await, there);
}

/// A record is skipped.
pub async fn a_gap_is_a_conflict(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    for expected in [2, 3, u64::MAX] {
        let late = next("trip", expected, vec![record(2, "flight", "done", "1")], Status::Running);
        let conflict = AppendError::Conflict { saga: id("trip"), expected, found: 1 };
        assert_eq!(append(log, late).await, Err(conflict));
    }
    assert_eq!(history(log, "trip").await.records.len(), 1);
}

/// Somebody else has appended.
pub async fn other_records_at_the_same_place_are_a_conflict(log: &impl SagaLog) {
    assert_eq!(append(log, begun("trip", 1)).await, Ok(()));
    let flight = record(2, "flight", "done", "1");
    assert_eq!(append(log, next("trip", 1, vec![flight.clone()], Status::Running)).await, Ok(()));
    let before = history(log, "trip").await;
    let changed = [
        Record { at_ms: 3, ..flight.clone() },
        Record { step: None, ..flight.clone() },
        Record { event: "refused".into(), ..flight.clone() },
        Record { data: None, ..flight.clone() },
    ];
    let conflict = AppendError::Conflict { saga: id("trip"), expected: 1, found: 2 };
    for other in changed {
        let other = next("trip", 1, vec![other], Status::Running);
        assert_eq!(append(log, other).await, Err(conflict.clone()));
    }
    let other = next("trip", 1, vec![flight], Status::Completed);
    assert_eq!(append(log, other).await, Err(conflict), "the same record with another status");
    assert_eq!(history(log, "trip").await, before);
}

/// An end is an end.
pub async fn nothing_follows_an_end(log: &impl SagaLog) {
    for status in [Status::Completed, Status::Compensated, Status::Closed] {
        let name = status.as_str();
        assert_eq!(append(log, Append { status, ..begun(name, 1) }).await, Ok(()));
        for following in [Status::Running, Status::Completed, Status::Compensated, Status::Closed] {
            let more = next(name, 1, vec![record(2, "flight", "done", "1")], following);
            let conflict = AppendError::Conflict { saga: id(name), expected: 1, found: 1 };
            assert_eq!(append(log, more).await, Err(conflict));
        }
        assert_eq!(history(log, name).await.status, status);
    }
}

/// Appends that keep no log's rules.
pub async fn an_invalid_append_is_refused(log: &impl SagaLog) {
    assert_eq!(append(log, begun("there", 1)).await, Ok(()));
    let too_much = "x".repeat(RECORD_BYTES_MAX);
    let invalid = [
        Append { records: Vec::new(), ..begun("trip", 1) },
        Append { first_seq: 1, ..begun("trip", 1) },
        Append { begin: None, ..begun("trip", 1) },
        Append { begin: None, ..begun("there", 1) },
        begun("trip", u64::MAX),
        next("there", 1, Vec::new(), Status::Running),
        next("there", 1, vec![record(2, "flight", "done", &too_much)], Status::Running),
    ];
    for invalid in invalid {
        let answer = append(log, invalid).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "it is refused as invalid: {answer:?}");
    }
    assert_eq!(log.history(&id("trip")).await, Ok(None));
    assert_eq!(history(log, "there").await.records.len(), 1);
}

/// A batch with all kinds of refusals between good appends.
pub async fn one_refused_append_does_not_hinder_the_others(log: &impl SagaLog) {
    assert_eq!(append(log, begun("old", 1)).await, Ok(()));
    let answers = log
        .append(vec![
            begun("a", 2),
            next("old", 5, vec![record(2, "flight", "done", "1")], Status::Running),
            begun("old", 2),
            next("unknown", 1, vec![record(2, "flight", "done", "1")], Status::Running),
            Append { records: Vec::new(), ..begun("b", 2) },
            begun("c", 2),
            next("old", 1, vec![record(2, "flight", "done", "1")], Status::Running),
        ])
        .await;
    assert_eq!(answers.len(), 7);
    assert_eq!(answers[0], Ok(()));
    assert_eq!(answers[1], Err(AppendError::Conflict { saga: id("old"), expected: 5, found: 1 }));
    assert!(matches!(&answers[2], Err(AppendError::Exists(old)) if old.saga == id("old")), "{answers:?}");
    assert_eq!(answers[3], Err(AppendError::Conflict { saga: id("unknown"), expected: 1, found: 0 }));
    assert!(matches!(&answers[4], Err(AppendError::Invalid { .. })), "{answers:?}");
    assert_eq!(answers[5..], [Ok(()), Ok(())]);
    assert_eq!(names(log, 10).await, ["old", "a", "c"]);
    assert_eq!(history(log, "old").await.records.len(), 2);
}

/// The appends of a batch hold in their order.
pub async fn a_batch_may_append_to_one_saga_several_times(log: &impl SagaLog) {
    let step = |seq, name: &str, status| next("trip", seq, vec![record(2, name, "done", "1")], status);
    let answers = log
        .append(vec![
            begun("trip", 1),
            begun("trip", 1),
            step(1, "flight", Status::Running),
            step(1, "other", Status::Running),
            step(3, "late", Status::Running),
            step(2, "hotel", Status::Completed),
            step(3, "late", Status::Running),
            begun("trip", 9),
        ])
        .await;
    let conflict = |expected, found| Err(AppendError::Conflict { saga: id("trip"), expected, found });
    let there = history(log, "trip").await;
    assert_eq!(there.records.len(), 3);
    assert_eq!(there.status, Status::Completed);
    let exists = Err(AppendError::Exists(Box::new(there)));
    let expected = [Ok(()), Ok(()), Ok(()), conflict(1, 2), conflict(3, 2), Ok(()), conflict(3, 3), exists];
    assert_eq!(answers, expected);
}

/// Whatever is in it.
pub async fn a_sound_log_names_no_damage(log: &impl SagaLog) {
    assert_eq!(log.check().await, Ok(Vec::new()));
    let wakes = [Wake::Now, Wake::At(7), Wake::Never];
    for (number, wake) in (1..).zip(wakes) {
        let name = format!("trip-{number}");
        let locks = locks(&[&name], &name);
        assert_eq!(append(log, Append { wake, locks, ..begun(&name, number) }).await, Ok(()));
        assert_eq!(log.check().await, Ok(Vec::new()));
        assert_eq!(append(log, Append { wake, ..step(&name, 1) }).await, Ok(()));
        assert_eq!(log.check().await, Ok(Vec::new()));
    }
    for status in [Status::Completed, Status::Compensated, Status::Closed] {
        let name = format!("{status}");
        assert_eq!(append(log, begun(&name, 1)).await, Ok(()));
        assert_eq!(append(log, end(&name, 1, status)).await, Ok(()));
        assert_eq!(log.check().await, Ok(Vec::new()));
    }
}
