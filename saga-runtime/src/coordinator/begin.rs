//! How a saga is begun, and the four answers.

use std::borrow::Cow;
use std::sync::Arc;

use crate::coordinator::Coordinator;
use crate::coordinator::adopt::spawn_adopt;
use crate::coordinator::child::{ChildOf, longest_descendant};
use crate::coordinator::driver::Driver;
use crate::coordinator::handle::{Handle, HandleError, Outcome, outcome_of};
use crate::coordinator::purge::kept_outcome;
use crate::coordinator::registration::{Registration, registration_of};
use crate::coordinator::shared::{Entry, Reins, Shared};
use crate::coordinator::status::{Past, Progress, SagaStatus};
use crate::data::{DataError, digest, same_json};
use crate::id::{InvalidSagaId, SagaId};
use crate::log::{Begin, History, HistoryError, LogError, Purged, Status};
use crate::saga::Saga;

/// What `begin` answers for a saga that is accepted. The fourth answer is [`BeginError::Conflict`], and the fifth, where old
/// sagas are purged, [`BeginError::Expired`].
pub enum Begun<S: Saga> {
    /// It is new: its first record is durable.
    Started(Handle<S>),
    /// The same saga was begun before, and has not ended.
    Attached(Handle<S>),
    /// The same saga was begun before, and has ended.
    Finished(Outcome<S::Output>),
}

/// Why a saga was not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// A saga with this id was begun with another input, or as another saga.
    #[error("saga `{id}` was begun already, {difference}: choose another id, or begin the same")]
    Conflict {
        /// The saga.
        id: SagaId,
        /// In what it differs.
        difference: String,
    },
    /// A saga with this id has ended, and was purged so long ago that nobody knows any more which one, and how it ended. It
    /// is not begun a second time. See [`Retention`](crate::coordinator::Retention).
    #[error(
        "the id `{id}` has expired: it was a saga's that ended so long ago that only this is known: choose another id"
    )]
    Expired {
        /// The id.
        id: SagaId,
    },
    /// The id cannot be one.
    #[error(transparent)]
    InvalidId(#[from] InvalidSagaId),
    /// The saga was not registered with this coordinator.
    #[error("`{definition}` is not registered with this coordinator: add `.register::<{definition}>(…)`")]
    NotRegistered {
        /// Name of the saga.
        definition: Cow<'static, str>,
    },
    /// The input cannot be written as JSON.
    #[error(transparent)]
    Input(#[from] DataError),
    /// The log could not confirm the first record. Whether it is durable is unknown: begin the same again.
    #[error("{0}; begin the saga again with the same id")]
    Log(#[from] LogError),
    /// The saga cannot be begun in this transaction.
    #[error("saga `{id}` cannot be begun in this transaction: {cause}")]
    Transaction {
        /// The saga.
        id: SagaId,
        /// Why not, and the mend.
        cause: String,
    },
    /// The transaction in which the saga was begun is not committed.
    #[error("saga `{id}` is not in the log: commit the transaction in which it was begun first")]
    NotCommitted {
        /// The saga.
        id: SagaId,
    },
    /// The coordinator is shutting down.
    #[error("the coordinator is shutting down")]
    ShuttingDown,
    /// A saga with this id exists and cannot be executed.
    #[error(transparent)]
    Saga(HandleError),
}

impl<S: Saga> Begun<S> {
    /// Waits for the saga's end.
    pub async fn outcome(self) -> Result<Outcome<S::Output>, HandleError> {
        match self {
            Self::Started(handle) | Self::Attached(handle) => handle.outcome().await,
            Self::Finished(outcome) => Ok(outcome),
        }
    }

    /// The handle of a saga that has not ended.
    pub fn handle(&self) -> Option<&Handle<S>> {
        match self {
            Self::Started(handle) | Self::Attached(handle) => Some(handle),
            Self::Finished(_) => None,
        }
    }
}

/// By hand: a derive would ask for `S: Debug`, and a declared saga is a name without values.
impl<S: Saga<Output: std::fmt::Debug>> std::fmt::Debug for Begun<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Started(handle) => f.debug_tuple("Started").field(handle).finish(),
            Self::Attached(handle) => f.debug_tuple("Attached").field(handle).finish(),
            Self::Finished(outcome) => f.debug_tuple("Finished").field(outcome).finish(),
        }
    }
}

