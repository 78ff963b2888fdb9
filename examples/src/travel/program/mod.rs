//! The command line program `travel_booking`.

use std::process::ExitCode;

use clap::Parser;

use self::arguments::Arguments;
use crate::program::{self, serve};

mod arguments;
mod book;
mod report;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(async {
        match arguments.command {
            Some(command) => serve::run(command).await,
            None => book::book(arguments.booking).await,
        }
    })
}
