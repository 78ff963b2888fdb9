//! A shop whose stock is a table in the log's own file: what sagas with local steps have done stands there, in rows that
//! are only ever added. It is held against the journal beside it whenever the process has ended, however it did.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use saga_runtime::Context;
use saga_runtime::log::sqlite::Durability;
use saga_runtime::log::{SagaLog, SqliteLog};

use crate::explore::{Plan, Tally, explore_with};
use crate::logs::Unhurried;
use crate::run::{End, Report, Scenario, names, run_on, step_of};
use crate::sagas::Shape;
use crate::world::{DeskError, Fault, PANIC, Which, World, name};

/// What was taken and put back, one row for each time. Nothing keeps a row from being there twice.
const TABLE: &str = "
    CREATE TABLE stock (
        position INTEGER PRIMARY KEY,
        key      TEXT    NOT NULL,
        event    TEXT    NOT NULL CHECK (event IN ('done', 'compensated')),
        number   INTEGER NOT NULL
    );
    CREATE TABLE wish (number INTEGER PRIMARY KEY);
    INSERT INTO wish VALUES (1);
";

/// What the journal says of local steps. Every output is the number of the row that was added for it.
const RECORDED: &str = "
    SELECT id || '/' || step, event, data FROM story
    WHERE event IN ('done', 'compensated') AND step IS NOT NULL ORDER BY 1, 2";

/// What stands in the table.
const STANDING: &str = "SELECT key, event, CAST(number AS TEXT) FROM stock ORDER BY 1, 2";

/// Takes from the stock, and puts back, where a local step says so.
pub struct Shop(pub World);

impl Shop {
    /// Takes something: the answer is the number of its row.
    pub fn take(&self, tx: &Connection, cx: &Context) -> Result<u32, DeskError> {
        let fault = self.0.made(cx, Which::Local);
        self.add(tx, cx, fault, "done", None)
    }

    /// Puts back what is in the row with this number.
    pub fn put_back(&self, tx: &Connection, cx: &Context, number: &u32) -> Result<(), DeskError> {
        let fault = self.0.made(cx, Which::LocalCompensation);
        self.add(tx, cx, fault, "compensated", Some(*number)).map(drop)
    }

    /// Whatever goes wrong goes wrong after the row was added, but for the panic before it.
    #[allow(clippy::panic, reason = "it is scripted")]
    fn add(
        &self,
        tx: &Connection,
        cx: &Context,
        fault: Option<Fault>,
        event: &str,
        number: Option<u32>,
    ) -> Result<u32, DeskError> {
        if fault == Some(Fault::PanicBefore) {
            panic!("{PANIC}");
        }
        let statement = |error: rusqlite::Error| DeskError::Statement(error.to_string());
        let key = format!("{}/{}", cx.saga_id(), name(cx));
        let add = "INSERT INTO stock (key, event, number)
                   VALUES (?1, ?2, coalesce(?3, (SELECT count(*) + 1 FROM stock)))
                   RETURNING number";
        let number = tx.query_row(add, (key, event, number), |row| row.get(0)).map_err(statement)?;
        match fault {
            None => Ok(number),
            Some(Fault::Refuse) => Err(DeskError::Refused("sold out")),
            Some(Fault::Transient) => Err(DeskError::Closed),
            Some(Fault::BadStatement) => {
                let twice = tx.execute("INSERT INTO wish VALUES (2), (1)", ());
                twice.map_err(statement).map(|_| number)
            }
            Some(Fault::LosesTransaction) => {
                let twice = tx.execute("INSERT OR ROLLBACK INTO wish VALUES (2), (1)", ());
                twice.map_err(statement).map(|_| number)
            }
            Some(_) => panic!("{PANIC}"),
        }
    }
}

/// A file with a saga log and the table. Each scenario finds it empty.
struct File {
    path: PathBuf,
    /// Looks on from beside the log, and empties it.
    beside: Connection,
    /// Open for as long as it is not to be opened again.
    log: RefCell<Option<Arc<dyn SagaLog>>>,
    reopens: bool,
}

/// Empties the log, which notices that it was not the one who wrote.
const EMPTY: &str = "DELETE FROM saga; DELETE FROM journal; DELETE FROM lock; DELETE FROM stock;";

impl File {
    fn make(path: PathBuf, reopens: bool) -> Result<Self, String> {
        let log = open(&path)?;
        let beside = Connection::open(&path).map_err(|error| error.to_string())?;
        beside.execute_batch(TABLE).map_err(|error| error.to_string())?;
        Ok(Self { path, beside, log: RefCell::new(Some(log)), reopens })
    }

