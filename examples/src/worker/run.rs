//! The worker from its start to its end.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use saga_runtime::Coordinator;
use saga_runtime::log::SqliteLog;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use super::arguments::Arguments;
use super::participants::{Participants, Route};
use super::saga::{BookTripByAny, BookTripByKeyed, TripSaga};
use super::service::Service;
use crate::program::{say, told_to_end};

/// How long those who are still connected when everything is drained have for their answers.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// Serves until it is told to end, and drains.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.keyed {
        serve::<BookTripByKeyed>(arguments).await
    } else {
        serve::<BookTripByAny>(arguments).await
    }
}

async fn serve<S: TripSaga + saga_runtime::RunsOn<SqliteLog>>(arguments: &Arguments) -> anyhow::Result<()> {
    let listen = arguments.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; end what listens there, or give another --listen")
    })?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        warn!(%address, "everybody who reaches this address can book and cancel trips");
    }
    let participants = Participants::new(&Route {
        base: arguments.participants.clone(),
        call_timeout: arguments.call_timeout,
        worker: arguments.name.clone(),
    })?;
    let log = SqliteLog::open(&arguments.store)?;
    let coordinator = Coordinator::builder(log).register::<S>(S::participants(participants)).start().await?;
    let recovery = coordinator.recovery();
    info!(resumed = recovery.resumed, waiting = recovery.waiting, "the log is read");
    for unclaimed in &recovery.unclaimed {
        warn!(saga = %unclaimed.id, definition = unclaimed.definition, "left alone: it is no saga of this worker");
    }
    let (drain, draining) = watch::channel(false);
    let router = Service::<S>::new(coordinator.clone(), draining).router();
    serve_until_drained(listener, address, router, coordinator, drain).await
}

async fn serve_until_drained(
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    coordinator: Coordinator,
    drain: watch::Sender<bool>,
) -> anyhow::Result<()> {
    let (drained, mut is_drained) = watch::channel(false);
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error says that the worker is given up.
        let _ = is_drained.wait_for(|&drained| drained).await;
    });
    let mut serving = tokio::spawn(serving.into_future());
    let mut told = pin!(told_to_end(false));
    // In this order: whoever reads the address can tell the worker to end.
    tokio::select! {
        biased;
        told = told.as_mut() => told?,
        served = async {
            say(&address.to_string())?;
            info!(%address, "ready");
            (&mut serving).await??;
            anyhow::bail!("the worker serves no more")
        } => return served,
    }
    info!("draining: calls in flight come to their end (once more to stop at once)");
    drain.send_replace(true);
    tokio::select! {
        () = coordinator.shutdown() => {}
        told = told_to_end(false) => {
            told?;
            anyhow::bail!("stopped before everything was drained: calls in flight count as unknown at the next start");
        }
    }
    drained.send_replace(true);
    match timeout(FAREWELL_MAX, serving).await {
        Ok(served) => served??,
        Err(_) => warn!("left without an answer: those who kept their connection open"),
    }
    info!("drained");
    Ok(())
}
