//! Runs trips through the coordinator, and tells from its log what became of them and who owns what.
//!
//! The saga is a parameter where tests run one of the same form with shorter timeouts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use saga_runtime::coordinator::{BeginError, HandleError};
use saga_runtime::log::{History, LogError, SagaLog, Wake};
use saga_runtime::{Begun, Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus};

use tokio::time::timeout;

use super::audit::{Booked, Owners};
use super::desk::Desks;
use super::saga::{BookTrip, BookTripParticipants};
use super::trip::{Itinerary, Trip};

/// What became of a trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything is booked.
    Completed(Box<Itinerary>),
    /// Nothing is booked.
    Compensated {
        /// Why.
        reason: String,
    },
    /// An operator should look at it: some of it may be booked.
    Parked {
        /// What does not get done, and what may still be in effect.
        residue: String,
    },
    /// Its records cannot be read or continued: some of it may be booked.
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

/// How long a parked trip that is tried again may take to come to its end all the same.
const PARKED_PATIENCE: Duration = Duration::from_secs(3);

/// Begins the trip's saga, or attaches to it if it was begun before, and waits until it has ended or an operator
/// should look at it.
pub async fn book<S>(coordinator: &Coordinator, trip: &Trip) -> Ending
where
    S: Saga<Input = Trip, Output = Itinerary>,
{
    match coordinator.begin::<S>(&trip.id, trip.clone()).await {
        Ok(Begun::Finished(outcome)) => outcome.into(),
        Ok(Begun::Started(handle) | Begun::Attached(handle)) => ending(&handle).await,
        Err(BeginError::ShuttingDown) => Ending::Stopped,
        Err(BeginError::Saga(error)) => error.into(),
        Err(error) => Ending::NotBegun { cause: error.to_string() },
    }
}

async fn ending<S: Saga<Output = Itinerary>>(handle: &Handle<S>) -> Ending {
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

/// The trips that the log holds unfinished: a coordinator resumes them when it starts. Sagas that are no trips, or
/// cannot be read, are left out: [`Recovery`](saga_runtime::coordinator::Recovery) names them.
pub async fn unfinished_trips(log: &impl SagaLog) -> Result<Vec<Trip>, LogError> {
    let mut trips = Vec::new();
    let mut after = None;
    loop {
        let page = log.unfinished(Wake::Never, after, PAGE).await?;
        trips.extend(page.sagas.iter().flatten().filter_map(trip_of));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(trips),
        }
    }
}

fn trip_of(history: &History) -> Option<Trip> {
    let input = history.records.first()?.data.as_deref()?;
    let is_trip = history.begin.definition == BookTrip::DEFINITION.name;
    BookTrip::decode_input(input).ok().filter(|_| is_trip)
}

/// Shuts the coordinator down, and tells how each of these sagas stands then. Sagas that its log does not know are
/// left out.
pub async fn close_books<S: Saga<Output = Itinerary>>(
    coordinator: Coordinator,
    sagas: impl IntoIterator<Item = SagaId>,
) -> BTreeMap<String, Ending> {
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
            (Err(error), _) => error.into(),
        };
        endings.insert(handle.id().to_string(), ending);
    }
    endings
}

/// Who owns what, by how the sagas stand.
pub fn owners(endings: &BTreeMap<String, Ending>) -> Owners {
    let mut owners = Owners::default();
    for (saga, ending) in endings {
        match ending {
            Ending::Completed(itinerary) => {
                owners.completed.push(Booked { saga: saga.clone(), itinerary: itinerary.as_ref().clone() });
            }
            Ending::Compensated { .. } | Ending::NotBegun { .. } => {}
            Ending::Parked { .. } | Ending::Quarantined { .. } | Ending::Stopped => {
                owners.unfinished.insert(saga.clone(), ending.word());
            }
        }
    }
    owners
}

impl Ending {
    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Compensated { .. } => "compensated",
            Self::Parked { .. } => "parked",
            Self::Quarantined { .. } => "quarantined",
            Self::Stopped => "stopped",
            Self::NotBegun { .. } => "not begun",
        }
    }

    /// Whether the trip has come to its end, one way or the other.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Completed(_) | Self::Compensated { .. })
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed(_) | Self::Stopped => f.write_str(self.word()),
            Self::Compensated { reason: text }
            | Self::Parked { residue: text }
            | Self::Quarantined { cause: text }
            | Self::NotBegun { cause: text } => write!(f, "{}: {text}", self.word()),
        }
    }
}

impl From<Outcome<Itinerary>> for Ending {
    fn from(outcome: Outcome<Itinerary>) -> Self {
        match outcome {
            Outcome::Completed(itinerary) => Self::Completed(Box::new(itinerary)),
            Outcome::Compensated(cause) => Self::Compensated { reason: cause.to_string() },
        }
    }
}

impl From<HandleError> for Ending {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Stopped(_) => Self::Stopped,
            HandleError::Quarantined { cause, .. } => Self::Quarantined { cause },
            error => Self::Quarantined { cause: error.to_string() },
        }
    }
}

impl From<Desks> for BookTripParticipants {
    fn from(desks: Desks) -> Self {
        let Desks { flights, hotels, cars, cards } = desks;
        Self { flights, hotels, cars, cards }
    }
}
