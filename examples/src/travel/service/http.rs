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
use rusqlite::Transaction;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Death;
use super::answer::{Answer, Caller};
use super::link::Link;
use super::store::Store;
use super::{hotel, keyed};
use crate::travel::fault::{Fault, FaultKind};
use crate::travel::wire::{ATTEMPT, IDEMPOTENCY_KEY, Operation, SAGA_ID, ServiceKind};

/// What all calls share.
#[derive(Debug, Clone)]
struct Shared {
    store: Arc<Store>,
    death: Death,
}

/// One call that is to be done.
struct Call {
    operation: Operation,
    caller: Caller,
    body: Bytes,
    /// Whether a fault refuses it.
    refuse: bool,
}

/// All routes of a service.
pub(super) fn router(service: ServiceKind, store: Arc<Store>, death: Death) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/audit", get(audit))
        .route("/faults", get(list_faults).post(add_fault).delete(clear_faults));
    for &operation in service.operations() {
        let handler =
            move |State(shared): State<Shared>,
                  ConnectInfo(link): ConnectInfo<Link>,
                  headers: HeaderMap,
                  body: Bytes| answer_call(shared, link, operation, headers, body);
        router = router.route(service.path(operation), post(handler));
    }
    router.with_state(Shared { store, death })
}

/// Answers one call, with the fault that is its turn.
async fn answer_call(
    shared: Shared,
    link: Link,
    operation: Operation,
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
async fn perform(shared: &Shared, call: Call) -> Answer {
    let done = with_store(shared, move |store| {
        let service = store.service();
        store.transact(|tx| dispatch(tx, service, &call))
    });
    done.await.unwrap_or_else(|broken| broken)
}

fn dispatch(tx: &Transaction<'_>, service: ServiceKind, call: &Call) -> rusqlite::Result<Answer> {
    match (service, call.operation) {
        (ServiceKind::Hotel, Operation::Reserve) => {
            careless(call, |request| hotel::reserve(tx, &call.caller, request))
        }
        (ServiceKind::Hotel, Operation::Probe) => {
            careless(call, |_: &serde_json::Value| hotel::probe(tx, &call.caller))
        }
        (ServiceKind::Hotel, Operation::Cancel) => careless(call, |request| hotel::cancel(tx, request)),
        (_, Operation::Cancel) => careless(call, |request| keyed::cancel(tx, request)),
        (ServiceKind::Flight, Operation::Reserve) => once(tx, call, keyed::reserve_seats),
        (ServiceKind::Flight, Operation::Voucher) => once(tx, call, keyed::issue_voucher),
        (ServiceKind::Car, Operation::Reserve) => once(tx, call, keyed::reserve_car),
        (ServiceKind::Card, Operation::Charge) => once(tx, call, keyed::charge),
        (service, operation) => {
            Ok(Answer::refused(format!("the {service} service has no operation {operation}")))
        }
    }
}

/// A call that is kept by its key, its refusal by a fault included.
fn once<R: DeserializeOwned + Serialize>(
    tx: &Transaction<'_>,
    call: &Call,
    work: impl FnOnce(&Transaction<'_>, &Caller, &R) -> rusqlite::Result<Answer>,
) -> rusqlite::Result<Answer> {
    read_request(call, |request: &R| {
        keyed::answer_once(tx, &call.caller, request, || {
            if call.refuse { Ok(refused_by_fault()) } else { work(tx, &call.caller, request) }
        })
    })
}

/// A call of which nothing is kept but what it does.
fn careless<R: DeserializeOwned>(
    call: &Call,
    work: impl FnOnce(&R) -> rusqlite::Result<Answer>,
) -> rusqlite::Result<Answer> {
    read_request(call, |request| if call.refuse { Ok(refused_by_fault()) } else { work(request) })
}

fn read_request<R: DeserializeOwned>(
    call: &Call,
    work: impl FnOnce(&R) -> rusqlite::Result<Answer>,
) -> rusqlite::Result<Answer> {
    match serde_json::from_slice(&call.body) {
        Ok(request) => work(&request),
        Err(error) => Ok(Answer::refused(format!("this is no request to {}: {error}", call.operation))),
    }
}

fn refused_by_fault() -> Answer {
    Answer::refused("refused, as a fault told the service to")
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

async fn audit(State(shared): State<Shared>) -> Answer {
    respond(with_store(&shared, Store::holdings).await)
}

async fn list_faults(State(shared): State<Shared>) -> Answer {
    respond(with_store(&shared, Store::faults).await)
}

async fn clear_faults(State(shared): State<Shared>) -> Answer {
    respond(with_store(&shared, Store::clear_faults).await)
}

async fn add_fault(State(shared): State<Shared>, body: Bytes) -> Answer {
    let fault: Fault = match serde_json::from_slice(&body) {
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
async fn with_store<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(&Store) -> rusqlite::Result<T> + Send + 'static,
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
