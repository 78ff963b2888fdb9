//! The main job: books all trips.

use std::process::ExitCode;

use comfy_table::Table;
use saga_runtime::coordinator::Builder;
use saga_runtime::log::SqliteLog;

use super::arguments::BookingOptions;
use super::report::trips_table;
use crate::lines::Entry;
use crate::program::job::{self, Job, Settled};
use crate::travel::addresses::Addresses;
use crate::travel::audit::Booked;
use crate::travel::desk::{CrashPoint, Desks};
use crate::travel::saga::BookTrip;
use crate::travel::trip::{Itinerary, Trip};
use crate::travel::trips_file;
use crate::travel::wire::ServiceKind;

/// A trip, and what became of it.
pub(super) type BookedTrip = Settled<Trip, Itinerary>;

/// Does the main job. The exit code says whether every trip came to its end and the audit found everything in order.
pub(super) async fn book(options: BookingOptions) -> anyhow::Result<ExitCode> {
    let trips = match &options.trips {
        Some(file) => trips_file::read_trips(file)?,
        None => trips_file::shipped_trips()?,
    };
    job::run(&BookTrips { crash_after: options.crash_after }, &options.job, trips).await
}

struct BookTrips {
    crash_after: Option<CrashPoint>,
}

impl Job for BookTrips {
    type Kind = ServiceKind;
    type Saga = BookTrip;
    type Owner = Booked;

    const LOG: &'static str = "trips.db";

    fn register(
        &self,
        builder: Builder<SqliteLog>,
        addresses: &Addresses,
    ) -> anyhow::Result<Builder<SqliteLog>> {
        let desks = Desks::with_crash(addresses, self.crash_after.as_ref())?;
        Ok(builder.register::<BookTrip>(desks.into()))
    }

    fn table(&self, booked: &[BookedTrip]) -> Table {
        trips_table(booked)
    }

    fn owner(saga: &str, itinerary: &Itinerary) -> Booked {
        Booked { saga: saga.to_owned(), itinerary: itinerary.clone() }
    }
}

impl Entry for Trip {
    fn id(&self) -> &str {
        &self.id
    }
}
