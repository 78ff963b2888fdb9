//! Explores one saga, as the arguments say, on a runtime with a bug: the saga, and up to how many faults, crashes, failures
//! of the log, and commands. Prints what it finds; answers 1 if that is a violation.

#[path = "sagas.rs"]
#[allow(dead_code, missing_docs)]
mod sagas;

use std::process::ExitCode;

use saga_runtime::log::MemoryLog;
use saga_runtime::verify::Exploration;
use saga_runtime::{RunsOn, Saga};

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let numbers = arguments.iter().skip(1).map(|number| number.parse()).collect::<Result<Vec<usize>, _>>();
    match (arguments.first().map(String::as_str), numbers.as_deref()) {
        (Some("pair"), Ok(&[faults, crashes, log_faults, commands])) => {
            explore(sagas::pair(), faults, crashes, log_faults, commands)
        }
        (Some("seat"), Ok(&[faults, crashes, log_faults, commands])) => {
            explore(sagas::seat(), faults, crashes, log_faults, commands)
        }
        (Some("travel"), Ok(&[faults, crashes, log_faults, commands])) => {
            explore(sagas::travel(), faults, crashes, log_faults, commands)
        }
        (Some("trip"), Ok(&[faults, crashes, log_faults, commands])) => {
            explore(sagas::trip(), faults, crashes, log_faults, commands)
        }
        (Some("order"), Ok(&[faults, crashes, log_faults, commands])) => {
            explore(sagas::order(), faults, crashes, log_faults, commands)
        }
        (Some("house"), Ok(&[faults, crashes, log_faults, commands])) => {
            explore(sagas::house(), faults, crashes, log_faults, commands)
        }
        _ => {
            eprintln!("pair|seat|travel|trip|order|house <faults> <crashes> <failures of the log> <commands>");
            ExitCode::from(2)
        }
    }
}

fn explore<S: Saga + RunsOn<MemoryLog>>(
    exploration: Exploration<S>,
    faults: usize,
    crashes: usize,
    log_faults: usize,
    commands: usize,
) -> ExitCode {
    let exploration = exploration.faults(faults).crashes(crashes).log_faults(log_faults).commands(commands);
    match exploration.run() {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("{violation}");
            ExitCode::FAILURE
        }
    }
}
