//! Sagas that contend for locks, with everything that can go wrong meanwhile. Who was let in when is known by the
//! participant that they call: no log and no coordinator is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saga_runtime::coordinator::BeginError;
use saga_runtime::log::{MemoryLog, SagaLog};
use saga_runtime::{
    Begun, CancelAnswer, Context, Coordinator, Handle, HandleError, Keyed, Outcome, Saga, SagaStatus,
    StepError, saga,
};
use tokio::sync::Notify;

use crate::logs::{LogFault, TestLog};
use crate::world::{PANIC, quiet_panics};

/// How long each call takes: no saga is done before the others have come.
const STAY: Duration = Duration::from_secs(1);

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The answer is no.
    Refused,
    /// The hall is busy: surely no effect.
    Busy,
    /// It has its effect, and no answer comes.
    Lost,
    /// It has its effect, and the client panics.
    Panics,
}

/// What the hall does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, StepError)]
pub enum HallSays {
    /// Never.
    #[error("no")]
    #[outcome(refused)]
    No,
    /// For now.
    #[error("later")]
    #[outcome(transient)]
    Later,
}

/// A call that was made: of which saga, for which step, and whether it undoes.
type Made = (String, &'static str, bool);

#[derive(Default)]
struct Inner {
    calls: Vec<Made>,
    held: BTreeSet<String>,
    troubles: BTreeMap<usize, Trouble>,
    watched: Option<usize>,
}

/// Does each thing once for its key, and writes down who came when. Clones are the same hall.
#[derive(Clone, Default)]
pub struct Hall {
    inner: Arc<Mutex<Inner>>,
    noticed: Arc<Notify>,
}

impl Keyed for Hall {}

impl Hall {
    async fn enter(&self, cx: &Context) -> Result<u32, HallSays> {
        self.call(cx, false).await
    }

    async fn undo(&self, cx: &Context) -> Result<(), HallSays> {
        self.call(cx, true).await.map(drop)
    }

    #[allow(clippy::panic, reason = "it is scripted")]
    async fn call(&self, cx: &Context, undoes: bool) -> Result<u32, HallSays> {
        let trouble = {
            let mut inner = self.inner();
            let number = inner.calls.len();
            inner.calls.push((cx.saga_id().to_string(), cx.step(), undoes));
            if inner.watched == Some(number) {
                self.noticed.notify_waiters();
            }
            inner.troubles.get(&number).copied()
        };
        tokio::time::sleep(STAY).await;
        let key = format!("{}/{}", cx.saga_id(), cx.step());
        match trouble {
            // It does not say no to what it has done for this key.
            Some(Trouble::Refused) if undoes || !self.inner().held.contains(&key) => {
                return Err(HallSays::No);
            }
            Some(Trouble::Busy) => return Err(HallSays::Later),
            None | Some(Trouble::Refused | Trouble::Lost | Trouble::Panics) => {}
        }
        if undoes {
            self.inner().held.remove(&key);
        } else {
            self.inner().held.insert(key);
        }
        match trouble {
            Some(Trouble::Lost) => pending().await,
            Some(Trouble::Panics) => panic!("{PANIC}"),
            _ => Ok(1),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn output(_all: &[u32]) -> u32 {
    7
}

saga! {
    /// Locks one thing, or two together.
    pub saga Visit(a: String, b: String, millis: u64) -> u32 {
        with hall: Hall;
        lock a, b;
        deadline (Duration::from_millis(*millis));
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step enter: u32 = hall.enter(cx) compensate hall.undo(cx);
        pivot paid: u32 = hall.enter(cx);
        step leave: u32 = hall.enter(cx);

        return output(&[enter, paid, leave]);
    }

    /// Locks one thing. Its children lock that and another one, and the other one.
    pub saga Household(a: String, b: String, millis: u64) -> u32 {
        with hall: Hall;
        lock a;
        deadline (Duration::from_millis(*millis));
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step enter: u32 = hall.enter(cx) compensate hall.undo(cx);
        saga room: u32 = Bedroom(a.clone(), b.clone());
        pivot paid: u32 = hall.enter(cx);
        saga letter: u32 = Note(b.clone());

        return output(&[enter, room, paid, letter]);
    }

    /// Is held until its parent ends, and with it what it locks.
    pub saga Bedroom(a: String, b: String) -> u32 {
        with hall: Hall;
        lock b, a;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step bed: u32 = hall.enter(cx) compensate hall.undo(cx);

        return bed;
    }

    /// Ends by itself, after its parent's pivot.
    pub saga Note(b: String) -> u32 {
        with hall: Hall;
        lock b;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step paper: u32 = hall.enter(cx) compensate hall.undo(cx);
        pivot stamp: u32 = hall.enter(cx);

        return output(&[paper, stamp]);
    }
}

/// Which saga contends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A [`Visit`], which locks both at once.
    Visit,
    /// A [`Household`], which locks the first, and its children the second.
    Household,
}

/// A saga that contends, and what it locks.
pub type Contestant = (Kind, &'static str, &'static str);

/// What goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mishap {
    /// What happens to the calls with these numbers, from 0.
    pub troubles: Vec<(usize, Trouble)>,
    /// What happens to the append with this number (from 1) of a life of the process (from 0).
    pub log: Vec<(usize, usize, LogFault)>,
    /// This contestant is cancelled during that call, of whomever it is.
    pub cancel: Option<(usize, usize)>,
    /// This contestant has no more than two and a half seconds.
    pub hurried: Option<usize>,
    /// The coordinator is shut down during this call, and started again.
    pub stop: Option<usize>,
}

/// What became of it.
#[derive(Debug, Clone)]
struct Story {
    calls: Vec<Made>,
    /// The appends of each life, by their records.
    lives: Vec<Vec<String>>,
    /// Whether each has completed, or compensated.
    completed: Vec<bool>,
    parked: bool,
}

/// How a contest is explored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// The troubles that a call can have.
    pub troubles: &'static [Trouble],
    /// How many calls in a row have the same trouble, at most.
    pub repeats: usize,
    /// How often the process crashes where nothing else goes wrong, at most. Otherwise it is once.
    pub crashes: usize,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many scenarios were run.
    pub scenarios: usize,
    /// How many sagas completed.
    pub completed: usize,
    /// How many compensated.
    pub compensated: usize,
    /// In how many scenarios an operator had to look.
    pub parked: usize,
}

/// Tries everything that can go wrong while these contend.
///
/// # Panics
///
/// With the first few scenarios that break the promise.
pub fn explore(name: &str, contestants: &[Contestant], plan: Plan) -> Tally {
    quiet_panics();
    let mut explorer = Explorer { contestants, tally: Tally::default(), broken: Vec::new() };
    if let Some(story) = explorer.run(&Mishap::default()) {
        explorer.crash(&Mishap::default(), &story, 0, plan.crashes);
        for mishap in mishaps(contestants.len(), &story, plan) {
            if let Some(story) = explorer.run(&mishap) {
                explorer.crash(&mishap, &story, 0, 1);
            }
        }
        for append in 1..=story.lives[0].len() {
            for fault in [LogFault::Lost, LogFault::Unconfirmed] {
                explorer.run(&Mishap { log: vec![(0, append, fault)], ..Mishap::default() });
            }
        }
    }
    let Explorer { tally, broken, .. } = explorer;
    println!("{name}: {tally:?}");
    let some = broken.iter().take(3).map(String::as_str).collect::<Vec<_>>();
    let count = broken.len();
    assert!(broken.is_empty(), "{count} of {} scenarios of {name}:\n{}", tally.scenarios, some.join("\n"));
    tally
}

/// One mishap each, of every kind at every call.
fn mishaps(contestants: usize, story: &Story, plan: Plan) -> Vec<Mishap> {
    let mut mishaps = Vec::new();
    for call in 0..story.calls.len() {
        for trouble in plan.troubles {
            for times in 1..=plan.repeats {
                let troubles = (call..call + times).map(|call| (call, *trouble)).collect();
                mishaps.push(Mishap { troubles, ..Mishap::default() });
            }
        }
        for who in 0..contestants {
            mishaps.push(Mishap { cancel: Some((who, call)), ..Mishap::default() });
        }
        mishaps.push(Mishap { stop: Some(call), ..Mishap::default() });
    }
    mishaps.extend((0..contestants).map(|who| Mishap { hurried: Some(who), ..Mishap::default() }));
    mishaps
}

struct Explorer<'a> {
    contestants: &'a [Contestant],
    tally: Tally,
    broken: Vec<String>,
}

