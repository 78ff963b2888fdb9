//! Histories that no coordinator has written: real ones that were changed, and records in any order. What is illegal is
//! quarantined with its cause, and nothing is done for it; what goes on keeps to what its records say.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use saga_runtime::log::sqlite::Durability;
use saga_runtime::log::{Append, Begin, MemoryLog, Record, SagaLog, SqliteLog, Status, Wake};
use saga_runtime::{Begun, Coordinator, SagaId, SagaStatus};
use saga_tests::logs::{LogFault, TestLog, Unhurried};
use saga_tests::run::{ID, INPUT, Scenario, run_on};
use saga_tests::sagas::{Basket, Parcel, Payment, Quote, Shape, Tour, Trip};
use saga_tests::world::{Fault, Place, Which, World};
use tokio::time::{sleep, timeout};

use super::cases::check_all;

/// What is done with a real history.
#[derive(Debug, Clone)]
enum Change {
    Delete(Index),
    /// The record is there once more, at this place.
    Repeat(Index, Index),
    Swap(Index, Index),
    Step(Index, Option<String>),
    Event(Index, String),
    Data(Index, Option<String>),
    Time(Index, u64),
    Insert(Index, Record),
}

#[derive(Debug, Clone)]
struct Case {
    shape: Index,
    story: Index,
    /// How much of the story is there.
    length: Index,
    changes: Vec<Change>,
    status: Status,
    wake: Wake,
    /// Of another version of the saga.
    foreign: bool,
}

const EVENTS: &[&str] = &[
    "begun",
    "deadline",
    "child of",
    "held",
    "completed",
    "operator",
    "closed",
    "done",
    "refused",
    "else",
    "sent",
    "compensated",
    "cancelled",
    "deadline passed",
    "opened",
    "failed",
    "absent",
    "not sent",
    "due",
    "gave up",
    "parked",
    "compensation opened",
    "compensation failed",
    "compensation absent",
    "compensation not sent",
    "compensation due",
    "compensation gave up",
    "compensation parked",
];

const STEPS: &[&str] = &[
    "flight",
    "hotel",
    "car",
    "receipt",
    "voucher",
    "first",
    "second",
    "third",
    "goods",
    "charge",
    "guide",
    "bus",
    "price",
    "room",
    "pay",
    "pick",
    "pick[0]",
    "pick[1]",
    "wrap[1]",
    "seal[0]",
    "seal[4294967295]",
    "paid",
    "thanks",
    "line",
    "ship[0]",
    "pick[0][0]",
    "pick[",
    "pick[-1]",
    "pick[99999999999999999999]",
    "[0]",
    "",
];

const DATA: &[&str] = &[
    "1",
    "null",
    "-1",
    "4294967295",
    "18446744073709551615",
    "1e999",
    "\"x\"",
    "{}",
    "[]",
    "[0,1]",
    "[[0],[1]]",
    "{",
    "7 7",
    "true",
    r#"{"message":"m"}"#,
    r#"{"message":"m","definitive":true}"#,
    r#"{"message":"m","definitive":false}"#,
    r#"{"outcome":"unknown","message":"m"}"#,
    r#"{"outcome":"transient","message":"m"}"#,
    r#"{"outcome":"refused"}"#,
    r#"{"outcome":"done"}"#,
    r#"{"due_ms":0}"#,
    r#"{"due_ms":18446744073709551615}"#,
    r#"{"due_ms":9223372036854775807}"#,
    r#"{"due_ms":-1}"#,
    r#"{"parent":"s-1","root":"s-1","held":true}"#,
    r#"{"parent":"p","root":"q","held":false}"#,
    r#"{"parent":"","root":"","held":true}"#,
    r#"{"act":"suspend","operator":"a","reason":"b"}"#,
    r#"{"act":"close","operator":"a","reason":"b"}"#,
    r#"{"act":"retry"}"#,
    r#"{"act":"resume"}"#,
    r#"{"act":"cancel"}"#,
    r#"{"residue":[["flight","done"]],"operator":"a","reason":"b"}"#,
    r#"{"residue":[["flight","gone"]]}"#,
    r#"{"trip":7}"#,
    r#"{"trip":"7"}"#,
];

