//! Which scenarios there are: everything that can go wrong at every place, one thing after another, breadth first.
//!
//! Two runs that have come to the same state of the log, of the participants and of what is on its way have the same
//! future. So a run ends where another one went on with at least as much that could still go wrong, and what can go wrong
//! from a place on is tried once.

use std::collections::HashMap;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;

use super::dice::Dice;
use super::run::{Broken, End, Report, run};
use super::scenario::{CallId, Command, Decision, Fault, Intervened, Kind, LogFault, Scenario};
use super::world::{At, Point};
use super::{Exploration, Summary, Violation};
use crate::log::MemoryLog;
use crate::machine::CallKind;
use crate::saga::{RunsOn, Saga};

/// So many scenarios are run before what they came to is looked at: it must not depend on how many run at once.
const ROUND: usize = 512;

/// What may still go wrong besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) faults: usize,
    pub(super) crashes: usize,
    pub(super) log_faults: usize,
    pub(super) commands: usize,
}

impl Budget {
    fn covers(self, other: Self) -> bool {
        self.faults >= other.faults
            && self.crashes >= other.crashes
            && self.log_faults >= other.log_faults
            && self.commands >= other.commands
    }
}

/// From where runs have gone on, and what could still go wrong then: none of a key's budgets covers another.
type Seen = HashMap<u64, Vec<Budget>>;

pub(super) fn explore<S: Saga + RunsOn<MemoryLog>>(
    exploration: &Exploration<S>,
) -> Result<Summary, Box<Violation>> {
    let mut summary = Summary::default();
    let mut seen = Arc::new(Seen::new());
    let mut scenarios = vec![(Scenario::default(), exploration.budget)];
    while !scenarios.is_empty() {
        let mut longer = Vec::new();
        for round in scenarios.chunks(ROUND) {
            let results = run_all(exploration, round, &seen);
            let mut broken = None;
            // The runs of this round are over: nobody else has it.
            let seen = Arc::make_mut(&mut seen);
            for ((scenario, budget), result) in round.iter().zip(results) {
                summary.scenarios += 1;
                match result {
                    Ok(report) => {
                        summary.count(report.end.as_ref());
                        branch::<S>(exploration, scenario, *budget, report, seen, &mut longer);
                    }
                    Err(found) => {
                        summary.violations += 1;
                        broken.get_or_insert(found);
                    }
                }
            }
            // Those behind it are as long, or longer.
            if let Some(broken) = broken {
                return Err(violation::<S>(broken, summary));
            }
        }
        scenarios = longer;
    }
    summary.states = seen.len();
    Ok(summary)
}

pub(super) fn violation<S: Saga>(broken: Broken, summary: Summary) -> Box<Violation> {
    let Broken { scenario, cause, calls, story } = broken;
    Box::new(Violation { saga: S::DEFINITION.name, scenario, cause, calls, story, summary })
}

/// Runs a scenario for each seed, in which what goes wrong is decided by chance.
pub(super) fn sample<S: Saga + RunsOn<MemoryLog>>(
    exploration: &Exploration<S>,
    seeds: Range<u64>,
) -> Result<Summary, Box<Violation>> {
    let mut summary = Summary::default();
    let seeds = seeds.collect::<Vec<_>>();
    for round in seeds.chunks(ROUND) {
        let results = in_parallel(round, |seed| {
            let dice = Dice::new(*seed, exploration.budget);
            run(exploration, &Scenario::default(), Some(dice), Arc::new(|_| false))
        });
        let mut broken = None;
        for result in results {
            summary.scenarios += 1;
            match result {
                Ok(report) => summary.count(report.end.as_ref()),
                Err(found) => {
                    summary.violations += 1;
                    broken.get_or_insert(found);
                }
            }
        }
        if let Some(broken) = broken {
            return Err(violation::<S>(shortened(exploration, broken), summary));
        }
    }
    Ok(summary)
}

/// As little of it as still breaks a promise.
fn shortened<S: Saga + RunsOn<MemoryLog>>(exploration: &Exploration<S>, mut broken: Broken) -> Broken {
    let mut left = broken.scenario.decisions.len();
    while left > 0 {
        left -= 1;
        let mut scenario = broken.scenario.clone();
        scenario.decisions.remove(left);
        if let Err(shorter) = run(exploration, &scenario, None, Arc::new(|_| false)) {
            left = left.min(shorter.scenario.decisions.len());
            broken = shorter;
        }
    }
    broken
}

/// Runs the scenarios and answers in their order.
fn run_all<S: Saga + RunsOn<MemoryLog>>(
    exploration: &Exploration<S>,
    scenarios: &[(Scenario, Budget)],
    seen: &Arc<Seen>,
) -> Vec<Result<Report, Broken>> {
    let run_one = |(scenario, budget): &(Scenario, Budget)| {
        let (seen, budget) = (Arc::clone(seen), *budget);
        let was_seen = move |key| {
            seen.get(&key)
                .is_some_and(|budgets: &Vec<Budget>| budgets.iter().any(|known| known.covers(budget)))
        };
        run(exploration, scenario, None, Arc::new(was_seen))
    };
    in_parallel(scenarios, run_one)
}

