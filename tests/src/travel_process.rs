//! The travel example's program as a process, and its services as processes of their own.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "in a test a panic is the report")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use saga_examples::travel::addresses::Addresses;
use saga_examples::travel::services::database;
use saga_examples::travel::supervise::Announcement;
use saga_examples::travel::wire::ServiceKind;
use serde_json::Value;

/// The program, built from the sources as they are now.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // target/<profile>/deps/<this test>
        let this = std::env::current_exe().unwrap();
        let profile = this.parent().and_then(Path::parent).and_then(Path::file_name).unwrap();
        let profile = if profile == "debug" { "dev".into() } else { profile.to_owned() };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            // All packages, as they are built for the tests: with other features much would be built once more.
            .args(["build", "--locked", "--workspace", "--example", "travel_booking"])
            .args(["--message-format", "json-render-diagnostics", "--profile"])
            .arg(profile)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "the program cannot be built");
        let lines = output.stdout.lines().map(Result::unwrap);
        let built = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let built = built.filter(|message| message["target"]["name"] == "travel_booking");
        built.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).last().unwrap()
    })
}

/// A child that does not outlive its test.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Collects what it says on its standard error, which must be piped.
    pub fn listen(&mut self) -> Arc<Mutex<String>> {
        let said = Arc::new(Mutex::new(String::new()));
        let (stream, heard) = (self.0.stderr.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                heard.lock().unwrap().extend([&line, "\n"]);
            }
        });
        said
    }

    /// Kills it with SIGKILL, if it has not ended.
    pub fn kill(&mut self) {
        // Fails only if it has ended.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }

    /// Whether it succeeded, or `None` if it has not ended before `deadline`.
    pub fn wait_until(&mut self, deadline: Instant) -> Option<bool> {
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Some(status.success());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            sleep(left.min(Duration::from_millis(1)));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One service's process, its standard input, and its port.
#[derive(Debug)]
pub struct Service {
    kind: ServiceKind,
    database: PathBuf,
    port: u16,
    process: Process,
}

impl Service {
    fn start(kind: ServiceKind, database: PathBuf, port: u16) -> Self {
        let mut child = Command::new(program())
            .args(["serve", kind.name(), "--port", &port.to_string(), "--db"])
            .arg(&database)
            // It ends when this pipe does: also when this test is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let said: Announcement = serde_json::from_str(&line).unwrap();
        Self { kind, database, port: said.address.port(), process: Process(child) }
    }

    /// Kills it, and starts it again at its port.
    pub fn kill(&mut self) {
        self.process.kill();
        let again = Self::start(self.kind, self.database.clone(), self.port);
        *self = again;
    }
}

/// Starts all four with their databases in `directory`.
pub fn start_services(directory: &Path) -> Vec<Service> {
    ServiceKind::ALL.into_iter().map(|kind| Service::start(kind, database(directory, kind), 0)).collect()
}

/// Where they are.
pub fn addresses(services: &[Service]) -> Addresses {
    Addresses::try_from_fn(|kind| {
        let service = services.iter().find(|service| service.kind == kind).ok_or(kind)?;
        Ok::<_, ServiceKind>(format!("http://127.0.0.1:{}", service.port))
    })
    .unwrap()
}

/// The same as the program's option `--services` takes it.
pub fn list(addresses: &Addresses) -> String {
    let Addresses { flight, hotel, car, card } = addresses;
    format!("flight={flight},hotel={hotel},car={car},card={card}")
}

/// The trips that ship with the example, and the same once more under other names: not all of them can be booked.
pub fn twice_the_trips() -> String {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/travel/trips.jsonl");
    let shipped = std::fs::read_to_string(shipped).unwrap();
    shipped.clone() + &shipped.replace("\"id\":\"", "\"id\":\"again-")
}
