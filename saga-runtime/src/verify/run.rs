//! Runs one scenario from the begin of its saga to the end, through every crash.

use std::sync::Arc;
use std::time::Duration;

use super::Exploration;
use super::audit::audit;
use super::log::FaultyLog;
use super::network::{Explored, ID, Network, World, held};
use super::scenario::{CallId, Scenario};
use crate::coordinator::{BeginError, Begun, CancelAnswer, Coordinator, Handle, Outcome, SagaStatus};
use crate::id::SagaId;
use crate::log::{History, MemoryLog, SagaLog};
use crate::saga::{RunsOn, Saga};

/// So long, in virtual time, may a saga take in which nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_hours(24);

/// How often an operator tries again what is parked.
const OPERATORS_TRIES: u32 = 4;

/// How a saga ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Compensated,
    /// It needs an operator; these steps may still be in effect.
    Parked(Vec<String>),
}

/// What became of a scenario.
pub(super) struct Report {
    pub(super) end: End,
    /// All calls in their order, and whether they may arrive twice.
    pub(super) calls: Vec<(CallId, bool)>,
    /// The appends of each life, by their records.
    pub(super) story: Vec<Vec<String>>,
}

/// How a scenario broke a promise.
pub(super) struct Broken {
    pub(super) cause: String,
    pub(super) calls: Vec<CallId>,
    pub(super) story: Vec<Vec<String>>,
}

pub(super) fn run<S: Saga + RunsOn<MemoryLog>>(
    exploration: &Exploration<S>,
    scenario: &Scenario,
) -> Result<Report, Broken> {
    let (world, log) = (World::new(scenario), MemoryLog::new());
    let own = Arc::new((exploration.participants)());
    let others = exploration.others.iter().map(|other| other(&world)).collect::<Vec<_>>();
    let mut story = Vec::new();
    let run = Run { exploration, scenario, world: &world, own: &own, others: &others };
    let ended = run.lives(&log, &mut story);
    let audited = ended.and_then(|end| {
        let history = in_virtual_time(async {
            world.settle_down().await;
            history(&log).await
        })?;
        audit::<S>(scenario, &end, &world, &history).map(|()| end)
    });
    let made = world.made();
    match audited {
        Ok(end) => {
            let calls = made.into_iter().map(|made| (made.call, made.keyed)).collect();
            Ok(Report { end, calls, story })
        }
        Err(cause) => Err(Broken { cause, calls: made.into_iter().map(|made| made.call).collect(), story }),
    }
}

/// Registers a child's saga on the coordinator of one life.
pub(super) type Register =
    Box<dyn Fn(crate::coordinator::Builder<FaultyLog>) -> crate::coordinator::Builder<FaultyLog>>;

struct Run<'r, S: Saga> {
    exploration: &'r Exploration<S>,
    scenario: &'r Scenario,
    world: &'r World,
    own: &'r Arc<S::Participants>,
    others: &'r [Register],
}

