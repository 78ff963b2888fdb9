//! The real program, killed at random moments with SIGKILL and started again: no trip is lost, nothing leaks, every
//! saga comes to its end.
//!
//! `SAGA_KILL_CYCLES` says how many kills (100, and 12 where services are killed too), `SAGA_KILL_SEED` repeats the moments
//! of an earlier run.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use saga_examples::travel::addresses::Addresses;
use saga_examples::travel::audit::{Booked, Owners, audit};
use saga_examples::travel::faults;
use saga_examples::travel::wire::ServiceKind;
use saga_tests::process::{Process, run};
use saga_tests::travel_process::{Service, addresses, list, program, start_services, twice_the_trips};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// After how many kills a data directory gets an undisturbed run.
const KILLS_PER_SITE: u64 = 25;

/// A program is killed at a random moment of this time after its start.
const LIFE_MAX: Duration = Duration::from_millis(300);

/// How long a run that nobody disturbs may take.
const RUN_MAX: Duration = Duration::from_mins(2);

/// Numbers that look random, and are the same for the same seed.
struct Random(u64);

impl Random {
    /// Seeded as the environment says, or by the clock.
    fn new(test: &str) -> Self {
        let seed = std::env::var("SAGA_KILL_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = seed.unwrap_or_else(|| {
            u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() % 1_000_000_007)
                .unwrap()
        });
        println!("{test}: SAGA_KILL_SEED={seed}");
        Self(seed)
    }

    /// Below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % end
    }

    fn life(&mut self) -> Duration {
        Duration::from_micros(self.below(u64::try_from(LIFE_MAX.as_micros()).unwrap()))
    }
}

/// A data directory, the services that belong to it, and the trips to book.
struct Site {
    directory: TempDir,
    services: Vec<Service>,
    runtime: Runtime,
    trips: usize,
    /// The log as it was seen last.
    seen: BTreeMap<String, Saga>,
    /// What the program said of sagas, each only after it was durable.
    said: BTreeSet<(String, &'static str)>,
    runs: usize,
}

/// One saga as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Saga {
    status: String,
    records: i64,
}

/// What the kills hit, over all sites.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    kills_with_unfinished: u64,
    /// How many trips the kills hit under way, all in all.
    unfinished_at_kills: usize,
    ended_before_the_kill: u64,
    service_kills: u64,
    data_directories: u64,
    trips: usize,
    completed: usize,
    compensated: usize,
    /// Of the compensated: those that spent the retries of a step.
    given_up: usize,
}

impl Site {
    /// New services, of which every call takes `delay`, and the trips that ship with the example, twice.
    fn new(delay: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let services = start_services(directory.path());
        let trips = twice_the_trips();
        fs::write(directory.path().join("trips.jsonl"), &trips).unwrap();
        let runtime = Runtime::new().unwrap();
        let (seen, said) = (BTreeMap::new(), BTreeSet::new());
        let site = Self { directory, services, runtime, trips: trips.lines().count(), seen, said, runs: 0 };
        for service in ServiceKind::ALL {
            for operation in service.operations() {
                let order = format!("{service}:{operation}:slow({}):always", delay.as_millis());
                site.runtime.block_on(faults::order(&site.addresses(), &order.parse().unwrap())).unwrap();
            }
        }
        site
    }

