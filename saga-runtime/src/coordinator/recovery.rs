//! Takes up what the log holds unfinished.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use tracing::{error, info, warn};

use crate::coordinator::attempt::panic_message;
use crate::coordinator::begin::spawn_begin;
use crate::coordinator::child::ChildOf;
use crate::coordinator::driver::{Command, Driver, LOG_BACK_OFF};
use crate::coordinator::fold::fold;
use crate::coordinator::journal;
use crate::coordinator::shared::{Entry, Reins, Shared};
use crate::coordinator::status::{Progress, SagaStatus};
use crate::definition::{Definition, Fingerprint};
use crate::id::SagaId;
use crate::log::{Begin, Cursor, Damaged, History, HistoryError, LogError, Page, Status, WAKE_MS_MAX, Wake};
use crate::machine::State;
use crate::saga::Saga;

/// How many unfinished sagas are read at once.
const PAGE: usize = 1000;

const ENDED_UNKNOWN_TO_ITS_STATUS: &str = "its records say that it has ended, but its status does not";

/// What a coordinator found in its log when it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// How many sagas were resumed.
    pub resumed: usize,
    /// How many unfinished sagas wait for a time or for something from outside. They were not read, and are driven when
    /// that comes.
    pub waiting: u64,
    /// Sagas whose definition is not registered. They stay as they are, and resume when it is.
    pub unclaimed: Vec<Unclaimed>,
    /// Sagas whose rows are damaged or cannot be continued, and what is wrong. They stay as they are.
    pub quarantined: Vec<(String, String)>,
}

/// A saga whose definition is not registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclaimed {
    /// The saga.
    pub id: SagaId,
    /// Full name of its definition: with what the parameters of its data stand for, such as `Transfer<Eur>`.
    pub definition: String,
    /// Fingerprint of its definition.
    pub fingerprint: Fingerprint,
    /// The fingerprints under which a definition of that name is registered: what it looks like now.
    pub registered: Vec<Fingerprint>,
}

/// A registered saga.
pub(crate) struct Registration<S: Saga> {
    pub(crate) participants: Arc<S::Participants>,
}

/// A registered saga, whatever its type.
pub(crate) trait Recoverable: Send + Sync {
    fn definition(&self) -> &'static Definition;

    fn children(&self) -> Vec<&'static Definition>;

    /// Resumes the saga of `history` unless it is driven already, or says what is wrong with it.
    fn resume(&self, shared: &Arc<Shared>, history: &History) -> Result<Resumed, String>;

    /// Begins a saga as the child of another, in a task of its own; `input` is JSON.
    fn begin(
        &self,
        shared: &Arc<Shared>,
        id: &SagaId,
        reins: Reins,
        input: &str,
        child_of: ChildOf,
    ) -> Result<(), Box<(String, Reins)>>;

    /// Drives a saga that the log holds unfinished, in a task of its own.
    fn adopt(&self, shared: &Arc<Shared>, id: &SagaId, reins: Reins);
}

