//! Explores what can go wrong with a saga of yours, and shows that it neither leaks nor loses anything.
//!
//! A test of yours names the saga, an input, and participants that simply do what they are asked: fakes without any fault.
//! The exploration runs the saga on the real coordinator, with a log in memory and in virtual time, once for each
//! *scenario*, the short ones first:
//!
//! - every [`Fault`] at every call, once and as often as it takes to spend the retries;
//! - a crash of the process before and after every append, those of its recovery too, and every [`LogFault`];
//! - somebody who cancels, suspends and resumes, or closes the saga while a call is in flight, and its deadline;
//! - everything that an operator can truthfully do whenever the saga needs one;
//! - and all of these together, each as often as you state: one after another, at every place that is left.
//!
//! Two runs that come to the same place have the same future: what the log says, what the participants hold, what is in
//! flight or delayed, and the timers are the same. There the second one ends. That is what makes many faults at once
//! affordable: three steps with every six faults are some twenty thousand runs of a tenth of a millisecond.
//!
//! ```
//! use saga_runtime::{Context, Keyed, StepError, saga, verify};
//!
//! saga! {
//!     saga Book(city: String) -> u32 {
//!         with desk: Desk;
//!         retry 1 times every 1s..1m;
//!
//!         step flight: u32 = desk.reserve(cx, city) compensate desk.cancel(cx);
//!         step hotel: u32 = desk.reserve(cx, city) compensate desk.cancel(cx);
//!         pivot paid: u32 = desk.reserve(cx, city);
//!
//!         return flight + hotel + paid;
//!     }
//! }
//!
//! # #[derive(Debug, thiserror::Error, StepError)]
//! # #[error("lost")]
//! # #[outcome(unknown)]
//! # struct Lost;
//! struct Desk;
//!
//! impl Keyed for Desk {}
//!
//! impl Desk {
//!     async fn reserve(&self, _: &Context, city: &str) -> Result<u32, Lost> {
//!         Ok(city.len() as u32)
//!     }
//!
//!     async fn cancel(&self, _: &Context) -> Result<(), Lost> {
//!         Ok(())
//!     }
//! }
//!
//! // In a `#[test]`:
//! let exploration = verify::explore::<Book>(|| "Lisbon".to_owned(), || BookParticipants { desk: Desk });
//! let summary = exploration.faults(1).run().unwrap_or_else(|violation| panic!("{violation}"));
//! assert!(summary.scenarios > 200, "{summary}");
//! ```
//!
//! # What is assumed of the participants
//!
//! What the declaration relies on, and no more. They know what reached them, and nothing of what your fakes have
//! counted, drawn or remembered otherwise: fakes answer the same each time. One that is [`Keyed`](crate::Keyed) answers the same to the same key, with one
//! effect, refusals included; any other takes effect with every call. A probe says what the action did, or that it did
//! nothing, and bars the attempts before it; the fake's own probe is not asked. A compensation by key undoes all that its
//! action did, and bars what comes later; one that is given the output undoes one effect.
//!
//! # What is shown
//!
//! The ledger of the participants is the judge, not what the saga says of itself. In each scenario:
//!
//! - a completed saga has exactly the effects that its log says are done, a compensated one has none, and a parked one
//!   none that its residue does not name;
//! - no key ever has two effects at a keyed participant; a key is the same each time, and no two effects share one;
//! - from the first compensation on nothing is called that was never called before; of two steps in a sequence the later
//!   one is compensated first;
//! - where nothing goes wrong, nobody is called twice;
//! - it needs an operator only where somebody has refused; what it answers to a cancel then happens; what an operator
//!   does is either done or refused; beginning the saga again answers its end;
//! - every prefix of the log is a legal history, and the next start takes up whatever log there is;
//! - the saga comes to its end once nothing goes wrong any more.
//!
//! A violation prints the shortest scenario that shows it, the calls and the log, and the line that
//! [`replay`](Exploration::replay)s it.
//!
//! # What is not explored
//!
//! Sagas with `local` steps, and locks that others hold. A saga that receives signals gets those given by
//! [`signal`](Exploration::signal) when it is begun. Commands and faults between two calls (in the middle of a sleep, say)
//! other than at an append. Which of two results that come at the same moment is looked at first.
//!
//! The idea is that of fault injection guided by the system's own trace, as *lineage-driven fault injection* (Alvaro,
//! Rosen and Hellerstein, 2015) and the deterministic simulation of `FoundationDB` do it.

