//! The order example's program, as a user runs it: its main job, the same once more, killed and crashed on the way.
//!
//! Beside the program's own audit, the services' databases are compared with the log, row by row.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use saga_examples::order::orders::Order;
use saga_examples::order::orders_file::shipped_orders;
use saga_tests::process::{Process, example, run};
use tempfile::TempDir;

/// When the program is killed, after its start: early, and until all but the humans' time is over.
const LIVES_MS: [u64; 12] = [15, 40, 60, 90, 120, 180, 260, 350, 450, 550, 700, 900];

/// Something that a service holds: of which sort, for which order, under which key.
type Held = (String, String, String);

/// What the program left behind.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    /// How each saga ended, children included.
    sagas: BTreeMap<String, String>,
    /// How many records the log holds.
    records: i64,
    /// What the services hold.
    held: BTreeSet<Held>,
    /// How many calls each service has answered.
    calls: Vec<i64>,
}

impl Left {
    fn read(data: &Path) -> Self {
        let log = Connection::open(data.join("orders.db")).unwrap();
        let mut query = log.prepare("SELECT id, status FROM saga").unwrap();
        let sagas = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let sagas = sagas.map(Result::unwrap).collect();
        let records = log.query_row("SELECT sum(records) FROM saga", [], |row| row.get(0)).unwrap();
        let (mut held, mut calls) = (BTreeSet::new(), Vec::new());
        for service in ["payment", "inventory", "shipping", "notice"] {
            let database = Connection::open(data.join(format!("{service}.db"))).unwrap();
            let mut query = database.prepare("SELECT what, saga, key FROM held WHERE NOT cancelled").unwrap();
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            held.extend(rows.map(Result::unwrap));
            // One row per action; a compensation leaves its mark in it.
            let answered = "SELECT count(*) + count(*) FILTER (WHERE state IN ('undone', 'tombstone')) FROM saga_barrier";
            calls.push(database.query_row(answered, [], |row| row.get(0)).unwrap());
        }
        Self { sagas, records, held, calls }
    }

    fn count(&self, status: &str) -> usize {
        self.sagas.iter().filter(|(id, is)| !id.contains('/') && *is == status).count()
    }

    /// A completed order holds everything under its keys and its child's, any other nothing; a child ends as its order
    /// does. The message to the customer is best effort.
    fn check(&self, orders: &[Order]) {
        let mut expected = BTreeSet::new();
        for order in orders {
            let id = &order.id;
            let status = &self.sagas[id];
            let child = self.sagas.get(&format!("{id}/shipment"));
            assert!(child.is_none_or(|child| child == status), "{id} is {status}, its child {child:?}");
            if status != "completed" {
                assert_eq!(status, "compensated", "{id}");
                continue;
            }
            assert!(child.is_some(), "{id} was completed without its child");
            let mut expect = |what: &str, key: String| expected.insert((what.to_owned(), id.clone(), key));
            expect("payment", format!("FulfilOrder/{id}/payment"));
            for line in 0..order.lines.len() {
                expect("pick", format!("FulfilOrder/{id}/pick[{line}]"));
            }
            expect("parcel", format!("ShipOrder/{id}/shipment/parcel"));
            expect("label", format!("ShipOrder/{id}/shipment/label"));
            expect("handover", format!("FulfilOrder/{id}/dispatched"));
        }
        let held = self.held.iter().filter(|(what, ..)| what != "notice").cloned().collect();
        assert_eq!(expected, held);
    }
}

/// The orders of one customer were under way one after another, by the log, and nothing is locked any more.
fn check_locks(data: &Path, orders: &[Order]) {
    let log = Connection::open(data.join("orders.db")).unwrap();
    let under_way = "SELECT saga.id, max(position) FILTER (WHERE step = 'lock'), max(position)
        FROM journal JOIN saga ON saga.number = journal.saga GROUP BY saga.id";
    let mut query = log.prepare(under_way).unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    let under_way: BTreeMap<String, (Option<i64>, i64)> = rows.map(Result::unwrap).collect();
    let mut by_customer: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for order in orders {
        let (locked, ended) = under_way[&order.id];
        by_customer.entry(&order.customer).or_default().push((locked.unwrap(), ended));
    }
    for (customer, mut orders) in by_customer {
        orders.sort_unstable();
        let overlap = orders.windows(2).any(|two| two[0].1 > two[1].0);
        assert!(!overlap, "{customer} has two orders under way at once: {orders:?}");
    }
    let locked: i64 = log.query_row("SELECT count(*) FROM held_lock", [], |row| row.get(0)).unwrap();
    assert_eq!(locked, 0);
}

/// A data directory, and the orders to fulfil in it.
struct Site {
    data: TempDir,
    orders: Vec<Order>,
}

impl Site {
    /// For these of the orders that ship with the example.
    fn new(is_meant: impl Fn(&str) -> bool) -> Self {
        let orders = shipped_orders().unwrap().into_iter().filter(|order| is_meant(&order.id)).collect();
        Self { data: tempfile::tempdir().unwrap(), orders }
    }

