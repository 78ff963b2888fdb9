//! Which scenarios there are: every fault at every call, every crash at every append, and some of them together.

use super::run::{Broken, End, Report, run};
use super::scenario::{CallId, Fault, Kind, LogFault, Scenario};
use super::{Exploration, Summary, Violation};
use crate::log::MemoryLog;
use crate::machine::CallKind;
use crate::saga::{RunsOn, Saga};

/// What may still go wrong besides.
#[derive(Clone, Copy)]
struct Budget {
    faults: usize,
    crashes: usize,
    unknown_commits: bool,
}

pub(super) struct Explorer<'e, S: Saga> {
    exploration: &'e Exploration<S>,
    summary: Summary,
    first: Option<(Scenario, Broken)>,
}

pub(super) fn explore<S: Saga + RunsOn<MemoryLog>>(
    exploration: &Exploration<S>,
) -> Result<Summary, Box<Violation>> {
    let mut explorer = Explorer { exploration, summary: Summary::default(), first: None };
    let nothing = Scenario::default();
    let budget = Budget {
        faults: exploration.faults,
        crashes: exploration.crashes,
        unknown_commits: exploration.unknown_commits,
    };
    if let Some(report) = explorer.run(&nothing) {
        explorer.widen(&nothing, &report, budget, 0);
        if exploration.cancels {
            for (call, _) in &report.calls {
                let scenario = Scenario { cancel: Some(call.clone()), ..Scenario::default() };
                if let Some(report) = explorer.run(&scenario) {
                    let budget = Budget { faults: budget.faults.min(1), crashes: 0, unknown_commits: false };
                    explorer.widen(&scenario, &report, budget, 0);
                }
            }
        }
    }
    let Explorer { summary, first, .. } = explorer;
    match first {
        None => Ok(summary),
        Some((scenario, Broken { cause, calls, story })) => {
            let saga = S::DEFINITION.name;
            Err(Box::new(Violation { saga, scenario, cause, calls, story, summary }))
        }
    }
}

impl<S: Saga + RunsOn<MemoryLog>> Explorer<'_, S> {
    fn run(&mut self, scenario: &Scenario) -> Option<Report> {
        self.summary.scenarios += 1;
        match run(self.exploration, scenario) {
            Ok(report) => {
                match report.end {
                    End::Completed => self.summary.completed += 1,
                    End::Compensated => self.summary.compensated += 1,
                    End::Parked(_) => self.summary.parked += 1,
                }
                Some(report)
            }
            Err(broken) => {
                self.summary.violations += 1;
                // The one with the least that goes wrong is the easiest to read.
                let length = |scenario: &Scenario| scenario.calls.len() + scenario.appends.len();
                let shorter = self.first.as_ref().is_none_or(|(first, _)| length(scenario) < length(first));
                if shorter {
                    self.first = Some((scenario.clone(), broken));
                }
                None
            }
        }
    }

    /// Everything that can go wrong besides, in a scenario that went as `report` says; its calls before `from` have been
    /// dealt with.
    fn widen(&mut self, scenario: &Scenario, report: &Report, budget: Budget, from: usize) {
        if budget.crashes > 0 {
            self.crash(scenario, report, budget.crashes, scenario_life(scenario));
        }
        if budget.unknown_commits {
            for append in 1..=report.story.first().map_or(0, Vec::len) {
                for fault in [LogFault::Lost, LogFault::Unconfirmed] {
                    let mut scenario = scenario.clone();
                    scenario.appends.push((0, append, fault));
                    self.run(&scenario);
                }
            }
        }
        if budget.faults == 0 {
            return;
        }
        for (index, (call, keyed)) in report.calls.iter().enumerate().skip(from) {
            let twice = *keyed || call.kind == Kind::Compensation;
            for fault in Fault::of(call.kind, twice) {
                for times in self.repeats(call) {
                    let mut scenario = scenario.clone();
                    let nth = call.nth..call.nth + times;
                    scenario.calls.extend(nth.map(|nth| (CallId { nth, ..call.clone() }, fault)));
                    if let Some(report) = self.run(&scenario) {
                        let budget = Budget { faults: budget.faults - 1, ..budget };
                        self.widen(&scenario, &report, budget, index + 1);
                    }
                }
            }
        }
    }

    /// Once, and as often as it takes to spend the retries: between the two nothing differs.
    fn repeats(&self, call: &CallId) -> Vec<u32> {
        let name = call.step.split('[').next().unwrap_or(&call.step);
        let step = S::DEFINITION.steps.iter().position(|step| step.name == name);
        let kind = match call.kind {
            Kind::Compensation => CallKind::Compensation,
            Kind::Probe => CallKind::Probe,
            Kind::Action | Kind::Read => CallKind::Action,
        };
        let limit = step.and_then(|step| S::policy(step, kind).retry.limit);
        match limit.filter(|limit| (1..=self.exploration.retries).contains(limit)) {
            Some(limit) => vec![1, limit + 1],
            None => vec![1],
        }
    }

    /// Crashes before and after each append of the life with this number, and then again in the lives after it.
    fn crash(&mut self, scenario: &Scenario, report: &Report, crashes: usize, life: usize) {
        for append in 1..=report.story.get(life).map_or(0, Vec::len) {
            for fault in [LogFault::CrashBefore, LogFault::CrashAfter] {
                let mut scenario = scenario.clone();
                scenario.appends.push((life, append, fault));
                if let Some(report) = self.run(&scenario)
                    && crashes > 1
                {
                    self.crash(&scenario, &report, crashes - 1, life + 1);
                }
            }
        }
    }
}

/// The life in which nothing has crashed yet.
fn scenario_life(scenario: &Scenario) -> usize {
    scenario.appends.iter().map(|(life, ..)| life + 1).max().unwrap_or(0)
}