/// As many at once as there are processors.
fn in_parallel<T: Sync, R: Send>(all: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    if all.len() < threads {
        return all.iter().map(one).collect();
    }
    let share = all.len().div_ceil(threads);
    let one = &one;
    std::thread::scope(|scope| {
        let shares = all.chunks(share);
        let running = shares
            .map(|share| scope.spawn(move || share.iter().map(one).collect::<Vec<_>>()))
            .collect::<Vec<_>>();
        let ended = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.flat_map(|share| share.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Adds what else can go wrong from the scenario's last decision on, up to where another run went on.
fn branch<S: Saga + RunsOn<MemoryLog>>(
    exploration: &Exploration<S>,
    scenario: &Scenario,
    budget: Budget,
    report: Report,
    seen: &mut Seen,
    longer: &mut Vec<(Scenario, Budget)>,
) {
    let mut own = std::collections::HashSet::new();
    for Point { key, at } in report.points {
        // Where a run comes back to where it was, it goes round in circles.
        if !own.insert(key) {
            continue;
        }
        let known = seen.entry(key).or_default();
        if known.iter().any(|known| known.covers(budget)) {
            return;
        }
        known.retain(|known| !budget.covers(*known));
        known.push(budget);
        for (decisions, budget) in
            alternatives::<S>(exploration.retries, exploration.has_deadline(), &at, budget)
        {
            let mut scenario = scenario.clone();
            scenario.decisions.extend(decisions);
            longer.push((scenario, budget));
        }
    }
}

/// What can happen at this place, and what may go wrong after it.
pub(super) fn alternatives<S: Saga>(
    retries: u32,
    has_deadline: bool,
    at: &At,
    budget: Budget,
) -> Vec<(Vec<Decision>, Budget)> {
    match at {
        At::Call(call, twice) if budget.faults > 0 => {
            let budget = Budget { faults: budget.faults - 1, ..budget };
            let faults = Fault::of(call.kind, *twice).flat_map(|fault| {
                repeats::<S>(retries, call).into_iter().map(move |times| {
                    let nth = call.nth..call.nth + times;
                    nth.map(|nth| Decision::Call(CallId { nth, ..call.clone() }, fault)).collect()
                })
            });
            faults.map(|decisions| (decisions, budget)).collect()
        }
        At::Command(call) if budget.commands > 0 => {
            let budget = Budget { commands: budget.commands - 1, ..budget };
            let all = [Command::Cancel, Command::Deadline, Command::Suspend, Command::Close];
            let possible = all.into_iter().filter(|command| has_deadline || *command != Command::Deadline);
            possible.map(|command| (vec![Decision::Command(call.clone(), command)], budget)).collect()
        }
        At::Operator(nth, offers) if budget.commands > 0 => {
            let budget = Budget { commands: budget.commands - 1, ..budget };
            let does = |(intervened, step): &(Intervened, Option<String>)| {
                (vec![Decision::Operator(*nth, *intervened, step.clone())], budget)
            };
            offers.iter().map(does).collect()
        }
        At::Append(life, nth) => {
            let faults = [
                LogFault::CrashBefore,
                LogFault::CrashAfter,
                LogFault::Lost,
                LogFault::Unconfirmed,
                LogFault::Full,
            ];
            let after = |fault| match fault {
                LogFault::CrashBefore | LogFault::CrashAfter => {
                    Some(Budget { crashes: budget.crashes.checked_sub(1)?, ..budget })
                }
                LogFault::Lost | LogFault::Unconfirmed | LogFault::Full => {
                    Some(Budget { log_faults: budget.log_faults.checked_sub(1)?, ..budget })
                }
            };
            let possible = faults.into_iter().filter_map(|fault| Some((fault, after(fault)?)));
            possible.map(|(fault, budget)| (vec![Decision::Append(*life, *nth, fault)], budget)).collect()
        }
        At::Call(..) | At::Command(_) | At::Operator(..) => Vec::new(),
    }
}

/// Once, and as often as it takes to spend the retries: what lies between is several faults.
fn repeats<S: Saga>(retries: u32, call: &CallId) -> Vec<u32> {
    let name = call.step.split('[').next().unwrap_or(&call.step);
    let step = S::DEFINITION.steps.iter().position(|step| step.name == name);
    let kind = match call.kind {
        Kind::Compensation => CallKind::Compensation,
        Kind::Probe => CallKind::Probe,
        Kind::Action | Kind::Read => CallKind::Action,
    };
    let limit = step.and_then(|step| S::policy(step, kind).retry.limit);
    match limit.filter(|limit| (1..=retries).contains(limit)) {
        Some(limit) => vec![1, limit + 1],
        None => vec![1],
    }
}

impl Summary {
    fn count(&mut self, end: Option<&End>) {
        let counter = match end {
            Some(End::Completed) => &mut self.completed,
            Some(End::Compensated) => &mut self.compensated,
            Some(End::Parked(_)) => &mut self.parked,
            Some(End::Closed(_)) => &mut self.closed,
            None => &mut self.joined,
        };
        *counter += 1;
    }
}
