//! What the tests of the travel services share: four services in this process, and their clients.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::time::Duration;

use saga_examples::travel::audit::fetch_holdings;
use saga_examples::travel::desk::{DeskError, Desks};
use saga_examples::travel::faults;
use saga_examples::travel::services::Services;
use saga_examples::travel::trip::{FlightReservation, Trip};
use saga_examples::travel::values::Cents;
use saga_examples::travel::wire::{Held, Holdings, ServiceKind};
use saga_runtime::{Context, FailureKind, SagaId, StepError};
use tempfile::TempDir;

pub struct World {
    pub services: Services,
    pub desks: Desks,
    pub directory: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let services = Services::start(directory.path()).await.unwrap();
        let desks = Desks::new(services.addresses()).unwrap();
        Self { services, desks, directory }
    }

    /// Ends the services and starts them again on the same databases.
    pub async fn restart(self) -> Self {
        let Self { services, directory, .. } = self;
        drop(services);
        let services = Services::start(directory.path()).await.unwrap();
        let desks = Desks::new(services.addresses()).unwrap();
        Self { services, desks, directory }
    }

    pub async fn fault(&self, text: &str) {
        faults::order(self.services.addresses(), &text.parse().unwrap()).await.unwrap();
    }

    pub async fn holdings(&self, service: ServiceKind) -> Holdings {
        let all = fetch_holdings(self.services.addresses()).await.unwrap();
        all.into_iter().find(|holdings| holdings.service == service).unwrap()
    }

    pub async fn held(&self, service: ServiceKind) -> Vec<Held> {
        self.holdings(service).await.held
    }

    pub async fn remaining(&self, service: ServiceKind, item: &str) -> i64 {
        let stock = self.holdings(service).await.stock;
        stock.iter().find(|level| level.item == item).unwrap().remaining
    }

    /// Comes back when the service holds `count` things.
    pub async fn until_held(&self, service: ServiceKind, count: usize) {
        let wait = async {
            while self.held(service).await.len() != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    }
}

/// A trip to a city where everything can be had.
pub fn trip(id: &str) -> Trip {
    trip_as(id, r#""party":2,"from":"HAM","to":"PRG","date":"2026-10-12","nights":3"#)
}

pub fn trip_as(id: &str, parts: &str) -> Trip {
    let json = format!(r#"{{"id":"{id}","traveller":"Ada","card":"card-2001",{parts}}}"#);
    serde_json::from_str(&json).unwrap()
}

/// Seats that only a name is needed of.
pub fn some_flight() -> FlightReservation {
    FlightReservation {
        reservation: "flight-1".to_owned(),
        flight: "SA 755".to_owned(),
        seats: 2,
        price: Cents(1),
    }
}

pub fn action(saga: &str, step: &'static str, attempt: u32) -> Context {
    Context::action("BookTrip", SagaId::new(saga).unwrap(), step, attempt)
}

pub fn compensation(saga: &str, step: &'static str) -> Context {
    Context::compensation("BookTrip", SagaId::new(saga).unwrap(), step, 1)
}

pub fn kind<T>(result: &Result<T, DeskError>) -> Option<FailureKind> {
    result.as_ref().err().map(StepError::kind)
}

#[track_caller]
pub fn refusal<T: std::fmt::Debug>(result: Result<T, DeskError>) -> String {
    match result {
        Err(DeskError::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}
