//! The main job: books all trips, shows what became of them, and audits the services.

use std::collections::BTreeSet;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Coordinator, SagaId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::arguments::BookingOptions;
use super::progress::Progress;
use super::{report, say, told_to_end, warn};
use crate::travel::addresses::Addresses;
use crate::travel::audit::{AuditError, compare, fetch_holdings};
use crate::travel::booking::{self, Ending};
use crate::travel::desk::Desks;
use crate::travel::fault::FaultOrder;
use crate::travel::faults;
use crate::travel::saga::BookTrip;
use crate::travel::supervise::{SuperviseOptions, Supervisor, this_program};
use crate::travel::trip::Trip;
use crate::travel::trips_file::{parse_trips, read_trips};
use crate::travel::wire::Holdings;

/// The trips that ship with the example.
const TRIPS: &str = include_str!("../../../travel/trips.jsonl");

/// The saga log, within the data directory.
const LOG: &str = "trips.db";

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

/// Does the main job. The exit code says whether every trip came to its end and the audit found everything in order.
pub(super) async fn book(options: BookingOptions) -> anyhow::Result<ExitCode> {
    let trips = match &options.trips {
        Some(file) => read_trips(file)?,
        None => shipped_trips()?,
    };
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("cannot make the data directory {}", options.data.display()))?;
    let log = SqliteLog::open(options.data.join(LOG))?;
    let (addresses, supervisor) = find_services(&options).await?;
    let services = Services { addresses: &addresses, are_own: supervisor.is_some() };
    let result = book_on(&options, services, log, trips).await;
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

/// The services that the trips are booked with.
#[derive(Clone, Copy)]
struct Services<'a> {
    addresses: &'a Addresses,
    /// Whether this program has started them, and starts them again when they die.
    are_own: bool,
}

async fn book_on(
    options: &BookingOptions,
    services: Services<'_>,
    log: SqliteLog,
    mut trips: Vec<Trip>,
) -> anyhow::Result<ExitCode> {
    order_faults(services, &options.faults).await?;
    let desks = Desks::with_crash(services.addresses, options.crash_after.as_ref())?;
    let unfinished = booking::unfinished_trips(&log).await?;
    let coordinator = Coordinator::builder(log)
        .register::<BookTrip>(desks.into())
        .sagas_at_once(usize::try_from(options.concurrency)?)
        .start()
        .await?;
    say_lines(&report::recovery_lines(coordinator.recovery()))?;
    let others: Vec<Trip> = unfinished.into_iter().filter(|trip| !trips.contains(trip)).collect();
    trips.extend(others);

    let mut told = pin!(told_to_end(false));
    let mut booked = tokio::select! {
        booked = book_all(&coordinator, trips) => booked?,
        told = told.as_mut() => {
            told?;
            return stop(coordinator, options).await;
        }
    };

    let holdings = fetch_patiently(services).await.context("there is no audit")?;
    let held = holdings.iter().flat_map(|of| &of.held).map(|held| held.saga.as_str());
    let sagas: BTreeSet<&str> = booked.iter().map(|booked| booked.trip.id.as_str()).chain(held).collect();
    let mut quarantined = coordinator.recovery().quarantined.clone();
    quarantined.extend(coordinator.quarantined().into_iter().map(|(id, cause)| (id.to_string(), cause)));
    let endings =
        booking::close_books::<BookTrip>(coordinator, sagas.iter().filter_map(|id| SagaId::new(id).ok()))
            .await;
    for BookedTrip { trip, ending } in &mut booked {
        // A trip that was parked may have come to its end meanwhile.
        if let (Ending::Parked { .. }, Some(last)) = (&*ending, endings.get(&trip.id)) {
            ending.clone_from(last);
        }
    }
    say(&report::trips_table(&booked).to_string())?;
    say_lines(&report::others_lines(&booked, &endings))?;
    // Once more, now that nothing moves any more.
    let holdings = fetch_patiently(services).await.context("there is no audit")?;
    let report = compare(&holdings, &booking::owners(&endings));
    say(&report::audit_text(&report))?;
    let mut endings = booked.iter().map(|booked| &booked.ending).chain(endings.values());
    let all_ended = endings.all(Ending::is_end) && quarantined.is_empty();
    Ok(if report.is_clean() && all_ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say_lines(lines: &[String]) -> anyhow::Result<()> {
    lines.iter().try_for_each(|line| say(line))
}

/// Lets what is in flight come to its end. The trips go on when the program is run again.
async fn stop(coordinator: Coordinator, options: &BookingOptions) -> anyhow::Result<ExitCode> {
    let data = options.data.display();
    warn("stopping: calls in flight come to their end (once more to stop at once)");
    let under_way = coordinator.running();
    tokio::select! {
        () = coordinator.shutdown() => {}
        told = told_to_end(false) => told?,
    }
    eprintln!(
        "stopped with {under_way} trips under way: run the same again with `--data {data}` to resume them"
    );
    Ok(ExitCode::FAILURE)
}

/// What the services hold. One that died of a fault in the end is on its way back, if this program supervises it.
async fn fetch_patiently(services: Services<'_>) -> Result<Vec<Holdings>, AuditError> {
    let deadline = Instant::now() + RESTART_TIME_MAX;
    loop {
        match fetch_holdings(services.addresses).await {
            Err(AuditError::Service { .. }) if services.are_own && Instant::now() < deadline => {
                sleep(AUDIT_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// Faults that were left over when the last run ended are not meant for this one.
async fn order_faults(services: Services<'_>, orders: &[FaultOrder]) -> anyhow::Result<()> {
    if services.are_own {
        faults::clear(services.addresses).await?;
    }
    for order in orders {
        faults::order(services.addresses, order).await?;
    }
    Ok(())
}

/// Books all trips at once: how many are worked on at the same time is the coordinator's concern.
async fn book_all(coordinator: &Coordinator, trips: Vec<Trip>) -> anyhow::Result<Vec<BookedTrip>> {
    let progress = Arc::new(Progress::new(trips.len()));
    let mut tasks = JoinSet::new();
    for (index, trip) in trips.into_iter().enumerate() {
        let (coordinator, progress) = (coordinator.clone(), Arc::clone(&progress));
        tasks.spawn(async move {
            let ending = booking::book::<BookTrip>(&coordinator, &trip).await;
            progress.settled(&trip, &ending);
            (index, BookedTrip { trip, ending })
        });
    }
    let mut booked = Vec::new();
    while let Some(result) = tasks.join_next().await {
        booked.push(result?);
    }
    progress.finish();
    booked.sort_by_key(|(index, _)| *index);
    Ok(booked.into_iter().map(|(_, booked)| booked).collect())
}
