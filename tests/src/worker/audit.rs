//! Runs a plan, and audits what the participants hold.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "in a test a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;

use serde_json::{Value, json};

use super::ledger::{Book, Received};
use super::plan::{Direction, Plan, Step};
use super::site::{NAME, Site};

/// What the plans came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// How many plans were run.
    pub plans: u32,
    /// How many sagas.
    pub sagas: u32,
    /// How many of them completed.
    pub completed: u32,
    /// How many calls there were.
    pub calls: usize,
    /// With how many of them something went wrong.
    pub faults: usize,
    /// How often the worker was killed.
    pub kills: u32,
    /// Of these: between an effect and its answer.
    pub kills_at_effects: u32,
    /// Of these: with a call under way, before its effect.
    pub kills_before_effects: u32,
    /// How often the worker was told to end by SIGTERM.
    pub drains: u32,
    /// How often a do came after its undo was answered, and was refused.
    pub superseded: u32,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        self.plans += other.plans;
        self.sagas += other.sagas;
        self.completed += other.completed;
        self.calls += other.calls;
        self.faults += other.faults;
        self.kills += other.kills;
        self.kills_at_effects += other.kills_at_effects;
        self.kills_before_effects += other.kills_before_effects;
        self.drains += other.drains;
        self.superseded += other.superseded;
    }
}

/// Runs a plan to its end: what it came to, and what must never be.
pub fn run(plan: &Plan) -> (Tally, Vec<String>) {
    let mut site = Site::start(plan);
    let mut tally = Tally { plans: 1, ..Tally::default() };
    for saga in &plan.sagas {
        site.begin(&saga.id);
        if saga.kill_when_accepted {
            site.kill();
        }
    }
    if let Some(after) = plan.kill_after {
        sleep(after);
        site.kill();
    }
    if let Some(after) = plan.terminate_after {
        sleep(after);
        site.terminate();
        tally.drains += 1;
    }
    let mut cancelled = BTreeMap::new();
    for saga in &plan.sagas {
        if let Some(after) = saga.cancel_after {
            sleep(after);
            let (status, answer) = site.ask("POST", &format!("/sagas/{}/cancel", saga.id), "");
            assert!([200, 409].contains(&status), "{}: {answer}", saga.id);
            cancelled.insert(saga.id.as_str(), status == 200);
        }
    }
    let (ended, violations) = conclude(&mut site, plan, &cancelled);
    tally.add(&ended);
    (tally, violations)
}

/// Waits for the end of all sagas of the plan, and audits them: what they came to, and what must never be.
pub fn conclude(site: &mut Site, plan: &Plan, cancelled: &BTreeMap<&str, bool>) -> (Tally, Vec<String>) {
    let mut tally = Tally::default();
    let ends: BTreeMap<&str, Value> =
        plan.sagas.iter().map(|saga| (saga.id.as_str(), site.until_ended(&saga.id))).collect();
    // What has ended stays as it is, and what is late changes nothing.
    let book = site.until_calm();
    site.kill();
    let mut violations = book.violations.clone();
    for (id, end) in &ends {
        let again = site.show(id);
        if again != *end {
            violations.push(format!("{id} ended as {end}, and then was {again}"));
        }
        site.begin_again(id);
        if let Some(&is_cancelled) = cancelled.get(id)
            && is_cancelled != (end["status"] == "Compensated")
        {
            violations.push(format!("{id}: cancel answered {is_cancelled}, and it ended as {end}"));
        }
        audit_saga(id, end, &book, &mut violations);
    }
    audit_calls(&book, plan, site.life().lives(), &mut violations);
    if site.book().calls.len() != book.calls.len() {
        violations.push("the participants were called after all had ended".to_owned());
    }
    tally.sagas = u32::try_from(ends.len()).unwrap();
    tally.completed =
        u32::try_from(ends.values().filter(|end| end["status"] == "Completed").count()).unwrap();
    tally.calls = book.calls.len();
    tally.faults = book.calls.iter().filter(|call| call.fault.is_some()).count();
    tally.kills = site.life().kills();
    tally.kills_at_effects = book.kills_at_effects;
    tally.kills_before_effects = book.kills_before_effects;
    tally.superseded = book.superseded;
    if !violations.is_empty() {
        violations.extend(book.calls.iter().map(|call| format!("    {call:?}")));
        violations.push(site.said());
    }
    (tally, violations)
}