impl Explorer<'_> {
    fn run(&mut self, mishap: &Mishap) -> Option<Story> {
        self.tally.scenarios += 1;
        match run(self.contestants, mishap) {
            Ok(story) => {
                let completed = story.completed.iter().filter(|completed| **completed).count();
                self.tally.completed += completed;
                self.tally.compensated += story.completed.len() - completed;
                self.tally.parked += usize::from(story.parked);
                Some(story)
            }
            Err(broken) => {
                self.broken.push(broken);
                None
            }
        }
    }

    /// Crashes before and after each append of the life with this number, and then again in the lives after it.
    fn crash(&mut self, mishap: &Mishap, story: &Story, life: usize, crashes: usize) {
        let Some(appends) = story.lives.get(life).filter(|_| crashes > 0) else { return };
        for append in 1..=appends.len() {
            for fault in [LogFault::CrashBefore, LogFault::CrashAfter] {
                let mut mishap = mishap.clone();
                mishap.log.push((life, append, fault));
                if let Some(story) = self.run(&mishap) {
                    self.crash(&mishap, &story, life + 1, crashes - 1);
                }
            }
        }
    }
}

fn run(contestants: &[Contestant], mishap: &Mishap) -> Result<Story, String> {
    let (log, hall) = (MemoryLog::new(), Hall::default());
    hall.inner().troubles = mishap.troubles.iter().copied().collect();
    let mut lives = Vec::new();
    let result = live_on(contestants, mishap, &log, &hall, &mut lives).and_then(|(completed, parked)| {
        let story = Story { calls: hall.inner().calls.clone(), lives: lives.clone(), completed, parked };
        exclusive(contestants, &story.calls)?;
        if mishap.log.is_empty() && mishap.stop.is_none() {
            in_turn(contestants, &story.calls)?;
        }
        all_or_nothing(contestants, &story.completed, &hall.inner().held)?;
        Ok(story)
    });
    result.map_err(|cause| {
        let calls = hall.inner().calls.clone();
        format!("{cause}\n{contestants:?}\n{mishap:?}\ncalls: {calls:?}\nappends: {lives:#?}")
    })
}

