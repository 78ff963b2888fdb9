//! The wall clock leaps by hours, while a timer, a deadline and a retry wait: in a process that lives, and between two of
//! its lives.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Context, Coordinator, Keyed, Outcome, StepError, saga};
use tempfile::TempDir;

use super::given;

/// Set in the process under test: its folder.
const FOLDER: &str = "SAGA_CLOCK_FOLDER";

/// How long nothing happens where nothing should.
const QUIET: Duration = Duration::from_millis(700);

/// How long anything may take: the clock is looked at once a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// Writes down every call in a file, which outlives the process.
struct Desk {
    book: PathBuf,
}

impl Keyed for Desk {}

#[derive(Debug, thiserror::Error, StepError)]
#[error("closed for the moment")]
#[outcome(transient)]
struct Closed;

impl Desk {
    async fn hold(&self, cx: &Context) -> Result<u32, Infallible> {
        self.note(cx, "hold");
        Ok(7)
    }

    async fn release(&self, cx: &Context) -> Result<(), Infallible> {
        self.note(cx, "release");
        Ok(())
    }

    async fn pay(&self, cx: &Context) -> Result<u32, Infallible> {
        self.note(cx, "pay");
        Ok(8)
    }

    /// Has no time at first.
    async fn ask(&self, cx: &Context) -> Result<u32, Closed> {
        self.note(cx, "ask");
        if cx.attempt() == 1 { Err(Closed) } else { Ok(9) }
    }

    fn note(&self, cx: &Context, what: &str) {
        let mut book = OpenOptions::new().create(true).append(true).open(&self.book).unwrap();
        book.write_all(format!("{} {what}\n", cx.saga_id()).as_bytes()).unwrap();
    }
}

saga! {
    /// Waits between what it holds and what it pays.
    saga Rest(seconds: u64) -> u32 {
        with desk: Desk;
        deadline 2h;
        step seat: u32 = desk.hold(cx) compensate desk.release(cx);
        sleep (Duration::from_secs(*seconds));
        pivot paid: u32 = desk.pay(cx);
        return seat + paid;
    }
}

saga! {
    /// Is told to ask again later.
    saga Ask(question: u64) -> u32 {
        with desk: Desk;
        retry 3 times every 40m..40m;
        step answer: u32 = async { let _ = question; desk.ask(cx).await } compensate nothing;
        return answer;
    }
}

/// The process under test: begins its sagas, or takes them up again, and says how they end.
#[tokio::main]
async fn live(folder: &Path) {
    let book = folder.join("book");
    let desk = || Desk { book: book.clone() };
    let log = SqliteLog::open(folder.join("clock.db")).unwrap();
    let builder = Coordinator::builder(log).register::<Rest>(RestParticipants { desk: desk() });
    let coordinator = builder.register::<Ask>(AskParticipants { desk: desk() }).start().await.unwrap();
    let rest = async |id: &'static str, seconds| {
        let outcome = coordinator.begin::<Rest>(id, seconds).await.unwrap().outcome().await;
        println!("end: {id} {:?}", completed(&outcome.unwrap()));
    };
    let ask = async {
        let outcome = coordinator.begin::<Ask>("ask", 1).await.unwrap().outcome().await;
        println!("end: ask {:?}", completed(&outcome.unwrap()));
    };
    tokio::join!(rest("hour", 3600), rest("moment", 3), ask);
    tokio::time::sleep(PATIENCE * 2).await;
}

fn completed(outcome: &Outcome<u32>) -> Option<u32> {
    if let Outcome::Completed(output) = outcome { Some(*output) } else { None }
}

/// The process under test, with the clock that it sees.
struct Life {
    folder: TempDir,
    process: Option<Child>,
    ended: Arc<Mutex<BTreeSet<String>>>,
}

