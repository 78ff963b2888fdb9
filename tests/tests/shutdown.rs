//! Shutdown drains whatever the drivers are doing at that moment.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::log::MemoryLog;
use saga_runtime::{Context, Coordinator, FailureKind, Keyed, StepError, saga};

#[derive(Debug, thiserror::Error)]
#[error("closed")]
struct Closed;

impl StepError for Closed {
    fn kind(&self) -> FailureKind {
        FailureKind::Transient
    }
}

struct Kitchen;

impl Keyed for Kitchen {}

impl Kitchen {
    #[allow(clippy::unused_async, reason = "a call of a saga is one")]
    async fn cook(&self, _cx: &Context) -> Result<(), Closed> {
        Err(Closed)
    }
}

saga! {
    /// Never ends.
    saga Lunch() {
        with kitchen: Kitchen;
        retry forever every 1us..1us;
        step soup: () = kitchen.cook(cx);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_always_drains() {
    for round in 0..2000 {
        let log = MemoryLog::default();
        let coordinator = Coordinator::builder(log)
            .register::<Lunch>(LunchParticipants { kitchen: Kitchen })
            .start()
            .await
            .unwrap();
        for lunch in 0..4 {
            coordinator.begin::<Lunch>(format!("lunch-{lunch}"), ()).await.unwrap();
        }
        let drained = tokio::time::timeout(Duration::from_secs(10), coordinator.shutdown()).await;
        assert!(drained.is_ok(), "round {round}: the drain hangs");
    }
}
