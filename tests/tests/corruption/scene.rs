//! A file with sagas at different places, and what a coordinator makes of a damaged copy of it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::future::pending;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use fastrand::Rng;
use rusqlite::Connection;
use rusqlite::types::Value;
use saga_runtime::log::SqliteLog;
use saga_runtime::{Begun, Context, Coordinator, Keyed, Saga, SagaId, SagaStatus, saga};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// Has twenty records, and is in the middle.
pub(crate) const ROUND: &str = "round";
/// Has begun.
pub(crate) const OTHER: &str = "other";
/// Has ended.
pub(crate) const DONE: &str = "done";
/// Sleeps.
pub(crate) const NAP: &str = "nap";

/// At which stop the first life of the process ends, per saga.
const ENDS_AT: [(&str, usize); 2] = [(ROUND, 18), (OTHER, 2)];

/// How long a saga may take to its end.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it is waited for one whose log may be unavailable for good, for a page of it cannot be read.
const LITTLE_PATIENCE: Duration = Duration::from_secs(2);

/// Panics of any thread.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts every call.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    calls: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    is_first_life: bool,
    /// The saga whose calls never end.
    held_up: Option<&'static str>,
}

impl Keyed for Desk {}

impl Desk {
    async fn visit(&self, cx: &Context) -> Result<u32, Infallible> {
        let saga = cx.saga_id().as_str();
        let count = {
            let mut calls = self.calls.lock().unwrap();
            let calls = calls.entry(saga.to_owned()).or_default();
            calls.push(cx.key().to_string());
            calls.len()
        };
        if self.is_first_life && ENDS_AT.contains(&(saga, count)) || self.held_up == Some(saga) {
            pending::<()>().await;
        }
        Ok(1)
    }

    async fn undo(&self, cx: &Context) -> Result<(), Infallible> {
        self.visit(cx).await.map(drop)
    }
}

saga! {
    /// Visits one after another, and pays.
    pub(crate) saga Round(room: String, stops: Vec<u32>) -> usize {
        with desk: Desk;
        retry 5 times every 1ms..5ms;
        lock room;
        for stop: u32 in stops.clone() {
            step visit: u32 = async { let _ = stop; desk.visit(cx).await } compensate desk.undo(cx);
        }
        pivot receipt: u32 = desk.visit(cx);
        return { let _ = receipt; visit.len() };
    }
}

saga! {
    /// Visits, and sleeps.
    pub(crate) saga Nap(stops: Vec<u32>) -> u32 {
        with desk: Desk;
        step visit: u32 = async { let _ = stops; desk.visit(cx).await } compensate desk.undo(cx);
        sleep 24h;
        pivot receipt: u32 = desk.visit(cx);
        return visit + receipt;
    }
}

/// The sound file, and places for damaged copies.
pub(crate) struct Scene {
    folder: TempDir,
    sound: PathBuf,
    /// The calls of the first life.
    before: BTreeMap<String, Vec<String>>,
}

/// A row of the log.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Whose it is.
    pub(crate) saga: &'static str,
    /// The number of the saga.
    pub(crate) number: i64,
    /// Its table.
    pub(crate) table: &'static str,
    /// The name of its key, and that.
    pub(crate) key: (&'static str, i64),
    /// Its columns and what they hold.
    pub(crate) cells: Vec<(String, Value)>,
}

/// What a coordinator made of it.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) quarantined: Vec<(String, String)>,
    /// What became of each saga that was begun again as it was, and of a new one.
    pub(crate) answers: BTreeMap<&'static str, Result<String, String>>,
    /// The calls, by saga.
    pub(crate) calls: BTreeMap<String, Vec<String>>,
}

fn stops(saga: &str) -> Vec<u32> {
    match saga {
        ROUND => (100..120).collect(),
        OTHER => vec![1, 2, 3],
        DONE => vec![1, 2],
        _ => vec![7, 8, 9],
    }
}

