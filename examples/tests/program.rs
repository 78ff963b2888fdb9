//! The program as a process: the main job, its errors, its services, a crash.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use saga_examples::service::addresses::AddressBook;
use saga_examples::travel::addresses::Addresses;
use saga_examples::travel::audit::fetch_holdings;
use saga_examples::travel::desk::Desks;
use saga_examples::travel::faults;
use saga_examples::travel::supervise::Announcement;
use saga_examples::travel::trip::Card;
use saga_examples::travel::values::Cents;
use saga_runtime::{Context, FailureKind, SagaId, StepError};

fn program(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_travel-booking"));
    command.args(arguments).env_remove("RUST_LOG");
    if arguments.first() != Some(&"serve") {
        command.arg("--data").arg(data);
    }
    command
}

fn run(arguments: &[&str], data: &Path) -> (Output, String) {
    let output = program(arguments, data).stdin(Stdio::null()).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, text)
}

fn spawn(arguments: &[&str], data: &Path) -> Child {
    program(arguments, data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line
}

/// Waits until nothing listens at `address` any more.
fn until_gone(address: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address.trim_start_matches("http://")).is_ok() {
        assert!(Instant::now() < deadline, "{address} still listens");
        std::thread::yield_now();
    }
}

/// How many trips came to each ending.
fn endings(text: &str) -> (usize, usize, usize) {
    let count = |word: &str| text.lines().filter(|line| line.contains(&format!("  {word}"))).count();
    (count("completed"), count("compensated"), count("parked"))
}

#[test]
fn the_main_job_books_what_can_be_booked_whatever_the_order() {
    for concurrency in ["1", "40"] {
        let data = tempfile::tempdir().unwrap();
        let (output, text) = run(&["--concurrency", concurrency], data.path());
        assert!(output.status.success(), "{text}");
        assert_eq!(endings(&text), (21, 19, 0), "{text}");
        for (reason, times) in [
            ("flight SA 422 is sold out", 3),
            ("flight SA 318 is sold out", 2),
            ("Hotel Liffey is full", 3),
            ("Albergo Trastevere is full", 2),
            ("no car left at Venezia Tessera", 2),
            ("no car left at Barcelona El Prat", 3),
            ("card-9001 is declined", 1),
            ("card-9002 is declined", 1),
            ("card-4404 is declined", 1),
            ("card-8000 is declined", 1),
        ] {
            assert_eq!(text.matches(reason).count(), times, "{reason}\n{text}");
        }
        assert!(text.contains("audit passed"), "{text}");
    }
}

#[test]
fn bad_input_is_an_error_that_names_what_and_where() {
    let data = tempfile::tempdir().unwrap();
    let trips = data.path().join("trips.jsonl");
    fs::write(&trips, "{\"id\":1}\n{}\nhello\n").unwrap();
    let trips = trips.to_str().unwrap();
    let text = errors(&["--trips", trips], data.path());
    assert!(
        text.starts_with("error: 3 lines are no trip that can be booked; nothing was begun:\n"),
        "{text}"
    );
    assert!(text.contains(&format!("{trips}:1:7: invalid type: integer `1`, expected a string")), "{text}");
    assert!(text.contains(&format!("{trips}:3:1: this is no JSON object")), "{text}");
    assert!(
        errors(&["--trips", "/no/such/file"], data.path())
            .contains("cannot read the trips file /no/such/file")
    );
    assert!(errors(&["--trips", "/dev/null"], data.path()).contains("holds no trip"));
    assert!(errors(&["--fault", "car:probe:drop"], data.path()).contains("has no operation `probe`"));
    assert!(errors(&["--crash-after", "lunch"], data.path()).contains("flight.compensate"));
    assert!(
        errors(&["--services", "flight=x"], data.path()).contains("does not say where the hotel service is")
    );
    let database = data.path().join("car.db");
    fs::write(&database, "this is no database ".repeat(100)).unwrap();
    let text = errors(&[], data.path());
    assert!(text.contains("car.db: this file is no database"), "{text}");
    assert!(text.contains("error: the car service did not start"), "{text}");
}