/// Life after life, until all have ended: whether each has completed, and whether an operator had to look.
fn live_on(
    contestants: &[Contestant],
    mishap: &Mishap,
    log: &MemoryLog,
    hall: &Hall,
    lives: &mut Vec<Vec<String>>,
) -> Result<(Vec<bool>, bool), String> {
    // The jitter of the back-offs.
    fastrand::seed(7);
    for life in 0..10 {
        let mut log = TestLog::new(log.clone());
        for (_, append, fault) in mishap.log.iter().filter(|(at, ..)| *at == life) {
            log = log.with(*append, *fault);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let ended = runtime.block_on(async {
            tokio::select! {
                biased;
                () = log.crashed() => Ok(None),
                ended = live(contestants, mishap, log.clone(), hall) => ended,
            }
        });
        // The crash: every task of the process is gone at once.
        drop(runtime);
        lives.push(log.story());
        if let Some(ended) = ended? {
            return Ok(ended);
        }
    }
    Err("it goes on for ever".to_owned())
}

/// One life of the process; `None` if it was shut down before the end.
async fn live(
    contestants: &[Contestant],
    mishap: &Mishap,
    log: TestLog,
    hall: &Hall,
) -> Result<Option<(Vec<bool>, bool)>, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let hall = || hall.clone();
    let coordinator = Coordinator::builder(log.clone())
        .register::<Visit>(VisitParticipants { hall: hall() })
        .register::<Household>(HouseholdParticipants { hall: hall() })
        .register::<Bedroom>(BedroomParticipants { hall: hall() })
        .register::<Note>(NoteParticipants { hall: hall() });
    let coordinator = coordinator.start().await.map_err(|error| text(&error))?;
    hall().inner().watched = mishap.stop.or(mishap.cancel.map(|(_, call)| call));
    let (hall, noticed) = (hall(), Arc::clone(&hall().noticed));
    let noticed = noticed.notified();
    tokio::pin!(noticed);
    noticed.as_mut().enable();

    let mut known = Vec::new();
    for (number, contestant) in contestants.iter().enumerate() {
        known.push(begin(&coordinator, number, *contestant, mishap.hurried == Some(number)).await?);
    }
    let contest = settle(&known);
    tokio::pin!(contest);
    let mut answer = None;
    let ended = tokio::select! {
        biased;
        () = noticed => {
            if mishap.stop.is_some() {
                coordinator.shutdown().await;
                return Ok(None);
            }
            let Some((who, _)) = mishap.cancel else { return Err("nobody asked for this".to_owned()) };
            answer = known[who].cancel().await?.map(|answer| (who, answer));
            contest.await
        }
        ended = &mut contest => ended,
    };
    let (completed, parked) = ended?;
    if let Some((who, answer)) = answer
        && (answer == CancelAnswer::Cancelled) == completed[who]
    {
        return Err(format!("the cancel was answered {answer:?}, and then: completed is {}", completed[who]));
    }
    let quarantined = coordinator.quarantined();
    if !quarantined.is_empty() {
        return Err(format!("{quarantined:?}"));
    }
    // All has ended, and what is not let go now never will be.
    let locks = log.locks(None, 100).await.map_err(|error| text(&error))?.locks;
    if !locks.is_empty() {
        return Err(format!("all have ended, and these locks are left: {locks:?}"));
    }
    drop(hall);
    coordinator.shutdown().await;
    Ok(Some((completed, parked)))
}