/// What is in effect of a saga is what its status says.
fn audit_saga(id: &str, end: &Value, book: &Book, violations: &mut Vec<String>) {
    let mut must = |holds: bool, what: &str| {
        if !holds {
            violations.push(format!("{id}: {what}: {end}"));
        }
    };
    let is_completed = end["status"] == "Completed";
    let last = end["history"].as_array().and_then(|history| history.last()).cloned().unwrap_or_default();
    must((last["event"] == "completed") == is_completed, "the last record is another end");
    for step in Step::ALL {
        let actions = || book.actions.values().filter(|action| action.saga == id && action.step == step);
        must(actions().count() <= 1, "a step had two keys");
        let (held, effects): (u32, u32) =
            actions().fold((0, 0), |(held, effects), action| (held + action.held, effects + action.effects));
        let undone: u32 = actions().map(|action| action.undone).sum();
        must(held == u32::from(is_completed), &format!("{held} effects of {step} hold"));
        must(effects <= 1, &format!("{step} took effect {effects} times"));
        must(
            undone == effects - held,
            &format!("{step} took effect {effects} times and was undone {undone} times"),
        );
        if is_completed {
            must(actions().all(|action| !action.is_barred), "it was undone and is completed");
            let output = json!({ "step": step.name(), "for": id });
            must(end["output"][step.name()] == output, "its output is not what was answered");
        }
    }
}

/// Each call says who makes it, for which effect, at which attempt.
fn audit_calls(book: &Book, plan: &Plan, lives: u32, violations: &mut Vec<String>) {
    let mut effects: BTreeMap<(&str, Step, Direction), Vec<&Received>> = BTreeMap::new();
    let mut of_keys: BTreeMap<&str, (&str, Step, Direction)> = BTreeMap::new();
    for call in &book.calls {
        let effect = (call.saga.as_str(), call.step, call.direction);
        effects.entry(effect).or_default().push(call);
        let mut must = |holds: bool, what: &str| {
            if !holds {
                violations.push(format!("{what}: {call:?}"));
            }
        };
        must(*of_keys.entry(&call.key).or_insert(effect) == effect, "two effects share a key");
        must(call.worker == NAME, "another worker");
        must(call.attempt > 0 && call.fence > 0, "no attempt or no fence");
        must(plan.sagas.iter().any(|saga| saga.id == call.saga), "another saga");
        let body = serde_json::from_str::<Value>(&call.body).unwrap_or_default();
        must(body == json!({ "trip": { "traveller": "Ada", "nights": 3 } }), "another trip");
        must(
            (call.key == call.action_key) == (call.direction == Direction::Do),
            "a key of the other direction",
        );
    }
    for ((saga, step, direction), calls) in &effects {
        let distinct =
            |of: &dyn Fn(&Received) -> String| calls.iter().map(|call| of(call)).collect::<BTreeSet<_>>();
        if distinct(&|call| call.key.clone()).len() != 1
            || distinct(&|call| call.action_key.clone()).len() != 1
        {
            violations.push(format!("{saga} {step} {direction:?} has several keys: {calls:?}"));
        }
        if distinct(&|call| call.attempt.to_string()).len() != calls.len() {
            violations.push(format!("{saga} {step} {direction:?} has two calls with one number: {calls:?}"));
        }
        let mut by_attempt = calls.clone();
        by_attempt.sort_by_key(|call| call.attempt);
        if !by_attempt.iter().map(|call| call.fence).is_sorted() {
            violations.push(format!("{saga} {step} {direction:?}: the fence falls: {calls:?}"));
        }
    }
    let fences = book.calls.iter().map(|call| call.fence).collect::<BTreeSet<_>>();
    if fences.len() > usize::try_from(lives).unwrap() {
        violations.push(format!("{} fences in {lives} lives", fences.len()));
    }
}
