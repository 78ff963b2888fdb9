//! Finds a saga, whatever its type, and drives it again.

use std::sync::Arc;

use tracing::error;

use crate::coordinator::driver::Command;
use crate::coordinator::shared::{Entry, LOG_BACK_OFF, Shared};
use crate::id::SagaId;
use crate::log::{Begin, History, HistoryError, Status};

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
            Err(
                error @ (HistoryError::Damaged(_) | HistoryError::Purged(_) | HistoryError::Expired { .. }),
            ) => {
                return Found::Stuck(error.to_string());
            }
            Err(HistoryError::Unavailable(error)) => {
                error!(%id, %error, "a saga that is looked for waits for its log");
                shared.back_off(LOG_BACK_OFF).await;
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

/// Sees to it that the saga is driven: what it waits for has come, perhaps.
pub(crate) fn wake(shared: &Arc<Shared>, id: &SagaId) {
    if wake_if_seen(shared, id) {
        return;
    }
    let (shared, id, task) = (Arc::clone(shared), id.clone(), shared.task());
    tokio::spawn(async move {
        match find(&shared, &id).await {
            Found::Driven(entry) => tell(&shared, &entry, Command::Wake),
            Found::Stuck(_) | Found::Ended(_) | Found::Unknown => leave_all_locks(&shared, &id),
            Found::Stopped => {}
        }
        drop(task);
    });
}

/// The same, if it is driven, or somebody looks at it; answers whether that is so.
pub(crate) fn wake_if_seen(shared: &Arc<Shared>, id: &SagaId) -> bool {
    let entry = shared.entry(id);
    if let Some(entry) = &entry {
        tell(shared, entry, Command::Wake);
    }
    entry.is_some()
}

/// Gives the saga of this entry a command, and sees to it that it is driven.
pub(crate) fn tell(shared: &Arc<Shared>, entry: &Entry, command: Command) {
    // An error says that it has ended, or stopped: then its progress says how.
    let _ = entry.commands.send(command);
    rouse(shared, entry);
}

/// Drives the saga of this entry again, if it is dormant.
pub(crate) fn rouse(shared: &Arc<Shared>, entry: &Entry) {
    if let Some(saga) = shared.registered(&entry.definition, entry.fingerprint)
        && let Some(reins) = shared.rouse(&entry.id)
    {
        saga.adopt(shared, &entry.id, reins);
    }
}

/// The saga takes no lock any more, for it cannot go on: who waits behind it must not wait for it.
pub(crate) fn leave_all_locks(shared: &Arc<Shared>, id: &SagaId) {
    for first in shared.waiters.leave_all_locks(id) {
        wake(shared, &first);
    }
}
