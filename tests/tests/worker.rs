//! The example `travel_worker`, killed and stopped at the moments of its participants' effects: all or nothing.
//!
//! `WORKER_PLANS` says how many plans are run (40), `WORKER_SEED` which one is the first (1).

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use fastrand::Rng;
use rusqlite::Connection;
use saga_tests::process::example;
use saga_tests::worker::audit::{self, Tally};
use saga_tests::worker::http::{ask, say};
use saga_tests::worker::plan::{Direction, Fault, Plan, Step};
use saga_tests::worker::site::{Site, body};
use serde_json::{Value, json};

use self::Direction::{Do, Undo};
use self::Step::{Car, Flight, Hotel};

/// How many plans are run at once: a worker mostly waits.
const PLANS_AT_ONCE: usize = 4;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |number| number.parse().unwrap())
}

fn audited(plan: &Plan) -> Tally {
    let (tally, violations) = audit::run(plan);
    assert!(violations.is_empty(), "{plan:#?}\n{}", violations.join("\n"));
    tally
}

#[test]
fn trips_are_all_or_nothing_whenever_their_worker_is_killed_or_stopped() {
    let (first, plans) = (number("WORKER_SEED", 1), number("WORKER_PLANS", 40));
    let (next, sum, start) = (AtomicU64::new(first), Mutex::new(Tally::default()), Instant::now());
    example("travel_worker");
    thread::scope(|scope| {
        for _ in 0..PLANS_AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + plans {
                        break;
                    }
                    let tally = audited(&Plan::new(seed));
                    sum.lock().unwrap().add(&tally);
                }
            });
        }
    });
    let tally = sum.into_inner().unwrap();
    println!("WORKER_SEED={first}: {tally:#?} in {:.1} s", start.elapsed().as_secs_f64());
    assert!(tally.kills_at_effects > 0 || plans < 20, "{tally:?}");
}

#[test]
fn a_kill_at_each_effect_leaves_all_or_nothing() {
    for keyed in [false, true] {
        for step in Step::ALL {
            let tally = audited(&Plan::of(keyed, &[((step, Do, 1), Fault::KillAt)]));
            assert_eq!((tally.kills_at_effects, tally.completed), (1, u32::from(keyed)), "{step}");
            // What is refused is behind it, so that there is something to undo.
            if step < Car {
                let faults = [((Car, Do, 1), Fault::Refuse), ((step, Undo, 1), Fault::KillAt)];
                let tally = audited(&Plan::of(keyed, &faults));
                assert_eq!((tally.kills_at_effects, tally.completed), (1, 0), "{step}");
            }
        }
    }
}

#[test]
fn the_audit_finds_what_leaks() {
    for fault in [Fault::LoseReply, Fault::KillAt, Fault::Late] {
        let plan = Plan { said_keyed: true, ..Plan::of(false, &[((Hotel, Do, 1), fault)]) };
        let (_, violations) = audit::run(&plan);
        assert!(violations.iter().any(|found| found.contains("hotel took effect 2 times")), "{violations:?}");
    }
}

#[test]
fn what_one_worker_has_begun_another_one_ends_whatever_it_knows_of_its_participants() {
    for keyed in [false, true] {
        let mut site = Site::start(&Plan::of(keyed, &[((Flight, Do, 1), Fault::KillAt)]));
        site.say_keyed(!keyed);
        site.begin("trip");
        let end = site.until_ended("trip");
        let repeated =
            site.book().calls.iter().filter(|call| (call.step, call.direction) == (Flight, Do)).count();
        // One that says they are not keyed does not repeat a call that may have taken effect.
        assert_eq!((end["status"] == "Completed", repeated), (!keyed, if keyed { 1 } else { 2 }), "{end}");
    }
}

#[test]
fn told_to_end_it_drains_and_its_trips_go_on_when_it_is_back() {
    let plan = Plan::of(false, &[((Flight, Do, 1), Fault::Slow(1500))]);
    let mut site = Site::start(&plan);
    site.begin("trip");
    let address = site.address();
    while site.book().calls.is_empty() {
        thread::yield_now();
    }
    // Whoever never ends their request does not keep it.
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"POST /sagas HTTP/1.1\r\n").unwrap();
    site.life().terminate();
    // As long as the call is in flight it answers, and takes nothing on.
    let mut refused = 0;
    while let Ok(reply) = ask(address, "POST", "/sagas", body("another", "Ada").as_bytes()) {
        match reply.status {
            // It has not heard yet that it is to end.
            200 | 201 => assert_eq!(refused, 0, "it took one on while it drained"),
            status => {
                assert_eq!(status, 503, "{reply:?}");
                refused += 1;
                for path in ["/sagas/trip", "/healthz"] {
                    let Ok(reply) = ask(address, "GET", path, b"") else { continue };
                    assert_eq!(reply.status, 503, "{path}: {reply:?}");
                }
            }
        }
    }
    site.terminate();
    assert!(refused > 0, "it was gone at once");
    assert_eq!(site.until_ended("trip")["status"], "Completed");
    let of_trip = |call: &&saga_tests::worker::ledger::Received| call.saga == "trip";
    assert_eq!(site.book().calls.iter().filter(of_trip).count(), 3, "what was in flight was recorded");
}