    /// The log for one life of the process.
    fn open(&self) -> Result<Arc<dyn SagaLog>, String> {
        // What the life before has left.
        self.agrees()?;
        let mut kept = self.log.borrow_mut();
        let log = match kept.take() {
            Some(log) => log,
            None => open(&self.path)?,
        };
        if !self.reopens {
            *kept = Some(Arc::clone(&log));
        }
        Ok(log)
    }

    fn empty(&self) -> Result<(), String> {
        self.beside.execute_batch(EMPTY).map_err(|error| error.to_string())
    }

    /// What stands in the table is what is recorded, to the row.
    fn agrees(&self) -> Result<Vec<(String, String)>, String> {
        let rows = |sql| {
            let mut statement = self.beside.prepare_cached(sql)?;
            let rows = statement.query_map((), |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let standing = rows(STANDING).map_err(|error| error.to_string())?;
        let mut recorded = rows(RECORDED).map_err(|error| error.to_string())?;
        // The other steps have no row here.
        recorded.retain(|(key, ..)| LOCAL.iter().any(|local| is_of(key, local)));
        // A compensation records no number: it has that of what it undoes.
        let numbers: Vec<_> = recorded.iter().filter(|(_, event, _)| event == "done").cloned().collect();
        for (key, _, number) in recorded.iter_mut().filter(|(_, event, _)| event == "compensated") {
            *number = numbers.iter().find(|(done, ..)| done == key).and_then(|(.., number)| number.clone());
        }
        if standing != recorded {
            return Err(format!("recorded is {recorded:?}, and in the table stands {standing:?}"));
        }
        Ok(standing.into_iter().map(|(key, event, _)| (step_of(&key), event)).collect())
    }
}

/// The names of all local steps.
const LOCAL: &[&str] =
    &["nuts", "bolts", "sold", "left", "right", "pick", "wrap", "seal", "shelf", "only", "last"];

/// Whether `key`, as `s-1/room/pick[2]`, is of this step.
fn is_of(key: &str, step: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.split('[').next() == Some(step)
}

/// What is held in the end is what the saga's end says.
fn audit<S: Shape>(report: &Report, rows: &[(String, String)]) -> Result<(), String> {
    let of = |wanted: &str| {
        let mut steps: Vec<_> =
            rows.iter().filter(|(_, event)| event == wanted).map(|(step, _)| step.clone()).collect();
        steps.sort();
        steps
    };
    let (done, undone) = (of("done"), of("compensated"));
    let mut all: Vec<_> = S::LOCALS.iter().map(|step| (*step).to_owned()).collect();
    all.sort();
    let twice = done.windows(2).any(|pair| pair[0] == pair[1]);
    let right = match &report.end {
        End::Completed => done == all && undone.is_empty(),
        End::Compensated => done == undone,
        End::Parked(residue) => {
            let held = done.iter().filter(|step| !undone.contains(step));
            held.into_iter().all(|step| names(residue, step))
        }
    };
    if right && !twice {
        return Ok(());
    }
    Err(format!("ended {:?}; done is {done:?}, and undone {undone:?}", report.end))
}

/// Opens the log at `path`. No scenario takes the system down with it.
fn open(path: &Path) -> Result<Arc<dyn SagaLog>, String> {
    let log = SqliteLog::options().durability(Durability::Normal).open(path);
    Ok(Arc::new(Unhurried::in_turn(log.map_err(|error| error.to_string())?)))
}

fn run_on_file<S: Shape>(file: &File, scenario: &Scenario) -> Result<Report, String> {
    file.empty()?;
    let report = run_on::<S>(scenario, &|| file.open())?;
    let audited = file.agrees().and_then(|rows| audit::<S>(&report, &rows));
    audited.map_err(|cause| format!("{cause}\n{scenario:#?}\n{:#?}", report.story))?;
    Ok(report)
}

/// Explores a saga with local steps, on a file that each life of the process opens again if it `reopens`.
///
/// # Panics
///
/// With the first few scenarios that break the promise.
#[allow(clippy::expect_used, reason = "without a file there is nothing to test")]
pub fn explore_on_file<S: Shape>(plan: Plan, reopens: bool) -> Tally {
    // In memory, where there is a file system for it.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("there is room for a folder");
    let file = File::make(folder.path().join("sagas.db"), reopens).expect("there is room for a file");
    explore_with::<S>(plan, &|scenario| run_on_file::<S>(&file, scenario))
}