impl Coordinator {
    /// Begins a saga, and answers when its first record is durable. From then on it is executed to its end, whatever
    /// happens to this process.
    ///
    /// Beginning the same again, with the same id and the same input (compared as JSON, whatever the order of keys),
    /// is safe: it attaches to the first. Once that has ended it is answered with its outcome, also when its history is
    /// purged; past the horizon of that with [`BeginError::Expired`].
    pub async fn begin<S: Saga>(&self, id: impl AsRef<str>, input: S::Input) -> Result<Begun<S>, BeginError> {
        let id = SagaId::new(id)?;
        let shared = &self.inner.shared;
        let registration = registration::<S>(shared)?;
        room_for_children::<S>(shared, &id)?;
        let json: Arc<str> = S::encode_input(&input)?.into();
        let mut input = Some(input);
        // Counts as a task, so that a shutdown does not drain between this check and the first record.
        let _task = shared.task();
        loop {
            if shared.is_shutting_down() {
                return Err(BeginError::ShuttingDown);
            }
            let (entry, reins) =
                shared.enter(&id, S::DEFINITION.full_name(), S::DEFINITION.fingerprint(), &json);
            let mut started = false;
            match reins {
                None => same_saga::<S>(&entry, &id, &json)?,
                Some(reins) => match input.take() {
                    Some(input) => {
                        started = true;
                        spawn_begin::<S>(shared, &registration, &id, reins, input, json.to_string(), None);
                    }
                    // The log held it, unfinished: nobody drove it.
                    None => spawn_adopt::<S>(shared, &registration.participants, &id, reins),
                },
            }
            let handle = Handle::new(id.clone(), Arc::clone(&entry), shared);
            match accepted(&entry, &id).await? {
                None if started => return Ok(Begun::Started(handle)),
                None => return Ok(Begun::Attached(handle)),
                Some(Before::Purged(purged)) => {
                    same_purged::<S>(&purged, &id, Some(&json))?;
                    return kept(&purged);
                }
                Some(Before::There(history)) => {
                    same_history::<S>(&history, &id, &json)?;
                    if history.status != Status::Running {
                        return finished::<S>(&history);
                    }
                }
            }
        }
    }

    /// The saga with this id, if it was ever begun: attached to, or with its outcome.
    pub async fn find<S: Saga>(&self, id: &SagaId) -> Result<Option<Begun<S>>, BeginError> {
        let shared = &self.inner.shared;
        let registration = registration::<S>(shared)?;
        // Counts as a task, so that a shutdown does not drain between this check and the first record.
        let _task = shared.task();
        loop {
            if shared.is_shutting_down() {
                return Err(BeginError::ShuttingDown);
            }
            let mut entry = shared.entry(id);
            if entry.is_none() {
                let history = match before(shared.log.history(id).await)? {
                    None => return Ok(None),
                    Some(Before::Purged(purged)) => {
                        same_purged::<S>(&purged, id, None)?;
                        return kept(&purged).map(Some);
                    }
                    Some(Before::There(history)) => history,
                };
                let json = input_of(&history);
                same_history::<S>(&history, id, json)?;
                if history.status != Status::Running {
                    return finished::<S>(&history).map(Some);
                }
                let fingerprint = S::DEFINITION.fingerprint();
                let (found, reins) = shared.enter(id, S::DEFINITION.full_name(), fingerprint, &json.into());
                if let Some(reins) = reins {
                    spawn_adopt::<S>(shared, &registration.participants, id, reins);
                }
                entry = Some(found);
            }
            if let Some(entry) = entry {
                same_saga::<S>(&entry, id, &entry.input)?;
                if accepted(&entry, id).await?.is_none() {
                    return Ok(Some(Begun::Attached(Handle::new(id.clone(), entry, shared))));
                }
            }
        }
    }
}

pub(crate) fn registration<S: Saga>(shared: &Shared) -> Result<Arc<Registration<S>>, BeginError> {
    registration_of::<S>(shared).ok_or(BeginError::NotRegistered { definition: S::DEFINITION.full_name() })
}

/// Whether the ids of the saga's descendants can be made of its own.
pub(crate) fn room_for_children<S: Saga>(shared: &Shared, id: &SagaId) -> Result<(), InvalidSagaId> {
    let children = S::children();
    if children.is_empty() {
        return Ok(());
    }
    id.must_leave_room(id.as_str().len() + longest_descendant(shared, S::DEFINITION, &children))
}

