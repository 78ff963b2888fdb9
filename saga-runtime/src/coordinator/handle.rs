//! One saga, seen from outside.

use std::marker::PhantomData;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::coordinator::driver::{Asked, CancelAnswer, Command, SendAnswer};
use crate::coordinator::fold::{FoldError, fold};
use crate::coordinator::operator::{Closed, Intervention, Offer, OperateError, Operator};
use crate::coordinator::purge::kept_outcome;
use crate::coordinator::shared::{Entry, Shared};
use crate::coordinator::status::{Past, Progress, SagaStatus};
use crate::coordinator::wake::rouse;
use crate::data::{self, DataError};
use crate::id::SagaId;
use crate::log::{History, HistoryError, RECORD_BYTES_MAX};
use crate::machine::{Cause, State};
use crate::saga::{Saga, Signal, StateOf};

/// The longest intervention, in bytes: as a record it has to fit into any log.
const INTERVENTION_BYTES_MAX: usize = RECORD_BYTES_MAX / 4;

/// How often somebody who waits for a lock looks at who holds it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How a saga ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// With every effect, and this output.
    Completed(T),
    /// With none, for this reason.
    Compensated(Cause),
    /// By an operator's hand: it says what may still be in effect.
    Closed(Closed),
}

/// A saga that was begun: waits for its end, shows where it is, cancels it.
///
/// A handle keeps nothing alive: the saga goes on when it is dropped, and the log is let go when the coordinator is.
pub struct Handle<S: Saga> {
    id: SagaId,
    entry: Arc<Entry>,
    shared: Weak<Shared>,
    saga: PhantomData<fn() -> S>,
}

/// Why a handle has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// The coordinator was shut down before the saga's end. It resumes at the next start.
    #[error("saga `{0}` was stopped by a shutdown: it resumes at the next start")]
    Stopped(SagaId),
    /// The saga is not executed any more.
    #[error("saga `{id}` is quarantined: {cause}")]
    Quarantined {
        /// The saga.
        id: SagaId,
        /// What is wrong.
        cause: String,
    },
    /// The saga's output cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The log did not answer, or the saga's rows are damaged.
    #[error(transparent)]
    Log(#[from] HistoryError),
    /// The saga's history cannot be read.
    #[error("saga `{id}`: {cause}")]
    History {
        /// The saga.
        id: SagaId,
        /// What is wrong.
        cause: FoldError,
    },
    /// The log does not hold the saga.
    #[error("the log does not hold saga `{0}`")]
    Unknown(SagaId),
}

/// Why a signal was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The saga does not receive it any more.
    #[error("saga `{id}` takes this signal no more: {reason}")]
    TooLate {
        /// The saga.
        id: SagaId,
        /// Why not.
        reason: String,
    },
    /// It cannot be written as JSON.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Whether it was taken is unknown: send it again.
    #[error(transparent)]
    Handle(#[from] HandleError),
}

impl<S: Saga> Handle<S> {
    pub(crate) fn new(id: SagaId, entry: Arc<Entry>, shared: &Arc<Shared>) -> Self {
        Self { id, entry, shared: Arc::downgrade(shared), saga: PhantomData }
    }

    /// The saga's id.
    pub fn id(&self) -> &SagaId {
        &self.id
    }

    /// Waits for the saga's end. A parked saga has not ended: see [`status`](Self::status).
    pub async fn outcome(&self) -> Result<Outcome<S::Output>, HandleError> {
        let mut progress = self.entry.progress.clone();
        let ended = progress.wait_for(|progress| {
            let going_on = |status: &SagaStatus| status.goes_on() || *status == SagaStatus::Held;
            let going_on = matches!(progress, Progress::Begun(status, _) if going_on(status));
            !going_on && !matches!(progress, Progress::Beginning)
        });
        let ended = ended.await.map_err(|_| HandleError::Stopped(self.id.clone()))?.clone();
        match ended {
            Progress::Begun(SagaStatus::Completed, Some(output)) => {
                Ok(Outcome::Completed(data::decode("the output", &output)?))
            }
            Progress::Begun(SagaStatus::Compensated(cause), _) => Ok(Outcome::Compensated(cause)),
            Progress::Begun(SagaStatus::Closed(closed), _) => Ok(Outcome::Closed(closed)),
            Progress::Begun(SagaStatus::Quarantined { cause }, _) => {
                Err(HandleError::Quarantined { id: self.id.clone(), cause })
            }
            Progress::Exists(history) => outcome_of::<S>(&history),
            Progress::Past(Past::Purged(purged)) => kept_outcome::<S>(&purged),
            Progress::Past(past) => Err(past.into_error(&self.id).into()),
            Progress::NotBegun(error) => Err(HistoryError::from(error).into()),
            Progress::Begun(..) | Progress::Beginning => Err(HandleError::Stopped(self.id.clone())),
        }
    }

