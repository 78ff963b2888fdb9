//! The command line program `order_fulfilment`.

use std::process::ExitCode;

use clap::Parser;

use self::arguments::Arguments;
use crate::program::{self, serve};

pub mod arguments;
pub mod fulfil;
mod report;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(async {
        match arguments.command {
            Some(command) => serve::run(command).await,
            None => fulfil::fulfil(&arguments.fulfilment).await,
        }
    })
}