/// Only one of them locks what the others do not.
fn input(saga: &str) -> (String, Vec<u32>) {
    let room = if saga == ROUND { "room".to_owned() } else { format!("room of {saga}") };
    (room, stops(saga))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn start(log: SqliteLog, desk: &Desk) -> Result<Coordinator, String> {
    let desk = || desk.clone();
    let builder = Coordinator::builder(log).register::<Round>(RoundParticipants { desk: desk() });
    let started = builder.register::<Nap>(NapParticipants { desk: desk() }).start().await;
    started.map_err(|error| error.to_string())
}

impl Scene {
    pub(crate) fn new() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                PANICS.fetch_add(1, Ordering::SeqCst);
                before(info);
            }));
        });
        // In memory where there is such a file system: nothing here is about the disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let sound = folder.path().join("sound.db");
        let desk = Desk { is_first_life: true, ..Desk::default() };
        let calls = Arc::clone(&desk.calls);
        let runtime = runtime();
        runtime.block_on(async {
            let coordinator = start(SqliteLog::open(&sound).unwrap(), &desk).await.unwrap();
            for saga in [OTHER, ROUND, DONE] {
                let begun = coordinator.begin::<Round>(saga, input(saga)).await.unwrap();
                if saga == DONE {
                    begun.outcome().await.unwrap();
                }
            }
            coordinator.begin::<Nap>(NAP, stops(NAP)).await.unwrap();
            let wanted = || {
                let calls = calls.lock().unwrap();
                ENDS_AT
                    .iter()
                    .all(|(saga, count)| calls.get(*saga).is_some_and(|calls| calls.len() == *count))
            };
            while !wanted() || coordinator.running() > ENDS_AT.len() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        // The process dies: its tasks are gone at once, in the middle of their calls.
        drop(runtime);
        let before = desk.calls.lock().unwrap().clone();
        let scene = Self { folder, sound, before };
        let plain = Connection::open(&scene.sound).unwrap();
        plain.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        drop(plain);
        assert_eq!(scene.rows(ROUND).iter().filter(|row| row.table == "journal").count(), 20);
        scene.assert_sound();
        scene
    }

    fn assert_sound(&self) {
        let verdict = self.run(0, |_| ()).unwrap();
        assert!(verdict.quarantined.is_empty(), "{verdict:?}");
        for saga in [ROUND, OTHER, DONE, NAP] {
            assert_eq!(verdict.answers[saga].as_deref(), Ok(Self::expected(saga).as_str()), "{verdict:?}");
        }
    }

    /// What becomes of a saga whose rows are sound.
    pub(crate) fn expected(saga: &str) -> String {
        if saga == NAP { "sleeps".to_owned() } else { format!("Completed({})", stops(saga).len()) }
    }

    /// All rows of a saga, but those of its locks.
    pub(crate) fn rows(&self, saga: &'static str) -> Vec<Row> {
        let plain = Connection::open(&self.sound).unwrap();
        let number: i64 =
            plain.query_row("SELECT number FROM saga WHERE id = ?1", [saga], |row| row.get(0)).unwrap();
        let mut rows = Vec::new();
        for (table, key, of_saga) in [("saga", "number", "number"), ("journal", "position", "saga")] {
            let sql = format!("SELECT * FROM {table} WHERE {of_saga} = ?1 ORDER BY {key}");
            let mut statement = plain.prepare(&sql).unwrap();
            let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let read = |row: &rusqlite::Row<'_>| {
                let values = (0..names.len()).map(|column| row.get(column));
                values.collect::<Result<Vec<Value>, _>>()
            };
            for values in statement.query_map([number], read).unwrap() {
                let cells: Vec<(String, Value)> = names.iter().cloned().zip(values.unwrap()).collect();
                let place = cells.iter().find(|(name, _)| name == key);
                let Some((_, Value::Integer(place))) = place else { panic!("no key: {cells:?}") };
                rows.push(Row { saga, number, table, key: (key, *place), cells: cells.clone() });
            }
        }
        rows
    }

    /// Bytes of the file with a bit each: the same each time.
    pub(crate) fn places(&self, count: usize) -> Vec<(usize, u8)> {
        let length = fs::metadata(&self.sound).unwrap().len();
        let mut random = Rng::with_seed(11);
        // Empty places say nothing.
        let bytes = fs::read(&self.sound).unwrap();
        let place = || loop {
            let byte = random.usize(..usize::try_from(length).unwrap());
            if bytes[byte] != 0 {
                return (byte, random.u8(..8));
            }
        };
        std::iter::repeat_with(place).take(count).collect()
    }

    fn copy(&self, place: usize) -> PathBuf {
        let path = self.folder.path().join(format!("{place}.db"));
        for ending in ["-wal", "-shm", ".lock"] {
            // There may be none.
            let _ = fs::remove_file(self.folder.path().join(format!("{place}.db{ending}")));
        }
        fs::copy(&self.sound, &path).unwrap();
        path
    }

    /// Damages a copy, and lets a coordinator have it.
    pub(crate) fn run(&self, place: usize, damage: impl FnOnce(&Path)) -> Result<Verdict, String> {
        self.run_for(PATIENCE, place, damage)
    }

    fn run_for(
        &self,
        patience: Duration,
        place: usize,
        damage: impl FnOnce(&Path),
    ) -> Result<Verdict, String> {
        let path = self.copy(place);
        damage(&path);
        let panics = PANICS.load(Ordering::SeqCst);
        let desk = Desk::default();
        let verdict = runtime().block_on(async {
            let log = SqliteLog::open(&path).map_err(|error| error.to_string())?;
            let coordinator = start(log, &desk).await?;
            let mut answers = BTreeMap::new();
            for saga in [ROUND, OTHER, DONE, "new"] {
                answers.insert(saga, end::<Round>(&coordinator, saga, input(saga), patience).await);
            }
            answers.insert(NAP, end::<Nap>(&coordinator, NAP, stops(NAP), patience).await);
            let quarantined = coordinator.recovery().quarantined.clone();
            coordinator.shutdown().await;
            Ok::<_, String>((quarantined, answers))
        });
        let (quarantined, answers) = verdict?;
        if PANICS.load(Ordering::SeqCst) != panics {
            return Err("a thread has panicked".to_owned());
        }
        let calls = desk.calls.lock().unwrap().clone();
        Ok(Verdict { quarantined, answers, calls })
    }

    /// While the saga with the lock is in the middle again, another one wants it and waits.
    pub(crate) fn contend(&self, damage: &str) -> Result<(), String> {
        let path = self.copy(0);
        super::mutations::execute(&path, damage);
        let desk = Desk { held_up: Some(ROUND), ..Desk::default() };
        let runtime = runtime();
        runtime.block_on(async {
            let coordinator =
                start(SqliteLog::open(&path).map_err(|error| error.to_string())?, &desk).await?;
            while !desk.calls.lock().unwrap().contains_key(ROUND) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let begun =
                coordinator.begin::<Round>("new", input(ROUND)).await.map_err(|error| error.to_string())?;
            let handle = begun.handle().ok_or("it has ended")?;
            let ended = timeout(Duration::from_millis(100), handle.outcome()).await;
            match handle.status() {
                SagaStatus::WaitsForLock { holder, .. } if holder.as_str() == ROUND && ended.is_err() => {
                    Ok(())
                }
                status => Err(format!("it does not wait: {status}, {ended:?}")),
            }
        })
    }

    /// Flips a bit of a copy. `None`: the log is refused. Otherwise whether something is quarantined.
    pub(crate) fn run_flipped(&self, place: usize, byte: usize, bit: u8) -> Result<Option<bool>, String> {
        let verdict = self.run_for(LITTLE_PATIENCE, place, |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[byte] ^= 1 << bit;
            fs::write(path, bytes).unwrap();
        });
        let verdict = match verdict {
            Err(cause) if cause.contains("panicked") => return Err(cause),
            Err(cause) if cause.contains(".db") => return Ok(None),
            Err(cause) => return Err(format!("an error that does not say where: {cause}")),
            Ok(verdict) => verdict,
        };
        for (saga, calls) in &verdict.calls {
            let before = self.before.get(saga).map_or(&[][..], Vec::as_slice);
            // What was in flight is made again, with its key; what was done is not.
            let done = &before
                [..before.len().saturating_sub(usize::from(ENDS_AT.iter().any(|(ends, _)| ends == saga)))];
            let doubled = (1..calls.len()).any(|index| calls[..index].contains(&calls[index]));
            let unknown = ![ROUND, OTHER, DONE, NAP, "new"].contains(&saga.as_str());
            if unknown || doubled || calls.iter().any(|key| done.contains(key)) {
                return Err(format!("a wrong call: {verdict:#?}"));
            }
        }
        for (saga, answer) in &verdict.answers {
            let expected = Self::expected(saga);
            // Where it is only hard to find, it may be found after all.
            let finished = format!("Finished({expected})");
            let is_right = |answer: &String| {
                let begun = answer.split_once("and begun: ").map_or(answer.as_str(), |(_, begun)| begun);
                *answer == expected || begun == finished || begun.starts_with("Attached")
            };
            if answer.as_ref().is_ok_and(|answer| !is_right(answer)) {
                return Err(format!("a wrong outcome of {saga}: {verdict:#?}"));
            }
        }
        let is_found = !verdict.quarantined.is_empty() || verdict.answers.values().any(Result::is_err);
        Ok(Some(is_found))
    }
}

/// Begins the saga as it was begun, and waits for its end.
async fn end<S: Saga>(
    coordinator: &Coordinator,
    id: &'static str,
    input: S::Input,
    patience: Duration,
) -> Result<String, String>
where
    S::Output: std::fmt::Debug,
{
    let found = coordinator.find::<S>(&SagaId::new(id).unwrap()).await;
    if let Err(error) = &found {
        let begun = coordinator.begin::<S>(id, input).await;
        return match begun {
            Err(_) => Err(error.to_string()),
            Ok(begun) => Ok(format!("not found ({error}), and begun: {begun:?}")),
        };
    }
    let begun = coordinator.begin::<S>(id, input).await.map_err(|error| error.to_string())?;
    if id == NAP && matches!(begun, Begun::Attached(_)) {
        return Ok("sleeps".to_owned());
    }
    let outcome = timeout(patience, begun.outcome()).await.map_err(|_| format!("{id} does not end"))?;
    outcome.map(|outcome| format!("{outcome:?}")).map_err(|error| error.to_string())
}