#[test]
fn an_undo_that_is_refused_is_shown_as_parked_with_what_is_left() {
    let refused = (1..=8).map(|arrival| ((Flight, Undo, arrival), Fault::Refuse));
    let faults = [((Hotel, Do, 1), Fault::Refuse)].into_iter().chain(refused).collect::<Vec<_>>();
    let mut site = Site::start(&Plan::of(false, &faults));
    site.begin("trip");
    let parked = site.until("trip", |status| status == "Parked");
    assert_eq!(parked["residue"], json!([{ "step": "flight", "effect": "done" }]), "{parked}");
    let end = site.until_ended("trip");
    assert_eq!((&end["status"], &end["residue"]), (&json!("Compensated"), &json!([])), "{end}");
}

#[test]
fn a_trip_that_is_cancelled_is_compensated_whatever_happens_then() {
    let mut site = Site::start(&Plan::of(true, &[((Hotel, Do, 1), Fault::Slow(1500))]));
    site.begin("trip");
    while site.book().calls.len() < 2 {
        thread::yield_now();
    }
    assert_eq!(site.ask("POST", "/sagas/trip/cancel", "").0, 200);
    site.kill();
    assert_eq!(site.until_ended("trip")["status"], "Compensated");
    assert_eq!(site.ask("POST", "/sagas/trip/cancel", "").0, 200, "it is");
    assert_eq!(site.ask("POST", "/sagas/nobody/cancel", "").0, 404);
    site.begin("another");
    site.until_ended("another");
    assert_eq!(site.ask("POST", "/sagas/another/cancel", "").0, 409, "it is too late");
}

#[test]
fn every_request_has_its_answer() {
    let mut site = Site::start(&Plan::of(false, &[]));
    let long = "x".repeat(201);
    let too_long = body(&"x".repeat(100_000), "Ada");
    let cases = [
        ("POST", "/sagas", "{\"id\":\"plain\"}", 201),
        ("POST", "/sagas", "{\"trip\":null,\"id\":\"plain\"}", 200),
        ("POST", "/sagas", "{\"id\":\"plain\",\"trip\":{}}", 409),
        ("POST", "/sagas", "{\"id\":\"a/b?c#d%\",\"trip\":{}}", 201),
        ("GET", "/sagas/a%2Fb%3Fc%23d%25", "", 200),
        ("GET", "/sagas/nobody", "", 404),
        ("GET", "/sagas/%20", "", 400),
        ("GET", "/sagas/%ff", "", 400),
        ("GET", &format!("/sagas/{long}"), "", 400),
        ("GET", "/sagas/a/b", "", 404),
        ("GET", "/sagas/", "", 404),
        ("GET", "/", "", 404),
        ("GET", "/healthz", "", 200),
        ("POST", "/sagas", "", 400),
        ("POST", "/sagas", "{", 400),
        ("POST", "/sagas", "[]", 400),
        ("POST", "/sagas", "{\"trip\":{}}", 400),
        ("POST", "/sagas", "{\"id\":7}", 400),
        ("POST", "/sagas", "{\"id\":\"\"}", 400),
        ("POST", "/sagas", "{\"id\":\"a b\"}", 400),
        ("POST", "/sagas", &format!("{{\"id\":\"{long}\"}}"), 400),
        ("POST", "/sagas", "{\"id\":\"x\",\"trip\":[]}", 400),
        ("POST", "/sagas", "{\"id\":\"x\",\"trip\":\"\"}", 400),
        ("POST", "/sagas", "{\"id\":\"x\",\"tirp\":{}}", 400),
        ("POST", "/sagas", "{\"id\":\"x\",\"trip\":{\"n\":1e999}}", 400),
        ("POST", "/sagas", &too_long, 413),
        ("GET", "/sagas", "", 405),
        ("DELETE", "/sagas/plain", "", 405),
        ("PUT", "/sagas/plain/cancel", "", 405),
        ("POST", "/healthz", "", 405),
    ];
    for (method, path, body, status) in cases {
        let (answered, answer) = site.ask(method, path, body);
        assert_eq!(answered, status, "{method} {path} {body:.60}: {answer}");
        assert_eq!(
            answer["error"].as_str().is_some_and(|error| !error.is_empty()),
            status >= 400,
            "{answer}"
        );
    }
    let end = site.until_ended("plain");
    assert_eq!(end["status"], "Completed");
    let events = end["history"].as_array().unwrap().iter();
    let events = events.map(|entry| (entry["step"].clone(), entry["event"].clone())).collect::<Vec<_>>();
    let done = |step: &str| (json!(step), json!("done"));
    let saga = |event: &str| (Value::Null, json!(event));
    assert_eq!(events, [saga("begun"), done("flight"), done("hotel"), done("car"), saga("completed")]);
}