/// Registered sagas by the full name and fingerprint of their definitions.
pub(crate) type Registered = HashMap<(Cow<'static, str>, Fingerprint), Arc<dyn Recoverable>>;

/// What became of a saga that the log holds unfinished.
pub(crate) enum Resumed {
    /// A task drives it from now on.
    Now,
    /// One did before, or is about to find out whether it will.
    Before(Arc<Entry>),
}

/// What a page of unfinished sagas came to.
#[derive(Default)]
pub(crate) struct TakenUp {
    pub(crate) resumed: usize,
    unclaimed: Vec<Unclaimed>,
    quarantined: Vec<(String, String)>,
}

impl<S: Saga> Recoverable for Registration<S> {
    fn definition(&self) -> &'static Definition {
        S::DEFINITION
    }

    fn children(&self) -> Vec<&'static Definition> {
        S::children()
    }

    fn begin(
        &self,
        shared: &Arc<Shared>,
        id: &SagaId,
        reins: Reins,
        input: &str,
        child_of: ChildOf,
    ) -> Result<(), Box<(String, Reins)>> {
        let decoded = std::panic::catch_unwind(AssertUnwindSafe(|| S::decode_input(input)));
        let decoded = match decoded {
            Ok(Ok(decoded)) => decoded,
            Ok(Err(error)) => return Err(Box::new((error.to_string(), reins))),
            Err(panic) => return Err(Box::new((panic_message(&*panic), reins))),
        };
        spawn_begin::<S>(shared, self, id, reins, decoded, input.to_owned(), Some(child_of));
        Ok(())
    }

    fn adopt(&self, shared: &Arc<Shared>, id: &SagaId, reins: Reins) {
        spawn_adopt::<S>(shared, &self.participants, id, reins);
    }

    fn resume(&self, shared: &Arc<Shared>, history: &History) -> Result<Resumed, String> {
        let id = &history.saga;
        let input = history.records.first().and_then(|record| record.data.as_deref()).unwrap_or_default();
        let fingerprint = history.begin.fingerprint;
        let reins = match shared.rouse(id) {
            Some(reins) => reins,
            None => match shared.enter(id, S::DEFINITION.full_name(), fingerprint, &input.into()) {
                (_, Some(reins)) => reins,
                (entry, None) => return Ok(Resumed::Before(entry)),
            },
        };
        // From here on nobody else drives it, so that what is not old now does not grow old.
        if shared.has_departed(id) {
            reins.progress.send_replace(Progress::Begun(SagaStatus::Running, None));
            spawn_adopt::<S>(shared, &self.participants, id, reins);
            return Ok(Resumed::Now);
        }
        let folded = fold::<S>(history).map_err(|error| error.to_string()).and_then(|folded| {
            let ended = matches!(folded.state, State::Completed | State::Compensated(_));
            if ended { Err(ENDED_UNKNOWN_TO_ITS_STATUS.to_owned()) } else { Ok(folded) }
        });
        let folded = match folded {
            Ok(folded) => folded,
            Err(cause) => {
                quarantine(shared, id, &reins, cause.clone());
                return Err(cause);
            }
        };
        let records = u64::try_from(history.records.len()).unwrap_or(u64::MAX);
        let Reins { progress, commands } = reins;
        let participants = Arc::clone(&self.participants);
        let driver = Driver::<S>::new(Arc::clone(shared), participants, id.clone(), progress, commands);
        let task = shared.task();
        tokio::spawn(async move {
            driver.resume(folded, records).await;
            drop(task);
        });
        Ok(Resumed::Now)
    }
}

/// Sees to it that the saga is driven: what it waits for has come, perhaps.
pub(crate) fn wake(shared: &Arc<Shared>, id: &SagaId) {
    if let Some(entry) = shared.entry(id) {
        // An error says that nobody drives it, and nobody will.
        let _ = entry.commands.send(Command::Wake);
        rouse_any(shared, &entry);
        return;
    }
    let (shared, id, task) = (Arc::clone(shared), id.clone(), shared.task());
    tokio::spawn(async move {
        match find(&shared, &id).await {
            Found::Driven(entry) => {
                let _ = entry.commands.send(Command::Wake);
                rouse_any(&shared, &entry);
            }
            Found::Stuck(_) | Found::Ended(_) | Found::Unknown => stop_waiting_for_locks(&shared, &id),
            Found::Stopped => {}
        }
        drop(task);
    });
}

/// The saga takes no lock any more, for it cannot go on: who waits behind it must not wait for it.
pub(crate) fn stop_waiting_for_locks(shared: &Arc<Shared>, id: &SagaId) {
    for first in shared.waiters.leave_all_locks(id) {
        wake(shared, &first);
    }
}

/// Drives the saga of this entry again, if it is dormant.
pub(crate) fn rouse_any(shared: &Arc<Shared>, entry: &Entry) {
    if let Some(saga) = shared.registered(&entry.definition, entry.fingerprint)
        && let Some(reins) = shared.rouse(&entry.id)
    {
        saga.adopt(shared, &entry.id, reins);
    }
}

/// A saga, whatever its type.
pub(crate) enum Found {
    /// It is driven, or dormant and seen.
    Driven(Arc<Entry>),
    /// It has ended.
    Ended(Box<History>),
    /// It is not executed: damaged, or its definition is not registered.
    Stuck(String),
    /// The log does not know it.
    Unknown,
    /// The coordinator shuts down.
    Stopped,
}

/// Finds the saga, and waits for the log where that is unavailable. One that nobody drives is driven from then on.
pub(crate) async fn find(shared: &Arc<Shared>, id: &SagaId) -> Found {
    loop {
        if shared.is_shutting_down() {
            return Found::Stopped;
        }
        if let Some(entry) = shared.entry(id) {
            entry.decided().await;
            return Found::Driven(entry);
        }
        let history = match shared.log.history(id).await {
            Ok(Some(history)) => history,
            Ok(None) => return Found::Unknown,
            Err(HistoryError::Damaged(damaged)) => return Found::Stuck(damaged.to_string()),
            Err(HistoryError::Unavailable(error)) => {
                error!(%id, %error, "a saga that is looked for waits for its log");
                tokio::select! {
                    () = tokio::time::sleep(LOG_BACK_OFF) => {}
                    () = shared.shutdown() => {}
                }
                continue;
            }
        };
        if history.status != Status::Running {
            return Found::Ended(Box::new(history));
        }
        let Begin { definition, fingerprint } = &history.begin;
        let Some(saga) = shared.registered(definition, *fingerprint) else {
            return Found::Stuck(format!("no `{definition}` of its form is registered"));
        };
        let input = history.records.first().and_then(|record| record.data.as_deref()).unwrap_or_default();
        let name = saga.definition().full_name();
        let (entry, reins) = shared.enter(id, name, *fingerprint, &input.into());
        if let Some(reins) = reins {
            saga.adopt(shared, id, reins);
        }
        entry.decided().await;
        return Found::Driven(entry);
    }
}