    fn addresses(&self) -> Addresses {
        addresses(&self.services)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn output(&self, stream: &str) -> String {
        fs::read_to_string(self.file(&format!("{}.{stream}", self.runs))).unwrap()
    }

    /// Starts the program.
    fn start(&mut self, concurrency: u64) -> Process {
        self.runs += 1;
        let stream = |name: &str| File::create(self.file(&format!("{}.{name}", self.runs))).unwrap();
        let mut command = Command::new(program());
        command
            .args(["--services", &list(&self.addresses())])
            .args(["--concurrency", &concurrency.to_string()])
            .arg("--data")
            .arg(self.file("data"))
            .arg("--trips")
            .arg(self.file("trips.jsonl"))
            .env("RUST_LOG", "saga_runtime=info")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(stream("out"))
            .stderr(stream("err"));
        Process::start(&mut command)
    }

    /// Reads the log as the kill left it, from a copy, and compares it with what was known before.
    fn look(&mut self) {
        self.said.extend(self.output("err").lines().filter_map(said));
        let copy = tempfile::tempdir().unwrap();
        for file in ["trips.db", "trips.db-wal"] {
            let from = self.file("data").join(file);
            if from.exists() {
                fs::copy(from, copy.path().join(file)).unwrap();
            }
        }
        let now = if copy.path().join("trips.db").exists() {
            read(&copy.path().join("trips.db"))
        } else {
            BTreeMap::new()
        };
        for (id, before) in &self.seen {
            let now = now.get(id).unwrap_or_else(|| panic!("{id} is lost: it was {before:?}"));
            let ended = before.status != "running";
            assert!(
                if ended { now == before } else { now.records >= before.records },
                "{id}: {before:?}, then {now:?}"
            );
        }
        for (id, word) in &self.said {
            let now =
                now.get(id).unwrap_or_else(|| panic!("{id} is lost: the program had said that it is {word}"));
            assert!(*word == "begun" || now.status == *word, "{id} was said to be {word}, and is {now:?}");
        }
        self.seen = now;
    }

    fn unfinished(&self) -> usize {
        self.seen.values().filter(|saga| saga.status == "running").count()
    }

    /// Kills the program, and looks at what it left.
    fn kill(&mut self, mut program: Process, tally: &mut Tally) {
        let has_ended = program.wait_until(Instant::now()).is_some();
        program.kill();
        self.look();
        if has_ended {
            tally.ended_before_the_kill += 1;
            return;
        }
        tally.kills += 1;
        tally.kills_with_unfinished += u64::from(self.unfinished() > 0);
        tally.unfinished_at_kills += self.unfinished();
    }

    /// A run that nobody disturbs: everything comes to its end, and a second one changes nothing.
    fn finish(mut self, tally: &mut Tally) {
        for again in [false, true] {
            let before = self.seen.clone();
            let ended = self.start(16).wait_until(Instant::now() + RUN_MAX);
            self.look();
            let (out, err) = (self.output("out"), self.output("err"));
            assert!(ended == Some(true) && out.contains("audit passed"), "{ended:?}\n{out}\n{err}");
            assert_eq!(self.unfinished(), 0, "{out}");
            assert!(!again || self.seen == before, "the second run found something to do");
        }
        assert_eq!(self.seen.len(), self.trips);
        // The audit once more, by the log alone.
        let log = Connection::open(self.file("data").join("trips.db")).unwrap();
        let completed = completed(&log);
        let count = |status: &str| self.seen.values().filter(|saga| saga.status == status).count();
        assert_eq!(completed.len(), count("completed"));
        let owners = Owners { completed, ..Owners::default() };
        let report = self.runtime.block_on(audit(&self.addresses(), &owners)).unwrap();
        assert!(report.is_clean(), "{:?}", report.discrepancies);
        tally.data_directories += 1;
        tally.trips += self.trips;
        tally.completed += count("completed");
        tally.compensated += count("compensated");
        tally.given_up += given_up(&log);
    }
}

/// What a line of the program's log says of a saga, if it says that something of it is durable.
fn said(line: &str) -> Option<(String, &'static str)> {
    let (_, rest) = line.split_once(" id=")?;
    let (id, rest) = rest.split_once('}')?;
    let message = rest.rsplit_once("driver: ")?.1;
    let word = ["begun", "completed", "compensated"].into_iter().find(|word| message.starts_with(word))?;
    Some((id.to_owned(), word))
}

/// The sagas of a log.
fn read(file: &Path) -> BTreeMap<String, Saga> {
    let log = Connection::open(file).unwrap();
    let sound: String = log.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let has_tables: bool = log
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'saga'", [], |row| row.get(0))
        .unwrap();
    if !has_tables {
        return BTreeMap::new();
    }
    let mut query = log.prepare("SELECT id, status, records FROM saga").unwrap();
    let sagas =
        query.query_map([], |row| Ok((row.get(0)?, Saga { status: row.get(1)?, records: row.get(2)? })));
    sagas.unwrap().map(Result::unwrap).collect()
}

/// The completed trips of a log, by their last records.
fn completed(log: &Connection) -> Vec<Booked> {
    let mut query = log.prepare("SELECT id, data FROM story WHERE event = 'completed'").unwrap();
    let booked = query.query_map([], |row| {
        let (saga, itinerary): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(Booked { saga, itinerary: serde_json::from_str(&itinerary).unwrap() })
    });
    booked.unwrap().map(Result::unwrap).collect()
}

/// How many sagas of a log gave a step up.
fn given_up(log: &Connection) -> usize {
    let query = "SELECT count(DISTINCT id) FROM story WHERE event = 'gave up'";
    log.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
}

#[test]
fn the_program_is_killed_at_any_moment() {
    let kills: u64 = std::env::var("SAGA_KILL_CYCLES").map_or(100, |kills| kills.parse().unwrap());
    let mut random = Random::new("killed at any moment");
    let mut tally = Tally::default();
    let begun = Instant::now();
    while tally.kills < kills {
        let mut site = Site::new(Duration::from_millis(10 + random.below(60)));
        let until = (tally.kills + KILLS_PER_SITE).min(kills);
        while tally.kills < until {
            let mut program = site.start([2, 8, 100][usize::try_from(random.below(3)).unwrap()]);
            let ended = program.wait_until(Instant::now() + random.life());
            site.kill(program, &mut tally);
            if ended.is_some() {
                assert_eq!(ended, Some(true), "{}{}", site.output("out"), site.output("err"));
                break;
            }
        }
        site.finish(&mut tally);
    }
    println!("{tally:#?} in {:?}: 0 lost, 0 leaked", begun.elapsed());
    assert!(
        tally.kills_with_unfinished * 4 > tally.kills * 3,
        "most kills shall hit trips under way: {tally:?}"
    );
    assert!(tally.completed > 0 && tally.compensated > 0, "{tally:?}");
}

#[test]
fn services_are_killed_while_the_program_is() {
    let kills: u64 = std::env::var("SAGA_KILL_CYCLES").map_or(12, |kills| kills.parse().unwrap());
    let mut random = Random::new("services are killed");
    let mut tally = Tally::default();
    let begun = Instant::now();
    while tally.kills < kills {
        let mut site = Site::new(Duration::from_millis(60));
        let until = (tally.kills + KILLS_PER_SITE).min(kills);
        while tally.kills < until {
            let mut program = site.start(8);
            let mut ended = None;
            for _ in 0..3 {
                ended = program.wait_until(Instant::now() + random.life());
                if ended.is_some() {
                    break;
                }
                let which = usize::try_from(random.below(4)).unwrap();
                site.services[which].kill();
                tally.service_kills += 1;
            }
            site.kill(program, &mut tally);
            // It does not start where a service is away just then.
            if ended == Some(true) {
                break;
            }
        }
        site.finish(&mut tally);
    }
    println!("{tally:#?} in {:?}: 0 lost, 0 leaked", begun.elapsed());
    assert!(tally.kills_with_unfinished * 2 > tally.kills && tally.service_kills >= kills, "{tally:?}");
}

#[test]
fn the_program_crashes_after_each_step_and_each_compensation() {
    for step in [
        "flight",
        "hotel",
        "car",
        "receipt",
        "voucher",
        "flight.compensate",
        "hotel.compensate",
        "car.compensate",
    ] {
        let data = tempfile::tempdir().unwrap();
        let (success, text) = run(program(), data.path(), &["--crash-after", step]);
        assert!(!success && text.contains(&format!("/{step} is done")) || step.contains('.'), "{text}");
        assert!(!success && text.contains("the process aborts"), "{text}");
        let (success, text) = run(program(), data.path(), &[]);
        assert!(success && text.contains("resumed ") && text.contains("audit passed"), "{step}: {text}");
    }
}
