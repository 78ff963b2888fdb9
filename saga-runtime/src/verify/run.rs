//! Runs one scenario from the begin of its saga to the end, through every crash.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Exploration;
use super::audit::{audit, on_the_way};
use super::log::FaultyLog;
use super::network::{Explored, ID, Network};
use super::operator;
use super::scenario::{CallId, Command, Scenario};
use super::world::{Known, Made, Point, World, held};
use crate::coordinator::clock::Clock;
use crate::coordinator::{
    BeginError, Begun, CancelAnswer, Coordinator, Handle, Intervention, OperateError, Outcome, SagaStatus,
    fold,
};
use crate::definition::Zone;
use crate::id::SagaId;
use crate::log::{History, MemoryLog, Record, SagaLog};
use crate::machine::{CallKind, Next, Phase, Place, State};
use crate::saga::{RunsOn, Saga};

/// So long, in virtual time, may a saga take in which nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_hours(24);

/// How often an operator looks at what does not go on by itself.
const OPERATORS_TRIES: u32 = 6;

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
    was_seen: WasSeen,
) -> Result<Report, Broken> {
    let log = MemoryLog::new();
    let now = Arc::new(Mutex::new(Arc::new(Clock::virtual_from(BEGIN_MS))));
    let reader =
        Reader::<S> { log: log.clone(), now: Arc::clone(&now), was_seen, saga: std::marker::PhantomData };
    let world = World::new(scenario, Arc::new(reader));
    let own = Arc::new((exploration.participants)());
    let others = exploration.others.iter().map(|other| other(&world)).collect::<Vec<_>>();
    let mut story = Vec::new();
    let run = Run { exploration, world: &world, own: &own, others: &others, now: &now };
    let ended = run.lives(&log, &mut story);
    let audited = ended.and_then(|end| match end {
        Some(end) => {
            let history = in_virtual_time(async {
                world.settle_down().await;
                history(&log).await
            })?;
            audit::<S>(scenario, &end, &world, &history).map(|()| Some(end))
        }
        None => on_the_way(S::DEFINITION, &world).map(|()| None),
    });
    match audited {
        Ok(end) => Ok(Report { end, points: world.points() }),
        Err(cause) => {
            Err(Broken { cause, calls: world.made().into_iter().map(|made| made.call).collect(), story })
        }
    }
}

/// Reads the log for the world.
struct Reader<S> {
    log: MemoryLog,
    now: Arc<Mutex<Arc<Clock>>>,
    was_seen: WasSeen,
    saga: std::marker::PhantomData<fn() -> S>,
}

impl<S: Saga> Known for Reader<S> {
    fn state(&self) -> Result<String, String> {
        let now_ms = self.now.lock().unwrap_or_else(PoisonError::into_inner).now_ms();
        let mut text = String::new();
        for history in self.log.sagas() {
            let words = if history.saga.as_str() == ID {
                state_of::<S>(&history, now_ms)?
            } else {
                records_of(&history)
            };
            text.push_str(&words);
            text.push('\n');
        }
        Ok(text)
    }

    fn was_seen(&self, key: u64) -> bool {
        (self.was_seen)(key)
    }

    fn is_beyond_its_retries(&self, made: &Made, nth: u32) -> bool {
        let Place { step, .. } = made.place;
        let is_compensatable =
            S::DEFINITION.steps.get(step).is_some_and(|step| step.zone == Zone::Compensatable);
        let limit = S::policy(step, CallKind::Action).retry.limit;
        made.saga == ID
            && is_compensatable
            && limit.is_some_and(|limit| nth > limit.saturating_add(1))
            && self.log.sagas().iter().filter(|history| history.saga.as_str() == ID).any(|history| {
                fold::<S>(history).is_ok_and(|folded| matches!(folded.state, State::Forward(_)))
            })
    }

    fn is_in_doubt(&self, saga: &str, step: &str) -> bool {
        let is_it = |record: &Record| record.step.as_deref() == Some(step) && record.event == "failed";
        let sagas = self.log.sagas();
        sagas.iter().any(|history| history.saga.as_str() == saga && history.records.iter().any(is_it))
    }
}

