//! Takes up what the log holds unfinished.

use std::sync::Arc;

use tracing::{info, warn};

use crate::coordinator::journal;
use crate::coordinator::registration::Resumed;
use crate::coordinator::shared::{Entry, Shared};
use crate::coordinator::wake::wake;
use crate::definition::Fingerprint;
use crate::id::SagaId;
use crate::log::{Cursor, Damaged, History, LogError, Page, Status, WAKE_MS_MAX, Wake};

/// How many unfinished sagas are read at once.
const PAGE: usize = 1000;

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

/// What a page of unfinished sagas came to.
#[derive(Default)]
pub(crate) struct TakenUp {
    pub(crate) resumed: usize,
    unclaimed: Vec<Unclaimed>,
    quarantined: Vec<(String, String)>,
}

/// Resumes every unfinished saga of the log that is to be driven by `now_ms`, and sees to it that the alarm goes off
/// for the others.
pub(crate) async fn recover(shared: &Arc<Shared>, now_ms: u64) -> Result<Recovery, LogError> {
    let mut recovery = Recovery::default();
    // First of all: whoever is damaged is not begun anew.
    let damaged = shared.log.check().await?;
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
    for damaged in damaged {
        // The page of those that are unfinished may have said so.
        if !recovery.quarantined.iter().any(|(saga, _)| *saga == damaged.saga) {
            recovery.quarantined.push(quarantine(shared, damaged));
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

fn quarantine(shared: &Shared, Damaged { saga, cause }: Damaged) -> (String, String) {
    warn!(saga, cause, "quarantined");
    if let Ok(id) = SagaId::new(&saga) {
        shared.quarantine(&id, &cause);
    }
    (saga, cause)
}

/// Gives the saga back if somebody is about to find out whether to drive it: a begin that is refused does not.
fn take_up(
    shared: &Arc<Shared>,
    saga: Result<History, Damaged>,
    taken_up: &mut TakenUp,
) -> Option<(Arc<Entry>, History)> {
    let history = match saga {
        Ok(history) => history,
        Err(damaged) => {
            taken_up.quarantined.push(quarantine(shared, damaged));
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
