//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser};
use saga_runtime::Saga;

use crate::program::arguments::{Command, JobOptions, parse_crash_point};
use crate::travel::desk::CrashPoint;
use crate::travel::saga::BookTrip;
use crate::travel::wire::ServiceKind;

/// Books trips: a flight, a hotel and a car for each, all of them or none, whatever happens.
#[derive(Debug, Parser)]
#[command(name = "travel_booking", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command<ServiceKind>>,
    #[command(flatten)]
    pub(super) booking: BookingOptions,
}

/// How trips are booked.
#[derive(Debug, Args)]
pub(super) struct BookingOptions {
    /// The trips to book: one JSON object per line [default: the file that ships with the example]
    #[arg(long, value_name = "FILE")]
    pub(super) trips: Option<PathBuf>,
    /// Abort the process when this step, such as `hotel` or `hotel.compensate`, has taken effect and nothing says so
    /// yet. Run again without it to resume.
    #[arg(long, value_name = "STEP", value_parser = |text: &str| parse_crash_point(text, &[BookTrip::DEFINITION]))]
    pub(super) crash_after: Option<CrashPoint>,
    #[command(flatten)]
    pub(super) job: JobOptions<ServiceKind>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::program::arguments::crash_points;

    #[test]
    fn the_arguments_are_in_order() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn each_step_can_be_crashed_after() {
        let points = crash_points(BookTrip::DEFINITION);
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
