//! The saga log: the durable journal of what happened, and the only truth.
//!
//! A log stores [`Record`]s per saga, numbered from 0 without a gap. It knows nothing of what they mean.

pub mod conformance;
mod local;
mod memory;
mod rules;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::definition::Fingerprint;
use crate::id::SagaId;

pub use local::{AppendLocal, LocalAnswer, LocalCall, Transactional};
pub use memory::MemoryLog;
#[cfg(feature = "coordinator")]
pub(crate) use rules::wrong_in_locks;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteLog;

/// What a log's methods return.
pub type LogFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A durable journal of sagas.
///
/// The core is [`append`](Self::append): a batch of appends becomes durable together, so that the sagas that wait
/// share one sync of the disk. Implementations commit the appends of all callers that wait at the same time together.
/// Every implementation must pass [`conformance`], which is public: run it on a log of your own.
pub trait SagaLog: Send + Sync + 'static {
    /// Makes each append of `batch` durable and answers each, in their order.
    ///
    /// Resolves only when what it answers `Ok` for is on stable storage. One append that is refused does not
    /// hinder the others. Appending the same records at the same place again is `Ok` and changes nothing:
    /// after [`AppendError::Unavailable`] the caller appends the same again. Of records that stand there in part,
    /// only those that are missing are added. A begin is the same again only as long as nothing has followed it;
    /// after that it is [`AppendError::Exists`]. A saga that has ended takes no further record: that is
    /// [`AppendError::Conflict`].
    ///
    /// [`Append::locks`] are taken with the records, and an append that would take what another root holds is
    /// [`AppendError::Locked`]. The append that ends a saga lets go of all its locks: a later one of the same batch can
    /// take them.
    ///
    /// Dropping the future does not take back what was handed over.
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>>;

    /// Makes a call within the log's transaction, and the records that it answers durable with what it did: both or
    /// neither, and once. Answers the records that stand from `first_seq` on.
    ///
    /// If records stand there already, as after [`AppendError::Unavailable`], nothing is called, and they are the answer.
    /// Otherwise the saga must be running and have exactly `first_seq` records, and its records keep the rules of
    /// [`append`](Self::append). A call that panics is [`AppendError::LocalFailed`]; then, and whenever its answer cannot
    /// be recorded, nothing of what it did is kept.
    ///
    /// The call is made by the log itself, in the transaction of all appends that wait at the same time: it is isolated
    /// from them, and they wait for it. See [`LocalCall`] for what that asks of it.
    ///
    /// Only a [`Transactional`] log can do this; unless a log says otherwise, it answers [`AppendError::Invalid`]. A log
    /// that wraps another one has to pass it on.
    fn append_local(&self, local: AppendLocal) -> LogFuture<'_, Result<Vec<Record>, AppendError>> {
        Box::pin(async move {
            let cause = "its log has no transactions that a local call could have its effect in; keep sagas with local \
                         calls in a log that is `Transactional`, as `SqliteLog`";
            Err(AppendError::Invalid { saga: local.saga, cause: cause.to_owned() })
        })
    }

    /// The fencing epoch of this writer: greater than that of whoever wrote the log before. A participant that has seen
    /// it can tell the calls of a worker that has lost its log without knowing.
    fn epoch(&self) -> u64 {
        1
    }

    /// Writes the append that begins a saga in a transaction of the caller's on this very log: it is durable when that is
    /// committed, and was never there if it is not. `transaction` is what this kind of log has transactions on; its caller
    /// blocks meanwhile.
    ///
    /// Unless a log says otherwise, it answers [`AppendError::Invalid`]. A log that wraps another one has to pass it on.
    fn begin_in(&self, transaction: &dyn Any, append: &Append) -> Result<(), AppendError> {
        let _ = transaction;
        let cause = "its log has no transactions that a saga could be begun in; `SqliteLog` has";
        Err(AppendError::Invalid { saga: append.saga.clone(), cause: cause.to_owned() })
    }

    /// The whole history of one saga, or `None` if the log does not know it.
    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>>;

    /// A page of at most `limit` sagas (at least one) whose status is [`Status::Running`] and that wake by `until`, in
    /// the order in which they wake, those that wake at one time in the order in which they were begun, beginning
    /// after `after`.
    ///
    /// So `until` [`Wake::At`] the present gives all that somebody is to drive now, and [`Wake::Never`] all that there
    /// are. It costs what the page holds, however many others wait. A saga whose rows are damaged is one [`Damaged`];
    /// it does not end the page. A [`Wake`] that cannot be read counts as [`Wake::Now`], so that it hides no saga.
    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>>;

    /// The earliest time later than `after_ms` at which an unfinished saga wakes, in milliseconds since the Unix epoch;
    /// `None` if none waits for such a time. Costs the same however many wait.
    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>>;

    /// How many unfinished sagas wake later than `after_ms`, or never.
    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>>;

    /// A page of at most `limit` locks that are held (at least one), in the order of their keys as bytes, those of one
    /// key in the order in which their holders were begun, beginning after `after`.
    ///
    /// A lock whose rows are damaged is one [`DamagedLock`]; it does not end the page.
    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>>;

    /// What is damaged among that which was written last, whether or not [`unfinished`](Self::unfinished) names it: a saga
    /// that only seems to have ended, or that nothing leads to any more. A coordinator asks when it starts. It costs the
    /// same however much the log holds.
    ///
    /// Unless a log says otherwise, it knows of nothing. A log that wraps another one has to pass it on.
    fn check(&self) -> LogFuture<'_, Result<Vec<Damaged>, LogError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Purges sagas that have ended, each of `batch` by itself, and answers each, in their order. What is answered `Ok`
    /// is durable as an append is.
    ///
    /// A purge takes the saga's records away, and keeps of it what [`Purge::keep`] says: from then on whoever begins that
    /// id, appends to it or reads it is answered [`AppendError::Purged`] and [`HistoryError::Purged`], or, where only the
    /// id is kept, [`AppendError::Expired`] and [`HistoryError::Expired`]. *An id that was used is never forgotten*: a saga
    /// must not run a second time because its first run is long ago. Where the history is gone already, what is kept
    /// becomes less, never more, and the answer is `Ok`.
    ///
    /// A saga that has not ended, or has other than [`Purge::records`] records, is [`AppendError::Conflict`], and one
    /// whose rows are damaged [`AppendError::Damaged`]: nothing of those changes.
    ///
    /// Unless a log says otherwise, it answers [`AppendError::Invalid`]. A log that wraps another one has to pass this on,
    /// and the next three.
    fn purge(&self, batch: Vec<Purge>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        let refused = |purge: Purge| AppendError::Invalid { saga: purge.saga, cause: NO_PURGES.to_owned() };
        Box::pin(async move { batch.into_iter().map(|purge| Err(refused(purge))).collect() })
    }

    /// Keeps no more than the ids of at most `limit` purged sagas that ended at `until_ms` or before, those that ended
    /// first to begin with, and answers how many these were: fewer than `limit` if that were all.
    fn expire(&self, until_ms: u64, limit: usize) -> LogFuture<'_, Result<u64, LogError>> {
        let _ = (until_ms, limit);
        Box::pin(async { Err(no_purges()) })
    }

    /// The sagas that have ended at `until_ms` or before and are not purged, among the next `limit` of all that are not,
    /// behind `after` in the order in which they were begun.
    ///
    /// So a page may hold none although others follow: [`Page::next`] says so. Those that were begun after `until_ms` are
    /// not all looked at: a log may take a page of them for the end. The [`Cursor::wake`] is [`Wake::Never`].
    fn ended(
        &self,
        until_ms: u64,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        let _ = (until_ms, after, limit);
        Box::pin(async { Err(no_purges()) })
    }

    /// The ids of at most `limit` sagas that are not purged and whose ids begin with `prefix`, in the order of their
    /// bytes, beginning after `after`.
    fn ids<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a SagaId>,
        limit: usize,
    ) -> LogFuture<'a, Result<Vec<SagaId>, LogError>> {
        let _ = (prefix, after, limit);
        Box::pin(async { Err(no_purges()) })
    }
}

