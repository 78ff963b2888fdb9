//! What the program does with what it cannot use: a clear error that names what and where, no panic, the other trips
//! go on, and nothing accepted is lost. (Malformed trips, faults and addresses: `examples/tests/program.rs`.)

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Context, Coordinator, FailureKind, Keyed, Saga, StepError, saga};
use saga_tests::process::{self, Process};
use saga_tests::travel_process::{addresses, list, program, start_services, twice_the_trips};

/// How long a condition may take to come about.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the program to its end: whether it succeeded, and what it said.
fn run(data: &Path, arguments: &[&str]) -> (bool, String) {
    process::run(program(), data, arguments)
}

#[track_caller]
fn fails(data: &Path, expected: &str) {
    let (success, text) = run(data, &[]);
    assert!(!success && text.starts_with("error: ") && text.contains(expected), "{text}");
}

/// The lines of the table, as trip and what follows.
fn line<'a>(text: &'a str, trip: &str) -> &'a str {
    text.lines()
        .find(|line| line.trim_start().starts_with(trip))
        .unwrap_or_else(|| panic!("no {trip} in {text}"))
}

fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "it did not come about");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run that was broken off: what it had begun stands unfinished in the log. Answers the trip whose flight and hotel
/// were reserved last.
fn broken_off(data: &Path) -> String {
    let (success, text) = run(data, &["--crash-after", "hotel"]);
    assert!(!success && text.contains("the process aborts"), "{text}");
    let (_, key) = text.split_once("BookTrip/").unwrap();
    key.split('/').next().unwrap().to_owned()
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let data = file.join("data");
    fails(&data, &format!("cannot make the data directory {}: Not a directory", data.display()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_data_directory_that_cannot_be_written() {
    // Nobody can make files here, not even root.
    fails(Path::new("/proc"), "the saga log /proc/trips.db cannot be opened: ");
}

#[test]
fn a_log_that_is_no_database() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("trips.db");
    fs::write(&log, "these are no trips ".repeat(100)).unwrap();
    fails(
        data.path(),
        &format!("the saga log {} cannot be opened: the file is not an SQLite database; ", log.display()),
    );
    assert!(fs::read_to_string(log).unwrap().starts_with("these are no trips"), "it is left as it was");
}

#[test]
fn a_log_of_another_program() {
    let data = tempfile::tempdir().unwrap();
    let log = Connection::open(data.path().join("trips.db")).unwrap();
    log.execute_batch("CREATE TABLE trips (id TEXT)").unwrap();
    fails(data.path(), "trips.db cannot be opened: the file is the SQLite database of another program");
}

#[test]
fn a_log_of_a_newer_version() {
    let data = tempfile::tempdir().unwrap();
    let (success, text) = run(data.path(), &[]);
    assert!(success, "{text}");
    Connection::open(data.path().join("trips.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    fails(
        data.path(),
        "trips.db cannot be opened: a newer version of saga-runtime has written it (schema 99",
    );
}

#[test]
fn a_log_that_another_process_has_open() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    command.args(["--fault", "card:charge:slow(1500)", "--data"]).arg(data.path()).stdout(Stdio::null());
    let mut first = Process::start(&mut command);
    let holder = data.path().join("trips.db.lock");
    until(|| fs::read_to_string(&holder).is_ok_and(|holder| holder == first.id().to_string()));
    let begun = Instant::now();
    fails(
        data.path(),
        &format!("trips.db cannot be opened: another process (number {}) has it open", first.id()),
    );
    assert!(begun.elapsed() < Duration::from_secs(5), "it does not wait");
    assert_eq!(first.wait_until(Instant::now() + PATIENCE), Some(true), "the first one goes on");
}

/// What a lunch costs nobody.
#[derive(Debug, thiserror::Error)]
#[error("closed")]
struct Closed;

impl StepError for Closed {
    fn kind(&self) -> FailureKind {
        FailureKind::Transient
    }
}

#[derive(Debug)]
struct Kitchen;

impl Keyed for Kitchen {}

impl Kitchen {
    #[expect(clippy::unused_async, reason = "a call of a saga is one")]
    async fn cook(&self, _cx: &Context) -> Result<(), Closed> {
        Err(Closed)
    }
}

mod lunch {
    use super::{Kitchen, saga};

    saga! {
        /// Never ends: the kitchen is closed.
        pub saga Lunch() {
            with kitchen: Kitchen;
            retry forever every 10ms..10ms;
            step soup: () = kitchen.cook(cx);
        }
    }
}

mod other_trip {
    use super::{Kitchen, saga};

    saga! {
        /// A trip of another form.
        pub saga BookTrip() {
            with kitchen: Kitchen;
            retry forever every 10ms..10ms;
            step soup: () = kitchen.cook(cx);
        }
    }
}

#[test]
fn sagas_that_the_program_does_not_know() {
    let data = tempfile::tempdir().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let log = SqliteLog::open(data.path().join("trips.db")).unwrap();
        let coordinator = Coordinator::builder(log)
            .register::<lunch::Lunch>(lunch::LunchParticipants { kitchen: Kitchen })
            .register::<other_trip::BookTrip>(other_trip::BookTripParticipants { kitchen: Kitchen })
            .start()
            .await
            .unwrap();
        coordinator.begin::<lunch::Lunch>("lunch-1", ()).await.unwrap();
        coordinator.begin::<other_trip::BookTrip>("trip-000", ()).await.unwrap();
        tokio::time::timeout(PATIENCE, coordinator.shutdown()).await.unwrap();
    });
    let (success, text) = run(data.path(), &[]);
    assert!(success && text.contains("audit passed"), "the others go on: {text}");
    let form = lunch::Lunch::DEFINITION.fingerprint();
    let told = format!(
        "left alone: saga lunch-1 is a `Lunch` of the form {form}, and this program has no such saga"
    );
    assert!(text.contains(&told), "{text}");
    let form = other_trip::BookTrip::DEFINITION.fingerprint();
    let told =
        format!("left alone: saga trip-000 is a `BookTrip` of the form {form}, and here it has the form ");
    assert!(text.contains(&told), "{text}");
}