mod audit;
mod dice;
mod explorer;
mod log;
mod network;
mod operator;
mod reader;
mod run;
mod scenario;
mod world;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use self::explorer::Budget;
use self::network::{Explored, Network};
use self::run::{Broken, Register};
pub use self::scenario::{
    CallId, Command, Decision, Fault, Intervened, Kind, LogFault, ParseError, Scenario,
};
use self::world::World;
use crate::log::MemoryLog;
use crate::saga::{RunsOn, Saga};

/// What is to be explored. See the [module](self).
#[must_use = "call `run`"]
pub struct Exploration<S: Saga> {
    input: Make<S::Input>,
    participants: Make<S::Participants>,
    others: Vec<Other>,
    signals: Vec<Make<S::Signal>>,
    retries: u32,
    budget: Budget,
}

/// Makes a value anew for each scenario.
type Make<T> = Box<dyn Fn() -> T + Send + Sync>;

/// Another saga of the scenario, whose participants stand behind the same network.
type Other = Box<dyn Fn(&World) -> Register + Send + Sync>;

/// What an exploration has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many scenarios were run.
    pub scenarios: usize,
    /// In how many of them the saga completed.
    pub completed: usize,
    /// In how many it was compensated.
    pub compensated: usize,
    /// In how many it needs an operator for good.
    pub parked: usize,
    /// In how many an operator closed it.
    pub closed: usize,
    /// How many came to where another one had gone on.
    pub joined: usize,
    /// How many states were gone through in all of them.
    pub states: usize,
    /// In how many a promise was broken.
    pub violations: usize,
}

/// A promise was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The saga.
    pub saga: &'static str,
    /// What goes wrong in the shortest run that shows it.
    pub scenario: Scenario,
    /// Which promise, and how.
    pub cause: String,
    /// The calls that were made, in their order.
    pub calls: Vec<CallId>,
    /// The appends of each life of the process, by their records.
    pub story: Vec<Vec<String>>,
    /// The exploration as a whole.
    pub summary: Summary,
}

/// Explores the saga `S` with this input; `participants` makes its fakes, anew for each scenario.
pub fn explore<S: Saga + RunsOn<MemoryLog>>(
    input: impl Fn() -> S::Input + Send + Sync + 'static,
    participants: impl Fn() -> S::Participants + Send + Sync + 'static,
) -> Exploration<S> {
    Exploration {
        input: Box::new(input),
        participants: Box::new(participants),
        others: Vec::new(),
        signals: Vec::new(),
        retries: 3,
        budget: Budget { faults: 2, crashes: 1, log_faults: 1, commands: 1 },
    }
}

impl<S: Saga + RunsOn<MemoryLog>> Exploration<S> {
    /// The saga begins this one as its child, and its child's children.
    pub fn child<C: Saga + RunsOn<MemoryLog>>(
        mut self,
        participants: impl Fn() -> C::Participants + Send + Sync + 'static,
    ) -> Self {
        self.others.push(Box::new(move |world| {
            let (own, world) = (Arc::new(participants()), world.clone());
            Box::new(move |builder| builder.register::<Explored<C>>(Network::new(&own, &world)))
        }));
        self
    }

    /// The saga is sent this signal as soon as it is begun.
    pub fn signal(mut self, signal: impl Fn() -> S::Signal + Send + Sync + 'static) -> Self {
        self.signals.push(Box::new(signal));
        self
    }

    /// How many calls go wrong in one scenario, at most: 2 if nothing is said. Each does once, or as often as it takes to
    /// spend the retries.
    pub fn faults(mut self, faults: usize) -> Self {
        self.budget.faults = faults;
        self
    }

    /// Up to how many retries are spent by one fault: 3 if nothing is said. A saga with more is easier to explore with
    /// fewer.
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// How often the process crashes in one scenario, at most: once if nothing is said.
    pub fn crashes(mut self, crashes: usize) -> Self {
        self.budget.crashes = crashes;
        self
    }