/// Resumes every unfinished saga of the log that is to be driven by `now_ms`, and sees to it that the alarm goes off
/// for the others.
pub(crate) async fn recover(shared: &Arc<Shared>, now_ms: u64) -> Result<Recovery, LogError> {
    let mut recovery = Recovery::default();
    let mut after = None;
    loop {
        let (taken_up, next) = take_up_page(shared, now_ms, after).await?;
        recovery.resumed += taken_up.resumed;
        recovery.unclaimed.extend(taken_up.unclaimed);
        recovery.quarantined.extend(taken_up.quarantined);
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    wake_orphans(shared).await?;
    recovery.waiting = shared.log.waiting(now_ms).await?;
    if let Some(at_ms) = shared.log.next_wake(now_ms).await? {
        shared.arm(at_ms);
    }
    info!(
        resumed = recovery.resumed,
        waiting = recovery.waiting,
        unclaimed = recovery.unclaimed.len(),
        quarantined = recovery.quarantined.len(),
        "recovered"
    );
    Ok(recovery)
}

/// Wakes the held children whose parents have ended without them, which nobody else would: they could not go on then.
async fn wake_orphans(shared: &Arc<Shared>) -> Result<(), LogError> {
    let mut after = Some(Cursor::behind(Wake::At(WAKE_MS_MAX)));
    while after.is_some() {
        let Page { sagas, next } = shared.log.unfinished(Wake::Never, after, PAGE).await?;
        for child in sagas.into_iter().flatten() {
            let Some(of) = journal::child_of(&child) else { continue };
            if let Ok(Some(parent)) = shared.log.history(&of.parent).await
                && parent.status != Status::Running
            {
                wake(shared, &child.saga);
            }
        }
        after = next;
    }
    Ok(())
}

/// Resumes a page of the sagas that wake by `until_ms`, behind `after`, and answers where the next page begins.
pub(crate) async fn take_up_page(
    shared: &Arc<Shared>,
    until_ms: u64,
    after: Option<Cursor>,
) -> Result<(TakenUp, Option<Cursor>), LogError> {
    let mut taken_up = TakenUp::default();
    shared.watch_for_departures();
    let page = shared.log.unfinished(Wake::At(until_ms), after, PAGE).await;
    let next = match page {
        Ok(Page { mut sagas, next }) => {
            while !sagas.is_empty() {
                let mut beginning = Vec::new();
                for saga in sagas {
                    beginning.extend(take_up(shared, saga, &mut taken_up));
                }
                sagas = Vec::new();
                for (entry, history) in beginning {
                    entry.decided().await;
                    sagas.push(Ok(history));
                }
            }
            Ok(next)
        }
        Err(error) => Err(error),
    };
    shared.forget_departures();
    Ok((taken_up, next?))
}

/// Gives the saga back if somebody is about to find out whether to drive it: a begin that is refused does not.
fn take_up(
    shared: &Arc<Shared>,
    saga: Result<History, Damaged>,
    taken_up: &mut TakenUp,
) -> Option<(Arc<Entry>, History)> {
    let history = match saga {
        Ok(history) => history,
        Err(Damaged { saga, cause }) => {
            warn!(saga, cause, "quarantined");
            if let Ok(id) = SagaId::new(&saga) {
                shared.quarantine(&id, &cause);
            }
            taken_up.quarantined.push((saga, cause));
            return None;
        }
    };
    let name = history.begin.definition.as_str();
    let fingerprint = history.begin.fingerprint;
    let Some(saga) = shared.registered(name, fingerprint) else {
        warn!(id = %history.saga, definition = name, %fingerprint, "no such saga is registered");
        let unclaimed = Unclaimed {
            id: history.saga.clone(),
            definition: name.to_owned(),
            fingerprint,
            registered: shared.fingerprints(name),
        };
        shared.leave_unclaimed(unclaimed.clone());
        taken_up.unclaimed.push(unclaimed);
        return None;
    };
    match saga.resume(shared, &history) {
        Ok(Resumed::Now) => taken_up.resumed += 1,
        Ok(Resumed::Before(entry)) if !entry.is_decided() => return Some((entry, history)),
        Ok(Resumed::Before(_)) => {}
        Err(cause) => taken_up.quarantined.push((history.saga.to_string(), cause)),
    }
    None
}

/// What `S` was registered with.
pub(crate) fn registration_of<S: Saga>(shared: &Shared) -> Option<Arc<Registration<S>>> {
    let registered = shared.typed.get(&TypeId::of::<S>())?;
    Arc::clone(registered).downcast().ok()
}

/// Drives the saga again, if it is dormant and seen by a handle.
pub(crate) fn rouse<S: Saga>(shared: &Arc<Shared>, id: &SagaId) {
    // There are no handles of sagas that are not registered.
    if let Some(registration) = registration_of::<S>(shared)
        && let Some(reins) = shared.rouse(id)
    {
        spawn_adopt::<S>(shared, &registration.participants, id, reins);
    }
}

/// Drives a saga that the log holds unfinished, in a task of its own.
pub(crate) fn spawn_adopt<S: Saga>(
    shared: &Arc<Shared>,
    participants: &Arc<S::Participants>,
    id: &SagaId,
    reins: Reins,
) {
    let adopted = adopt::<S>(Arc::clone(shared), Arc::clone(participants), id.clone(), reins);
    let task = shared.task();
    tokio::spawn(async move {
        adopted.await;
        drop(task);
    });
}

/// Drives the saga `id`, which the log holds unfinished although nobody drives it: it was dormant, or its begin was
/// answered with an error although it was durable.
async fn adopt<S: Saga>(shared: Arc<Shared>, participants: Arc<S::Participants>, id: SagaId, reins: Reins) {
    let history = match history(&shared, &id, &reins).await {
        Some(Ok(Some(history))) => history,
        Some(Ok(None)) => {
            let cause = "the log does not know it any more".to_owned();
            return quarantine(&shared, &id, &reins, cause);
        }
        Some(Err(damaged)) => return quarantine(&shared, &id, &reins, damaged.to_string()),
        None => return,
    };
    let folded = match fold::<S>(&history) {
        Ok(folded) => folded,
        Err(error) => return quarantine(&shared, &id, &reins, error.to_string()),
    };
    if matches!(folded.state, State::Completed | State::Compensated(_)) {
        if history.status == Status::Running {
            // Whoever asks would be sent back here for ever.
            return quarantine(&shared, &id, &reins, ENDED_UNKNOWN_TO_ITS_STATUS.to_owned());
        }
        shared.remove(&id);
        reins.progress.send_replace(Progress::Exists(Arc::new(history)));
        return;
    }
    shared.release(&id);
    let records = u64::try_from(history.records.len()).unwrap_or(u64::MAX);
    let Reins { progress, commands } = reins;
    Driver::<S>::new(Arc::clone(&shared), participants, id.clone(), progress, commands)
        .resume(folded, records)
        .await;
}

/// The saga's history; `None` if that was told to those who wait. Who begins a saga is told at once that the log is
/// unavailable; one that runs waits for its log.
async fn history(shared: &Shared, id: &SagaId, reins: &Reins) -> Option<Result<Option<History>, Damaged>> {
    loop {
        let error = match shared.log.history(id).await {
            Ok(history) => return Some(Ok(history)),
            Err(HistoryError::Damaged(damaged)) => return Some(Err(damaged)),
            Err(HistoryError::Unavailable(error)) => error,
        };
        let is_begun = matches!(*reins.progress.borrow(), Progress::Begun(..));
        let told = if !is_begun {
            Progress::NotBegun(error)
        } else if shared.is_shutting_down() {
            Progress::Begun(SagaStatus::Stopped, None)
        } else {
            error!(%id, %error, "the saga waits for its log");
            tokio::select! {
                () = tokio::time::sleep(LOG_BACK_OFF) => {}
                () = shared.shutdown() => {}
            }
            continue;
        };
        shared.remove(id);
        reins.progress.send_replace(told);
        return None;
    }
}

fn quarantine(shared: &Arc<Shared>, id: &SagaId, reins: &Reins, cause: String) {
    warn!(%id, cause, "quarantined");
    shared.remove(id);
    shared.quarantine(id, &cause);
    stop_waiting_for_locks(shared, id);
    reins.progress.send_replace(Progress::Begun(SagaStatus::Quarantined { cause }, None));
}
