//! The travel example's program as a process, and its services as processes of their own.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "in a test a panic is the report")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use saga_examples::travel::addresses::Addresses;
use saga_examples::travel::services::database;
use saga_examples::travel::supervise::Announcement;
use saga_examples::travel::wire::ServiceKind;

use crate::process::{Process, example};

/// The program.
pub fn program() -> &'static Path {
    example("travel_booking")
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
        let mut command = Command::new(program());
        command
            .args(["serve", kind.name(), "--port", &port.to_string(), "--db"])
            .arg(&database)
            // It ends when this pipe does: also when this test is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Process::start(&mut command);
        let said: Announcement = serde_json::from_str(&process.first_line()).unwrap();
        Self { kind, database, port: said.address.port(), process }
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