    /// How often the log fails in one scenario, at most, with a commit that is lost, unconfirmed, or has no room: once if
    /// nothing is said.
    pub fn log_faults(mut self, log_faults: usize) -> Self {
        self.budget.log_faults = log_faults;
        self
    }

    /// How often somebody cancels or intervenes, or the deadline passes, in one scenario, at most: once if nothing is
    /// said.
    pub fn commands(mut self, commands: usize) -> Self {
        self.budget.commands = commands;
        self
    }

    /// Runs all scenarios. Blocks, and must not be called within a runtime.
    ///
    /// # Errors
    ///
    /// With the shortest scenario that broke a promise.
    pub fn run(&self) -> Result<Summary, Box<Violation>> {
        explorer::explore(self)
    }

    /// Runs a scenario for each of these seeds, in which what goes wrong is decided by chance: what is explored otherwise,
    /// as often as is stated, each place by itself. For sagas too large for [`run`](Self::run), or for more faults at once.
    /// A seed is the same scenario each time. Blocks, and must not be called within a runtime.
    ///
    /// # Errors
    ///
    /// With the first scenario that broke a promise, shortened as far as it still does.
    pub fn sample(&self, seeds: Range<u64>) -> Result<Summary, Box<Violation>> {
        explorer::sample(self, seeds)
    }

    fn has_deadline(&self) -> bool {
        S::deadline(&(self.input)()).is_some()
    }

    /// Runs the one scenario of this line, as a [`Violation`] prints it.
    ///
    /// # Errors
    ///
    /// If a promise is broken. A line that is no scenario is told so in the same way.
    pub fn replay(&self, line: &str) -> Result<Summary, Box<Violation>> {
        let scenario = line.parse::<Scenario>();
        let broken = match &scenario {
            Ok(scenario) => match run::run(self, scenario, None, Arc::new(|_| false)) {
                Ok(_) => return Ok(Summary { scenarios: 1, ..Summary::default() }),
                Err(broken) => broken,
            },
            Err(error) => Broken {
                scenario: Scenario::default(),
                cause: error.to_string(),
                calls: Vec::new(),
                story: Vec::new(),
            },
        };
        let summary = Summary { scenarios: 1, violations: 1, ..Summary::default() };
        Err(explorer::violation::<S>(broken, summary))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenarios, completed, compensated, parked, closed, joined, states, violations } = self;
        write!(
            f,
            "{scenarios} scenarios, {states} states: {completed} completed, {compensated} compensated, {parked} \
             parked, {closed} closed, {joined} came to where another had gone on, {violations} broken"
        )
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { saga, scenario, cause, calls, story, summary } = self;
        writeln!(f, "`{saga}` breaks a promise: {cause}")?;
        writeln!(f, "({summary}; this is the shortest)")?;
        writeln!(f, "\nwhat goes wrong:\n  {scenario}")?;
        writeln!(f, "\nthe calls:")?;
        write_lines(f, calls)?;
        for (life, appends) in story.iter().enumerate() {
            writeln!(f, "\nthe log of life {life} of the process:")?;
            write_lines(f, appends)?;
        }
        write!(f, "\nto see it again: `.replay(\"{scenario}\")`")
    }
}

impl std::error::Error for Violation {}

/// One a line with its number. Of what goes on for ever the begin and the end tell enough.
fn write_lines<T: fmt::Display>(f: &mut fmt::Formatter<'_>, lines: &[T]) -> fmt::Result {
    const FIRST: usize = 40;
    const LAST: usize = 5;
    let left_out = lines.len().saturating_sub(FIRST + LAST);
    for (number, line) in (1..).zip(lines) {
        if left_out < 2 || number <= FIRST || number > lines.len() - LAST {
            writeln!(f, "  {number}. {line}")?;
        } else if number == FIRST + 1 {
            writeln!(f, "  … and {left_out} more …")?;
        }
    }
    Ok(())
}

impl<S: Saga> fmt::Debug for Exploration<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exploration").field("saga", &S::DEFINITION.name).finish_non_exhaustive()
    }
}