/// All that the saga's future depends on, but for what its participants hold: where it stands in which direction, what it
/// holds for done and for doubtful, and how much of its patience is spent.
fn state_of<S: Saga>(history: &History, now_ms: u64) -> Result<String, String> {
    let folded = fold::<S>(history).map_err(|error| format!("its log is no history: {error}"))?;
    let mut settled = BTreeMap::new();
    let mut since = HashMap::new();
    for record in &history.records {
        let step = record.step.as_deref().unwrap_or_default();
        since.insert(step, record.at_ms);
        let is_attempt =
            ["opened", "failed", "not sent", "due"].iter().any(|end| record.event.ends_with(end));
        if !is_attempt {
            // Why it failed makes no difference.
            let is_value = matches!(record.event.as_str(), "done" | "else" | "sent" | "completed");
            settled.insert(step, (record.event.as_str(), record.data.as_deref().filter(|_| is_value)));
        }
    }
    let direction = match &folded.state {
        State::Forward(_) => "forward",
        State::Turning(..) => "turning",
        State::Backward(..) => "backward",
        State::Completed => "completed",
        State::Compensated(_) => "compensated",
    };
    let mut text = format!(
        "{direction} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {settled:?}",
        folded.residue,
        folded.mailbox,
        folded.held,
        folded.suspended,
        folded.closing,
        folded.closed,
        folded.output,
        history.status,
    );
    if let Next::Calls(calls) = folded.state.next() {
        // Which of several things happens first hangs on how long each has waited.
        let several = calls.len() > 1;
        for call in calls {
            let attempts = &call.attempts;
            let step = S::DEFINITION.steps.get(call.place.step).map_or("", |step| step.name);
            let name = format!("{step}{}", call.place.items);
            // Beyond its budget it makes no difference how far.
            let limit = S::policy(call.place.step, call.kind).retry.limit;
            let spent = attempts.spent().min(limit.map_or(u32::MAX, |limit| limit.saturating_add(2)));
            let waits = attempts.phase() == Phase::Waiting;
            let failure = folded.failures.get(&call.place).filter(|_| waits).map(|failure| failure.kind);
            let waited = now_ms.saturating_sub(since.get(name.as_str()).copied().unwrap_or_default());
            let due = attempts.due_ms().map(|due_ms| several.then(|| due_ms.saturating_sub(now_ms)));
            // Writing into a text cannot fail.
            let _ = write!(
                text,
                " {name} {:?} {:?} {spent} {} {failure:?} {due:?} {:?}",
                call.kind,
                attempts.phase(),
                attempts.in_doubt(),
                (waits && several).then_some(waited),
            );
        }
    }
    let is_late = folded.deadline_ms.map(|deadline_ms| deadline_ms <= now_ms);
    let _ = write!(text, " {is_late:?}");
    Ok(text)
}

/// What the log of a child says, without its times.
fn records_of(history: &History) -> String {
    let records = history.records.iter().map(|record| {
        let data = record.data.as_deref().filter(|_| !record.event.ends_with("due")).unwrap_or_default();
        format!("{}:{}:{data}", record.step.as_deref().unwrap_or_default(), record.event)
    });
    format!("{} {:?} {}", history.saga, history.status, records.collect::<Vec<_>>().join(" "))
}

struct Run<'r, S: Saga> {
    exploration: &'r Exploration<S>,
    world: &'r World,
    own: &'r Arc<S::Participants>,
    others: &'r [Register],
    now: &'r Mutex<Arc<Clock>>,
}

impl<S: Saga + RunsOn<MemoryLog>> Run<'_, S> {
    /// How the saga ends; `None` where another run went on.
    fn lives(&self, log: &MemoryLog, story: &mut Vec<Vec<String>>) -> Result<Option<End>, String> {
        // The jitter of the back-offs: a scenario is the same each time.
        fastrand::seed(7);
        let mut now_ms = BEGIN_MS;
        loop {
            let faulty = FaultyLog::new(log, self.world, story.len());
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
                Lived::Crashed if self.world.told().accepted && log.sagas().is_empty() => {
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
        let (to, world) = (handle.clone(), self.world.clone());
        let deadline = S::deadline(&(self.exploration.input)());
        // In a life after that in which it was done it waits for ever: whoever did it looks at what became of it.
        let commanded = tokio::spawn(async move {
            let command = world.commanded().await;
            do_command(&to, &world, command, deadline.is_some()).await
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
        for _ in 0..OPERATORS_TRIES {
            let is_endless = tokio::select! {
                outcome = handle.outcome() => {
                    return outcome.map(|outcome| end_of(&outcome)).map_err(|error| error.to_string());
                }
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
                    operator::look(handle, self.world).await?;
                }
                SagaStatus::Suspended(_) => {
                    let close = self.world.command() == Some(Command::Close);
                    let next = if close { Intervention::Close } else { Intervention::Resume };
                    operator::operate(handle, next).await?;
                }
                status => {
                    return Err(format!("it does not end, though nothing goes wrong any more: {status}"));
                }
            }
        }
        Ok(End::Parked(residue))
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
    has_deadline: bool,
) -> Result<(), String> {
    match command {
        Command::Cancel => {
            let answer = handle.cancel("somebody has changed their mind").await;
            let answer = answer.map_err(|error| error.to_string())?;
            world.tell(|told| told.cancel = Some(answer));
            Ok(())
        }
        Command::Deadline => {
            if has_deadline {
                tokio::time::advance(PATIENCE).await;
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
    let mut places = effect.split('/');
    let place = places.next().unwrap_or_default();
    let place = if places.next().is_some() { place.split('~').next().unwrap_or_default() } else { place };
    steps.iter().any(|step| step == place || step == effect)
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
