//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use saga_runtime::Saga;
use saga_runtime::definition::Compensation;

use crate::travel::desk::CrashPoint;
use crate::travel::fault::FaultOrder;
use crate::travel::saga::BookTrip;
use crate::travel::wire::ServiceKind;

/// Books trips: a flight, a hotel and a car for each, all of them or none, whatever happens.
#[derive(Debug, Parser)]
#[command(name = "travel_booking", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) booking: BookingOptions,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs one service until standard input ends, ctrl-c or SIGTERM.
    #[command(hide = true)]
    Serve(ServeOptions),
    /// Runs all four services until standard input ends, ctrl-c or SIGTERM.
    Services(ServicesOptions),
}

/// How trips are booked.
#[derive(Debug, Args)]
pub(super) struct BookingOptions {
    /// The trips to book: one JSON object per line [default: the file that ships with the example]
    #[arg(long, value_name = "FILE")]
    pub(super) trips: Option<PathBuf>,
    /// Where the saga log and the services' databases are kept.
    #[arg(long, value_name = "DIR", default_value = "travel-data")]
    pub(super) data: PathBuf,
    /// How many trips are under way at once.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) concurrency: u32,
    /// Abort the process when this step, such as `hotel` or `hotel.compensate`, has taken effect and nothing says so
    /// yet. Run again without it to resume.
    #[arg(long, value_name = "STEP", value_parser = parse_crash_point)]
    pub(super) crash_after: Option<CrashPoint>,
    /// Let a service misbehave, such as `hotel:reserve:lose-reply:3` or `card:charge:die-after@trip-007`. Kinds:
    /// slow(MS), refuse, unavailable, lose-reply, drop, hang, die-before, die-after. Repeatable.
    #[arg(long = "fault", value_name = "SERVICE:OPERATION:KIND[:TIMES][@SAGA]")]
    pub(super) faults: Vec<FaultOrder>,
    /// Use services that run already: the file that `services --addresses` wrote, or
    /// flight=URL,hotel=URL,car=URL,card=URL.
    #[arg(long, value_name = "FILE|URLS")]
    pub(super) services: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ServeOptions {
    /// Which of flight, hotel, car, card.
    pub(super) service: ServiceKind,
    /// Its database.
    #[arg(long, value_name = "FILE")]
    pub(super) db: PathBuf,
    /// Its port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
}

#[derive(Debug, Args)]
pub(super) struct ServicesOptions {
    /// Where the services' databases are kept.
    #[arg(long, value_name = "DIR", default_value = "travel-data")]
    pub(super) data: PathBuf,
    /// The file that gets their addresses [default: addresses.json in the data directory]
    #[arg(long, value_name = "FILE")]
    pub(super) addresses: Option<PathBuf>,
    /// The port of the flight service; hotel, car and card take the next ones. 0 takes any that are free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) first_port: u16,
}

/// The places where the process can be crashed: after each action and each compensation of the saga.
fn crash_points() -> Vec<String> {
    let steps = BookTrip::DEFINITION.steps.iter();
    let compensated = steps
        .clone()
        .filter(|step| matches!(step.compensation, Compensation::ByKey | Compensation::ByOutput));
    let actions = steps.map(|step| step.name.to_owned());
    actions.chain(compensated.map(|step| format!("{}.compensate", step.name))).collect()
}

fn parse_crash_point(text: &str) -> Result<CrashPoint, String> {
    let points = crash_points();
    if points.iter().any(|point| point == text) {
        return Ok(CrashPoint::after(text));
    }
    Err(format!("write one of {}", points.join(", ")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_in_order() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn each_step_can_be_crashed_after() {
        let points = crash_points();
        assert_eq!(
            points.join(" "),
            "flight hotel car receipt voucher flight.compensate hotel.compensate car.compensate"
        );
        for point in points {
            let parsed = Arguments::try_parse_from(["travel_booking", "--crash-after", &point]);
            assert_eq!(parsed.unwrap().booking.crash_after, Some(CrashPoint::after(&point)));
        }
        assert!(Arguments::try_parse_from(["travel_booking", "--crash-after", "lunch"]).is_err());
    }
}
