//! The main job: books all trips, shows what became of them, and audits the services.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::arguments::BookingOptions;
use super::progress::Progress;
use super::report;
use crate::travel::addresses::Addresses;
use crate::travel::audit::{AuditError, AuditReport, Booked, audit, fetch_holdings};
use crate::travel::desk::{CrashPoint, Desks};
use crate::travel::fault::FaultOrder;
use crate::travel::faults;
use crate::travel::saga::{self, Ending};
use crate::travel::supervise::{SuperviseOptions, Supervisor, this_program};
use crate::travel::trip::Trip;
use crate::travel::trips_file::{parse_trips, read_trips};

/// The trips that ship with the example.
const TRIPS: &str = include_str!("../../../travel/trips.jsonl");

/// How long the audit waits for services that are started again.
const RESTART_TIME_MAX: Duration = Duration::from_secs(10);

/// The pause between two tries.
const AUDIT_PAUSE: Duration = Duration::from_millis(100);

/// A trip, and what became of it.
#[derive(Debug)]
pub(super) struct BookedTrip {
    pub(super) trip: Trip,
    pub(super) ending: Ending,
}

/// Does the main job. The exit code says whether the audit found everything in order.
pub(super) async fn book(options: BookingOptions) -> anyhow::Result<ExitCode> {
    let trips = match &options.trips {
        Some(file) => read_trips(file)?,
        None => shipped_trips()?,
    };
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("cannot make the data directory {}", options.data.display()))?;
    let (addresses, supervisor) = find_services(&options).await?;
    let result = book_on(&options, &addresses, supervisor.is_some(), trips).await;
    if let Some(supervisor) = supervisor {
        supervisor.stop().await;
    }
    result
}

fn shipped_trips() -> anyhow::Result<Vec<Trip>> {
    let (trips, mistakes) = parse_trips(TRIPS.as_bytes());
    match mistakes.first() {
        None => Ok(trips),
        Some(mistake) => anyhow::bail!("the trips that ship with the example are not in order: {mistake}"),
    }
}

/// The services that run already, or new processes.
async fn find_services(options: &BookingOptions) -> anyhow::Result<(Addresses, Option<Supervisor>)> {
    if let Some(services) = &options.services {
        let addresses = Addresses::read(services)?;
        fetch_holdings(&addresses).await.with_context(|| {
            format!("cannot use the services of `{services}`: start them with the subcommand `services`, or leave --services away")
        })?;
        return Ok((addresses, None));
    }
    let directory = options.data.clone();
    let supervisor =
        Supervisor::start(&SuperviseOptions { program: this_program()?, directory, first_port: 0 }).await?;
    Ok((supervisor.addresses().clone(), Some(supervisor)))
}

async fn book_on(
    options: &BookingOptions,
    addresses: &Addresses,
    is_owner: bool,
    trips: Vec<Trip>,
) -> anyhow::Result<ExitCode> {
    order_faults(addresses, is_owner, &options.faults).await?;
    let crash = options.crash_after.as_deref().map(CrashPoint::after);
    let desks = Desks::with_crash(addresses, crash.as_ref())?;
    let booked = book_all(desks, trips, usize::try_from(options.concurrency)?).await?;
    println!("{}", report::trips_table(&booked));
    let owned: Vec<Booked> = booked.iter().filter_map(owned).collect();
    let report = audit_patiently(addresses, &owned, is_owner).await.context("there is no audit")?;
    println!("{}", report::audit_text(&report));
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A service that died of a fault in the end is on its way back, if this program supervises it.
async fn audit_patiently(
    addresses: &Addresses,
    owned: &[Booked],
    is_owner: bool,
) -> Result<AuditReport, AuditError> {
    let deadline = Instant::now() + RESTART_TIME_MAX;
    loop {
        match audit(addresses, owned).await {
            Err(AuditError::Service { .. }) if is_owner && Instant::now() < deadline => {
                sleep(AUDIT_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// Faults that were left over when the last run ended are not meant for this one.
async fn order_faults(addresses: &Addresses, is_owner: bool, orders: &[FaultOrder]) -> anyhow::Result<()> {
    if is_owner {
        faults::clear(addresses).await?;
    }
    for order in orders {
        faults::order(addresses, order).await?;
    }
    Ok(())
}

/// SEAM: here the trips are given to the coordinator.
async fn book_all(desks: Desks, trips: Vec<Trip>, concurrency: usize) -> anyhow::Result<Vec<BookedTrip>> {
    let progress = Arc::new(Progress::new(trips.len()));
    let limit = Arc::new(Semaphore::new(concurrency));
    let mut tasks = JoinSet::new();
    for (index, trip) in trips.into_iter().enumerate() {
        let (desks, progress, limit) = (desks.clone(), Arc::clone(&progress), Arc::clone(&limit));
        tasks.spawn(async move {
            let _permit = limit.acquire_owned().await?;
            progress.begun(&trip);
            let ending = saga::book(&desks, &trip).await;
            progress.ended(&trip, &ending);
            anyhow::Ok((index, BookedTrip { trip, ending }))
        });
    }
    let mut booked = Vec::new();
    while let Some(result) = tasks.join_next().await {
        booked.push(result??);
    }
    progress.finish();
    booked.sort_by_key(|(index, _)| *index);
    Ok(booked.into_iter().map(|(_, booked)| booked).collect())
}

fn owned(booked: &BookedTrip) -> Option<Booked> {
    match &booked.ending {
        Ending::Completed(itinerary) => {
            Some(Booked { saga: booked.trip.id.clone(), itinerary: itinerary.as_ref().clone() })
        }
        Ending::Compensated { .. } | Ending::Parked { .. } => None,
    }
}
