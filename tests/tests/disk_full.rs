//! A disk without room: progress stops with a clear error, nothing that was accepted is lost, and it goes on with the
//! room.
//!
//! The test starts itself as a second process whose files may not grow beyond a limit, and lifts the limit later.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a desk answers as a service does")]
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use saga_runtime::log::SqliteLog;
use saga_runtime::{BeginError, Context, Coordinator, Handle, Keyed, Outcome, saga};

/// Set in the second process: the folder of its log.
const FOLDER: &str = "SAGA_DISK_FULL_FOLDER";

/// Bytes of each saga's input.
const INPUT_BYTES: usize = 20_000;

struct Desk;

impl Keyed for Desk {}

impl Desk {
    async fn reserve(&self, _cx: &Context, name: &str) -> Result<usize, std::convert::Infallible> {
        // Some sagas are between two steps when the disk is full.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(name.len())
    }

    async fn cancel(&self, _cx: &Context) -> Result<(), std::convert::Infallible> {
        Ok(())
    }
}

saga! {
    saga Store(name: String) -> usize {
        with desk: Desk;
        step first: usize = desk.reserve(cx, name) compensate desk.cancel(cx);
        step second: usize = desk.reserve(cx, name) compensate desk.cancel(cx);
        return first + second;
    }
}

#[test]
fn a_full_disk_stops_progress_loses_nothing_and_goes_on_with_the_room() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        fill_the_disk(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "a_full_disk_stops_progress_loses_nothing_and_goes_on_with_the_room";
    // The soft limit only, and no signal: a write beyond it fails as on a disk without room.
    let limited = "trap '' XFSZ; ulimit -S -f 2000; exec \"$0\" \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);

    let full = lines.find(|line| line.starts_with("full:")).expect("the disk was never full");
    assert!(full.contains("store.db"), "the error does not say where: {full}");
    assert!(full.contains("same id"), "the error does not say what to do: {full}");
    let pid = child.id().to_string();
    let lifted =
        Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:unlimited"]).status().unwrap();
    assert!(lifted.success(), "the limit cannot be lifted");
    writeln!(child.stdin.take().unwrap(), "there is room").unwrap();

    let done = lines.find(|line| line.starts_with("done:")).expect("the sagas did not end");
    println!("{full}\n{done}");
    assert!(child.wait().unwrap().success());
}

/// Begins sagas until there is no room, waits for some, and sees every accepted saga end.
#[tokio::main]
async fn fill_the_disk(folder: &Path) {
    let log = SqliteLog::open(folder.join("store.db")).unwrap();
    let participants = StoreParticipants { desk: Desk };
    let coordinator = Coordinator::builder(log).register::<Store>(participants).start().await.unwrap();
    let input = || "x".repeat(INPUT_BYTES);
    let mut accepted: Vec<Handle<Store>> = Vec::new();
    let (refused, error) = loop {
        let id = format!("saga-{}", accepted.len());
        match coordinator.begin::<Store>(&id, input()).await {
            Ok(begun) => accepted.push(begun.handle().unwrap().clone()),
            Err(error) => break (id, error),
        }
    };
    assert!(matches!(error, BeginError::Log(_)), "{error}");
    println!("full: {error}");
    std::io::stdin().read_line(&mut String::new()).unwrap();

    let again = coordinator.begin::<Store>(&refused, input()).await.unwrap();
    assert_eq!(again.outcome().await, Ok(Outcome::Completed(2 * INPUT_BYTES)));
    let count = accepted.len();
    for handle in accepted {
        assert_eq!(handle.outcome().await, Ok(Outcome::Completed(2 * INPUT_BYTES)), "{handle:?}");
    }
    coordinator.shutdown().await;
    println!("done: {count} accepted sagas have ended");
}
