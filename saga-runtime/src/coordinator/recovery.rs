//! Takes up what the log holds unfinished.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::{info, warn};

use crate::coordinator::driver::Driver;
use crate::coordinator::fold::fold;
use crate::coordinator::shared::{Reins, Shared};
use crate::coordinator::status::{Progress, SagaStatus};
use crate::definition::{Definition, Fingerprint};
use crate::id::SagaId;
use crate::log::{History, HistoryError, LogError, Status, Wake};
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
    /// Name of its definition.
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

    /// Resumes the saga of `history`, or says what is wrong with it.
    fn resume(&self, shared: &Arc<Shared>, history: &History) -> Result<(), String>;
}

impl<S: Saga> Recoverable for Registration<S> {
    fn definition(&self) -> &'static Definition {
        S::DEFINITION
    }

    fn resume(&self, shared: &Arc<Shared>, history: &History) -> Result<(), String> {
        let folded = fold::<S>(history).map_err(|error| error.to_string())?;
        if matches!(folded.state, State::Completed | State::Compensated(_)) {
            return Err(ENDED_UNKNOWN_TO_ITS_STATUS.to_owned());
        }
        let input = history.records.first().and_then(|record| record.data.as_deref()).unwrap_or_default();
        let fingerprint = history.begin.fingerprint;
        let (_, reins) = shared.enter(&history.saga, S::DEFINITION.name, fingerprint, &input.into());
        if let Some(Reins { progress, commands }) = reins {
            let records = u64::try_from(history.records.len()).unwrap_or(u64::MAX);
            let participants = Arc::clone(&self.participants);
            let id = history.saga.clone();
            let driver = Driver::<S>::new(Arc::clone(shared), participants, id, progress, commands);
            let task = shared.task();
            tokio::spawn(async move {
                driver.resume(folded, records).await;
                drop(task);
            });
        }
        Ok(())
    }
}

/// Resumes every unfinished saga of the log.
pub(crate) async fn recover(
    shared: &Arc<Shared>,
    registered: &HashMap<(&'static str, Fingerprint), Arc<dyn Recoverable>>,
) -> Result<Recovery, LogError> {
    let mut recovery = Recovery::default();
    let mut after = None;
    loop {
        let page = shared.log.unfinished(Wake::Never, after, PAGE).await?;
        for saga in page.sagas {
            match saga {
                Ok(history) => recover_one(shared, registered, &history, &mut recovery),
                Err(damaged) => {
                    warn!(saga = damaged.saga, cause = damaged.cause, "quarantined");
                    recovery.quarantined.push((damaged.saga, damaged.cause));
                }
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    info!(
        resumed = recovery.resumed,
        unclaimed = recovery.unclaimed.len(),
        quarantined = recovery.quarantined.len(),
        "recovered"
    );
    Ok(recovery)
}

fn recover_one(
    shared: &Arc<Shared>,
    registered: &HashMap<(&'static str, Fingerprint), Arc<dyn Recoverable>>,
    history: &History,
    recovery: &mut Recovery,
) {
    let name = history.begin.definition.as_str();
    let fingerprint = history.begin.fingerprint;
    let known = registered.iter().find(|((n, f), _)| *n == name && *f == fingerprint);
    let Some((_, saga)) = known else {
        warn!(id = %history.saga, definition = name, %fingerprint, "no such saga is registered");
        recovery.unclaimed.push(Unclaimed {
            id: history.saga.clone(),
            definition: name.to_owned(),
            fingerprint,
            registered: registered.keys().filter(|(n, _)| *n == name).map(|(_, f)| *f).collect(),
        });
        return;
    };
    match saga.resume(shared, history) {
        Ok(()) => recovery.resumed += 1,
        Err(cause) => {
            warn!(id = %history.saga, cause, "quarantined");
            shared.quarantine(&history.saga, &cause);
            recovery.quarantined.push((history.saga.to_string(), cause));
        }
    }
}

/// Drives the saga `id`, which the log holds unfinished although nobody drives it: its begin was answered with an
/// error although it was durable.
pub(crate) async fn adopt<S: Saga>(
    shared: Arc<Shared>,
    participants: Arc<S::Participants>,
    id: SagaId,
    Reins { progress, commands }: Reins,
) {
    let quarantine = |cause: String| {
        shared.remove(&id);
        shared.quarantine(&id, &cause);
        progress.send_replace(Progress::Begun(SagaStatus::Quarantined { cause }, None));
    };
    let history = match shared.log.history(&id).await {
        Ok(Some(history)) => history,
        Ok(None) => return quarantine("the log does not know it any more".to_owned()),
        Err(HistoryError::Unavailable(error)) => {
            shared.remove(&id);
            progress.send_replace(Progress::NotBegun(error));
            return;
        }
        Err(error) => return quarantine(error.to_string()),
    };
    let folded = match fold::<S>(&history) {
        Ok(folded) => folded,
        Err(error) => return quarantine(error.to_string()),
    };
    if matches!(folded.state, State::Completed | State::Compensated(_)) {
        if history.status == Status::Running {
            // Whoever asks would be sent back here for ever.
            return quarantine(ENDED_UNKNOWN_TO_ITS_STATUS.to_owned());
        }
        shared.remove(&id);
        progress.send_replace(Progress::Exists(Arc::new(history)));
        return;
    }
    shared.release(&id);
    let records = u64::try_from(history.records.len()).unwrap_or(u64::MAX);
    Driver::<S>::new(Arc::clone(&shared), participants, id.clone(), progress, commands)
        .resume(folded, records)
        .await;
}
