//! Purges sagas that ended long ago: first their histories go, then their outcomes; their ids stay for ever.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::{error, info, warn};

use crate::coordinator::Coordinator;
use crate::coordinator::begin::input_of;
use crate::coordinator::handle::{HandleError, Outcome};
use crate::coordinator::journal::{self, Turn};
use crate::coordinator::shared::Shared;
use crate::data::{self, digest};
use crate::id::SagaId;
use crate::log::{AppendError, History, HistoryError, Keep, LogError, Page, Purge, Purged, Status};
use crate::machine::Cause;
use crate::saga::Saga;

/// How many sagas of the log are looked at at once.
const PAGE: usize = 100;

/// At most so many sagas are purged in one transaction of the log, so that those that run do not wait for long.
const BATCH_SAGAS: usize = 50;

/// From so many records on a transaction takes no further saga.
const BATCH_RECORDS: u64 = 2_000;

/// How many outcomes are forgotten in one transaction.
const BATCH_EXPIRED: usize = 500;

/// So long the log is left to others between two transactions.
const PAUSE: Duration = Duration::from_millis(5);

/// How often a coordinator that was told to purges.
const EVERY: Duration = Duration::from_mins(10);

/// How long a log keeps sagas that have ended.
///
/// An ended saga passes through three stages. First its whole history is there. Then its history is purged, with all
/// payloads, and what is kept is its id, the saga that it was, a digest of its input, and its outcome: that is enough
/// for every answer of [`begin`](Coordinator::begin), so that a request that comes again is answered as the first time. Past
/// the [horizon](Self::horizon) the outcome goes too, and the id answers [`BeginError::Expired`]. *It does so for ever*:
/// of an id that was used the log keeps a hash, which takes some ten bytes. No saga is executed a second time because it
/// was forgotten that it was executed before.
///
/// What has not ended is not purged, however old it is: what runs, waits, is parked, suspended or quarantined. The sagas
/// that a saga has begun go with it, once all of them have ended.
///
/// ```
/// use std::time::Duration;
/// use saga_runtime::coordinator::Retention;
///
/// const MONTH: Duration = Duration::from_hours(30 * 24);
/// let retention = Retention::new(MONTH).horizon(12 * MONTH);
/// ```
///
/// [`BeginError::Expired`]: crate::BeginError::Expired
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    history: Duration,
    outcome: Option<Duration>,
}

/// What a purge has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurgeReport {
    /// How many sagas lost their history: of them the outcome is kept.
    pub purged: u64,
    /// How many purged sagas lost their outcome: of them the id is kept.
    pub expired: u64,
    /// How many that ended long enough ago were left as they are: damaged, or a saga that they have begun has not ended. The
    /// program's own log says which.
    pub left: u64,
}

impl Retention {
    /// The history of a saga stays for so long after its end, by the coordinator's clock, and its outcome for ever.
    pub const fn new(history: Duration) -> Self {
        Self { history, outcome: None }
    }

    /// The outcome of a saga, and what tells its input from another one, stay for so long after its end; at least as long
    /// as the history. Longer than anybody will try to begin the same saga again.
    #[must_use]
    pub const fn horizon(self, outcome: Duration) -> Self {
        Self { outcome: Some(outcome), ..self }
    }
}

impl Coordinator {
    /// Purges what is older than `retention` says, and answers when that is done. Sagas go on meanwhile: the work is done
    /// in small transactions of the log. One that is interrupted, by an error or the end of the process, is taken up by
    /// the next one. What is freed of an SQLite file is used again; the file does not become smaller.
    ///
    /// [`Builder::retention`](crate::coordinator::Builder::retention) does this by itself, again and again.
    pub async fn purge(&self, retention: &Retention) -> Result<PurgeReport, LogError> {
        let shared = &self.inner.shared;
        // Counts as a task: a shutdown lets the transaction that has begun come to its end.
        let _task = shared.task();
        purge(shared, retention).await
    }
}

/// Purges again and again, until the coordinator shuts down.
pub(crate) fn spawn(shared: Arc<Shared>, retention: Retention) {
    let task = shared.task();
    tokio::spawn(async move {
        while !shared.is_shutting_down() {
            if let Err(error) = purge(&shared, &retention).await {
                error!(%error, "ended sagas are not purged for now");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = shared.shutdown() => {}
            }
        }
        drop(shared);
        drop(task);
    });
}