#[test]
fn whatever_is_sent_to_it_it_answers_and_lives() {
    const ALPHABET: &[u8] = b"{}[]\":,\\ \n\0eE+-.019\xff\xc3\xa9idtripnull";
    let mut site = Site::start(&Plan::of(true, &[]));
    let address = site.address();
    let mut random = Rng::with_seed(7);
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    for round in 0..1500 {
        let mut body =
            if random.bool() { body(&format!("trip-{round}"), "Ada").into_bytes() } else { Vec::new() };
        for _ in 0..[0, 0, 1, 1, 2, 12][random.usize(..6)] {
            let place = random.usize(..=body.len());
            match random.u8(..3) {
                0 if place < body.len() => drop(body.remove(place)),
                1 if place < body.len() => body[place] = random.u8(..),
                _ => body.insert(place, ALPHABET[random.usize(..ALPHABET.len())]),
            }
        }
        let sent = if random.u8(..8) == 0 {
            // No HTTP at all, or hardly any.
            let head: &[u8] = if random.bool() { b"POST /sagas HTTP/1.1\r\nhost: w\r\n" } else { b"" };
            say(address, &[head, &body, b"\r\n\r\n"].concat())
        } else {
            let path = [
                "/sagas",
                "/sagas/trip-1/cancel",
                "/sagas/%2e%2e",
                "/sagas/trip-1?x=%zz",
                "//sagas",
                "/sagas/%00",
                "/sagas/{id}",
            ];
            let method = ["POST", "POST", "GET", "PATCH", "OPTIONS", "BREW"][random.usize(..6)];
            let path = if random.bool() { path[0] } else { path[random.usize(..path.len())] };
            ask(address, method, path, &body)
        };
        // What is no HTTP may be answered by closing the connection.
        if let Ok(reply) = sent {
            *statuses.entry(reply.status).or_default() += 1;
            assert!(reply.status < 500 || reply.status == 503, "{reply:?} to {body:?}");
        }
    }
    assert_eq!(site.ask("GET", "/healthz", "").0, 200);
    assert_eq!(site.life().lives(), 1, "{}", site.said());
    println!("statuses: {statuses:?}");
    assert!([201, 400, 404, 405].iter().all(|status| statuses.contains_key(status)), "{statuses:?}");
}

#[test]
fn a_second_worker_on_one_file_is_told_so() {
    let site = Site::start(&Plan::of(false, &[]));
    let second = site.command().stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && second.stdout.is_empty(), "{said}");
    assert!(said.starts_with("error: ") && said.contains("another process"), "{said}");
}

#[test]
fn a_trip_whose_records_are_damaged_is_quarantined_and_says_what_may_be_in_effect() {
    let mut site = Site::start(&Plan::of(false, &[((Hotel, Do, 1), Fault::KillBefore)]));
    site.begin("trip");
    while site.life().ended().is_none() {
        thread::yield_now();
    }
    let damage = "UPDATE journal SET event = 'tone' WHERE event = 'done'";
    assert_eq!(Connection::open(site.file()).unwrap().execute(damage, []).unwrap(), 1);
    let (status, view) = site.ask("GET", "/sagas/trip", "");
    assert_eq!((status, &view["status"]), (200, &json!("Quarantined")), "{view}");
    let steps = view["residue"].as_array().unwrap().iter().map(|left| &left["step"]).collect::<Vec<_>>();
    assert_eq!(steps, ["flight", "hotel", "car"], "{view}");
    assert_eq!(site.ask("POST", "/sagas/trip/cancel", "").0, 409);
    assert_eq!(site.ask("POST", "/sagas", &body("trip", "Ada")).0, 409);
    site.begin("another");
    assert_eq!(site.until_ended("another")["status"], "Completed");
}

#[test]
fn as_long_as_the_file_cannot_be_written_nothing_is_accepted() {
    let mut site = Site::start(&Plan::of(false, &[]));
    let other = Connection::open(site.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (status, answer) = site.ask("POST", "/sagas", &body("trip", "Ada"));
    assert_eq!(status, 503, "{answer}");
    other.execute_batch("ROLLBACK").unwrap();
    let (status, answer) = site.ask("POST", "/sagas", &body("trip", "Ada"));
    assert!([200, 201].contains(&status), "{answer}");
    assert_eq!(site.until_ended("trip")["status"], "Completed");
}

#[test]
fn a_participant_that_is_away_costs_no_doubt() {
    // Without `--keyed` a doubt would turn the trip.
    let faults = [((Flight, Do, 1), Fault::Unavailable), ((Car, Do, 1), Fault::Unavailable)];
    let tally = audited(&Plan::of(false, &faults));
    assert_eq!((tally.completed, tally.kills), (1, 1), "the audit's own kill");
}
