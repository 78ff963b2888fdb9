//! A worker on its file, in front of its ledger: started again whenever it was killed, and asked until it answers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{Reply, ask};
use super::ledger::{Book, Ledger};
use super::life::Life;
use super::plan::Plan;
use crate::process::example;

/// The worker's name.
pub const NAME: &str = "worker-1";

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// A worker, its file and its participants.
#[derive(Debug)]
pub struct Site {
    directory: TempDir,
    /// Where its file is, if that is somewhere else.
    store: Option<PathBuf>,
    /// The program that starts the worker's, with its arguments.
    starter: Vec<String>,
    life: Arc<Life>,
    ledger: Ledger,
    keyed: bool,
    call_timeout: Duration,
    address: Option<SocketAddr>,
    /// The sagas that were answered 201 or 200.
    accepted: Vec<String>,
    /// The history of each saga as it was seen last.
    seen: BTreeMap<String, Vec<Value>>,
}

impl Site {
    /// A new file, and a worker that runs on it.
    pub fn start(plan: &Plan) -> Self {
        Self::start_as(plan, None, &[])
    }

    /// The same with its file in the folder `store`, and started by the program `starter`.
    pub fn start_as(plan: &Plan, store: Option<&Path>, starter: &[&str]) -> Self {
        let life = Arc::new(Life::default());
        let ledger = Ledger::start(plan, &life);
        let mut site = Self {
            directory: tempfile::tempdir().unwrap(),
            store: store.map(Path::to_owned),
            starter: starter.iter().map(|&word| word.to_owned()).collect(),
            life,
            ledger,
            keyed: plan.said_keyed,
            call_timeout: plan.call_timeout,
            address: None,
            accepted: Vec::new(),
            seen: BTreeMap::new(),
        };
        site.see_to_it_that_it_lives();
        site
    }

    /// From the next start on the participants are said to be keyed, or not.
    pub fn say_keyed(&mut self, keyed: bool) {
        self.keyed = keyed;
    }

    /// The worker's process.
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// What is written down now.
    pub fn book(&self) -> Book {
        self.ledger.book()
    }

    /// Where the worker listens.
    pub fn address(&mut self) -> SocketAddr {
        self.see_to_it_that_it_lives();
        self.address.unwrap()
    }

    /// The file of its log.
    pub fn file(&self) -> PathBuf {
        self.store.as_deref().unwrap_or(self.directory.path()).join("trips.db")
    }

    /// The command that starts a worker on the file of this site.
    pub fn command(&self) -> Command {
        let mut command = match self.starter.split_first() {
            None => Command::new(example("travel_worker")),
            Some((starter, arguments)) => {
                let mut command = Command::new(starter);
                command.args(arguments).arg(example("travel_worker"));
                command
            }
        };
        command
            .args(["--store", &format!("sqlite:{}", self.file().display())])
            .args(["--participants", &self.ledger.url()])
            .args(["--listen", "127.0.0.1:0", "--name", NAME])
            .args(["--call-timeout", &format!("{}ms", self.call_timeout.as_millis())])
            .args(self.keyed.then_some("--keyed"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// What the worker said on its standard error in all its lives.
    pub fn said(&self) -> String {
        fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default()
    }

    /// Starts the worker again if it was killed. One that ends by itself is a failure.
    pub fn see_to_it_that_it_lives(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.address.is_none() || self.life.ended().is_some() {
            assert!(Instant::now() < deadline, "the worker does not come up: {}", self.said());
            if self.life.ended().is_some() {
                assert!(self.life.is_told(), "the worker ended by itself: {}", self.said());
            }
            let said =
                OpenOptions::new().create(true).append(true).open(self.directory.path().join("stderr"));
            let mut command = self.command();
            let line = self.life.start(command.stdout(Stdio::piped()).stderr(said.unwrap()));
            self.address = line.parse().ok();
            if self.address.is_none() {
                assert!(self.life.is_told(), "the worker did not start: {line} {}", self.said());
            }
        }
    }

    /// Tells the worker to end, and waits until it has: it succeeds, unless it was killed meanwhile.
    pub fn terminate(&mut self) {
        self.life.terminate();
        let deadline = Instant::now() + PATIENCE;
        let ended = loop {
            if let Some(ended) = self.life.ended() {
                break ended;
            }
            assert!(Instant::now() < deadline, "the worker does not drain: {}", self.said());
            sleep(PAUSE);
        };
        assert!(ended || self.life.is_killed(), "the worker failed to drain: {}", self.said());
    }

    /// Asks once.
    pub fn ask_once(&mut self, method: &str, path: &str, body: &str) -> io::Result<Reply> {
        ask(self.address(), method, path, body.as_bytes())
    }

    /// Asks until it is answered, whatever happens to the worker meanwhile.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let error = match self.ask_once(method, path, body) {
                Ok(reply) => {
                    let json =
                        reply.json().unwrap_or_else(|| panic!("no JSON from {method} {path}: {reply:?}"));
                    return (reply.status, json);
                }
                Err(error) => error,
            };
            assert!(Instant::now() < deadline, "{method} {path} is not answered: {error}, {}", self.said());
            sleep(PAUSE);
        }
    }