const NO_PURGES: &str = "its log cannot purge; `SqliteLog` and `MemoryLog` can";

fn no_purges() -> LogError {
    LogError { place: "of this coordinator".to_owned(), cause: NO_PURGES.to_owned() }
}

/// The most that one record may hold, in bytes of its step, event and data together: 64 MiB.
///
/// The sagas that wait share one commit, and so they share its length.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// The most locks that one append takes.
pub const LOCKS_MAX: usize = 1_000;

/// The longest key of a lock, in bytes.
pub const LOCK_KEY_BYTES_MAX: usize = 1_000;

/// Records of one saga that become durable together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The saga.
    pub saga: SagaId,
    /// Set on the first append of a saga: then `first_seq` is 0 and `records` begins with the input.
    pub begin: Option<Begin>,
    /// Number of the first of `records` within the saga.
    pub first_seq: u64,
    /// What happened, oldest first; never empty.
    pub records: Vec<Record>,
    /// The saga's status once the records hold.
    pub status: Status,
    /// When the saga is to be driven next, once the records hold. Means nothing where `status` is an end, and is no part
    /// of what makes an append the same as another: where the records stand already, it changes nothing.
    pub wake: Wake,
    /// The locks that the saga takes with these records: all of them, or the append is refused. It holds them until it
    /// ends, whatever happens to it before. Where the records stand already, they change nothing: so what a saga locks
    /// is to be seen in its records.
    pub locks: Option<Locks>,
}

