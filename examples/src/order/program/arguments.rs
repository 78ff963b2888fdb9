//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser};

use crate::order::kind::ServiceKind;
use crate::program::arguments::{Command, JobOptions};

/// Fulfils orders: paid and on their way, or nothing of them is, whatever happens.
#[derive(Debug, Parser)]
#[command(name = "order_fulfilment", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command<ServiceKind>>,
    #[command(flatten)]
    pub(super) fulfilment: FulfilmentOptions,
}

/// How orders are fulfilled.
#[derive(Debug, Args)]
pub struct FulfilmentOptions {
    /// The orders to fulfil: one JSON object per line [default: the file that ships with the example]
    #[arg(long, value_name = "FILE")]
    pub orders: Option<PathBuf>,
    /// Abort the process when this step, such as `pick` or `parcel.compensate`, has taken effect and nothing says so
    /// yet. Run again without it to resume.
    #[arg(long, value_name = "STEP")]
    pub crash_after: Option<String>,
    /// How the job is done.
    #[command(flatten)]
    pub job: JobOptions<ServiceKind>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_in_order() {
        Arguments::command().debug_assert();
    }
}