#[test]
fn rows_that_were_altered() {
    let data = tempfile::tempdir().unwrap();
    let holder = broken_off(data.path());
    let log = Connection::open(data.path().join("trips.db")).unwrap();
    let alter = |trip: &str| {
        let sql = "UPDATE journal SET data = replace(data, '2026', '2027')
                   WHERE seq = 0 AND saga = (SELECT number FROM saga WHERE id = ?1)";
        assert_eq!(log.execute(sql, [trip]).unwrap(), 1);
    };
    alter(&holder);
    let other = if holder == "trip-040" { "trip-039" } else { "trip-040" };
    assert_eq!(log.execute("UPDATE saga SET status = 'lost' WHERE id = ?1", [other]).unwrap(), 1);
    let (success, text) = run(data.path(), &[]);
    assert!(!success, "{text}");
    for trip in [&holder, other] {
        assert!(text.contains(&format!("quarantined: saga {trip}: ")), "{text}");
        assert!(line(&text, trip).contains(" quarantined "), "{text}");
    }
    let ended =
        text.lines().filter(|line| line.contains("  completed") || line.contains("  compensated")).count();
    assert_eq!(ended, 38, "the others go on: {text}");
    // Its flight and its hotel; its car as well if that was faster than the crash.
    assert!(text.contains("audit OPEN, "), "{text}");
    assert!(text.matches("is held for a trip that is quarantined: reservation of ").count() >= 2, "{text}");

    // A saga that has ended is found when it is begun again.
    let ended = if holder == "trip-001" { "trip-002" } else { "trip-001" };
    alter(ended);
    let (success, text) = run(data.path(), &[]);
    assert!(!success && line(&text, ended).contains(" quarantined "), "{text}");
}

#[test]
fn a_trip_of_the_same_name_with_another_content() {
    let data = tempfile::tempdir().unwrap();
    let trips = data.path().join("trips.jsonl");
    let trip = |id: &str, nights: u8| {
        format!(
            r#"{{"id":"{id}","traveller":"A","party":1,"from":"HAM","to":"PRG","date":"2026-10-12","nights":{nights},"card":"card-2001"}}"#
        ) + "\n"
    };
    fs::write(&trips, trip("t", 3) + &trip("u", 3)).unwrap();
    let arguments = ["--trips", trips.to_str().unwrap()];
    let (success, text) = run(data.path(), &arguments);
    assert!(success, "{text}");
    fs::write(&trips, trip("t", 4) + &trip("v", 3)).unwrap();
    let (success, text) = run(data.path(), &arguments);
    assert!(!success && text.contains("audit passed"), "what is booked stays booked: {text}");
    assert!(
        line(&text, "t ").contains("not begun   saga `t` was begun already, with another input"),
        "{text}"
    );
    assert!(line(&text, "v ").contains(" completed "), "the others go on: {text}");
}

#[test]
fn ports_in_use() {
    let data = tempfile::tempdir().unwrap();
    // The third of four ports in a row is taken.
    let (_taken, first) = loop {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Some(first) = taken.local_addr().unwrap().port().checked_sub(2) {
            break (taken, first.to_string());
        }
    };
    let (success, text) = run(data.path(), &["services", "--first-port", &first]);
    assert!(!success && text.contains("service cannot listen on 127.0.0.1:"), "{text}");
    assert!(text.contains("Address already in use") && text.contains("--port"), "{text}");
}

#[test]
fn services_that_do_not_answer() {
    let data = tempfile::tempdir().unwrap();
    // After the time-out the hotel is probed, and the others are asked again with the same key.
    let mut arguments = Vec::new();
    let faults = ["hotel:reserve:hang@trip-001", "car:reserve:hang@trip-012", "flight:voucher:hang@trip-028"];
    for fault in &faults {
        arguments.extend(["--fault", fault]);
    }
    let (success, text) = run(data.path(), &arguments);
    assert!(success && text.contains("audit passed"), "{text}");
    for fault in faults {
        let (_, trip) = fault.split_once('@').unwrap();
        assert!(line(&text, trip).contains(" completed "), "{text}");
    }
}