impl Life {
    fn start(clock: &str) -> Self {
        let mut life = Self { folder: tempfile::tempdir().unwrap(), process: None, ended: Arc::default() };
        life.restart(clock);
        life
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// From now on its clock is so far off.
    fn set(&self, clock: &str) {
        // Whole, for it may be read at any time.
        fs::write(self.file("next"), clock).unwrap();
        fs::rename(self.file("next"), self.file("clock")).unwrap();
    }

    /// Kills it, and starts it with its clock so far off.
    fn restart(&mut self, clock: &str) {
        self.kill();
        self.set(clock);
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "clock::a_clock_that_leaps_stalls_nothing_and_ends_nothing_too_early",
                "--nocapture",
            ])
            .env(FOLDER, self.folder.path())
            .env("LD_PRELOAD", given("SAGA_TEST_FAKETIME"))
            .env("FAKETIME_TIMESTAMP_FILE", self.file("clock"))
            .envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("NO_FAKE_STAT", "1")])
            .env("DONT_FAKE_MONOTONIC", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (output, ended) = (process.stdout.take().unwrap(), Arc::clone(&self.ended));
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(end) = line.strip_prefix("end: ") {
                    ended.lock().unwrap().insert(end.to_owned());
                }
            }
        });
        self.process = Some(process);
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// The ends and calls of a saga so far.
    fn seen(&self, saga: &str) -> Vec<String> {
        let mut book = String::new();
        if let Ok(mut file) = fs::File::open(self.file("book")) {
            file.read_to_string(&mut book).unwrap();
        }
        let ended = self.ended.lock().unwrap();
        let lines = book.lines().chain(ended.iter().map(String::as_str));
        lines.filter_map(|line| line.strip_prefix(&format!("{saga} "))).map(str::to_owned).collect()
    }

    /// Waits until this, and no more, was seen of a saga.
    fn until(&self, saga: &str, expected: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        while self.seen(saga) != expected {
            let seen = self.seen(saga);
            assert!(Instant::now() < deadline, "{saga}: {seen:?}, and not {expected:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the log says that the saga waits: what it was told is recorded.
    fn until_it_waits(&self, saga: &str) {
        let deadline = Instant::now() + PATIENCE;
        let waits = || {
            let log = Connection::open(self.file("clock.db")).ok()?;
            let sql = "SELECT wake_at_ms FROM saga WHERE id = ?1";
            log.query_row(sql, [saga], |row| row.get::<_, Option<i64>>(0)).ok()?
        };
        while waits().is_none() {
            assert!(Instant::now() < deadline, "{saga} does not wait");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Nothing more comes for a while.
    fn stays(&self, saga: &str, expected: &[&str]) {
        self.until(saga, expected);
        thread::sleep(QUIET);
        assert_eq!(self.seen(saga), expected, "{saga} went on");
    }

    /// No record was made before the one before it.
    fn is_in_order(&mut self) {
        self.kill();
        let log = Connection::open(self.file("clock.db")).unwrap();
        let sql = "SELECT count(*) FROM journal AS later JOIN journal AS earlier USING (saga)
                   WHERE later.seq = earlier.seq + 1 AND later.at_ms < earlier.at_ms";
        assert_eq!(log.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap(), 0, "time went back");
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.kill();
    }
}

const DONE: &[&str] = &["hold", "pay", "Some(15)"];

#[test]
fn a_clock_that_leaps_stalls_nothing_and_ends_nothing_too_early() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return live(Path::new(&folder));
    }
    thread::scope(|scope| {
        scope.spawn(set_back);
        scope.spawn(set_back_between_two_lives);
        scope.spawn(past_the_deadline);
        scope.spawn(ahead_while_it_lives);
    });
}

/// What waits for a moment wakes, though the clock never shows that time.
fn set_back() {
    let mut life = Life::start("+0");
    life.until("moment", &["hold"]);
    life.set("-3h");
    life.until("moment", DONE);
    life.stays("hour", &["hold"]);
    life.stays("ask", &["ask"]);
    life.is_in_order();
}

/// Who waits for an hour waits until that hour, and the deadline is none too early.
fn set_back_between_two_lives() {
    let mut life = Life::start("+0");
    life.until_it_waits("hour");
    life.until_it_waits("ask");
    for clock in ["-3h", "-30m", "+15m"] {
        life.restart(clock);
        life.stays("hour", &["hold"]);
        life.stays("ask", &["ask"]);
    }
    life.restart("+90m");
    life.until("hour", DONE);
    life.until("ask", &["ask", "ask", "Some(9)"]);
    life.until("moment", DONE);
    life.restart("-5h");
    life.stays("hour", DONE);
    life.is_in_order();
}

/// Past its deadline it compensates, and pays nothing; what has none goes on.
fn past_the_deadline() {
    let mut life = Life::start("+0");
    life.until_it_waits("hour");
    life.until_it_waits("ask");
    life.restart("+3h");
    life.until("hour", &["hold", "release", "None"]);
    life.until("ask", &["ask", "ask", "Some(9)"]);
    life.restart("+0");
    life.stays("hour", &["hold", "release", "None"]);
    life.is_in_order();
}

/// As after the machine has slept: it is seen within a minute.
fn ahead_while_it_lives() {
    let mut life = Life::start("+0");
    life.until_it_waits("hour");
    life.until("moment", DONE);
    life.until_it_waits("ask");
    life.set("+90m");
    life.until("hour", DONE);
    life.until("ask", &["ask", "ask", "Some(9)"]);
    life.is_in_order();
}
