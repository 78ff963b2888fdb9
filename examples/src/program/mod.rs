//! What the command line programs of the examples have in common.

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::sync::oneshot;

pub mod arguments;
pub mod job;
mod progress;
mod report;
pub mod serve;

pub use self::report::horizontal_lines;

/// Does `work` on a runtime of its own, and tells people when it fails.
pub fn run(work: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "error".into()),
        )
        .with_writer(std::io::stderr)
        // They would go where the log could not be written, and end in a panic.
        .log_internal_errors(false)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            warn(&format!("error: cannot start the asynchronous runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(work);
    // What still runs is a call that nobody waits for any more.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| {
        warn(&format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Prints a line for people on standard output.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}").and_then(|()| output.flush()).context("cannot write to standard output")
}

/// Prints a line for people on standard error. If nobody reads it, nobody can be told.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Comes back when this process is told to end: by ctrl-c, SIGTERM, or the end of standard input if `with_input`.
pub(crate) async fn told_to_end(with_input: bool) -> anyhow::Result<()> {
    let input = async {
        if with_input {
            input_ended().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let terminated = terminate.recv();
    #[cfg(not(unix))]
    let terminated = std::future::pending::<Option<()>>();
    tokio::select! {
        () = input => Ok(()),
        _ = terminated => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

/// Reads standard input to its end, on a thread of its own: a read that blocks must not keep the process from ending.
async fn input_ended() {
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 256];
        while matches!(input.read(&mut buffer), Ok(1..)) {}
        // Nobody waits any more if the process was told to end otherwise.
        let _ = ended.send(());
    });
    let _ = end.await;
}