/// Semantic locks, which are taken together.
///
/// They exclude one family of sagas from another: a saga and all that it calls, directly or not, have one root, and
/// what one of them holds each of them can take. Then both hold it, each until it ends itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locks {
    /// What is locked, such as `account/17`; any order, and a key that comes twice is one lock. 1 to [`LOCKS_MAX`]
    /// keys of 1 to [`LOCK_KEY_BYTES_MAX`] bytes.
    pub keys: Vec<String>,
    /// The saga that no saga has called: the one that takes the locks, or its ancestor. The same in all appends of
    /// a saga.
    pub root: SagaId,
}

/// A lock, and one of those who hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    /// What is locked.
    pub key: String,
    /// The saga that took it, and has not ended.
    pub holder: SagaId,
    /// The saga whose family it excludes all others from it.
    pub root: SagaId,
}

/// A place in the order of the locks that are held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockCursor {
    /// The lock at this place.
    pub key: String,
    /// Its holder's place among those that hold it: a number that grows with each begin.
    pub begun: u64,
}

/// A page of locks.
#[derive(Debug, Default)]
pub struct LockPage {
    /// The locks.
    pub locks: Vec<Result<HeldLock, DamagedLock>>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<LockCursor>,
}

/// A lock of which the log cannot say who holds it. Nobody is given it until it is mended; no other lock and no saga is
/// touched by that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("lock `{key}` is damaged in the log: {cause}")]
pub struct DamagedLock {
    /// What is locked, as far as it can be read.
    pub key: String,
    /// What is wrong, and where.
    pub cause: String,
}

/// What is known of a saga from its begin on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// Name of the saga's definition, such as `BookTrip`.
    pub definition: String,
    /// Fingerprint of the definition.
    pub fingerprint: Fingerprint,
}

/// One fact of one saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it was recorded, in milliseconds since the Unix epoch; never less than the saga's record before.
    pub at_ms: u64,
    /// Name of the step, or `None` for a fact of the saga as a whole.
    pub step: Option<String>,
    /// What happened, such as `done` or `refused`.
    pub event: String,
    /// Its payload as JSON text.
    pub data: Option<String>,
}

/// Whether a saga has ended, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not ended.
    Running,
    /// Every effect holds.
    Completed,
    /// No effect holds.
    Compensated,
    /// An operator ended it by hand: its last record says what may still be in effect.
    Closed,
}

/// When a saga next needs somebody to drive it. Earlier is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// It has work to do. It has too if it waits for so short a time that letting it go is not worth while.
    Now,
    /// It waits for this time, in milliseconds since the Unix epoch. A log may keep 0 as [`Now`](Self::Now), and a time
    /// that is later than any clock as [`WAKE_MS_MAX`].
    At(u64),
    /// It waits for something from outside, or has ended: time alone does not wake it.
    Never,
}

/// The latest time at which a saga wakes, in milliseconds since the Unix epoch: in 292 million years.
pub const WAKE_MS_MAX: u64 = i64::MAX as u64 - 1;

/// Everything that a log holds of one saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The saga.
    pub saga: SagaId,
    /// What it was begun as.
    pub begin: Begin,
    /// Whether it has ended.
    pub status: Status,
    /// When it is to be driven next, as its last append has it; [`Wake::Never`] once it has ended.
    pub wake: Wake,
    /// Its records from number 0 on.
    pub records: Vec<Record>,
}

/// What is to be purged of one saga that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// The saga.
    pub saga: SagaId,
    /// How many records it has.
    pub records: u64,
    /// What is kept of it but its id; `None` for nothing.
    pub keep: Option<Keep>,
}

/// What is kept of a purged saga: its answer to whoever begins it again. The log does not read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// What tells its input from another one: a digest.
    pub input: String,
    /// How it ended, as JSON text.
    pub outcome: String,
}

/// A saga whose history was purged, and what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history of saga `{saga}`, which has {status}, was purged: only its outcome is kept", status = status.participle())]
pub struct Purged {
    /// The saga.
    pub saga: SagaId,
    /// What it was begun as.
    pub begin: Begin,
    /// How it ended.
    pub status: Status,
    /// When its last record was made, in milliseconds since the Unix epoch.
    pub ended_at_ms: u64,
    /// How many records it had.
    pub records: u64,
    /// What whoever purged it has kept.
    pub keep: Keep,
}