    /// Runs the program on them to its end.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let orders = self.write_orders();
        run(program(), self.data.path(), &[&["--orders", &orders], arguments].concat())
    }

    fn write_orders(&self) -> String {
        let file = self.data.path().join("orders.jsonl");
        let lines = self.orders.iter().map(|order| serde_json::to_string(order).unwrap() + "\n");
        fs::write(&file, lines.collect::<String>()).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// A run that nobody disturbs: everything comes to its end, and a second one finds nothing to do.
    fn finish(&self) -> (Left, String) {
        let (success, text) = self.run(&[]);
        assert!(success && text.contains("audit passed"), "{text}");
        let left = Left::read(self.data.path());
        left.check(&self.orders);
        check_locks(self.data.path(), &self.orders);
        let (success, again) = self.run(&[]);
        assert!(success && !again.contains("resumed"), "{again}");
        let told = |text: &str| {
            text.lines().filter(|line| !line.starts_with("resumed ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(told(&again), told(&text), "what became of the orders is told the same again");
        assert_eq!(Left::read(self.data.path()), left, "the second run found something to do");
        (left, text)
    }
}

fn program() -> &'static Path {
    example("order_fulfilment")
}

#[test]
fn all_orders_are_fulfilled_or_nothing_of_them_is_and_a_second_run_changes_nothing() {
    for concurrency in ["1", "40"] {
        let site = Site::new(|_| true);
        let (success, text) = run(program(), site.data.path(), &["--concurrency", concurrency]);
        assert!(success && text.contains("audit passed"), "{text}");
        let (left, text) = site.finish();
        assert_eq!(site.orders.len(), 32);
        assert_eq!((left.count("completed"), left.count("compensated")), (17, 15), "{text}");
        let rows = |word: &str| text.lines().filter(|line| line.contains(&format!("  {word}  "))).count();
        assert_eq!((rows("completed"), rows("compensated")), (17, 15), "{text}");
    }
}

/// The program tells it, and does not wait for ever.
#[test]
fn an_order_behind_one_that_needs_an_operator_waits_and_goes_on_with_the_next_run() {
    let both = |id: &str| ["order-001", "order-012"].contains(&id);
    let mut site = Site::new(both);
    let second = site.orders.pop().unwrap();
    // Its shipment is to be undone, and cannot be.
    let faults = ["payment:capture:refuse@order-001", "shipping:unpack:unavailable:always@order-001"];
    let faults = faults.map(|fault| ["--fault", fault]).concat();
    let (success, text) = site.run(&faults);
    assert!(!success && text.contains(" parked "), "{text}");
    site.orders.push(second);
    let (success, text) = site.run(&faults);
    assert!(!success && text.contains("the compensation of `shipment/parcel` is not done"), "{text}");
    let waits = "waits for the lock `Ada Keller`, which saga `order-001` holds";
    let row = text.lines().find(|line| line.trim_start().starts_with("order-012")).unwrap();
    assert!(row.contains(" waiting ") && row.contains(waits), "{text}");
    let (left, text) = site.finish();
    assert_eq!((left.count("completed"), left.count("compensated")), (1, 1), "{text}");
}

#[test]
fn the_program_is_killed_at_many_moments() {
    let site = Site::new(|_| true);
    let orders = site.write_orders();
    let (mut kills, mut children_under_way) = (0, 0);
    for life in LIVES_MS {
        let mut command = Command::new(program());
        command.args(["--orders", &orders, "--data"]).arg(site.data.path());
        // So that kills hit children, busy or held.
        command.args([
            "--fault",
            "shipping:pack:slow(30):always",
            "--fault",
            "payment:capture:slow(50):always",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::start(&mut command);
        let ended = process.wait_until(Instant::now() + Duration::from_millis(life));
        process.kill();
        assert!(ended != Some(false), "it failed by itself");
        kills += u32::from(ended.is_none());
        children_under_way += children_at(site.data.path());
    }
    let (left, text) = site.finish();
    println!("{kills} kills, at which {children_under_way} children were under way, in all");
    assert!(kills > 6 && children_under_way > 0, "{kills} kills, {children_under_way} children: {text}");
    assert_eq!(left.count("completed") + left.count("compensated"), 32);
}

/// How many children have not ended.
fn children_at(data: &Path) -> i64 {
    let Ok(log) = Connection::open(data.join("orders.db")) else { return 0 };
    let query = "SELECT count(*) FROM saga WHERE definition = 'ShipOrder' AND status = 'running'";
    // The kill may have come before there were tables.
    log.query_row(query, [], |row| row.get(0)).unwrap_or(0)
}

#[test]
fn the_program_crashes_after_each_step_and_each_compensation() {
    // Two of one customer, one that a human approves, and one that finds no carrier.
    let some = |id: &str| ["order-001", "order-005", "order-012", "order-018"].contains(&id);
    for step in [
        "authorization",
        "pick",
        "request",
        "parcel",
        "label",
        "payment",
        "dispatched",
        "notice",
        "authorization.compensate",
        "pick.compensate",
        "parcel.compensate",
        "label.compensate",
    ] {
        let site = Site::new(some);
        // What was labelled is undone only where something fails behind it.
        let is_refused = step == "label.compensate";
        let fault: &[&str] = if is_refused { &["--fault", "payment:capture:refuse@order-001"] } else { &[] };
        let (success, text) = site.run(&[&["--crash-after", step], fault].concat());
        assert!(!success && text.contains("the process aborts"), "{step}: {text}");
        let (left, text) = site.finish();
        let resumed = text.lines().find(|line| line.starts_with("resumed "));
        let resumed = resumed.and_then(|line| line.split(' ').nth(1)?.parse().ok());
        assert!(resumed.is_some_and(|orders: usize| (1..=4).contains(&orders)), "{step}: {text}");
        let compensated = 1 + usize::from(is_refused);
        assert_eq!(left.count("compensated"), compensated, "{step}: {text}");
        assert_eq!(left.count("completed"), 4 - compensated, "{step}: {text}");
    }
}