fn errors(arguments: &[&str], data: &Path) -> String {
    let (output, text) = run(arguments, data);
    assert!(!output.status.success() && !text.contains("panicked"), "{text}");
    text
}

#[test]
fn a_port_in_use_is_named() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let database = data.path().join("car.db");
    let arguments =
        ["serve", "car", "--db", database.to_str().unwrap(), "--port", &address.port().to_string()];
    let text = errors(&arguments, data.path());
    assert!(text.starts_with(&format!("error: the car service cannot listen on {address}: ")), "{text}");
    assert!(text.contains("--port"), "{text}");
}

#[test]
fn a_service_says_where_it_is_and_ends_with_its_input() {
    let data = tempfile::tempdir().unwrap();
    let database = data.path().join("hotel.db");
    let mut child = spawn(&["serve", "hotel", "--db", database.to_str().unwrap()], data.path());
    let said: Announcement = serde_json::from_str(&first_line(&mut child)).unwrap();
    TcpStream::connect(said.address).unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn no_service_outlives_a_killed_parent() {
    let data = tempfile::tempdir().unwrap();
    let mut child = spawn(&["services"], data.path());
    first_line(&mut child);
    let addresses = Addresses::read(data.path().join("addresses.json").to_str().unwrap()).unwrap();
    TcpStream::connect(addresses.card.trim_start_matches("http://")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    for address in [addresses.flight, addresses.hotel, addresses.car, addresses.card] {
        until_gone(&address);
    }
}

#[test]
fn services_that_run_already_can_be_used() {
    let data = tempfile::tempdir().unwrap();
    let mut services = spawn(&["services"], data.path());
    first_line(&mut services);
    let addresses = data.path().join("addresses.json");
    let (output, text) = run(&["--services", addresses.to_str().unwrap()], data.path());
    assert!(output.status.success() && text.contains("audit passed"), "{text}");
    drop(services.stdin.take());
    assert!(services.wait().unwrap().success(), "they end with their input");
    let text = errors(&["--services", addresses.to_str().unwrap()], data.path());
    assert!(text.contains("the flight service does not tell what it holds: Connection refused"), "{text}");
}

#[test]
fn a_crash_is_a_real_one_and_leaves_an_effect_behind() {
    let data = tempfile::tempdir().unwrap();
    let mut child = spawn(&["--crash-after", "hotel"], data.path());
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(text.contains("/hotel is done, and the process aborts"), "{text}");
    let database = rusqlite::Connection::open(data.path().join("hotel.db")).unwrap();
    let held: i64 = database.query_row("SELECT count(*) FROM held", [], |row| row.get(0)).unwrap();
    assert!(held > 0);
}

#[tokio::test]
async fn a_service_that_dies_comes_back_at_its_port_as_often_as_it_is_told_to_die() {
    let data = tempfile::tempdir().unwrap();
    let mut services = spawn(&["services"], data.path());
    first_line(&mut services);
    let addresses = Addresses::read(data.path().join("addresses.json").to_str().unwrap()).unwrap();
    faults::order(&addresses, &"card:charge:die-before:2".parse().unwrap()).await.unwrap();
    faults::order(&addresses, &"card:charge:die-after".parse().unwrap()).await.unwrap();
    let desks = Desks::new(&addresses).unwrap();
    let card = Card("card-2001".to_owned());
    let mut broken = 0;
    let receipt = loop {
        let cx = Context::action("BookTrip", SagaId::new("t").unwrap(), "receipt", 1);
        match desks.cards.charge(&cx, &card, Cents(5)).await {
            Ok(receipt) => break receipt,
            Err(error) if error.kind() == FailureKind::Unknown => broken += 1,
            Err(error) => assert_eq!(error.kind(), FailureKind::Transient, "{error}"),
        }
    };
    // A connection that is made while the process is on its way out may break as well.
    assert!(broken >= 3, "two deaths before the charge and one after it: {broken}");
    assert_eq!(receipt.receipt, "card-1");
    assert_eq!(faults::left(&addresses).await.unwrap(), 0);
    let holdings = fetch_holdings(&addresses).await.unwrap();
    assert_eq!(holdings[3].held.len(), 1, "charged once");
    drop(services.stdin.take());
    assert!(services.wait().unwrap().success());
}