/// A contestant that was begun.
enum Known {
    Ended(bool),
    Visit(Handle<Visit>),
    Household(Handle<Household>),
}

/// The id of the contestant with this number.
fn id(number: usize) -> String {
    format!("s-{number}")
}

async fn begin(
    coordinator: &Coordinator,
    number: usize,
    (kind, a, b): Contestant,
    hurried: bool,
) -> Result<Known, String> {
    let millis = if hurried { 2_500 } else { 3_600_000_000 };
    let input = (a.to_owned(), b.to_owned(), millis);
    Ok(match kind {
        Kind::Visit => match begin_one::<Visit>(coordinator, number, &input).await? {
            Begun::Finished(outcome) => Known::Ended(completed(&outcome)),
            Begun::Started(handle) | Begun::Attached(handle) => Known::Visit(handle),
        },
        Kind::Household => match begin_one::<Household>(coordinator, number, &input).await? {
            Begun::Finished(outcome) => Known::Ended(completed(&outcome)),
            Begun::Started(handle) | Begun::Attached(handle) => Known::Household(handle),
        },
    })
}

/// Begins the saga as a careful client does: again, as long as the log cannot confirm it.
async fn begin_one<S: Saga>(
    coordinator: &Coordinator,
    number: usize,
    input: &S::Input,
) -> Result<Begun<S>, String>
where
    S::Input: Clone,
{
    for _ in 0..10 {
        match coordinator.begin::<S>(id(number), input.clone()).await {
            Err(BeginError::Log(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
            answer => return answer.map_err(|error| error.to_string()),
        }
    }
    Err("the log does not come back".to_owned())
}

fn completed(outcome: &Outcome<u32>) -> bool {
    matches!(outcome, Outcome::Completed(_))
}

impl Known {
    async fn outcome(&self) -> Result<bool, String> {
        let outcome = match self {
            Self::Ended(completed) => return Ok(*completed),
            Self::Visit(handle) => handle.outcome().await,
            Self::Household(handle) => handle.outcome().await,
        };
        outcome.map(|outcome| completed(&outcome)).map_err(|error| error.to_string())
    }

    fn status(&self) -> SagaStatus {
        match self {
            Self::Ended(_) => SagaStatus::Completed,
            Self::Visit(handle) => handle.status(),
            Self::Household(handle) => handle.status(),
        }
    }

    async fn cancel(&self) -> Result<Option<CancelAnswer>, String> {
        let answer = match self {
            Self::Ended(_) => return Ok(None),
            Self::Visit(handle) => handle.cancel("no more").await,
            Self::Household(handle) => handle.cancel("no more").await,
        };
        answer.map(Some).map_err(|error: HandleError| error.to_string())
    }

    async fn retry(&self) -> Result<(), String> {
        let answer = match self {
            Self::Ended(_) => Ok(()),
            Self::Visit(handle) => handle.retry().await,
            Self::Household(handle) => handle.retry().await,
        };
        answer.map_err(|error| error.to_string())
    }
}

/// Waits until all have ended. Where that takes an operator, one of them is parked, and the operator tries that again.
async fn settle(known: &[Known]) -> Result<(Vec<bool>, bool), String> {
    let mut parked = false;
    for _ in 0..10 {
        let mut completed = Vec::new();
        let all = async {
            for one in known {
                completed.push(one.outcome().await?);
            }
            Ok::<_, String>(())
        };
        match tokio::time::timeout(Duration::from_hours(1), all).await {
            Ok(all) => return all.map(|()| (completed, parked)),
            Err(_) => {
                let statuses: Vec<_> = known.iter().map(Known::status).collect();
                let stuck = |status: &&SagaStatus| matches!(status, SagaStatus::Parked(_));
                if !statuses.iter().any(|status| stuck(&status)) {
                    let statuses: Vec<_> = statuses.iter().map(ToString::to_string).collect();
                    return Err(format!("nobody is parked, and they do not end: {statuses:?}"));
                }
                parked = true;
                for (one, _) in known.iter().zip(&statuses).filter(|(_, status)| stuck(status)) {
                    one.retry().await?;
                }
            }
        }
    }
    Err("an operator cannot help it".to_owned())
}

/// From when to when a saga had its locks, by the numbers of calls that surely lie within.
struct Stay {
    root: usize,
    saga: String,
    keys: BTreeSet<&'static str>,
    calls: (usize, usize),
}

/// All stays that can be told from the calls.
fn stays(contestants: &[Contestant], calls: &[Made]) -> Vec<Stay> {
    let mut stays = Vec::new();
    for (root, (kind, a, b)) in contestants.iter().enumerate() {
        let is_of_family = |saga: &str| saga == id(root) || saga.starts_with(&format!("{}/", id(root)));
        let all = |wanted: &dyn Fn(&Made) -> bool| {
            let mut numbers =
                calls.iter().enumerate().filter(|(_, call)| wanted(call)).map(|(number, _)| number);
            let first = numbers.next()?;
            Some((first, numbers.last().unwrap_or(first)))
        };
        let Some(family) = all(&|(saga, ..)| is_of_family(saga)) else { continue };
        let keys = if *kind == Kind::Visit { [*a, *b].into() } else { [*a].into() };
        // A saga has its locks as long as any of its family does something for it.
        stays.push(Stay { root, saga: id(root), keys, calls: family });
        let children: BTreeSet<&String> = calls
            .iter()
            .map(|(saga, ..)| saga)
            .filter(|saga| is_of_family(saga) && saga.contains('/'))
            .collect();
        for child in children {
            let Some((first, mut last)) = all(&|(saga, ..)| saga == child) else { continue };
            let is_held = child.ends_with("/room");
            if is_held && !calls[last].2 {
                // It is done, and has its locks until its parent ends.
                last = family.1;
            }
            let keys = if is_held { [*a, *b].into() } else { [*b].into() };
            stays.push(Stay { root, saga: child.clone(), keys, calls: (first, last) });
        }
    }
    stays
}

/// No two of different families have a lock at the same time.
fn exclusive(contestants: &[Contestant], calls: &[Made]) -> Result<(), String> {
    let stays = stays(contestants, calls);
    for (number, one) in stays.iter().enumerate() {
        for other in &stays[number + 1..] {
            let apart = one.calls.1 < other.calls.0 || other.calls.1 < one.calls.0;
            if one.root != other.root && !apart && !one.keys.is_disjoint(&other.keys) {
                let [one, other] =
                    [one, other].map(|stay| format!("{} in calls {:?}", stay.saga, stay.calls));
                return Err(format!("both had the same lock: {one}, and {other}"));
            }
        }
    }
    Ok(())
}

/// Those who lock nothing but the same are let in in the order in which they came.
fn in_turn(contestants: &[Contestant], calls: &[Made]) -> Result<(), String> {
    let (_, key, _) = contestants[0];
    if contestants.iter().any(|contestant| *contestant != (Kind::Visit, key, key)) {
        return Ok(());
    }
    let mut order: Vec<&String> = Vec::new();
    for (saga, ..) in calls {
        if !order.contains(&saga) {
            order.push(saga);
        }
    }
    if order.is_sorted() { Ok(()) } else { Err(format!("they were let in as {order:?}")) }
}

/// What is held is all of those that completed, and nothing of the others.
fn all_or_nothing(
    contestants: &[Contestant],
    completed: &[bool],
    held: &BTreeSet<String>,
) -> Result<(), String> {
    let mut right = BTreeSet::new();
    for (number, (kind, ..)) in contestants.iter().enumerate().filter(|(number, _)| completed[*number]) {
        let steps: &[&str] = match kind {
            Kind::Visit => &["enter", "paid", "leave"],
            Kind::Household => &["enter", "room/bed", "paid", "letter/paper", "letter/stamp"],
        };
        right.extend(steps.iter().map(|step| format!("{}/{step}", id(number))));
    }
    // Each attempt at a letter is a saga of its own, and what the others did is undone.
    let held: BTreeSet<String> = held.iter().map(|key| without_attempt(key)).collect();
    if held == right { Ok(()) } else { Err(format!("completed is {completed:?}, and held {held:?}")) }
}

/// `s-1/letter/paper` of `s-1/letter~2/paper`.
fn without_attempt(key: &str) -> String {
    let steps = key.split('/').map(|step| step.split('~').next().unwrap_or(step));
    steps.collect::<Vec<_>>().join("/")
}