/// Waits until the saga's first record is durable. `Some`: the log holds a saga with this id already.
async fn accepted(entry: &Entry, id: &SagaId) -> Result<Option<Before>, BeginError> {
    let mut progress = entry.progress.clone();
    let known = progress.wait_for(|progress| !matches!(progress, Progress::Beginning)).await;
    match known.map_or(Progress::Beginning, |progress| progress.clone()) {
        Progress::Begun(SagaStatus::Stopped, _) | Progress::Beginning => Err(BeginError::ShuttingDown),
        Progress::Begun(SagaStatus::Quarantined { cause }, _) => {
            Err(BeginError::Saga(HandleError::Quarantined { id: id.clone(), cause }))
        }
        Progress::Begun(..) => Ok(None),
        Progress::NotBegun(error) => Err(error.into()),
        Progress::Exists(history) => Ok(Some(Before::There(history))),
        Progress::Past(Past::Purged(purged)) => Ok(Some(Before::Purged(purged))),
        Progress::Past(Past::Expired) => Err(BeginError::Expired { id: id.clone() }),
    }
}

/// What the log holds of a saga with the id.
pub(crate) enum Before {
    There(Arc<History>),
    Purged(Arc<Purged>),
}

/// What the log holds of a saga with the id, from what it answers.
pub(crate) fn before(history: Result<Option<History>, HistoryError>) -> Result<Option<Before>, BeginError> {
    match history {
        Ok(history) => Ok(history.map(|history| Before::There(Arc::new(history)))),
        Err(HistoryError::Purged(purged)) => Ok(Some(Before::Purged(Arc::new(*purged)))),
        Err(HistoryError::Expired { saga }) => Err(BeginError::Expired { id: saga }),
        Err(error) => Err(BeginError::Saga(error.into())),
    }
}

fn kept<S: Saga>(purged: &Purged) -> Result<Begun<S>, BeginError> {
    kept_outcome::<S>(purged).map(Begun::Finished).map_err(BeginError::Saga)
}

fn finished<S: Saga>(history: &History) -> Result<Begun<S>, BeginError> {
    outcome_of::<S>(history).map(Begun::Finished).map_err(BeginError::Saga)
}

pub(crate) fn spawn_begin<S: Saga>(
    shared: &Arc<Shared>,
    registration: &Registration<S>,
    id: &SagaId,
    Reins { progress, commands }: Reins,
    input: S::Input,
    json: String,
    child_of: Option<ChildOf>,
) {
    let participants = Arc::clone(&registration.participants);
    let driver = Driver::<S>::new(Arc::clone(shared), participants, id.clone(), progress, commands);
    let task = shared.task();
    // A task of its own: whoever begins the saga may give up waiting without leaving it half begun.
    tokio::spawn(async move {
        driver.begin(input, json, child_of).await;
        drop(task);
    });
}

fn same_saga<S: Saga>(entry: &Entry, id: &SagaId, input: &str) -> Result<(), BeginError> {
    let same_definition =
        entry.definition == S::DEFINITION.full_name() && entry.fingerprint == S::DEFINITION.fingerprint();
    compare::<S>(same_definition, &entry.definition, same_json(&entry.input, input), id)
}

pub(crate) fn same_history<S: Saga>(history: &History, id: &SagaId, input: &str) -> Result<(), BeginError> {
    let same_input = same_json(input_of(history), input);
    compare::<S>(is_begin_of::<S>(&history.begin), &history.begin.definition, same_input, id)
}

/// `None` for any input.
pub(crate) fn same_purged<S: Saga>(
    purged: &Purged,
    id: &SagaId,
    input: Option<&str>,
) -> Result<(), BeginError> {
    let same_input = input.is_none_or(|input| digest(input) == purged.keep.input);
    compare::<S>(is_begin_of::<S>(&purged.begin), &purged.begin.definition, same_input, id)
}

fn is_begin_of<S: Saga>(begin: &Begin) -> bool {
    begin.definition == S::DEFINITION.full_name() && begin.fingerprint == S::DEFINITION.fingerprint()
}

pub(crate) fn input_of(history: &History) -> &str {
    history.records.first().and_then(|record| record.data.as_deref()).unwrap_or_default()
}

fn compare<S: Saga>(
    same_definition: bool,
    definition: &str,
    same_input: bool,
    id: &SagaId,
) -> Result<(), BeginError> {
    let difference = if !same_definition {
        format!("as `{definition}` of another form than this `{}`", S::DEFINITION.full_name())
    } else if !same_input {
        "with another input".to_owned()
    } else {
        return Ok(());
    };
    Err(BeginError::Conflict { id: id.clone(), difference })
}
