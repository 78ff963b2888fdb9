//! Drives a saga that nobody drives, from what the log holds of it.

use std::sync::Arc;

use tracing::{error, warn};

use crate::coordinator::driver::Driver;
use crate::coordinator::fold::fold;
use crate::coordinator::shared::{LOG_BACK_OFF, Reins, Shared};
use crate::coordinator::status::{Past, Progress, SagaStatus};
use crate::coordinator::wake::leave_all_locks;
use crate::id::SagaId;
use crate::log::{Damaged, History, HistoryError, Status};
use crate::saga::Saga;

pub(crate) const ENDED_UNKNOWN_TO_ITS_STATUS: &str =
    "its records say that it has ended, but its status does not";

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
    if folded.has_ended() {
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
            Err(HistoryError::Purged(purged)) => {
                return tell(shared, id, reins, Progress::Past(Past::Purged(Arc::new(*purged))));
            }
            Err(HistoryError::Expired { .. }) => {
                return tell(shared, id, reins, Progress::Past(Past::Expired));
            }
            Err(HistoryError::Unavailable(error)) => error,
        };
        let is_begun = matches!(*reins.progress.borrow(), Progress::Begun(..));
        let told = if is_begun {
            error!(%id, %error, "the saga waits for its log");
            if shared.back_off(LOG_BACK_OFF).await {
                continue;
            }
            Progress::Begun(SagaStatus::Stopped, None)
        } else {
            Progress::NotBegun(error)
        };
        return tell(shared, id, reins, told);
    }
}

fn tell<T>(shared: &Shared, id: &SagaId, reins: &Reins, told: Progress) -> Option<T> {
    shared.remove(id);
    reins.progress.send_replace(told);
    None
}

pub(crate) fn quarantine(shared: &Arc<Shared>, id: &SagaId, reins: &Reins, cause: String) {
    warn!(%id, cause, "quarantined");
    shared.remove(id);
    shared.quarantine(id, &cause);
    leave_all_locks(shared, id);
    reins.progress.send_replace(Progress::Begun(SagaStatus::Quarantined { cause }, None));
}
