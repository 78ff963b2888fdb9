//! Runs sagas through a coordinator, and tells from its log what became of them.
//!
//! The saga is a parameter: an example's, or in tests one of the same form with shorter timeouts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use saga_runtime::coordinator::{BeginError, HandleError};
use saga_runtime::log::{History, LogError, SagaLog, Wake};
use saga_runtime::{Begun, Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus};
use tokio::time::{sleep, timeout};

use crate::audit::Owners;

/// What became of a saga with the output `O`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending<O> {
    /// Everything is done.
    Completed(Box<O>),
    /// Nothing is done.
    Compensated {
        /// Why.
        reason: String,
    },
    /// An operator should look at it: some of it may be done.
    Parked {
        /// What does not get done, and what may still be in effect.
        residue: String,
    },
    /// An operator has ended it by hand: some of it may be done.
    Closed {
        /// Who, why, and what may still be in effect.
        by: String,
    },
    /// It waits for a lock of a saga that does not go on by itself.
    Waiting {
        /// Which lock, and which saga.
        lock: String,
    },
    /// Its records cannot be read or continued: some of it may be done.
    Quarantined {
        /// What is wrong.
        cause: String,
    },
    /// It was under way when the coordinator was shut down. It resumes at the next start.
    Stopped,
    /// There is no such saga.
    NotBegun {
        /// Why.
        cause: String,
    },
}

/// How many unfinished sagas are read at once.
const PAGE: usize = 1000;

/// How long a parked saga that is tried again may take to come to its end all the same.
const PARKED_PATIENCE: Duration = Duration::from_secs(3);

/// Begins the saga, or attaches to it if it was begun before, and waits until it has ended or an operator should look
/// at it.
pub async fn run<S: Saga>(coordinator: &Coordinator, id: &str, input: S::Input) -> Ending<S::Output> {
    run_watched::<S>(coordinator, id, input, |_| {}).await
}

/// The same, and shows the saga to `watch` as soon as it is begun.
pub async fn run_watched<S: Saga>(
    coordinator: &Coordinator,
    id: &str,
    input: S::Input,
    watch: impl FnOnce(&Handle<S>),
) -> Ending<S::Output> {
    match coordinator.begin::<S>(id, input).await {
        Ok(Begun::Finished(outcome)) => outcome.into(),
        Ok(Begun::Started(handle) | Begun::Attached(handle)) => {
            watch(&handle);
            tokio::select! {
                ending = ending(&handle) => ending,
                lock = locked_out(coordinator, &handle) => Ending::Waiting { lock },
            }
        }
        Err(BeginError::ShuttingDown) => Ending::Stopped,
        Err(BeginError::Saga(error)) => error.into(),
        Err(error) => Ending::NotBegun { cause: error.to_string() },
    }
}

async fn ending<S: Saga>(handle: &Handle<S>) -> Ending<S::Output> {
    loop {
        let SagaStatus::Parked(_) = handle.settled().await else {
            return handle.outcome().await.map_or_else(Ending::from, Ending::from);
        };
        // It may have been parked in an earlier run, and what was wrong may be mended since.
        if let Err(error) = handle.retry().await {
            return error.into();
        }
        if let Ok(outcome) = timeout(PARKED_PATIENCE, handle.outcome()).await {
            return outcome.map_or_else(Ending::from, Ending::from);
        }
        if let SagaStatus::Parked(parked) = handle.status() {
            return Ending::Parked { residue: parked.to_string() };
        }
    }
}

/// Comes back once the saga waits for a lock of one that needs an operator, and says which.
async fn locked_out<S: Saga>(coordinator: &Coordinator, handle: &Handle<S>) -> String {
    let mut seen = None;
    loop {
        sleep(PARKED_PATIENCE).await;
        let status = handle.status();
        let stuck = match &status {
            SagaStatus::WaitsForLock { holder, .. } => needs_an_operator::<S>(coordinator, holder).await,
            _ => false,
        };
        // Twice the same: a holder that was parked is tried again meanwhile.
        if stuck && seen.as_ref() == Some(&status) {
            return status.to_string();
        }
        seen = stuck.then_some(status);
    }
}

async fn needs_an_operator<S: Saga>(coordinator: &Coordinator, saga: &SagaId) -> bool {
    match coordinator.find::<S>(saga).await {
        Ok(Some(Begun::Started(handle) | Begun::Attached(handle))) => {
            matches!(handle.status(), SagaStatus::Parked(_) | SagaStatus::Quarantined { .. })
        }
        Ok(None | Some(Begun::Finished(_))) => false,
        Err(error) => matches!(error, BeginError::Saga(_)),
    }
}