impl<S: Saga + RunsOn<MemoryLog>> Run<'_, S> {
    fn lives(&self, log: &MemoryLog, story: &mut Vec<Vec<String>>) -> Result<End, String> {
        // The jitter of the back-offs: a scenario is the same each time.
        fastrand::seed(7);
        loop {
            let life = story.len();
            let faults = self.scenario.appends.iter().filter(|(at, ..)| *at == life);
            let log = FaultyLog::new(log, faults.map(|(_, number, fault)| (*number, *fault)));
            let ended = in_virtual_time(async {
                tokio::select! {
                    biased;
                    () = log.crashed() => Ok(None),
                    end = self.live(log.clone()) => end.map(Some),
                }
            });
            story.push(log.story());
            if let Some(end) = ended? {
                return Ok(end);
            }
        }
    }

    /// One life of the process.
    async fn live(&self, log: FaultyLog) -> Result<End, String> {
        let noticed = self.world.noticed();
        let mut builder =
            Coordinator::builder(log).register::<Explored<S>>(Network::new(self.own, self.world));
        for other in self.others {
            builder = other(builder);
        }
        let coordinator = builder.start().await.map_err(|error| error.to_string())?;
        let recovery = coordinator.recovery();
        if !recovery.unclaimed.is_empty() || !recovery.quarantined.is_empty() {
            return Err(format!("its own log is not taken up again: {recovery:?}"));
        }
        let end = match self.begin(&coordinator).await? {
            Begun::Finished(outcome) => end_of(&outcome)?,
            Begun::Started(handle) | Begun::Attached(handle) => {
                for signal in &self.exploration.signals {
                    // One that comes too late was sent in a life before, or is not for this way.
                    let _ = handle.send(signal()).await;
                }
                let cancelled = self.scenario.cancel.is_some().then(|| {
                    let handle = handle.clone();
                    tokio::spawn(async move {
                        noticed.await;
                        handle.cancel("somebody has changed their mind").await
                    })
                });
                let end = self.follow(&handle).await?;
                if let Some(cancelled) = cancelled.filter(tokio::task::JoinHandle::is_finished) {
                    let answer = cancelled.await.map_err(|error| error.to_string())?;
                    let answer = answer.map_err(|error| error.to_string())?;
                    if (answer == CancelAnswer::Cancelled) != (end == End::Compensated) {
                        return Err(format!("the cancel was answered {answer:?}, and then it ended {end:?}"));
                    }
                }
                end
            }
        };
        if !matches!(end, End::Parked(_)) {
            match self.begin(&coordinator).await? {
                Begun::Finished(outcome) if end_of(&outcome)? == end => {}
                Begun::Finished(_) => {
                    return Err(format!("it ended {end:?}, and begun again it says otherwise"));
                }
                Begun::Started(_) | Begun::Attached(_) => {
                    return Err(format!("it ended {end:?}, and begun again it runs"));
                }
            }
        }
        coordinator.shutdown().await;
        Ok(end)
    }

    /// Begins the saga as a careful client does: again, as long as the log cannot confirm it.
    async fn begin(&self, coordinator: &Coordinator) -> Result<Begun<Explored<S>>, String> {
        for _ in 0..10 {
            match coordinator.begin::<Explored<S>>(ID, (self.exploration.input)()).await {
                Err(BeginError::Log(_)) => tokio::time::sleep(Duration::from_secs(1)).await,
                answer => return answer.map_err(|error| error.to_string()),
            }
        }
        Err("the log does not come back".to_owned())
    }

    /// Waits for the end; where the saga is parked, an operator tries again.
    async fn follow(&self, handle: &Handle<Explored<S>>) -> Result<End, String> {
        let mut residue = Vec::new();
        for _ in 0..OPERATORS_TRIES {
            let is_endless = tokio::select! {
                outcome = handle.outcome() => return end_of(&outcome.map_err(|error| error.to_string())?),
                () = tokio::time::sleep(PATIENCE) => false,
                () = self.world.goes_on_for_ever() => true,
            };
            match handle.status() {
                SagaStatus::Parked(parked) => {
                    residue = parked.residue.iter().map(|(step, _)| step.to_string()).collect();
                    if let Some(step) = held(self.world).into_iter().find(|step| !names(&residue, step)) {
                        return Err(format!("`{step}` holds, and the residue does not say so: {parked}"));
                    }
                    if is_endless {
                        return Ok(End::Parked(residue));
                    }
                    handle.retry().await.map_err(|error| error.to_string())?;
                }
                status => {
                    return Err(format!("it does not end, though nothing goes wrong any more: {status}"));
                }
            }
        }
        Ok(End::Parked(residue))
    }
}

/// Whether one of these steps has that effect: itself, or by its child.
pub(super) fn names(steps: &[String], effect: &str) -> bool {
    steps.iter().any(|step| {
        effect.strip_prefix(step.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn end_of<T>(outcome: &Outcome<T>) -> Result<End, String> {
    match outcome {
        Outcome::Completed(_) => Ok(End::Completed),
        Outcome::Compensated(_) => Ok(End::Compensated),
        Outcome::Closed(closed) => Err(format!("nobody was to intervene, and it was {closed}")),
    }
}

async fn history(log: &MemoryLog) -> Result<History, String> {
    let id = SagaId::new(ID).map_err(|error| error.to_string())?;
    let history = log.history(&id).await.map_err(|error| error.to_string())?;
    history.ok_or_else(|| "the log does not know it".to_owned())
}

/// The end of the runtime is that of every task on it: the crash.
fn in_virtual_time<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}
