// What the examples of the guide have around them: data, an error, participants that note what they are asked and fail
// when told to, and how a saga is run to its end. Included by each example, so that no build of the crate holds it.

use std::sync::{Arc, Mutex, PoisonError};

use saga_runtime::log::History;
pub use saga_runtime::log::MemoryLog;
pub use saga_runtime::machine::Cause;
pub use saga_runtime::{
    Context, Coordinator, Handle, Keyed, Outcome, RunsOn, Saga, SagaId, SagaStatus, StepError, saga,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    pub city: String,
    pub days: u32,
}

pub fn trip(days: u32) -> Trip {
    Trip { city: "Lisbon".to_owned(), days }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flight;

/// Like `Receipt` no unit: JSON has one `null` for `None` and for `Some` of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hotel(pub u32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt(pub u32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Itinerary {
    pub flight: Flight,
    pub hotel: Hotel,
}

#[derive(Debug, Clone, thiserror::Error, StepError)]
pub enum DeskError {
    #[error("sold out")]
    #[outcome(refused)]
    SoldOut,
    #[error("closed for the moment")]
    #[outcome(transient)]
    Closed,
    #[error("the reply was lost")]
    #[outcome(unknown)]
    Lost,
}

/// All participants of one example.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    calls: Vec<String>,
    faults: Vec<(String, DeskError)>,
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call with this name fails: `hotel`, `hotel.probe`, `hotel.compensate`, `hotel[1]`.
    pub fn fails(self, call: &str, error: DeskError) -> Self {
        self.book().faults.push((call.to_owned(), error));
        self
    }

    /// What was asked so far, in order.
    pub fn calls(&self) -> String {
        self.book().calls.join(", ")
    }

    pub fn flights(&self) -> Flights {
        Flights(self.clone())
    }

    pub fn hotels(&self) -> Hotels {
        Hotels(self.clone())
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(&self, cx: &Context, suffix: &str, answer: T) -> Result<T, DeskError> {
        let name = cx.key().as_str().rsplit('/').next().unwrap_or_default().to_owned() + suffix;
        let mut book = self.book();
        book.calls.push(name.clone());
        match book.faults.iter().position(|(call, _)| *call == name) {
            Some(fault) => Err(book.faults.remove(fault).1),
            None => Ok(answer),
        }
    }
}

/// Answers by key.
pub struct Flights(World);

impl Keyed for Flights {}

impl Flights {
    pub async fn reserve(&self, cx: &Context, _: &Trip) -> Result<Flight, DeskError> {
        self.0.call(cx, "", Flight)
    }

    pub async fn cancel(&self, cx: &Context, _: &Flight) -> Result<(), DeskError> {
        self.0.call(cx, "", ())
    }

    pub async fn pay(&self, cx: &Context) -> Result<Receipt, DeskError> {
        self.0.call(cx, "", Receipt(100))
    }

    pub async fn price(&self, cx: &Context, trip: &Trip) -> Result<u32, DeskError> {
        self.0.call(cx, "", 100 * trip.days)
    }
}

/// Does not answer by key.
pub struct Hotels(World);

impl Hotels {
    pub async fn reserve(&self, cx: &Context, _: &Flight) -> Result<Hotel, DeskError> {
        self.0.call(cx, "", Hotel(7))
    }

    pub async fn find(&self, cx: &Context) -> Result<Option<Hotel>, DeskError> {
        self.0.call(cx, ".probe", None)
    }

    pub async fn cancel(&self, cx: &Context, _: &Hotel) -> Result<(), DeskError> {
        self.0.call(cx, "", ())
    }

    pub async fn cancel_by_key(&self, cx: &Context) -> Result<(), DeskError> {
        self.0.call(cx, "", ())
    }
}

/// Runs a future in virtual time: what waits takes no time.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().expect("a runtime").block_on(future)
}

/// Begins a saga on a log in memory.
pub async fn begin<S: Saga + RunsOn<MemoryLog>>(participants: S::Participants, input: S::Input) -> (Coordinator, Handle<S>) {
    let builder = Coordinator::builder(MemoryLog::new()).register::<S>(participants);
    let coordinator = builder.start().await.expect("an empty log");
    let begun = coordinator.begin::<S>("trip-1", input).await.expect("a new saga");
    let handle = begun.handle().expect("it has not ended").clone();
    (coordinator, handle)
}

/// Runs a saga to its end: how it ended, and what its log tells.
pub fn run<S: Saga + RunsOn<MemoryLog>>(participants: S::Participants, input: S::Input) -> (Outcome<S::Output>, String) {
    block_on(async {
        let (_coordinator, handle) = begin::<S>(participants, input).await;
        let status = handle.settled().await;
        assert!(!matches!(status, SagaStatus::Parked(_)), "{status}");
        (handle.outcome().await.expect("an outcome"), story(&handle).await)
    })
}

/// What the log of a saga tells: the step and the event of each record.
pub async fn story<S: Saga>(handle: &Handle<S>) -> String {
    let History { records, .. } = handle.history().await.expect("a history");
    let told = records.into_iter().map(|record| match record.step {
        Some(step) => format!("{step} {}", record.event),
        None => record.event,
    });
    told.collect::<Vec<_>>().join(", ")
}
