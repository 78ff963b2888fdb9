//! The requests and their answers.

use std::marker::PhantomData;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use saga_runtime::coordinator::HandleError;
use saga_runtime::log::History;
use saga_runtime::{Begun, CancelAnswer, Coordinator, Handle, Outcome, SagaId};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

pub use self::refusal::Refusal;
pub use self::view::{Entry, Left, View};
use super::saga::TripSaga;
use super::trip::Trip;

mod refusal;
mod view;

/// The longest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 64 << 10;

/// How long a request may take: a log that does not answer must not hold those who ask for ever.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// What all requests share.
pub struct Service<S> {
    coordinator: Coordinator,
    draining: watch::Receiver<bool>,
    saga: PhantomData<fn() -> S>,
}

/// What a saga is begun with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSaga {
    id: String,
    #[serde(default)]
    trip: Option<Trip>,
}

impl<S: TripSaga> Service<S> {
    /// On this coordinator, until `draining` says so.
    pub fn new(coordinator: Coordinator, draining: watch::Receiver<bool>) -> Self {
        Self { coordinator, draining, saga: PhantomData }
    }

    /// All routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/sagas", post(begin::<S>))
            .route("/sagas/{id}", get(show::<S>))
            .route("/sagas/{id}/cancel", post(cancel::<S>))
            .route("/healthz", get(health::<S>))
            .fallback(|| async { Refusal::new(StatusCode::NOT_FOUND, "there is no such path") })
            .method_not_allowed_fallback(|| async {
                Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this path has another method")
            })
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self)
    }

    async fn find(&self, id: &SagaId) -> Result<Begun<S>, Refusal> {
        self.coordinator.find::<S>(id).await?.ok_or_else(|| Refusal::unknown(id))
    }

    /// How the saga stands, and what happened to it up to there.
    async fn view(&self, id: &SagaId) -> Result<View, Refusal> {
        let seen = match self.look(id).await {
            Ok(view) => return Ok(view),
            Err(refusal) => refusal,
        };
        if seen.status != StatusCode::CONFLICT {
            return Err(seen);
        }
        // Records that cannot be read are not shown, and not counted on.
        let history = self.coordinator.history(id).await.ok().flatten();
        Ok(View::of_quarantined(id, seen.error, history.as_ref()))
    }

    async fn look(&self, id: &SagaId) -> Result<View, Refusal> {
        let outcome = match self.find(id).await? {
            Begun::Finished(outcome) => outcome,
            Begun::Started(handle) | Begun::Attached(handle) => {
                let history = self.history(id).await?;
                if let Some(view) = View::of_status(id, handle.status(), &history) {
                    return Ok(view);
                }
                // It has just ended: who drives it is about to tell, or has told.
                handle.outcome().await?
            }
        };
        // An end is told when it is recorded.
        let history = self.history(id).await?;
        Ok(View::of_outcome(id, outcome, &history))
    }

    async fn history(&self, id: &SagaId) -> Result<History, Refusal> {
        let history = self.coordinator.history(id).await.map_err(HandleError::from)?;
        history.ok_or_else(|| Refusal::unknown(id))
    }
}

async fn begin<S: TripSaga>(
    State(service): State<Service<S>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let NewSaga { id, trip } = serde_json::from_slice(&body?).map_err(|error| Refusal::json(&error))?;
    let begun = service.coordinator.begin::<S>(&id, trip.unwrap_or_default());
    let status = match timely(begun).await?? {
        Begun::Started(_) => StatusCode::CREATED,
        Begun::Attached(_) | Begun::Finished(_) => StatusCode::OK,
    };
    Ok((status, Json(json!({ "id": id }))).into_response())
}

async fn show<S: TripSaga>(
    State(service): State<Service<S>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<View>, Refusal> {
    let Path(id) = id?;
    timely(service.view(&SagaId::new(id)?)).await?.map(Json)
}

async fn cancel<S: TripSaga>(
    State(service): State<Service<S>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path(id) = id?;
    let id = SagaId::new(id)?;
    let answer = timely(async {
        match service.find(&id).await? {
            Begun::Finished(Outcome::Compensated(_)) => Ok(CancelAnswer::Cancelled),
            Begun::Finished(_) => Ok(CancelAnswer::TooLate),
            Begun::Started(handle) | Begun::Attached(handle) => cancel_running(&handle).await,
        }
    });
    match answer.await?? {
        CancelAnswer::Cancelled => Ok(Json(json!({ "id": id.as_str(), "cancelled": true })).into_response()),
        CancelAnswer::TooLate => Err(Refusal::new(
            StatusCode::CONFLICT,
            format!("it is too late to cancel saga `{id}`: it has ended"),
        )),
    }
}

async fn cancel_running<S: TripSaga>(handle: &Handle<S>) -> Result<CancelAnswer, Refusal> {
    Ok(handle.cancel("a request asked for it").await?)
}

async fn health<S: TripSaga>(State(service): State<Service<S>>) -> Result<Json<serde_json::Value>, Refusal> {
    if *service.draining.borrow() {
        return Err(Refusal::draining());
    }
    Ok(Json(json!({ "status": "ok" })))
}

/// What is begun goes on if the time is over: only nobody waits for it any more.
async fn timely<T>(work: impl Future<Output = T>) -> Result<T, Refusal> {
    timeout(ANSWER_TIME_MAX, work).await.map_err(|_| {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the log does not answer: try the same again")
    })
}

impl<S> Clone for Service<S> {
    fn clone(&self) -> Self {
        Self { coordinator: self.coordinator.clone(), draining: self.draining.clone(), saga: PhantomData }
    }
}

impl<S> std::fmt::Debug for Service<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("coordinator", &self.coordinator).finish_non_exhaustive()
    }
}