/// A place in the order in which sagas wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When the saga at this place wakes.
    pub wake: Wake,
    /// Its place among those that wake at the same time: a number that grows with each begin.
    pub begun: u64,
}

/// A page of unfinished sagas.
#[derive(Debug, Default)]
pub struct Page {
    /// The sagas, oldest first.
    pub sagas: Vec<Result<History, Damaged>>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Cursor>,
}

/// A saga whose rows cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("saga `{saga}` is damaged in the log: {cause}")]
pub struct Damaged {
    /// The saga's id as far as it can be read.
    pub saga: String,
    /// What is wrong, and where.
    pub cause: String,
}

/// Why an append or a purge was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// A saga with this id exists already, with another begin.
    #[error("saga `{}` exists already", .0.saga)]
    Exists(Box<History>),
    /// The saga has ended, and its history was purged. Whether the append stood in it cannot be said any more.
    #[error(transparent)]
    Purged(Box<Purged>),
    /// The saga has ended, and was purged so long ago that no more is known of it.
    #[error(
        "the id `{saga}` has expired: it was a saga's that ended so long ago that nothing else is known of it"
    )]
    Expired {
        /// The saga.
        saga: SagaId,
    },
    /// Other records stand at this place, or the place before is empty.
    #[error("saga `{saga}` has {found} records, and record {expected} cannot follow them")]
    Conflict {
        /// The saga.
        saga: SagaId,
        /// The number that was to be appended.
        expected: u64,
        /// How many records the log holds.
        found: u64,
    },
    /// A saga of another root holds one of the locks. Nothing is written, and it can be tried again when that one is let
    /// go.
    #[error("saga `{saga}` cannot take the lock `{key}`: saga `{holder}` holds it")]
    Locked {
        /// The saga that was to take it.
        saga: SagaId,
        /// The first lock in the order of the keys that another root holds.
        key: String,
        /// A saga that holds it: the one of them that was begun first.
        holder: SagaId,
    },
    /// Who holds one of the locks cannot be read, so it is not given to anybody. Nothing is written.
    #[error("saga `{saga}` cannot take its locks: {lock}")]
    LockDamaged {
        /// The saga that was to take it.
        saga: SagaId,
        /// The lock.
        lock: DamagedLock,
    },
    /// The saga's rows are damaged: nothing is appended to it.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// A local call has panicked, or has left the database in a state that cannot be committed. Nothing of it is kept.
    #[error("saga `{saga}`: its local call has failed, and nothing of it is kept: {cause}")]
    LocalFailed {
        /// The saga.
        saga: SagaId,
        /// What happened.
        cause: String,
    },
    /// The append keeps no log's rules, as one without a record: nobody needs to try it again.
    #[error("saga `{saga}`: what was to be appended is invalid: {cause}")]
    Invalid {
        /// The saga.
        saga: SagaId,
        /// Which rule is broken.
        cause: String,
    },
    /// The log could not commit. Whether it did is unknown: append the same again.
    #[error(transparent)]
    Unavailable(#[from] LogError),
}

/// Why a history was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The saga's rows are damaged; the log's other sagas go on.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The saga has ended, and its history was purged.
    #[error(transparent)]
    Purged(Box<Purged>),
    /// The saga has ended, and was purged so long ago that no more is known of it.
    #[error(
        "the id `{saga}` has expired: it was a saga's that ended so long ago that nothing else is known of it"
    )]
    Expired {
        /// The saga.
        saga: SagaId,
    },
    /// The log could not be read.
    #[error(transparent)]
    Unavailable(#[from] LogError),
}

/// Why the log did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the saga log {place} is unavailable: {cause}")]
pub struct LogError {
    /// Which log: the path of its file.
    pub place: String,
    /// What is wrong, and the mend where there is one.
    pub cause: String,
}

impl Cursor {
    /// Behind all that wake by `wake`.
    pub const fn behind(wake: Wake) -> Self {
        Self { wake, begun: u64::MAX }
    }
}

impl Status {
    /// The word that logs store and people read; [`Status::parse`] reads it back.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Closed => "closed",
        }
    }

    /// What it has, in a sentence.
    const fn participle(self) -> &'static str {
        match self {
            Self::Running => "not ended",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
            Self::Closed => "been closed",
        }
    }

    /// Reads what [`as_str`](Self::as_str) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Running, Self::Completed, Self::Compensated, Self::Closed];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