async fn purge(shared: &Shared, retention: &Retention) -> Result<PurgeReport, LogError> {
    let now_ms = shared.clock.now_ms();
    let before =
        |duration: Duration| now_ms.checked_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    let mut purger = Purger { shared, batch: Vec::new(), report: PurgeReport::default() };
    if let Some(until_ms) = before(retention.history) {
        purger.purge_histories(until_ms).await?;
    }
    let outcome = retention.outcome.map(|outcome| outcome.max(retention.history));
    if let Some(until_ms) = outcome.and_then(before) {
        purger.expire_outcomes(until_ms).await?;
    }
    let PurgeReport { purged, expired, left } = purger.report;
    if purged + expired > 0 {
        info!(purged, expired, left, "purged");
    }
    Ok(purger.report)
}

struct Purger<'s> {
    shared: &'s Shared,
    batch: Vec<Purge>,
    report: PurgeReport,
}

impl Purger<'_> {
    async fn purge_histories(&mut self, until_ms: u64) -> Result<(), LogError> {
        let mut after = None;
        loop {
            let Page { sagas, next } = self.shared.log.ended(until_ms, after, PAGE).await?;
            for saga in sagas {
                match saga {
                    Ok(history) => self.take(history).await?,
                    Err(damaged) => self.leave(&damaged.saga, &damaged.cause),
                }
            }
            // What is left over is written before the next page is read: it is behind that page.
            match next {
                Some(next) if !self.shared.is_shutting_down() => after = Some(next),
                _ => return self.write().await,
            }
        }
    }

    /// Purges the saga, if nobody needs its history any more.
    async fn take(&mut self, history: History) -> Result<(), LogError> {
        // One that has just ended may not know it yet.
        if self.shared.entry(&history.saga).is_some() {
            return Ok(());
        }
        if let Some(of) = journal::child_of(&history) {
            return match self.shared.log.history(&of.root).await {
                // It goes with its root.
                Ok(Some(_)) => Ok(()),
                // Its root went without it: it was interrupted, or had not ended then.
                Ok(None) | Err(HistoryError::Purged(_) | HistoryError::Expired { .. }) => {
                    self.add(&history).await
                }
                Err(HistoryError::Damaged(damaged)) => {
                    self.leave(history.saga.as_str(), &damaged.to_string());
                    Ok(())
                }
                Err(HistoryError::Unavailable(error)) => Err(error),
            };
        }
        let Some(descendants) = self.descendants(&history.saga).await? else { return Ok(()) };
        for id in descendants {
            // As long as its root is there nobody else purges it.
            if let Ok(Some(descendant)) = self.shared.log.history(&id).await {
                self.add(&descendant).await?;
            }
        }
        // The last one, so that whoever takes this up after a crash finds the others by it.
        self.add(&history).await
    }

    /// The sagas of which `root` is the root; `None` if one of them has not ended, or cannot be read.
    async fn descendants(&mut self, root: &SagaId) -> Result<Option<Vec<SagaId>>, LogError> {
        let prefix = format!("{root}/");
        let mut descendants = Vec::new();
        let mut last: Option<SagaId> = None;
        loop {
            let ids = self.shared.log.ids(&prefix, last.as_ref(), PAGE).await?;
            last = ids.last().cloned();
            for id in ids {
                let history = match self.shared.log.history(&id).await {
                    Ok(Some(history)) => history,
                    Ok(None) | Err(HistoryError::Purged(_) | HistoryError::Expired { .. }) => continue,
                    Err(HistoryError::Unavailable(error)) => return Err(error),
                    Err(HistoryError::Damaged(damaged)) => {
                        self.leave(root.as_str(), &damaged.to_string());
                        return Ok(None);
                    }
                };
                if journal::child_of(&history).is_none_or(|of| of.root != *root) {
                    continue;
                }
                if history.status == Status::Running || self.shared.entry(&id).is_some() {
                    self.leave(root.as_str(), &format!("saga `{id}`, which it has begun, has not ended"));
                    return Ok(None);
                }
                descendants.push(id);
            }
            if last.is_none() {
                return Ok(Some(descendants));
            }
        }
    }

    async fn add(&mut self, history: &History) -> Result<(), LogError> {
        let keep = Keep { input: digest(input_of(history)), outcome: outcome(self.shared, history) };
        let records = history.records.len() as u64;
        self.batch.push(Purge { saga: history.saga.clone(), records, keep: Some(keep) });
        let records = self.batch.iter().map(|purge| purge.records).sum::<u64>();
        if self.batch.len() >= BATCH_SAGAS || records >= BATCH_RECORDS { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), LogError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let ids = batch.iter().map(|purge| purge.saga.clone()).collect::<Vec<_>>();
        let answers = self.shared.log.purge(batch).await;
        for (id, answer) in ids.iter().zip(answers) {
            match answer {
                Ok(()) => self.report.purged += 1,
                Err(AppendError::Unavailable(error)) => return Err(error),
                Err(error) => self.leave(id.as_str(), &error.to_string()),
            }
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    async fn expire_outcomes(&mut self, until_ms: u64) -> Result<(), LogError> {
        while !self.shared.is_shutting_down() {
            let expired = self.shared.log.expire(until_ms, BATCH_EXPIRED).await?;
            self.report.expired += expired;
            if expired < BATCH_EXPIRED as u64 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    fn leave(&mut self, saga: &str, cause: &str) {
        warn!(saga, cause, "an ended saga is not purged");
        self.report.left += 1;
    }
}

/// How a purged saga ended: what the log keeps of it.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// Of a saga that completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    /// Of a saga that was closed by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Box<RawValue>>,
    /// Of a saga that compensated.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<Turn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

fn outcome(shared: &Shared, history: &History) -> String {
    let raw = |json: Option<String>| json.and_then(|json| RawValue::from_string(json).ok());
    let kept = match history.status {
        Status::Completed => Kept { output: raw(journal::output(history)), ..Kept::default() },
        Status::Closed => {
            let closed = history.records.last().and_then(|record| record.data.clone());
            Kept { closed: raw(closed), ..Kept::default() }
        }
        Status::Compensated | Status::Running => {
            // The machine knows which of its records turned it, if it is still there.
            let begin = &history.begin;
            let saga = shared.registered(&begin.definition, begin.fingerprint);
            let known = saga.and_then(|saga| saga.cause(history)).map(turn_of);
            let said = || {
                let (turn, step, message) = journal::turned(history)?;
                Some((turn, step.to_owned(), message))
            };
            match known.or_else(said) {
                Some((turn, step, message)) => {
                    Kept { turn: Some(turn), step: Some(step), message: Some(message), ..Kept::default() }
                }
                None => Kept::default(),
            }
        }
    };
    // Strings and JSON that was read: this cannot fail.
    serde_json::to_string(&kept).unwrap_or_default()
}

fn turn_of(cause: Cause) -> (Turn, String, String) {
    match cause {
        Cause::Refused { step, message } => (Turn::Refused, step.to_owned(), message),
        Cause::GaveUp { step, message } => (Turn::GaveUp, step.to_owned(), message),
        Cause::Cancelled { reason } => (Turn::Cancelled, String::new(), reason),
        Cause::DeadlinePassed => (Turn::DeadlinePassed, String::new(), String::new()),
    }
}

/// The outcome of a saga that was purged.
pub(crate) fn kept_outcome<S: Saga>(purged: &Purged) -> Result<Outcome<S::Output>, HandleError> {
    let wrong = |cause: String| {
        let what = format!("what is kept of saga `{}`", purged.saga);
        HandleError::Data(data::DataError { what, ty: "outcome", cause })
    };
    let kept: Kept = serde_json::from_str(&purged.keep.outcome).map_err(|error| wrong(error.to_string()))?;
    match (purged.status, kept) {
        (Status::Completed, Kept { output: Some(output), .. }) => {
            Ok(Outcome::Completed(data::decode("the output", output.get())?))
        }
        (Status::Closed, Kept { closed: Some(closed), .. }) => {
            journal::closed_of_data(closed.get().to_owned()).map(Outcome::Closed).map_err(wrong)
        }
        (Status::Compensated, Kept { turn: Some(turn), step, message, .. }) => {
            cause_of::<S>(turn, step.as_deref(), message).map(Outcome::Compensated).map_err(wrong)
        }
        _ => Err(wrong("it does not say how it ended".to_owned())),
    }
}

fn cause_of<S: Saga>(turn: Turn, step: Option<&str>, message: Option<String>) -> Result<Cause, String> {
    let message = message.unwrap_or_default();
    let known = || {
        let step = step.unwrap_or_default();
        let name = step.split_once('[').map_or(step, |(name, _)| name);
        let known = S::DEFINITION.steps.iter().find(|known| known.name == name);
        known.map(|known| known.name).ok_or_else(|| format!("`{}` has no step `{step}`", S::DEFINITION.name))
    };
    Ok(match turn {
        Turn::Refused => Cause::Refused { step: known()?, message },
        Turn::GaveUp => Cause::GaveUp { step: known()?, message },
        Turn::Cancelled => Cause::Cancelled { reason: message },
        Turn::DeadlinePassed => Cause::DeadlinePassed,
    })
}
