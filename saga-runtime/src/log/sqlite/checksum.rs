//! The chain of checksums that runs through the records of one saga.
//!
//! Every record's checksum is computed over its content and the checksum before it; the first one continues a seed
//! made of what the saga's row holds for ever. So a record that is changed, moved, missing or borrowed from another
//! saga breaks the chain at its place, and the seal in the saga's row tells where the chain ends.
//!
//! It finds accidents. It is no defence against someone who computes it anew.

use crc32fast::Hasher;

use crate::log::{Purged, Record};

/// The checksum of a row of table `lock`.
pub(super) fn lock_checksum(key: &str, saga: i64, root: &str) -> u32 {
    let mut hasher = Hasher::new();
    text(&mut hasher, key);
    hasher.update(&saga.to_le_bytes());
    text(&mut hasher, root);
    hasher.finalize()
}

/// The checksum of a row of table `saga_purged` that has not expired.
pub(super) fn purged_checksum(purged: &Purged) -> u32 {
    let Purged { saga, begin, status, ended_at_ms, records, keep } = purged;
    let mut hasher = Hasher::new();
    for column in [saga.as_str(), &begin.definition, &begin.fingerprint.to_string(), status.as_str()] {
        text(&mut hasher, column);
    }
    number(&mut hasher, *ended_at_ms);
    number(&mut hasher, *records);
    text(&mut hasher, &keep.input);
    text(&mut hasher, &keep.outcome);
    hasher.finalize()
}

/// The checksum after some number of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain(u32);

impl Chain {
    /// Before the first record.
    pub(super) fn seed(id: &str, definition: &str, fingerprint: &str, begun_at_ms: u64) -> Self {
        let mut hasher = Hasher::new();
        text(&mut hasher, id);
        text(&mut hasher, definition);
        text(&mut hasher, fingerprint);
        number(&mut hasher, begun_at_ms);
        Self(hasher.finalize())
    }

    /// After `record`, which is number `seq` of its saga.
    pub(super) fn after(self, seq: u64, record: &Record) -> Self {
        let mut hasher = Hasher::new_with_initial(self.0);
        number(&mut hasher, seq);
        number(&mut hasher, record.at_ms);
        optional(&mut hasher, record.step.as_deref());
        text(&mut hasher, &record.event);
        optional(&mut hasher, record.data.as_deref());
        Self(hasher.finalize())
    }

    /// What the saga's row holds: the end of the chain, and the columns that change with it. Version 1 had no
    /// `wake_at_ms`, and so its rows are sealed as those in which it is null.
    pub(super) fn seal(self, records: u64, status: &str, wake_at_ms: Option<i64>) -> u32 {
        let mut hasher = Hasher::new_with_initial(self.0);
        number(&mut hasher, records);
        text(&mut hasher, status);
        if let Some(wake_at_ms) = wake_at_ms {
            hasher.update(&wake_at_ms.to_le_bytes());
        }
        hasher.finalize()
    }

    /// As the record's column holds it.
    pub(super) fn value(self) -> u32 {
        self.0
    }
}

fn number(hasher: &mut Hasher, number: u64) {
    hasher.update(&number.to_le_bytes());
}

/// The length comes first, so that no byte can wander from one column to the next unnoticed.
fn text(hasher: &mut Hasher, text: &str) {
    number(hasher, text.len() as u64);
    hasher.update(text.as_bytes());
}

fn optional(hasher: &mut Hasher, value: Option<&str>) {
    match value {
        None => hasher.update(&[0]),
        Some(value) => {
            hasher.update(&[1]);
            text(hasher, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Fingerprint;
    use crate::id::SagaId;
    use crate::log::{Begin, Keep, Status};

    fn record(step: Option<&str>, data: Option<&str>) -> Record {
        Record {
            at_ms: 1_700_000_000_000,
            step: step.map(Into::into),
            event: "done".into(),
            data: data.map(Into::into),
        }
    }

    /// The files of all users hold these numbers: they change only together with the schema's version.
    #[test]
    fn the_checksums_of_version_1_stay_as_they_are() {
        let seed = Chain::seed("trip-7", "BookTrip", "0123456789abcdef", 1_700_000_000_000);
        let first = seed.after(0, &record(None, Some("{}")));
        let second = first.after(1, &record(Some("flight"), None));
        let found = [seed.value(), first.value(), second.value(), second.seal(2, "running", None)];
        assert_eq!(found, [2_350_558_935, 2_898_798_957, 832_748_187, 3_988_025_138]);
    }

    /// So do these.
    #[test]
    fn the_checksums_of_version_2_stay_as_they_are() {
        let seed = Chain::seed("trip-7", "BookTrip", "0123456789abcdef", 1_700_000_000_000);
        let seals = [1, 1_700_000_000_000, i64::MAX].map(|wake| seed.seal(2, "running", Some(wake)));
        assert_eq!(seals, [1_846_787_305, 213_258_435, 191_315_746]);
    }

    /// And these.
    #[test]
    fn the_checksums_of_locks_in_version_3_stay_as_they_are() {
        assert_eq!(lock_checksum("account/17", 7, "trip-7"), 1_024_558_250);
    }

    /// And this one.
    #[test]
    fn the_checksums_of_purged_sagas_in_version_5_stay_as_they_are() {
        let begin = Begin {
            definition: "BookTrip".into(),
            fingerprint: Fingerprint::parse("0123456789abcdef").expect("it is one"),
        };
        let keep = Keep { input: "digest".into(), outcome: "{}".into() };
        let saga = SagaId::new("trip-7").expect("it is an id");
        let ended_at_ms = 1_700_000_000_000;
        let purged = Purged { saga, begin, status: Status::Completed, ended_at_ms, records: 4, keep };
        assert_eq!(purged_checksum(&purged), 3_491_932_760);
    }

    #[test]
    fn nothing_and_an_empty_text_differ() {
        let seed = Chain::seed("a", "b", "c", 0);
        assert_ne!(seed.after(0, &record(None, None)), seed.after(0, &record(None, Some(""))));
        assert_ne!(
            seed.after(0, &record(Some("a"), None)),
            seed.after(0, &record(None, Some("a"))),
            "a text in another column is another record"
        );
    }
}