fn events() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(EVENTS).prop_map(str::to_owned), 1 => "\\PC{0,12}"]
}

fn steps() -> impl Strategy<Value = Option<String>> {
    option::weighted(0.8, prop_oneof![9 => select(STEPS).prop_map(str::to_owned), 1 => "\\PC{0,12}"])
}

fn data() -> impl Strategy<Value = Option<String>> {
    let deep = (1..20_000_usize).prop_map(|depth| "[".repeat(depth));
    let long = (1..20_000_usize).prop_map(|length| "9".repeat(length));
    let data = select(DATA).prop_map(str::to_owned);
    option::weighted(0.9, prop_oneof![20 => data, 1 => deep, 1 => long, 1 => "\\PC{0,20}"])
}

fn times() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), Just(i64::MAX as u64), Just(1 << 53), any::<u64>()]
}

fn records() -> impl Strategy<Value = Record> {
    (times(), steps(), events(), data()).prop_map(|(at_ms, step, event, data)| Record {
        at_ms,
        step,
        event,
        data,
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        place().prop_map(Change::Delete),
        (place(), place()).prop_map(|(from, to)| Change::Repeat(from, to)),
        (place(), place()).prop_map(|(one, other)| Change::Swap(one, other)),
        (place(), steps()).prop_map(|(at, step)| Change::Step(at, step)),
        (place(), events()).prop_map(|(at, event)| Change::Event(at, event)),
        (place(), data()).prop_map(|(at, data)| Change::Data(at, data)),
        (place(), times()).prop_map(|(at, time)| Change::Time(at, time)),
        (place(), records()).prop_map(|(at, record)| Change::Insert(at, record)),
    ]
}

fn cases() -> impl Strategy<Value = Case> {
    let status = prop_oneof![
        8 => Just(Status::Running),
        1 => select(vec![Status::Completed, Status::Compensated, Status::Closed]),
    ];
    let wake = prop_oneof![8 => Just(Wake::Now), 1 => times().prop_map(Wake::At), 1 => Just(Wake::Never)];
    let place = any::<Index>;
    // Most are small changes; some are nothing but noise.
    let changes = prop_oneof![8 => vec(changes(), 0..4), 1 => vec(changes(), 4..30)];
    let foreign = prop::bool::weighted(0.05);
    (place(), place(), place(), changes, status, wake, foreign).prop_map(
        |(shape, story, length, changes, status, wake, foreign)| Case {
            shape,
            story,
            length,
            changes,
            status,
            wake,
            foreign,
        },
    )
}

/// Real histories of a saga of this shape: without a fault, with each one at each call, and with a crash.
fn stories<S: Shape>() -> Vec<Vec<Record>> {
    let mut stories = Vec::new();
    let mut story = |scenario: &Scenario| {
        let log = MemoryLog::new();
        let report =
            run_on::<S>(scenario, &|| Ok(Arc::new(log.clone()))).unwrap_or_else(|broken| panic!("{broken}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let history = runtime.block_on(log.history(&SagaId::new(ID).unwrap()));
        stories.push(history.unwrap().unwrap().records);
        report.calls
    };
    for place in story(&Scenario::default()) {
        for fault in [Fault::Refuse, Fault::Transient, Fault::LostReply] {
            let faults = vec![(place, fault), (Place { nth: 2, ..place }, fault)];
            story(&Scenario { faults, log: vec![(0, 3, LogFault::CrashAfter)], ..Scenario::default() });
        }
    }
    stories
}

/// A saga of one shape.
struct Subject {
    stories: Vec<Vec<Record>>,
    check: Check,
}

/// Lets a coordinator start on a log that holds the records.
type Check = fn(&Case, &[Record], Arc<dyn SagaLog>) -> Result<(), String>;

fn subjects() -> Vec<Subject> {
    fn subject<S: Shape>() -> Subject {
        Subject { stories: stories::<S>(), check: check::<S> }
    }
    vec![
        subject::<Trip>(),
        subject::<Parcel>(),
        subject::<Tour>(),
        subject::<Quote>(),
        subject::<Basket>(),
        subject::<Payment>(),
    ]
}

impl Case {
    fn records(&self, stories: &[Vec<Record>]) -> Vec<Record> {
        let story = self.story.get(stories);
        let mut records = story[..=self.length.index(story.len())].to_vec();
        for change in &self.changes {
            change.make(&mut records);
        }
        records
    }
}

impl Change {
    fn make(&self, records: &mut Vec<Record>) {
        let count = records.len();
        if let Self::Insert(at, record) = self {
            records.insert(at.index(count + 1), record.clone());
        }
        if count == 0 {
            return;
        }
        match self {
            Self::Delete(at) => drop(records.remove(at.index(count))),
            Self::Repeat(from, to) => records.insert(to.index(count + 1), records[from.index(count)].clone()),
            Self::Swap(one, other) => records.swap(one.index(count), other.index(count)),
            Self::Step(at, step) => records[at.index(count)].step.clone_from(step),
            Self::Event(at, event) => records[at.index(count)].event.clone_from(event),
            Self::Data(at, data) => records[at.index(count)].data.clone_from(data),
            Self::Time(at, time) => records[at.index(count)].at_ms = *time,
            Self::Insert(..) => {}
        }
    }
}

/// What is wrong with a history whatever the order of its records, if anything surely is.
fn illegal<S: Shape>(records: &[Record]) -> Option<&'static str> {
    let (begun, rest) = records.split_first()?;
    let input = begun.data.as_deref().filter(|_| begun.event == "begun" && begun.step.is_none());
    if input.is_none_or(|input| S::decode_input(input).is_err()) {
        return Some("it does not begin with the input");
    }
    let names = |name: &str| {
        name.split('[').next().is_some_and(|name| S::DEFINITION.steps.iter().any(|step| step.name == name))
    };
    let mut ended = false;
    for (index, record) in rest.iter().enumerate() {
        let of_saga = matches!(
            record.event.as_str(),
            "deadline" | "child of" | "held" | "completed" | "closed" | "cancelled" | "deadline passed"
        );
        if ended {
            return Some("it goes on after its end");
        }
        ended = matches!(record.event.as_str(), "completed" | "closed");
        if record.event == "begun" || !EVENTS.contains(&record.event.as_str()) {
            return Some("an event that there is not");
        }
        if record.event != "operator" && of_saga == record.step.is_some() {
            return Some("a step where there is none, or none where there is one");
        }
        if record.step.as_deref().is_some_and(|step| record.event != "operator" && !names(step)) {
            return Some("a step that there is not");
        }
        if matches!(record.event.as_str(), "child of" | "deadline") && index > 1 {
            return Some("what stands at the begin alone");
        }
        if rest[..index].iter().any(|other| {
            (&other.step, &other.event) == (&record.step, &record.event)
                && matches!(
                    record.event.as_str(),
                    "done" | "compensated" | "else" | "held" | "child of" | "deadline"
                )
        }) {
            return Some("what can be there once is there twice");
        }
        if record.event == "held" && !rest.iter().any(|record| record.event == "child of") {
            return Some("held, and nobody's child");
        }
    }
    None
}

fn check<S: Shape>(case: &Case, records: &[Record], log: Arc<dyn SagaLog>) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let world = World::new();
    let result = runtime.block_on(async {
        let limit = Duration::from_hours(10_000_000);
        timeout(limit, live::<S>(case, records, log, &world))
            .await
            .unwrap_or_else(|_| Err("it hangs".to_owned()))
    });
    result.map_err(|cause| format!("{cause}\n{records:#?}\n{world:#?}"))
}

async fn live<S: Shape>(
    case: &Case,
    records: &[Record],
    log: Arc<dyn SagaLog>,
    world: &World,
) -> Result<(), String> {
    let mut begin = Begin {
        definition: S::DEFINITION.full_name().into_owned(),
        fingerprint: S::DEFINITION.fingerprint(),
    };
    if case.foreign {
        begin.definition.push('2');
    }
    let id = SagaId::new(ID).unwrap();
    let append = Append {
        saga: id.clone(),
        begin: Some(begin),
        first_seq: 0,
        records: records.to_vec(),
        status: case.status,
        wake: case.wake,
        locks: None,
    };
    if log.append(vec![append]).await != [Ok(())] {
        // Nothing that a log would take.
        return Ok(());
    }
    let log = TestLog::over(log);
    let coordinator = S::register(Coordinator::builder(log.clone()), world)
        .start()
        .await
        .map_err(|error| error.to_string())?;
    let must_be_left = case.foreign || case.status != Status::Running || illegal::<S>(records).is_some();
    sleep(Duration::from_hours(48)).await;
    let quarantined: Vec<_> = coordinator.quarantined().into_iter().map(|(_, cause)| cause).collect();
    let is_left = case.foreign || case.status != Status::Running || !quarantined.is_empty();
    if quarantined.iter().any(|cause| cause.trim().is_empty()) {
        return Err("it is quarantined without a cause".to_owned());
    }
    // A quarantine comes at the start, or when it goes on and its own records are read again: never in between.
    if (must_be_left || is_left) && !world.calls().is_empty() {
        return Err(format!("calls are made for it: {quarantined:?}, {:?}", illegal::<S>(records)));
    }
    if must_be_left && !is_left && case.wake == Wake::Now {
        return Err(format!("it is not quarantined: {:?}", illegal::<S>(records)));
    }
    keeps_to_its_records(records, world)?;
    let found = coordinator.find::<S>(&id).await;
    if let Ok(Some(Begun::Started(handle) | Begun::Attached(handle))) = &found {
        let _ = handle.state().await;
        let status = handle.status();
        let goes_on = matches!(status, SagaStatus::Running) && !is_left;
        let history = handle.history().await.map_err(|error| error.to_string())?;
        if goes_on && history.wake == Wake::Now && case.wake == Wake::Now {
            return Err(format!("after two days it is {status}, and waits for nothing"));
        }
    }
    let _ = coordinator.begin::<S>(ID, INPUT).await;
    let stands = coordinator.history(&id).await.map_err(|error| error.to_string())?;
    if stands.is_none_or(|history| !history.records.starts_with(records)) {
        return Err("what was recorded is gone".to_owned());
    }
    coordinator.shutdown().await;
    Ok(())
}

/// Nothing is done again that the records say is done or compensated.
fn keeps_to_its_records(records: &[Record], world: &World) -> Result<(), String> {
    let says = |step: &str, event: &str| {
        records.iter().any(|record| record.step.as_deref() == Some(step) && record.event == event)
    };
    for call in world.calls() {
        let again = match call.which {
            Which::Action => says(call.step, "done") || says(call.step, "compensated"),
            Which::Compensation => says(call.step, "compensated"),
            _ => false,
        };
        if again {
            return Err(format!("{call:?} is made again"));
        }
    }
    Ok(())
}

#[test]
fn histories_in_memory_that_nobody_has_written() {
    let subjects = subjects();
    check_all(3_000, &cases(), |case| {
        let subject = case.shape.get(&subjects);
        (subject.check)(case, &case.records(&subject.stories), Arc::new(MemoryLog::new()))
    });
}

#[test]
fn histories_in_a_file_that_nobody_has_written() {
    let subjects = subjects();
    let folder = tempfile::tempdir().unwrap();
    check_all(100, &cases(), |case| {
        let subject = case.shape.get(&subjects);
        let path = folder.path().join("sagas.db");
        let _ = std::fs::remove_file(&path);
        let log = SqliteLog::options()
            .durability(Durability::Normal)
            .open(&path)
            .map_err(|error| error.to_string())?;
        (subject.check)(case, &case.records(&subject.stories), Arc::new(Unhurried::in_turn(log)))
    });
}
