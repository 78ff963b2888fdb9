//! The HTTP side of a service: headers, faults, statuses.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use super::Death;
use super::answer::{Answer, Call, Caller};
use super::fault::{Fault, FaultKind};
use super::kind::ServiceKind;
use super::link::Link;
use super::store::Store;
use super::wire::{ATTEMPT, IDEMPOTENCY_KEY, SAGA_ID};

/// What all calls share.
#[derive(Debug, Clone)]
struct Shared<K> {
    store: Arc<Store<K>>,
    death: Death,
}

/// All routes of a service.
pub(super) fn router<K: ServiceKind>(service: K, store: Arc<Store<K>>, death: Death) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/audit", get(audit::<K>))
        .route("/faults", get(list_faults::<K>).post(add_fault::<K>).delete(clear_faults::<K>));
    for &view in service.views() {
        let handler = move |State(shared): State<Shared<K>>| async move {
            with_store(&shared, move |store| store.transact(view.read)).await.unwrap_or_else(|broken| broken)
        };
        router = router.route(view.path, get(handler));
    }
    for &operation in service.operations() {
        let handler =
            move |State(shared): State<Shared<K>>,
                  ConnectInfo(link): ConnectInfo<Link>,
                  headers: HeaderMap,
                  body: Bytes| answer_call(shared, link, operation, headers, body);
        router = router.route(service.path(operation), post(handler));
    }
    router.with_state(Shared { store, death })
}

/// Answers one call, with the fault that is its turn.
async fn answer_call<K: ServiceKind>(
    shared: Shared<K>,
    link: Link,
    operation: K::Operation,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let caller = match read_caller(&headers) {
        Ok(caller) => caller,
        Err(reason) => return Answer::refused(reason),
    };
    let saga = caller.saga.clone();
    let fault = match with_store(&shared, move |store| store.take_fault(operation, &saga)).await {
        Ok(fault) => fault,
        Err(broken) => return broken,
    };
    let call = Call { operation, caller, body, refuse: fault == Some(FaultKind::Refuse) };
    match fault {
        None | Some(FaultKind::Refuse) => perform(&shared, call).await,
        Some(FaultKind::Slow(milliseconds)) => {
            // A task of its own: the work is done also when the caller has hung up meanwhile.
            let late = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                perform(&shared, call).await
            });
            late.await.unwrap_or_else(|error| Answer::broken(&error))
        }
        Some(FaultKind::Unavailable) => Answer::unavailable(),
        Some(FaultKind::LoseReply) => {
            let answer = perform(&shared, call).await;
            link.break_off();
            answer
        }
        Some(FaultKind::Drop) => {
            link.break_off();
            Answer::unavailable()
        }
        Some(FaultKind::Hang) => pending().await,
        Some(FaultKind::DieBefore) => shared.death.die().await,
        Some(FaultKind::DieAfter) => {
            perform(&shared, call).await;
            shared.death.die().await
        }
    }
}

impl Death {
    async fn die(&self) -> Answer {
        match self {
            Self::AbortProcess => std::process::abort(),
            Self::Notify(death) => {
                death.notify_one();
                pending().await
            }
        }
    }
}

/// Does the work in one transaction, and answers after its commit.
async fn perform<K: ServiceKind>(shared: &Shared<K>, call: Call<K>) -> Answer {
    let done = with_store(shared, move |store| store.perform(&call));
    done.await.unwrap_or_else(|broken| broken)
}

fn read_caller(headers: &HeaderMap) -> Result<Caller, String> {
    let text = |name: &str| {
        let value = headers
            .get(name)
            .ok_or_else(|| format!("the header `{name}` is missing: send it with each call"))?;
        value.to_str().map(str::to_owned).map_err(|_| format!("the header `{name}` is not visible ASCII"))
    };
    let attempt = text(ATTEMPT)?;
    let attempt =
        attempt.parse().map_err(|_| format!("`{attempt}` in the header `{ATTEMPT}` is no number"))?;
    Ok(Caller { key: text(IDEMPOTENCY_KEY)?, saga: text(SAGA_ID)?, attempt })
}

async fn audit<K: ServiceKind>(State(shared): State<Shared<K>>) -> Answer {
    respond(with_store(&shared, Store::holdings).await)
}

async fn list_faults<K: ServiceKind>(State(shared): State<Shared<K>>) -> Answer {
    respond(with_store(&shared, Store::faults).await)
}

async fn clear_faults<K: ServiceKind>(State(shared): State<Shared<K>>) -> Answer {
    respond(with_store(&shared, Store::clear_faults).await)
}

async fn add_fault<K: ServiceKind>(State(shared): State<Shared<K>>, body: Bytes) -> Answer {
    let fault: Fault<K> = match serde_json::from_slice(&body) {
        Ok(fault) => fault,
        Err(error) => return Answer::refused(format!("this is no fault: {error}")),
    };
    if let Err(error) = fault.check(shared.store.service()) {
        return Answer::refused(error.to_string());
    }
    respond(with_store(&shared, move |store| store.add_fault(&fault)).await)
}

fn respond<T: Serialize>(result: Result<T, Answer>) -> Answer {
    match result {
        Ok(result) => Answer::done(result),
        Err(broken) => broken,
    }
}

/// Runs `work` where it may block.
async fn with_store<K: ServiceKind, T: Send + 'static>(
    shared: &Shared<K>,
    work: impl FnOnce(&Store<K>) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, Answer> {
    let store = Arc::clone(&shared.store);
    match tokio::task::spawn_blocking(move || work(&store)).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(Answer::broken(&error)),
        Err(error) => Err(Answer::broken(&error)),
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, axum::Json(self.body)).into_response()
    }
}
