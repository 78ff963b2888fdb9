//! Runs one scenario from the begin of its saga to the end, through every crash.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Exploration;
use super::audit::{audit, on_the_way};
use super::dice::Dice;
use super::log::FaultyLog;
use super::network::{Explored, ID, Network};
use super::operator;
use super::reader::Reader;
use super::scenario::{CallId, Command, Scenario};
use super::world::{Point, World, held};
use crate::coordinator::clock::Clock;
use crate::coordinator::{
    BeginError, Begun, CancelAnswer, Coordinator, Handle, Intervention, OperateError, Outcome, SagaStatus,
};
use crate::id::SagaId;
use crate::log::{History, MemoryLog, SagaLog, Wake};
use crate::saga::{RunsOn, Saga};

/// So long, in virtual time, may a saga do nothing that does not wait for a time.
const PATIENCE: Duration = Duration::from_hours(24);

/// How often an operator looks at what does not go on by itself, though nothing goes wrong any more.
const OPERATORS_TRIES: usize = 6;

/// When every scenario begins, in milliseconds since the Unix epoch.
const BEGIN_MS: u64 = 1_800_000_000_000;

/// How a saga ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum End {
    Completed,
    Compensated,
    /// It needs an operator; these steps may still be in effect.
    Parked(Vec<String>),
    /// An operator closed it; these steps may still be in effect.
    Closed(Vec<String>),
}

/// What became of a scenario.
pub(super) struct Report {
    /// How it ended; nothing if it came to where another run went on.
    pub(super) end: Option<End>,
    /// Where something further could go wrong.
    pub(super) points: Vec<Point>,
}

/// How a scenario broke a promise.
pub(super) struct Broken {
    pub(super) scenario: Scenario,
    pub(super) cause: String,
    /// The calls that were made.
    pub(super) calls: Vec<CallId>,
    /// The appends of each life, by their records.
    pub(super) story: Vec<Vec<String>>,
}

/// Whether another run went on from a place with this key, with at least as much that could still go wrong.
pub(super) type WasSeen = Arc<dyn Fn(u64) -> bool + Send + Sync>;

/// Registers a child's saga on the coordinator of one life.
pub(super) type Register =
    Box<dyn Fn(crate::coordinator::Builder<FaultyLog>) -> crate::coordinator::Builder<FaultyLog>>;

/// Runs `scenario`, at most until it comes to where another run went on.
pub(super) fn run<S: Saga + RunsOn<MemoryLog>>(
    exploration: &Exploration<S>,
    scenario: &Scenario,
    dice: Option<Dice>,
    was_seen: WasSeen,
) -> Result<Report, Broken> {
    let log = MemoryLog::new();
    let now = Arc::new(Mutex::new(Arc::new(Clock::virtual_from(BEGIN_MS))));
    let reader = Reader::<S> {
        log: log.clone(),
        now: Arc::clone(&now),
        was_seen,
        retries: exploration.retries,
        has_deadline: exploration.has_deadline(),
        saga: PhantomData,
    };
    let world = World::new(scenario, dice, Arc::new(reader));
    let own = Arc::new((exploration.participants)());
    let others = exploration.others.iter().map(|other| other(&world)).collect::<Vec<_>>();
    let mut story = Vec::new();
    let run = Run { exploration, log: &log, world: &world, own: &own, others: &others, now: &now };
    let ended = run.lives(&mut story);
    let audited = ended.and_then(|end| match end {
        Some(end) => {
            let history = in_virtual_time(async {
                world.settle_down().await;
                history(&log).await
            })?;
            audit::<S>(&world.scenario(), &end, &world, &history).map(|()| Some(end))
        }
        None => on_the_way(S::DEFINITION, &world).map(|()| None),
    });
    world.end();
    match audited {
        Ok(end) => Ok(Report { end, points: world.points() }),
        Err(cause) => {
            let calls = world.made().into_iter().map(|made| made.call).collect();
            Err(Broken { scenario: world.scenario(), cause, calls, story })
        }
    }
}