/// The inputs of the sagas that the log holds unfinished: a coordinator resumes them when it starts. Sagas of other
/// definitions, or that cannot be read, are left out: [`Recovery`](saga_runtime::coordinator::Recovery) names them.
pub async fn unfinished<S: Saga>(log: &impl SagaLog) -> Result<Vec<S::Input>, LogError> {
    let mut inputs = Vec::new();
    let mut after = None;
    loop {
        let page = log.unfinished(Wake::Never, after, PAGE).await?;
        inputs.extend(page.sagas.iter().flatten().filter_map(input_of::<S>));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(inputs),
        }
    }
}

fn input_of<S: Saga>(history: &History) -> Option<S::Input> {
    let input = history.records.first()?.data.as_deref()?;
    let is_meant = history.begin.definition == S::DEFINITION.name;
    S::decode_input(input).ok().filter(|_| is_meant)
}

/// Shuts the coordinator down, and tells how each of these sagas stands then. Sagas that its log does not know are
/// left out.
pub async fn close_books<S: Saga>(
    coordinator: Coordinator,
    sagas: impl IntoIterator<Item = SagaId>,
) -> BTreeMap<String, Ending<S::Output>> {
    let mut endings = BTreeMap::new();
    let mut under_way = Vec::new();
    for saga in sagas {
        let ending = match coordinator.find::<S>(&saga).await {
            Ok(None) => continue,
            Ok(Some(Begun::Finished(outcome))) => outcome.into(),
            Ok(Some(Begun::Started(handle) | Begun::Attached(handle))) => {
                under_way.push((handle.status(), handle));
                continue;
            }
            Err(BeginError::Saga(error)) => error.into(),
            Err(error) => Ending::Quarantined { cause: error.to_string() },
        };
        endings.insert(saga.to_string(), ending);
    }
    coordinator.shutdown().await;
    for (status, handle) in under_way {
        let ending = match (handle.outcome().await, status) {
            (Ok(outcome), _) => outcome.into(),
            (Err(HandleError::Stopped(_)), SagaStatus::Parked(parked)) => {
                Ending::Parked { residue: parked.to_string() }
            }
            (Err(HandleError::Stopped(_)), lock @ SagaStatus::WaitsForLock { .. }) => {
                Ending::Waiting { lock: lock.to_string() }
            }
            (Err(error), _) => error.into(),
        };
        endings.insert(handle.id().to_string(), ending);
    }
    endings
}

/// Who owns what, by how the sagas stand: `owner` makes one of a completed saga and its output.
pub fn owners<O, W>(endings: &BTreeMap<String, Ending<O>>, owner: impl Fn(&str, &O) -> W) -> Owners<W> {
    let mut owners = Owners::default();
    for (saga, ending) in endings {
        match ending {
            Ending::Completed(output) => owners.completed.push(owner(saga, output)),
            Ending::Compensated { .. } | Ending::NotBegun { .. } => {}
            Ending::Parked { .. }
            | Ending::Closed { .. }
            | Ending::Waiting { .. }
            | Ending::Quarantined { .. }
            | Ending::Stopped => {
                owners.unfinished.insert(saga.clone(), ending.word());
            }
        }
    }
    owners
}

impl<O> Ending<O> {
    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Compensated { .. } => "compensated",
            Self::Parked { .. } => "parked",
            Self::Closed { .. } => "closed",
            Self::Waiting { .. } => "waiting",
            Self::Quarantined { .. } => "quarantined",
            Self::Stopped => "stopped",
            Self::NotBegun { .. } => "not begun",
        }
    }

    /// Why it did not complete; empty if it did, or will go on.
    pub fn reason(&self) -> &str {
        match self {
            Self::Completed(_) | Self::Stopped => "",
            Self::Compensated { reason: text }
            | Self::Parked { residue: text }
            | Self::Closed { by: text }
            | Self::Waiting { lock: text }
            | Self::Quarantined { cause: text }
            | Self::NotBegun { cause: text } => text,
        }
    }

    /// Whether the saga has come to its end, one way or the other.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Completed(_) | Self::Compensated { .. } | Self::Closed { .. })
    }
}

impl<O> fmt::Display for Ending<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            "" => f.write_str(self.word()),
            reason => write!(f, "{}: {reason}", self.word()),
        }
    }
}

impl<O> From<Outcome<O>> for Ending<O> {
    fn from(outcome: Outcome<O>) -> Self {
        match outcome {
            Outcome::Completed(output) => Self::Completed(Box::new(output)),
            Outcome::Compensated(cause) => Self::Compensated { reason: cause.to_string() },
            Outcome::Closed(closed) => Self::Closed { by: closed.to_string() },
        }
    }
}

impl<O> From<HandleError> for Ending<O> {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Stopped(_) => Self::Stopped,
            HandleError::Quarantined { cause, .. } => Self::Quarantined { cause },
            error => Self::Quarantined { cause: error.to_string() },
        }
    }
}
