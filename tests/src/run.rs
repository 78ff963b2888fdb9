//! Runs one scenario from its begin to its end, through every crash, and audits the world afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use saga_runtime::coordinator::BeginError;
use saga_runtime::log::{MemoryLog, SagaLog};
use saga_runtime::{Begun, CancelAnswer, Coordinator, Handle, Outcome, SagaStatus};

use crate::logs::{LogFault, TestLog};
use crate::sagas::Shape;
use crate::world::{Fault, Place, Which, World};

/// The id of the saga of every scenario.
pub const ID: &str = "s-1";
/// Its input.
pub const INPUT: u32 = 7;
/// Its input, where it has little time.
pub const HURRIED: u32 = 8;

/// What goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scenario {
    /// What happens to calls.
    pub faults: Vec<(Place, Fault)>,
    /// What happens to the log: to the append with this number (from 1) of a life of the process (from 0).
    pub log: Vec<(usize, usize, LogFault)>,
    /// Somebody cancels while this call is in flight.
    pub cancel: Option<Place>,
    /// The coordinator is shut down while this call is in flight, and then started again.
    pub stop: Option<Place>,
    /// The saga has little time, if its deadline depends on its input: until something takes its time.
    pub hurried: bool,
}

impl Scenario {
    /// The saga's input.
    pub fn input(&self) -> u32 {
        if self.hurried { HURRIED } else { INPUT }
    }
}

/// How much time a saga has, by its input.
pub fn patience(input: u32) -> Duration {
    if input == HURRIED { Duration::from_millis(1500) } else { Duration::from_hours(1000) }
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// How the saga ended.
    pub end: End,
    /// All calls in their order.
    pub calls: Vec<Place>,
    /// The appends of each life, by their records.
    pub story: Vec<Vec<String>>,
}

/// How a saga ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With every effect.
    Completed,
    /// With none.
    Compensated,
    /// Not by itself: these steps may still be in effect.
    Parked(Vec<String>),
}

/// Runs `scenario` on a log in memory.
pub fn run<S: Shape>(scenario: &Scenario) -> Result<Report, String> {
    let log = MemoryLog::new();
    run_on::<S>(scenario, &|| Ok(Arc::new(log.clone())))
}

/// Runs `scenario` on the log that `open` opens, anew for each life of the process.
pub fn run_on<S: Shape>(
    scenario: &Scenario,
    open: &dyn Fn() -> Result<Arc<dyn SagaLog>, String>,
) -> Result<Report, String> {
    let world = World::new();
    for (place, fault) in &scenario.faults {
        world.script(*place, *fault);
    }
    let mut story = Vec::new();
    let result = lives::<S>(scenario, open, &world, &mut story);
    world.settle_down();
    let audited = result.and_then(|end| audit::<S>(scenario, &end, &world).map(|()| end));
    match audited {
        Ok(end) => Ok(Report { end, calls: world.calls(), story }),
        Err(cause) => Err(format!("{cause}\n{scenario:#?}\n{story:#?}\n{world:#?}")),
    }
}

fn lives<S: Shape>(
    scenario: &Scenario,
    open: &dyn Fn() -> Result<Arc<dyn SagaLog>, String>,
    world: &World,
    story: &mut Vec<Vec<String>>,
) -> Result<End, String> {
    // The jitter of the back-offs.
    fastrand::seed(7);
    for life in 0.. {
        let mut log = TestLog::over(open()?);
        for (_, append, fault) in scenario.log.iter().filter(|(at, ..)| *at == life) {
            log = log.with(*append, *fault);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| error.to_string())?;
        let ended = runtime.block_on(async {
            tokio::select! {
                biased;
                () = log.crashed() => None,
                end = live::<S>(log.clone(), world, scenario) => end.transpose(),
            }
        });
        // The crash: every task of the process is gone at once.
        drop(runtime);
        story.push(log.story());
        if let Some(end) = ended {
            return end;
        }
        if scenario.log.is_empty() && log.mentions(TAINT) {
            return Err("a shutdown left a doubt that nobody need have".to_owned());
        }
    }
    Err("it was to live for ever".to_owned())
}

/// What is recorded of an attempt that was open when the process died.
const TAINT: &str = "the process ended while this attempt was open";

