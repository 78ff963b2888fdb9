//! Tries every fault at every call, every crash at every append, and both together.

use crate::logs::LogFault;
use crate::run::{End, Report, Scenario, run};
use crate::sagas::Shape;
use crate::world::{Fault, Place, Which};

/// How far to go.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a way to go further")]
pub struct Plan {
    /// How many calls have a fault, at most.
    pub faults: usize,
    /// How often in a row a fault happens, at most: once, up to more often than there are retries.
    pub repeats: u32,
    /// How often the process crashes, at most.
    pub crashes: usize,
    /// Whether appends may be lost, or durable without a confirmation.
    pub unknown_commits: bool,
    /// Whether somebody cancels, at any call.
    pub cancels: bool,
    /// Whether the coordinator is shut down and started again, at any call.
    pub stops: bool,
    /// Whether the saga has little time, whatever else goes wrong.
    pub hurries: bool,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many scenarios were run.
    pub scenarios: usize,
    /// How many sagas completed.
    pub completed: usize,
    /// How many were compensated.
    pub compensated: usize,
    /// How many ended up with an operator.
    pub parked: usize,
}

/// Runs all scenarios of `plan`.
///
/// # Panics
///
/// With the first few scenarios that break the promise.
pub fn explore<S: Shape>(plan: Plan) -> Tally {
    explore_with::<S>(plan, &run::<S>)
}

/// The same, where `run` runs each scenario.
///
/// # Panics
///
/// With the first few scenarios that break the promise.
pub fn explore_with<S: Shape>(plan: Plan, run: Run<'_>) -> Tally {
    let mut explorer = Explorer { run, tally: Tally::default(), broken: Vec::new() };
    let scenario = Scenario::default();
    if let Some(report) = explorer.run(&scenario) {
        assert_eq!(report.end, End::Completed, "nothing went wrong");
        explorer.widen(&scenario, &report, plan, 0);
        if plan.cancels {
            for place in report.calls.clone() {
                explorer.cancel(place, plan);
            }
        }
        if plan.stops {
            for place in report.calls.clone() {
                explorer.stop(place, plan);
            }
        }
    }
    let Explorer { tally, broken, .. } = explorer;
    let name = S::DEFINITION.name;
    println!("{name}: {tally:?}");
    let some = broken.iter().take(3).map(String::as_str).collect::<Vec<_>>();
    assert!(
        broken.is_empty(),
        "{} of {} scenarios of {name}:\n{}",
        broken.len(),
        tally.scenarios,
        some.join("\n")
    );
    tally
}

/// Runs one scenario, or says what is wrong with it.
pub type Run<'a> = &'a dyn Fn(&Scenario) -> Result<Report, String>;

struct Explorer<'a> {
    run: Run<'a>,
    tally: Tally,
    broken: Vec<String>,
}

impl Explorer<'_> {
    fn run(&mut self, scenario: &Scenario) -> Option<Report> {
        self.tally.scenarios += 1;
        match (self.run)(scenario) {
            Ok(report) => {
                match report.end {
                    End::Completed => self.tally.completed += 1,
                    End::Compensated => self.tally.compensated += 1,
                    End::Parked(_) => self.tally.parked += 1,
                }
                Some(report)
            }
            Err(broken) => {
                self.broken.push(broken);
                None
            }
        }
    }

    /// Everything that can go wrong besides, in a scenario that went as `report` says; its calls before `from`
    /// have been dealt with.
    fn widen(&mut self, scenario: &Scenario, report: &Report, plan: Plan, from: usize) {
        if plan.hurries && !scenario.hurried {
            let scenario = Scenario { hurried: true, ..scenario.clone() };
            if let Some(report) = self.run(&scenario) {
                self.crash(&scenario, &report, plan.crashes.min(1), 0);
            }
        }
        self.crash(scenario, report, plan.crashes, 0);
        if plan.unknown_commits {
            for append in 1..=report.story[0].len() {
                for fault in [LogFault::Lost, LogFault::Unconfirmed] {
                    let mut scenario = scenario.clone();
                    scenario.log.push((0, append, fault));
                    self.run(&scenario);
                }
            }
        }
        if plan.faults == 0 {
            return;
        }
        for (index, place) in report.calls.iter().enumerate().skip(from) {
            for fault in Fault::of(place.which) {
                for times in 1..=plan.repeats.max(1) {
                    let mut scenario = scenario.clone();
                    let nth = place.nth..place.nth + times;
                    scenario.faults.extend(nth.map(|nth| (Place { nth, ..*place }, *fault)));
                    if let Some(report) = self.run(&scenario) {
                        let plan = Plan { faults: plan.faults - 1, ..plan };
                        self.widen(&scenario, &report, plan, index + 1);
                    }
                }
            }
        }
    }

    /// Crashes before and after each append of the life with this number, and then again in the lives after it.
    fn crash(&mut self, scenario: &Scenario, report: &Report, crashes: usize, life: usize) {
        let Some(story) = report.story.get(life).filter(|_| crashes > 0) else { return };
        for append in 1..=story.len() {
            for fault in [LogFault::CrashBefore, LogFault::CrashAfter] {
                let mut scenario = scenario.clone();
                scenario.log.push((life, append, fault));
                if let Some(report) = self.run(&scenario) {
                    self.crash(&scenario, &report, crashes - 1, life + 1);
                }
            }
        }
    }

    fn stop(&mut self, place: Place, plan: Plan) {
        // Whatever is wrong with the call meanwhile, and with another one that makes the saga compensate.
        for fault in Fault::of(place.which) {
            let scenario =
                Scenario { faults: vec![(place, *fault)], stop: Some(place), ..Scenario::default() };
            if let Some(report) = self.run(&scenario) {
                let plan = Plan {
                    faults: plan.faults.min(1),
                    repeats: 1,
                    crashes: 0,
                    unknown_commits: false,
                    ..plan
                };
                self.widen(&scenario, &report, plan, 0);
            }
        }
    }

    fn cancel(&mut self, place: Place, plan: Plan) {
        // Whatever is wrong with the call meanwhile.
        for fault in Fault::of(place.which) {
            let others: &[Fault] = match place.which {
                Which::Action | Which::Read => &[Fault::Slow, Fault::LostReply, Fault::NeverArrives],
                // The log makes it at once; there is time between one that fails and the next.
                Which::Local => &[Fault::Transient, Fault::PanicAfter],
                _ => &[],
            };
            for during in others.iter().filter(|during| Fault::of(place.which).contains(during)) {
                let next = Place { nth: place.nth + 1, ..place };
                let faults = vec![(place, *during), (next, *fault)];
                let scenario = Scenario { faults, cancel: Some(place), ..Scenario::default() };
                if let Some(report) = self.run(&scenario) {
                    let plan = Plan { faults: plan.faults.saturating_sub(1), cancels: false, ..plan };
                    let from = report.calls.iter().position(|call| *call == place).unwrap_or_default() + 1;
                    self.widen(&scenario, &report, plan, from);
                }
            }
        }
    }
}