#[test]
fn a_trip_that_is_parked_is_shown_with_what_it_may_hold_and_goes_on_with_the_next_run() {
    let data = tempfile::tempdir().unwrap();
    let (success, text) = run(data.path(), &["--fault", "hotel:cancel:unavailable:always@trip-002"]);
    assert!(!success, "{text}");
    let parked = line(&text, "trip-002");
    assert!(
        parked.contains(" parked ") && parked.contains("the compensation of `hotel` is not done after"),
        "{text}"
    );
    assert!(parked.contains("may still be in effect: `flight` done, `hotel` done"), "{text}");
    assert!(text.contains("audit OPEN, 2 are held for trips that have not ended"), "{text}");
    assert!(text.matches("is held for a trip that is parked: reservation of 1 × ").count() == 2, "{text}");
    let (success, text) = run(data.path(), &[]);
    assert!(success && text.contains("resumed 1 trip that had not ended"), "{text}");
    assert!(line(&text, "trip-002").contains(" compensated ") && text.contains("audit passed"), "{text}");
}

#[test]
fn a_trip_of_an_earlier_file_is_resumed_and_audited_too() {
    let data = tempfile::tempdir().unwrap();
    broken_off(data.path());
    let trips = data.path().join("trips.jsonl");
    let trip = r#"{"id":"t","traveller":"A","party":1,"from":"HAM","to":"PRG","date":"2026-10-12","nights":3,"card":"card-2001"}"#;
    fs::write(&trips, trip).unwrap();
    let arguments = ["--trips", trips.to_str().unwrap()];
    let (success, text) = run(data.path(), &arguments);
    assert!(success && text.contains("resumed ") && text.contains("audit passed"), "{text}");
    assert!(
        line(&text, "t ").contains(" completed ") && line(&text, "trip-001").contains(" completed "),
        "{text}"
    );
    // They have ended, and still own what they own.
    let (success, text) = run(data.path(), &arguments);
    assert!(success && !text.contains("trip-001") && text.contains("audit passed"), "{text}");
}

/// Tells the process to end, as a service manager does.
fn terminate(process: &Process) {
    let done =
        Command::new("sh").args(["-c", "kill -TERM $1", "sh", &process.id().to_string()]).status().unwrap();
    assert!(done.success());
}

#[test]
fn a_program_that_is_told_to_end_stops_in_order_and_can_be_resumed() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    command
        .args(["--fault", "card:charge:slow(500):always", "--data"])
        .arg(data.path())
        .env("RUST_LOG", "saga_runtime=info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut first = Process::start(&mut command);
    let said = first.listen();
    until(|| said.lock().unwrap().contains("begun"));
    terminate(&first);
    assert_eq!(first.wait_until(Instant::now() + PATIENCE), Some(false));
    until(|| said.lock().unwrap().contains("trips under way: run the same again with `--data "));
    let (success, text) = run(data.path(), &[]);
    assert!(success && text.contains("resumed ") && text.contains("audit passed"), "{text}");
}

/// How long the longest file of a log is that has just been made.
fn bytes_of_an_empty_log() -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(directory.path().join("trips.db")).unwrap();
    let files = fs::read_dir(directory.path()).unwrap();
    let longest = files.map(|file| file.unwrap().metadata().unwrap().len()).max();
    drop(log);
    longest.unwrap()
}

#[test]
fn a_disk_that_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let services = start_services(directory.path());
    let services = list(&addresses(&services));
    let data = directory.path().join("data");
    let trips = directory.path().join("trips.jsonl");
    fs::write(&trips, twice_the_trips()).unwrap();
    let arguments = ["--services", &services, "--trips", trips.to_str().unwrap()];
    // No file of the program may grow far over what an empty log needs, in blocks of 512 bytes (some shells say 1024): what
    // is written further fails, as on a full disk.
    let blocks = bytes_of_an_empty_log() / 512 + 24;
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\" 1>&2"), "sh"])
        .arg(program())
        .args(arguments)
        .arg("--data")
        .arg(&data)
        .stderr(Stdio::piped());
    let mut first = Process::start(&mut command);
    let said = first.listen();
    // Either it holds already what is left to do and waits, or it could not begin a part of the trips.
    let waits = || said.lock().unwrap().contains("the saga waits for its log");
    until(|| waits() || first.wait_until(Instant::now()).is_some());
    if waits() {
        terminate(&first);
    }
    assert_eq!(first.wait_until(Instant::now() + PATIENCE), Some(false));
    until(|| said.lock().unwrap().contains("trips.db is unavailable: "));
    assert!(!said.lock().unwrap().contains("panicked"));
    let (success, text) = run(&data, &arguments);
    assert!(success && text.contains("audit passed"), "{text}");
}