/// One life of the process; `None` if it was shut down before the saga's end.
async fn live<S: Shape>(log: TestLog, world: &World, scenario: &Scenario) -> Result<Option<End>, String> {
    let input = scenario.input();
    let watched = scenario.cancel.or(scenario.stop).map(|place| world.watch(place));
    let coordinator = S::register(Coordinator::builder(log), world).start().await;
    let coordinator = coordinator.map_err(|error| error.to_string())?;
    let recovery = coordinator.recovery();
    if !recovery.unclaimed.is_empty() || !recovery.quarantined.is_empty() {
        return Err(format!("{recovery:?}"));
    }
    let end = match begin::<S>(&coordinator, input).await? {
        Begun::Finished(outcome) => end_of(&outcome, input)?,
        Begun::Started(handle) | Begun::Attached(handle) if scenario.stop.is_some() => {
            let stopped = async {
                if let Some(watched) = watched {
                    watched.await;
                }
            };
            let end = tokio::select! {
                biased;
                () = stopped => None,
                end = follow::<S>(&handle, world, input) => Some(end?),
            };
            let Some(end) = end else {
                coordinator.shutdown().await;
                return Ok(None);
            };
            end
        }
        Begun::Started(handle) | Begun::Attached(handle) => {
            let cancelled = watched.map(|watched| {
                let handle = handle.clone();
                tokio::spawn(async move {
                    watched.await;
                    handle.cancel("changed my mind").await
                })
            });
            let end = follow::<S>(&handle, world, input).await?;
            if let Some(cancelled) = cancelled
                && cancelled.is_finished()
            {
                let answer = cancelled.await.map_err(|error| error.to_string())?;
                let answer = answer.map_err(|error| error.to_string())?;
                if (answer == CancelAnswer::Cancelled) != (end == End::Compensated) {
                    return Err(format!("the cancel was answered {answer:?}, and then: {end:?}"));
                }
            }
            end
        }
    };
    if !matches!(end, End::Parked(_)) {
        match begin::<S>(&coordinator, input).await? {
            Begun::Finished(outcome) if end_of(&outcome, input)? == end => {}
            other => return Err(format!("ended {end:?}, and begun again: {other:?}")),
        }
    }
    coordinator.shutdown().await;
    Ok(Some(end))
}

/// Begins the saga as a careful client does: again, as long as the log cannot confirm it.
async fn begin<S: Shape>(coordinator: &Coordinator, input: u32) -> Result<Begun<S>, String> {
    for _ in 0..10 {
        match coordinator.begin::<S>(ID, input).await {
            Err(BeginError::Log(_)) => tokio::time::sleep(Duration::from_secs(1)).await,
            answer => return answer.map_err(|error| error.to_string()),
        }
    }
    Err("the log does not come back".to_owned())
}

/// Waits for the end; where the saga is parked, an operator tries again.
async fn follow<S: Shape>(handle: &Handle<S>, world: &World, input: u32) -> Result<End, String> {
    let mut residue = Vec::new();
    for _ in 0..4 {
        match tokio::time::timeout(Duration::from_hours(1), handle.outcome()).await {
            Ok(outcome) => return end_of(&outcome.map_err(|error| error.to_string())?, input),
            Err(_) => match handle.status() {
                SagaStatus::Parked(parked) => {
                    residue = parked.residue.iter().map(|(step, _)| step.to_string()).collect::<Vec<_>>();
                    let unnamed = held(world).into_keys().find(|step| !names(&residue, step));
                    if let Some(step) = unnamed {
                        return Err(format!("`{step}` is held, and no residue: {parked}"));
                    }
                    let _ = handle.retry().await;
                }
                status => return Err(format!("it does not end: {status}")),
            },
        }
    }
    Ok(End::Parked(residue))
}

fn end_of(outcome: &Outcome<u32>, input: u32) -> Result<End, String> {
    match outcome {
        Outcome::Completed(output) if *output == input => Ok(End::Completed),
        Outcome::Completed(output) => Err(format!("returned {output}")),
        Outcome::Compensated(_) => Ok(End::Compensated),
        Outcome::Closed(closed) => Err(format!("nobody was to intervene: {closed}")),
    }
}

/// The step whose effect has this key: of a child as `room/bed`, whichever attempt of its parent it is.
pub(crate) fn step_of(key: &str) -> String {
    let path = key.split_once(ID).map_or(key, |(_, path)| path.trim_start_matches('/'));
    let steps = path.split('/').map(|step| step.split_once('~').map_or(step, |(step, _)| step));
    steps.collect::<Vec<_>>().join("/")
}

/// Whether one of these steps has that effect: itself, or by its child.
pub(crate) fn names(steps: &[String], effect: &str) -> bool {
    steps.iter().any(|step| {
        effect.strip_prefix(step.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What is held, by step.
fn held(world: &World) -> BTreeMap<String, usize> {
    let held = world.held().into_iter();
    held.map(|(key, count)| (step_of(&key), count)).collect()
}

/// All or nothing: what is held equals what the saga's end says, to the unit.
fn audit<S: Shape>(scenario: &Scenario, end: &End, world: &World) -> Result<(), String> {
    let held = held(world);
    let right = match end {
        End::Completed => held == S::EFFECTS.iter().map(|step| ((*step).to_owned(), 1)).collect(),
        End::Compensated => held.is_empty(),
        End::Parked(residue) => held.iter().all(|(step, count)| *count == 1 && names(residue, step)),
    };
    if !right {
        return Err(format!("ended {end:?} and holds {held:?}"));
    }
    let held_by = |step: &str| world.held().into_keys().find(|key| step_of(key) == step);
    let doubled = |step: &&&str| held_by(step).is_some_and(|key| world.effects(&key) > 1);
    if let Some(step) = S::EFFECTS.iter().find(doubled) {
        return Err(format!("`{step}` took effect more than once"));
    }
    // Only one thing needs an operator for good: a no after the point of no return, by a participant that stays by it.
    let refused_after_pivot = |(place, fault): &(Place, Fault)| {
        matches!(fault, Fault::Refuse | Fault::SlowRefusal)
            && matches!(place.which, Which::Action | Which::Local)
            && S::AFTER_PIVOT.contains(&place.step)
    };
    if matches!(end, End::Parked(_)) && !scenario.faults.iter().any(refused_after_pivot) {
        return Err("it is parked for no reason".to_owned());
    }
    Ok(())
}