    /// How the saga stands now.
    pub fn status(&self) -> SagaStatus {
        match &*self.entry.progress.borrow() {
            Progress::Begun(status, _) => status.clone(),
            Progress::Beginning | Progress::Exists(_) | Progress::Past(_) | Progress::NotBegun(_) => {
                SagaStatus::Running
            }
        }
    }

    /// Waits until the saga has ended or an operator should look: at it, as it is parked, quarantined or stopped; or at
    /// the one that holds the lock for which it waits, as that one is.
    pub async fn settled(&self) -> SagaStatus {
        let mut progress = self.entry.progress.clone();
        let running = |progress: &Progress| {
            [Some(&SagaStatus::Running), Some(&SagaStatus::Held)].contains(&progress.status())
        };
        loop {
            // An error says that nothing will change any more.
            let _ = progress.wait_for(|progress| !running(progress)).await;
            let status = self.status();
            let shared = self.shared.upgrade();
            match (&status, shared) {
                (SagaStatus::WaitsForLock { holder, .. }, Some(shared)) if !is_stuck(&shared, holder) => {}
                _ => return status,
            }
            // The one that holds it tells its own handles alone.
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { return self.status() },
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// The saga's state as the log has it: the fold of its history.
    pub async fn state(&self) -> Result<StateOf<S>, HandleError> {
        let history = self.history().await?;
        let folded = fold::<S>(&history);
        folded.map(|folded| folded.state).map_err(|cause| HandleError::History { id: self.id.clone(), cause })
    }

    /// Everything that the log holds of the saga. What was purged is answered with
    /// [`HistoryError::Purged`](crate::log::HistoryError::Purged), which tells what is kept.
    pub async fn history(&self) -> Result<History, HandleError> {
        let shared = self.shared.upgrade().ok_or_else(|| HandleError::Stopped(self.id.clone()))?;
        let history = shared.log.history(&self.id).await?;
        history.ok_or_else(|| HandleError::Unknown(self.id.clone()))
    }

    /// Asks the saga to compensate, and waits until that is decided and recorded. While the pivot is open, its
    /// outcome decides.
    pub async fn cancel(&self, reason: impl Into<String>) -> Result<CancelAnswer, HandleError> {
        let reason = reason.into();
        if let Some(answer) = self.ask(|answer| Command::Cancel { reason, by_parent: false, answer }).await {
            return Ok(answer);
        }
        match self.outcome_known() {
            Some(Ok(SagaStatus::Compensated(_))) => Ok(CancelAnswer::Cancelled),
            Some(Ok(_)) => Ok(CancelAnswer::TooLate),
            Some(Err(error)) => Err(error),
            None => Err(HandleError::Stopped(self.id.clone())),
        }
    }

    /// Sends the saga a signal, and answers when it is durable. One that comes before the saga waits for it is kept.
    pub async fn send(&self, signal: S::Signal) -> Result<(), SendError> {
        let signal = signal.to_fact()?;
        match self.ask(|answer| Command::Send { signal, answer }).await {
            Some(SendAnswer::Accepted) => Ok(()),
            Some(SendAnswer::TooLate { reason }) => Err(SendError::TooLate { id: self.id.clone(), reason }),
            None => match self.outcome_known() {
                Some(Ok(status)) => {
                    Err(SendError::TooLate { id: self.id.clone(), reason: status.to_string() })
                }
                Some(Err(error)) => Err(error.into()),
                None => Err(HandleError::Stopped(self.id.clone()).into()),
            },
        }
    }

    /// Tries at once what waits for a back-off or, parked, for an operator. Does nothing where nothing waits.
    pub async fn retry(&self) -> Result<(), HandleError> {
        if self.ask(|answer| Command::Retry { answer }).await.is_some() {
            return Ok(());
        }
        match self.outcome_known() {
            Some(known) => known.map(|_| ()),
            None => Err(HandleError::Stopped(self.id.clone())),
        }
    }

    /// What an operator can do about the saga as it stands, that is about it or one of its own steps.
    pub async fn offers(&self) -> Result<Vec<Offer>, HandleError> {
        if let Some(offers) = self.ask(|answer| Command::Offers { answer }).await {
            return Ok(offers);
        }
        match self.outcome_known() {
            Some(known) => known.map(|_| Vec::new()),
            None => Err(HandleError::Stopped(self.id.clone())),
        }
    }

    /// Does what an operator wants, and answers when that is durable, with who wants it and why. One that is about a
    /// step of which an attempt is in flight waits for its end.
    pub async fn operate(&self, by: &Operator, intervention: Intervention) -> Result<(), OperateError> {
        if by.name.trim().is_empty() || by.reason.trim().is_empty() {
            return Err(OperateError::Unexplained);
        }
        let output =
            if let Intervention::ActionDone { output, .. } = &intervention { output.len() } else { 0 };
        if by.name.len() + by.reason.len() + output > INTERVENTION_BYTES_MAX {
            let cause = format!("it has more than {INTERVENTION_BYTES_MAX} bytes");
            return Err(OperateError::Illegal { id: self.id.clone(), cause });
        }
        let wanted = intervention.offer();
        let by = by.clone();
        let asked = |answer| Command::Operate(Asked { by, intervention, by_parent: false, answer });
        if let Some(made) = self.ask(asked).await {
            return made;
        }
        match self.outcome_known() {
            Some(Ok(_)) => Err(OperateError::NotOffered { id: self.id.clone(), wanted, offered: Vec::new() }),
            Some(Err(error)) => Err(error.into()),
            None => Err(HandleError::Stopped(self.id.clone()).into()),
        }
    }

    /// What the driver answers; `None` where nobody drives the saga any more.
    async fn ask<A>(&self, command: impl FnOnce(oneshot::Sender<A>) -> Command) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        self.entry.commands.send(command(answer)).ok()?;
        if let Some(shared) = self.shared.upgrade() {
            // Where it is dormant it is driven again, and finds the command.
            rouse(&shared, &self.entry);
        }
        answered.await.ok()
    }

    /// How the saga ended, if it has.
    fn outcome_known(&self) -> Option<Result<SagaStatus, HandleError>> {
        match self.status() {
            SagaStatus::Running
            | SagaStatus::Parked(_)
            | SagaStatus::WaitsForLock { .. }
            | SagaStatus::Held
            | SagaStatus::Suspended(_)
            | SagaStatus::Stopped => None,
            SagaStatus::Quarantined { cause } => {
                Some(Err(HandleError::Quarantined { id: self.id.clone(), cause }))
            }
            ended @ (SagaStatus::Completed | SagaStatus::Compensated(_) | SagaStatus::Closed(_)) => {
                Some(Ok(ended))
            }
        }
    }
}

/// Whether an operator should look at this saga, or at one for which it waits. One that waits for an operator is driven: of
/// others nothing need be known here.
fn is_stuck(shared: &Shared, saga: &SagaId) -> bool {
    /// Longer than any line of those who wait for each other's locks.
    const MOST: usize = 100;
    let mut saga = saga.clone();
    for _ in 0..MOST {
        let status = shared.entry(&saga).and_then(|entry| entry.progress.borrow().status().cloned());
        match status {
            Some(SagaStatus::Parked(_) | SagaStatus::Suspended(_) | SagaStatus::Quarantined { .. }) => {
                return true;
            }
            Some(SagaStatus::WaitsForLock { holder, .. }) => saga = holder,
            Some(_) => return false,
            None => {
                return shared.quarantined().iter().any(|(known, _)| *known == saga)
                    || shared.unclaimed().iter().any(|unclaimed| unclaimed.id == saga);
            }
        }
    }
    false
}

/// The outcome of a saga that has ended, from its history.
pub(crate) fn outcome_of<S: Saga>(history: &History) -> Result<Outcome<S::Output>, HandleError> {
    let id = || history.saga.clone();
    let folded = fold::<S>(history).map_err(|cause| HandleError::History { id: id(), cause })?;
    if let Some(closed) = folded.closed {
        return Ok(Outcome::Closed(closed));
    }
    match (folded.state, folded.output) {
        (State::Completed, Some(output)) => Ok(Outcome::Completed(data::decode("the output", &output)?)),
        (State::Compensated(cause), _) => Ok(Outcome::Compensated(cause)),
        _ => Err(HandleError::Stopped(id())),
    }
}

impl<S: Saga> Clone for Handle<S> {
    fn clone(&self) -> Self {
        let entry = Arc::clone(&self.entry);
        Self { id: self.id.clone(), entry, shared: Weak::clone(&self.shared), saga: PhantomData }
    }
}

impl<S: Saga> std::fmt::Debug for Handle<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("id", &self.id).field("status", &self.status()).finish_non_exhaustive()
    }
}
