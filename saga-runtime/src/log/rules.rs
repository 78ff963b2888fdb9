//! What an append may do: the same rules for every log that this crate brings.

use super::{
    Append, AppendError, Begin, History, Keep, LOCK_KEY_BYTES_MAX, LOCKS_MAX, Locks, Purge, Purged,
    RECORD_BYTES_MAX, Record, Status, WAKE_MS_MAX, Wake,
};
use crate::id::SagaId;

/// What is to be done for an append that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Write its records, but for the first `skip`, which stand there already.
    Write { skip: usize },
    /// Nothing: all of it stands there already.
    Held,
}

/// Refuses an append that is wrong in itself, whatever the log holds.
pub(super) fn validate(append: &Append) -> Result<(), AppendError> {
    let cause = if append.records.is_empty() {
        "it has no record".to_owned()
    } else if append.begin.is_some() && append.first_seq != 0 {
        format!("it begins the saga, and its first record has number {} instead of 0", append.first_seq)
    } else if append.begin.is_none() && append.first_seq == 0 {
        "its first record has number 0, and it does not say what the saga is begun as".to_owned()
    } else if append.begin.as_ref().is_some_and(|begin| begin.definition.len() > RECORD_BYTES_MAX) {
        format!("the name of its definition has more than {RECORD_BYTES_MAX} bytes")
    } else if let Some((index, cause)) =
        append.records.iter().enumerate().find_map(|(i, record)| wrong_in(record).map(|cause| (i, cause)))
    {
        format!("its record {} {cause}", append.first_seq.saturating_add(index as u64))
    } else if let Some(cause) = append.locks.as_ref().and_then(|locks| wrong_in_locks(&locks.keys)) {
        cause
    } else {
        return Ok(());
    };
    Err(AppendError::Invalid { saga: append.saga.clone(), cause })
}

/// Judges a valid append by what the log holds of its saga.
pub(super) fn judge(append: &Append, held: Option<&History>) -> Result<Verdict, AppendError> {
    match (&append.begin, held) {
        (Some(_), None) => Ok(Verdict::Write { skip: 0 }),
        (None, None) => Err(conflict(&append.saga, append.first_seq, 0)),
        (Some(begin), Some(held)) => judge_begin(append, begin, held),
        (None, Some(held)) => judge_next(append, held),
    }
}

/// Judges a local call by what the log holds of its saga: the records that stand in its place already, or `None` if it is
/// to be made.
#[cfg(feature = "sqlite")]
pub(super) fn judge_local(
    local: &super::AppendLocal,
    held: Option<&History>,
) -> Result<Option<Vec<Record>>, AppendError> {
    if local.first_seq == 0 {
        let cause = "a local call cannot begin it, and its first record has number 0".to_owned();
        return Err(AppendError::Invalid { saga: local.saga.clone(), cause });
    }
    let found = held.map_or(0, |held| held.records.len());
    let standing = held.zip(usize::try_from(local.first_seq).ok());
    let standing = standing.and_then(|(held, first)| Some((held, held.records.get(first..)?)));
    match standing {
        Some((_, standing)) if !standing.is_empty() => Ok(Some(standing.to_vec())),
        Some((held, _)) if held.status == Status::Running => Ok(None),
        _ => Err(conflict(&local.saga, local.first_seq, found as u64)),
    }
}

/// Judges a purge by what the log holds of its saga, whose history is not gone.
pub(super) fn judge_purge(purge: &Purge, held: Option<&History>) -> Result<(), AppendError> {
    let found = held.map_or(0, |held| held.records.len() as u64);
    match held {
        Some(held) if held.status != Status::Running && found == purge.records => Ok(()),
        _ => Err(conflict(&purge.saga, purge.records, found)),
    }
}

/// What becomes of a saga's history that is purged with something kept.
pub(super) fn purged(history: &History, keep: &Keep) -> Purged {
    Purged {
        saga: history.saga.clone(),
        begin: history.begin.clone(),
        status: history.status,
        ended_at_ms: ended_at_ms(history),
        records: history.records.len() as u64,
        keep: keep.clone(),
    }
}