    /// Begins a saga; the first answer must be 201, unless there was one that did not arrive.
    pub fn begin(&mut self, id: &str) -> u16 {
        let lives = self.life.lives();
        let (status, answer) = self.ask("POST", "/sagas", &body(id, "Ada"));
        let may_be_known = self.life.lives() != lives || self.life.ended().is_some();
        assert!(status == 201 || (status == 200 && may_be_known), "{id}: {status} {answer}");
        self.accepted.push(id.to_owned());
        status
    }

    /// Begins a saga, again as long as the log is unavailable.
    pub fn begin_by_retry(&mut self, id: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.ask("POST", "/sagas", &body(id, "Ada")) {
                (200 | 201, _) => break,
                (503, answer) => assert!(Instant::now() < deadline, "{id} is never begun: {answer}"),
                (status, answer) => panic!("{id}: {status} {answer}"),
            }
            sleep(PAUSE);
        }
        self.accepted.push(id.to_owned());
    }

    /// The same again is the same, and something else is not.
    pub fn begin_again(&mut self, id: &str) {
        assert_eq!(self.ask("POST", "/sagas", &body(id, "Ada")).0, 200, "{id}: the same again");
        assert_eq!(self.ask("POST", "/sagas", &body(id, "Ben")).0, 409, "{id}: another trip");
    }

    /// Kills the worker. Every saga that was accepted must be known when it is back.
    pub fn kill(&mut self) {
        self.life.kill();
        for id in self.accepted.clone() {
            self.show(&id);
        }
    }

    /// How a saga stands: whatever was seen of it before is still there.
    pub fn show(&mut self, id: &str) -> Value {
        let (status, view) = self.ask("GET", &format!("/sagas/{id}"), "");
        assert_eq!(status, 200, "{id} is lost: {view}");
        let word = view["status"].as_str().unwrap();
        let (residue, history) = (view["residue"].as_array().unwrap(), view["history"].as_array().unwrap());
        assert!(["Running", "Completed", "Compensated", "Parked"].contains(&word), "{view}");
        assert_eq!(residue.is_empty(), word != "Parked", "{view}");
        let seen = self.seen.entry(id.to_owned()).or_default();
        assert!(history.starts_with(seen), "{id} forgot something: {seen:?}, then {view}");
        let is_in_order = (0..).zip(history).all(|(seq, entry)| entry["seq"] == json!(seq));
        let times = history.iter().map(|entry| entry["at"].as_u64().unwrap());
        assert!(is_in_order && times.is_sorted(), "{view}");
        seen.clone_from(history);
        view
    }

    /// Waits until the saga stands like this.
    pub fn until(&mut self, id: &str, is_meant: impl Fn(&str) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let view = self.show(id);
            if is_meant(view["status"].as_str().unwrap()) {
                return view;
            }
            assert!(Instant::now() < deadline, "{id} does not come to its end: {view}");
            sleep(PAUSE);
        }
    }

    /// Waits until the saga has ended.
    pub fn until_ended(&mut self, id: &str) -> Value {
        self.until(id, |status| status == "Completed" || status == "Compensated")
    }

    /// Waits until no call is under way that may still take effect.
    pub fn until_calm(&self) -> Book {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let book = self.book();
            if book.under_way == 0 {
                return book;
            }
            assert!(Instant::now() < deadline, "calls are under way for ever");
            sleep(PAUSE);
        }
    }
}

/// What begins a saga.
pub fn body(id: &str, traveller: &str) -> String {
    json!({ "id": id, "trip": { "traveller": traveller, "nights": 3 } }).to_string()
}