struct Run<'r, S: Saga> {
    exploration: &'r Exploration<S>,
    log: &'r MemoryLog,
    world: &'r World,
    own: &'r Arc<S::Participants>,
    others: &'r [Register],
    now: &'r Mutex<Arc<Clock>>,
}

impl<S: Saga + RunsOn<MemoryLog>> Run<'_, S> {
    /// How the saga ends; `None` where another run went on.
    fn lives(&self, story: &mut Vec<Vec<String>>) -> Result<Option<End>, String> {
        // The jitter of the back-offs: a scenario is the same each time.
        fastrand::seed(7);
        let mut now_ms = BEGIN_MS;
        loop {
            let faulty = FaultyLog::new(self.log, self.world, story.len());
            let lived = in_virtual_time(async {
                let clock = Arc::new(Clock::virtual_from(now_ms));
                *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&clock);
                let lived = tokio::select! {
                    biased;
                    () = faulty.crashed() => Ok(Lived::Crashed),
                    () = self.world.joined() => Ok(Lived::Joined),
                    end = self.live(faulty.clone(), &clock) => end.map(Lived::Ended),
                };
                now_ms = clock.now_ms();
                lived
            });
            self.world.process_ends();
            story.push(faulty.story());
            match lived? {
                Lived::Crashed if self.world.told().accepted && self.log.sagas().is_empty() => {
                    return Err("it was accepted, and the log does not know it".to_owned());
                }
                Lived::Crashed => {}
                Lived::Joined => return Ok(None),
                Lived::Ended(end) => return Ok(Some(end)),
            }
        }
    }

    /// One life of the process.
    async fn live(&self, log: FaultyLog, clock: &Arc<Clock>) -> Result<End, String> {
        let mut builder = Coordinator::builder(log)
            .clock(clock)
            .register::<Explored<S>>(Network::new(self.own, self.world));
        for other in self.others {
            builder = other(builder);
        }
        let coordinator = builder.start().await.map_err(|error| error.to_string())?;
        let recovery = coordinator.recovery();
        if !recovery.unclaimed.is_empty() || !recovery.quarantined.is_empty() {
            return Err(format!("its own log is not taken up again: {recovery:?}"));
        }
        let begun = self.begin(&coordinator).await?;
        self.world.tell(|told| told.accepted = true);
        let end = match begun {
            Begun::Finished(outcome) => end_of(&outcome),
            Begun::Started(handle) | Begun::Attached(handle) => {
                for signal in &self.exploration.signals {
                    // One that comes too late was sent in a life before, or is not for this way.
                    let _ = handle.send(signal()).await;
                }
                self.attend(&handle).await?
            }
        };
        if !matches!(end, End::Parked(_)) {
            self.tell_end(&end)?;
            match self.begin(&coordinator).await? {
                Begun::Finished(outcome) if end_of(&outcome) == end => {}
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

    /// Waits for the end, and does meanwhile what the scenario says.
    async fn attend(&self, handle: &Handle<Explored<S>>) -> Result<End, String> {
        let (to, world, clock) = (handle.clone(), self.world.clone(), self.clock());
        let deadline_ms = S::deadline(&(self.exploration.input)()).map(|deadline| deadline.due_ms(BEGIN_MS));
        // In a life after that in which it was done it waits for ever: whoever did it looks at what became of it.
        let commanded = tokio::spawn(async move {
            let command = world.commanded().await;
            let deadline = deadline_ms.map(|deadline_ms| clock.until(deadline_ms));
            do_command(&to, &world, command, deadline).await
        });
        let end = self.follow(handle).await?;
        if commanded.is_finished() {
            commanded.await.map_err(|error| error.to_string())??;
        }
        Ok(end)
    }

    /// A client is told how it ended: that stays so, and so does what others were told before.
    fn tell_end(&self, end: &End) -> Result<(), String> {
        let told = self.world.told();
        if let Some(before) = told.end.filter(|before| before != end) {
            return Err(format!("it was said to have ended {before:?}, and then it ended {end:?}"));
        }
        match (told.cancel, end) {
            (Some(CancelAnswer::Cancelled), End::Completed)
            | (Some(CancelAnswer::TooLate), End::Compensated) => {
                let answer = told.cancel;
                return Err(format!("the cancel was answered {answer:?}, and then it ended {end:?}"));
            }
            _ => {}
        }
        self.world.tell(|told| told.end = Some(end.clone()));
        Ok(())
    }

    /// Waits for the end; where the saga needs an operator, they do what the scenario says, or try again.
    async fn follow(&self, handle: &Handle<Explored<S>>) -> Result<End, String> {
        let mut residue = Vec::new();
        let (mut tries, mut records) = (0, 0);
        while tries < OPERATORS_TRIES + self.world.scenario().decisions.len() {
            let is_endless = tokio::select! {
                outcome = handle.outcome() => {
                    return outcome.map(|outcome| end_of(&outcome)).map_err(|error| error.to_string());
                }
                () = tokio::time::sleep(PATIENCE) => false,
                () = self.world.goes_on_for_ever() => true,
            };
            match handle.status() {
                SagaStatus::Parked(parked) => {
                    tries += 1;
                    residue = parked.residue.iter().map(|(step, _)| step.to_string()).collect();
                    if let Some(step) = held(self.world).into_iter().find(|step| !names(&residue, step)) {
                        return Err(format!("`{step}` holds, and the residue does not say so: {parked}"));
                    }
                    if is_endless {
                        return Ok(End::Parked(residue));
                    }
                    operator::look(handle, self.world).await?;
                }
                SagaStatus::Suspended(_) => {
                    tries += 1;
                    let close = self.world.command() == Some(Command::Close);
                    let next = if close { Intervention::Close } else { Intervention::Resume };
                    operator::operate(handle, next).await?;
                }
                status => {
                    let before = std::mem::replace(&mut records, self.records());
                    if is_endless || (records == before && !self.waits_for_a_time()) {
                        return Err(format!("it does not end, though nothing goes wrong any more: {status}"));
                    }
                }
            }
        }
        Ok(End::Parked(residue))
    }

    fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many records the log has.
    fn records(&self) -> usize {
        self.log.sagas().iter().map(|history| history.records.len()).sum()
    }

    /// Whether one of the sagas sleeps.
    fn waits_for_a_time(&self) -> bool {
        let now_ms = self.clock().now_ms();
        self.log.sagas().iter().any(|history| matches!(history.wake, Wake::At(at_ms) if at_ms > now_ms))
    }
}

/// How one life of the process ended.
enum Lived {
    Crashed,
    Joined,
    Ended(End),
}

/// Does what the scenario says while a call is in flight; a cancel is answered.
async fn do_command<S: Saga>(
    handle: &Handle<S>,
    world: &World,
    command: Command,
    deadline: Option<Duration>,
) -> Result<(), String> {
    match command {
        Command::Cancel => {
            let answer = handle.cancel("somebody has changed their mind").await;
            let answer = answer.map_err(|error| error.to_string())?;
            world.tell(|told| told.cancel = Some(answer));
            Ok(())
        }
        Command::Deadline => {
            if let Some(deadline) = deadline {
                tokio::time::advance(deadline).await;
            }
            Ok(())
        }
        Command::Suspend | Command::Close => {
            match handle.operate(&operator::ann(), Intervention::Suspend).await {
                // It has ended meanwhile.
                Ok(()) | Err(OperateError::NotOffered { .. }) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        }
    }
}

/// Whether one of these steps has that effect: itself, or by its child, whichever of several that was.
pub(super) fn names(steps: &[String], effect: &str) -> bool {
    let places = effect.split('/').map(|place| place.split('~').next().unwrap_or_default());
    let effect = places.collect::<Vec<_>>().join("/");
    let is_within =
        |step: &String| effect.strip_prefix(step.as_str()).is_some_and(|rest| rest.starts_with('/'));
    steps.iter().any(|step| *step == effect || is_within(step))
}

fn end_of<T>(outcome: &Outcome<T>) -> End {
    match outcome {
        Outcome::Completed(_) => End::Completed,
        Outcome::Compensated(_) => End::Compensated,
        Outcome::Closed(closed) => {
            End::Closed(closed.residue.iter().map(|(step, _)| step.to_string()).collect())
        }
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