/// When a saga that has ended did so.
pub(super) fn ended_at_ms(history: &History) -> u64 {
    history.records.last().map_or(0, |record| record.at_ms)
}

/// What is kept of an id for ever, so that it is small and tells nothing. Another id that has the same is taken for
/// expired: of a thousand million expired ids there is one among twenty thousand million others. FNV-1a, stable for ever.
pub(super) fn id_hash(id: &SagaId) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    id.as_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The [`Wake`] that holds after `append`.
pub(super) fn wake_after(append: &Append) -> Wake {
    match append.wake {
        _ if append.status != Status::Running => Wake::Never,
        Wake::At(0) => Wake::Now,
        Wake::At(ms) => Wake::At(ms.min(WAKE_MS_MAX)),
        wake => wake,
    }
}

/// Other records stand at the place `expected`, or the place before it is empty.
pub(super) fn conflict(saga: &SagaId, expected: u64, found: u64) -> AppendError {
    AppendError::Conflict { saga: saga.clone(), expected, found }
}

/// The keys of `locks`, each once, in the order in which they are taken.
pub(super) fn sorted_keys(locks: &Locks) -> Vec<&str> {
    let mut keys: Vec<&str> = locks.keys.iter().map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The bytes that [`RECORD_BYTES_MAX`] bounds.
pub(super) fn record_bytes(record: &Record) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    record.event.len() + length(&record.step) + length(&record.data)
}

/// A begin whose answer was lost is told from another saga of the same id by what it recorded, and by nothing having
/// followed: what has gone on since was begun by somebody else, though it may be within the same millisecond.
fn judge_begin(append: &Append, begin: &Begin, held: &History) -> Result<Verdict, AppendError> {
    let same = held.begin == *begin && held.records == append.records && held.status == append.status;
    if same { Ok(Verdict::Held) } else { Err(AppendError::Exists(Box::new(held.clone()))) }
}

fn judge_next(append: &Append, held: &History) -> Result<Verdict, AppendError> {
    let found = held.records.len();
    let refused = || Err(conflict(&append.saga, append.first_seq, found as u64));
    let Some(standing) = usize::try_from(append.first_seq).ok().and_then(|first| held.records.get(first..))
    else {
        return refused();
    };
    let skip = standing.len().min(append.records.len());
    if standing[..skip] != append.records[..skip] {
        return refused();
    }
    if skip < append.records.len() {
        return if held.status == Status::Running { Ok(Verdict::Write { skip }) } else { refused() };
    }
    let end = found - (standing.len() - skip);
    if status_after(held, end) == append.status { Ok(Verdict::Held) } else { refused() }
}

/// The status that the saga had once its first `count` records held: nothing follows an end.
fn status_after(held: &History, count: usize) -> Status {
    if count == held.records.len() { held.status } else { Status::Running }
}

/// Why no saga can take locks with these keys, if that is so.
pub(crate) fn wrong_in_locks(keys: &[String]) -> Option<String> {
    let count = keys.len();
    if count == 0 {
        return Some("it takes locks, and names none".to_owned());
    }
    if count > LOCKS_MAX {
        return Some(format!("it takes {count} locks, and {LOCKS_MAX} is the most"));
    }
    let key = keys.iter().find(|key| !(1..=LOCK_KEY_BYTES_MAX).contains(&key.len()))?;
    let bytes = key.len();
    // The beginning of a long one is enough to know it by.
    let mut shown: String = key.chars().take(40).collect();
    shown.push_str(if shown.len() < bytes { "…" } else { "" });
    Some(format!("the key `{shown}` of a lock has {bytes} bytes instead of 1 to {LOCK_KEY_BYTES_MAX}"))
}

fn wrong_in(record: &Record) -> Option<String> {
    let bytes = record_bytes(record);
    if bytes > RECORD_BYTES_MAX {
        Some(format!("has {bytes} bytes, and {RECORD_BYTES_MAX} is the most"))
    } else if i64::try_from(record.at_ms).is_err() {
        Some(format!("has the time {} ms, which is later than any clock", record.at_ms))
    } else {
        None
    }
}
