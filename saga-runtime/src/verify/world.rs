//! What is outside of the saga's process in one scenario: what the participants keep, what is on its way to them, and what
//! goes wrong where.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::pending;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::dice::Dice;
use super::explorer::Budget;
use super::run::End;
use super::scenario::{CallId, Command, Decision, Fault, Intervened, Kind, LogFault, Scenario};
use crate::context::Context;
use crate::coordinator::CancelAnswer;
use crate::machine::{Fact, Place};

/// So many calls are made at most: what has not ended by then goes on for ever.
const CALLS_MAX: usize = 1_000;

/// The world of one scenario. Clones are the same; it survives the process.
#[derive(Clone)]
pub(crate) struct World {
    inner: Arc<Mutex<Inner>>,
    known: Arc<dyn Known>,
    /// Told what somebody is to do, when the call is made during which they do it.
    commanded: Arc<watch::Sender<Option<Command>>>,
    /// Told when too many calls are made.
    endless: Arc<Notify>,
    /// Told when the run has come to where another one was.
    joined: Arc<watch::Sender<bool>>,
}

/// What the world does not know by itself.
pub(super) trait Known: Send + Sync {
    /// The state of the sagas as the log has it, in words; or why it has none.
    fn state(&self) -> Result<String, String>;

    /// Whether another run went on from here, with at least as much that could still go wrong.
    fn was_seen(&self, key: u64) -> bool;

    /// Whether the log of this saga says that nobody knows what became of an attempt of this step.
    fn is_in_doubt(&self, saga: &str, step: &str) -> bool;

    /// What can happen at this place, and what may go wrong after it.
    fn alternatives(&self, at: &At, budget: Budget) -> Vec<(Vec<Decision>, Budget)>;

    /// Whether this action is made for the `nth` time on the way forward, and its retries allow fewer.
    fn is_beyond_its_retries(&self, made: &Made, nth: u32) -> bool;
}

#[derive(Default)]
struct Inner {
    scenario: Scenario,
    dice: Option<Dice>,
    /// Which decisions of the scenario have been made.
    decided: BTreeSet<usize>,
    /// Where something further could go wrong, from the scenario's last decision on.
    points: Vec<Point>,
    keys: BTreeSet<u64>,
    /// All calls that were made, in their order.
    made: Vec<Made>,
    /// How many calls of each kind were made of each step.
    counts: HashMap<(String, Kind), u32>,
    /// What was called and has not been answered.
    in_flight: Vec<String>,
    /// Appends of which nobody knows yet.
    unconfirmed: BTreeSet<String>,
    accounts: BTreeMap<String, Account>,
    /// Overtaken: these arrive before the next call.
    soon: Vec<Underway>,
    /// These arrive when everything is over.
    late: Vec<Underway>,
    /// Whether somebody does, or has done, what they were to do.
    is_done: bool,
    /// What clients were told.
    told: Told,
    /// How often the saga needed an operator.
    parked: u32,
    /// What the world itself finds wrong.
    wrong: Vec<String>,
}

/// What clients were told, which stays so whatever happens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Told {
    /// The saga is accepted.
    pub(super) accepted: bool,
    /// What became of the wish to cancel it.
    pub(super) cancel: Option<CancelAnswer>,
    /// It has ended so.
    pub(super) end: Option<End>,
}

struct Underway {
    call: CallId,
    action_key: String,
    attempt: u32,
    message: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A place of a run where something can go wrong, or somebody can do something.
#[derive(Debug, Clone)]
pub(super) struct Point {
    /// The same for all runs that cannot be told apart from here on.
    pub(super) key: u64,
    pub(super) at: At,
}

#[derive(Debug, Clone)]
pub(super) enum At {
    /// While this call is in flight.
    Command(CallId),
    /// This call. Whether it may arrive twice.
    Call(CallId, bool),
    /// The append with this number of this life.
    Append(usize, usize),
    /// The saga needs an operator for this time, who can do these.
    Operator(u32, Vec<(Intervened, Option<String>)>),
}

/// A call that was made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) call: CallId,
    /// The saga that made it, from the root.
    pub(super) saga: String,
    /// Index of the step, and the items.
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) action_key: String,
    pub(super) keyed: bool,
}

/// What a participant keeps of one action's key.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    /// The step that it is for, from the root.
    pub(super) step: String,
    /// Whether its effect counts.
    pub(super) counts: bool,
    /// Whether answers go by key.
    pub(super) keyed: bool,
    /// The effects that hold: the outputs.
    pub(super) held: Vec<Fact>,
    /// How often it took effect, undone or not.
    pub(super) effects: u32,
    /// What is answered from now on, if answers go by key.
    pub(super) answer: Option<Result<Fact, String>>,
    /// Compensated by key: a late action is refused.
    pub(super) closed: bool,
    /// The number of the last attempt of the action that was made.
    pub(super) attempt: u32,
    /// Attempts with a lower number than this are refused.
    pub(super) barred_below: u32,
}

/// A call is in flight as long as this is kept.
pub(super) struct InFlight {
    world: World,
    call: String,
}

impl World {
    pub(super) fn new(scenario: &Scenario, dice: Option<Dice>, known: Arc<dyn Known>) -> Self {
        let inner = Inner { scenario: scenario.clone(), dice, ..Inner::default() };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            known,
            commanded: Arc::new(watch::Sender::new(None)),
            endless: Arc::default(),
            joined: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Resolves once, when the call is made during which somebody does this.
    pub(super) async fn commanded(&self) -> Command {
        let mut commanded = self.commanded.subscribe();
        loop {
            let command = *commanded.borrow_and_update();
            if let Some(command) = command.filter(|_| !std::mem::replace(&mut self.inner().is_done, true)) {
                return command;
            }
            // The sender is held by `self`.
            let _ = commanded.changed().await;
        }
    }

    /// What somebody has done, or is doing.
    pub(super) fn command(&self) -> Option<Command> {
        *self.commanded.borrow()
    }

    /// Resolves when it is clear that the calls never end.
    pub(super) async fn goes_on_for_ever(&self) {
        self.endless.notified().await;
    }

    /// Resolves when another run has gone on from here: what follows is known.
    pub(super) async fn joined(&self) {
        // The sender is held by `self`.
        let _ = self.joined.subscribe().wait_for(|joined| *joined).await;
    }

    pub(super) fn told(&self) -> Told {
        self.inner().told.clone()
    }

    /// A client is told something.
    pub(super) fn tell(&self, tell: impl FnOnce(&mut Told)) {
        tell(&mut self.inner().told);
    }

    /// What has gone wrong, or was to.
    pub(super) fn scenario(&self) -> Scenario {
        self.inner().scenario.clone()
    }

    pub(super) fn points(&self) -> Vec<Point> {
        std::mem::take(&mut self.inner().points)
    }

    pub(super) fn made(&self) -> Vec<Made> {
        self.inner().made.clone()
    }

    pub(super) fn accounts(&self) -> Vec<Account> {
        self.inner().accounts.values().cloned().collect()
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        self.inner().wrong.clone()
    }

    pub(super) fn find_wrong(&self, what: String) {
        self.inner().wrong.push(what);
    }

    /// Everything arrives that is still under way.
    pub(super) async fn settle_down(&self) {
        self.arrive().await;
        let late = std::mem::take(&mut self.inner().late);
        for underway in late {
            underway.message.await;
        }
    }

    /// What was overtaken arrives.
    pub(super) async fn arrive(&self) {
        let soon = std::mem::take(&mut self.inner().soon);
        for underway in soon {
            underway.message.await;
        }
    }

    /// Nobody waits any more for what is still under way.
    pub(super) fn end(&self) {
        // They hold the world that holds them.
        let underway = {
            let mut inner = self.inner();
            (std::mem::take(&mut inner.soon), std::mem::take(&mut inner.late))
        };
        drop(underway);
    }

    /// Puts a message on its way that arrives later.
    pub(super) fn delay(
        &self,
        late: bool,
        call: CallId,
        cx: &Context,
        message: impl Future<Output = ()> + Send + 'static,
    ) {
        let (action_key, attempt) = (cx.action_key().as_str().to_owned(), cx.attempt());
        let underway = Underway { call, action_key, attempt, message: Box::pin(message) };
        let mut inner = self.inner();
        if late {
            inner.late.push(underway);
        } else {
            inner.soon.push(underway);
        }
    }

    /// The process is gone, and with it what it waited for.
    pub(super) fn process_ends(&self) {
        self.inner().unconfirmed.clear();
    }

    /// A call is made; from now on it has a number.
    pub(super) fn call(&self, mut made: Made) -> (CallId, InFlight) {
        let mut inner = self.inner();
        if inner.begins_too_late(&made, &*self.known) {
            let wrong = format!("`{}` was begun after the first compensation", made.call.step);
            inner.wrong.push(wrong);
        }
        let count = inner.counts.entry((made.call.step.clone(), made.call.kind)).or_default();
        *count += 1;
        made.call.nth = *count;
        if made.call.kind == Kind::Action && self.known.is_beyond_its_retries(&made, made.call.nth) {
            let wrong = format!("`{}` was called more often than its retries allow", made.call.step);
            inner.wrong.push(wrong);
        }
        let call = made.call.clone();
        let in_flight = format!("{} {}", call.step, call.kind);
        inner.in_flight.push(in_flight.clone());
        inner.made.push(made);
        if inner.made.len() == CALLS_MAX {
            self.endless.notify_one();
        }
        (call, InFlight { world: self.clone(), call: in_flight })
    }

    /// What somebody does while this call is in flight.
    pub(super) async fn command_at(&self, call: &CallId) -> bool {
        let at = At::Command(call.clone());
        let command = self.decide(at, "", |decision| match decision {
            Decision::Command(at, command) if at == call => Some(*command),
            _ => None,
        });
        let command = command.await;
        if let Some(command) = command {
            self.commanded.send_replace(Some(command));
        }
        command.is_some()
    }

    /// What goes wrong with this call.
    pub(super) async fn fault_at(&self, call: &CallId, twice: bool) -> Option<Fault> {
        let at = At::Call(call.clone(), twice);
        let fault = self.decide(at, "", |decision| match decision {
            Decision::Call(at, fault) if at == call => Some(*fault),
            _ => None,
        });
        fault.await
    }

    /// What goes wrong with this append of these records.
    pub(super) async fn log_fault_at(&self, life: usize, nth: usize, records: &str) -> Option<LogFault> {
        let fault = self.decide(At::Append(life, nth), records, |decision| match decision {
            Decision::Append(in_life, number, fault) if (*in_life, *number) == (life, nth) => Some(*fault),
            _ => None,
        });
        fault.await
    }

    /// What an operator does who can do these.
    pub(super) async fn operator_does(
        &self,
        offers: Vec<(Intervened, Option<String>)>,
    ) -> Option<(Intervened, Option<String>)> {
        let nth = {
            let mut inner = self.inner();
            inner.parked += 1;
            inner.parked
        };
        let does = self.decide(At::Operator(nth, offers), "", |decision| match decision {
            Decision::Operator(at, intervened, step) if *at == nth => Some((*intervened, step.clone())),
            _ => None,
        });
        does.await
    }

    /// Remembers whether the answer to an append is still open.
    pub(super) fn confirm(&self, records: &str, known: bool) {
        let mut inner = self.inner();
        if known {
            inner.unconfirmed.remove(records);
        } else {
            inner.unconfirmed.insert(records.to_owned());
        }
    }

    /// What the scenario says about this place. Behind its last decision it says nothing any more: then the place is noted
    /// and, where another run went on from here, this one ends.
    async fn decide<T>(&self, at: At, about: &str, find: impl Fn(&Decision) -> Option<T>) -> Option<T> {
        // The back-offs to come depend on what has happened, not on how it came about.
        fastrand::seed(7);
        {
            let mut inner = self.inner();
            inner.throw_dice(&at, &*self.known, &find);
            let decisions = inner.scenario.decisions.iter().enumerate();
            let mut open = decisions.filter(|(index, _)| !inner.decided.contains(index));
            if let Some((index, found)) = open.find_map(|(index, decision)| Some((index, find(decision)?))) {
                inner.decided.insert(index);
                return Some(found);
            }
            if inner.dice.is_some() || inner.decided.len() < inner.scenario.decisions.len() {
                return None;
            }
        }
        let key = match self.known.state() {
            Ok(state) => self.inner().key(&state, &at, about),
            Err(cause) => {
                self.find_wrong(cause);
                return None;
            }
        };
        let is_new = {
            let mut inner = self.inner();
            inner.points.push(Point { key, at });
            inner.keys.insert(key)
        };
        if is_new && self.known.was_seen(key) {
            self.joined.send_replace(true);
            pending::<()>().await;
        }
        None
    }

    pub(super) fn inner_accounts<T>(&self, with: impl FnOnce(&mut BTreeMap<String, Account>) -> T) -> T {
        with(&mut self.inner().accounts)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Decides what happens at this place, where it is not decided yet.
    fn throw_dice<T>(&mut self, at: &At, known: &dyn Known, find: &impl Fn(&Decision) -> Option<T>) {
        let Some(dice) = &mut self.dice else { return };
        let decisions = self.scenario.decisions.iter().enumerate();
        let mut open = decisions.filter(|(index, _)| !self.decided.contains(index));
        if !open.any(|(_, decision)| find(decision).is_some()) {
            let thrown = dice.throw(|budget| known.alternatives(at, budget));
            self.scenario.decisions.extend(thrown);
        }
    }

    /// Whether the saga compensates already, and this was never called before. What was open when the process ended may
    /// never have been called, and is called to find out about its doubt.
    fn begins_too_late(&self, made: &Made, known: &dyn Known) -> bool {
        let of_saga = |other: &&Made| other.saga == made.saga;
        let compensates = |other: &Made| other.call.kind == Kind::Compensation;
        let step = made.call.step.rsplit('/').next().unwrap_or_default();
        made.call.kind != Kind::Compensation
            && self.made.iter().filter(of_saga).any(compensates)
            && !self.made.iter().any(|other| other.action_key == made.action_key)
            && !known.is_in_doubt(&made.saga, step)
    }

    /// The same for all runs that cannot be told apart from here on: by the log, by what participants hold, by what is on
    /// its way; nor by what an audit looks at.
    fn key(&self, state: &str, at: &At, about: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        about.hash(&mut hasher);
        for (key, account) in &self.accounts {
            // Without a key the answers before make no difference, nor does how often it took effect and was undone.
            let answer = account.answer.as_ref().filter(|_| account.keyed);
            (key, &account.held, answer, account.closed).hash(&mut hasher);
        }
        self.told.hash(&mut hasher);
        self.unconfirmed.hash(&mut hasher);
        let mut in_flight = self.in_flight.clone();
        in_flight.sort_unstable();
        in_flight.hash(&mut hasher);
        for underway in [&self.soon, &self.late] {
            let mut before = BTreeSet::new();
            for Underway { call, action_key, attempt, .. } in underway {
                let account = self.accounts.get(action_key);
                // Attempts to come are not barred: their numbers are higher.
                let barred = account.is_some_and(|account| *attempt < account.barred_below);
                // What has an effect once has it however often it arrives.
                let once = call.kind == Kind::Compensation || account.is_some_and(|account| account.keyed);
                let is_further = !before.insert((action_key, call.kind, barred));
                let is_idle = barred || is_further && once;
                if !is_idle {
                    (action_key, call.kind).hash(&mut hasher);
                }
            }
            "then".hash(&mut hasher);
        }
        match at {
            At::Command(call) => (0, &call.step, call.kind).hash(&mut hasher),
            At::Call(call, twice) => (1, &call.step, call.kind, twice).hash(&mut hasher),
            At::Append(..) => 2.hash(&mut hasher),
            At::Operator(_, offers) => (3, offers).hash(&mut hasher),
        }
        let (back, forth) =
            self.made.iter().partition::<Vec<_>, _>(|made| made.call.kind == Kind::Compensation);
        let forth = forth.into_iter().map(|made| (&made.call.step, &made.key, &made.action_key));
        forth.collect::<BTreeSet<_>>().hash(&mut hasher);
        let mut seen = BTreeSet::new();
        for made in back {
            if seen.insert((&made.call.step, &made.key)) {
                (&made.call.step, &made.key).hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let in_flight = &mut self.world.inner().in_flight;
        if let Some(place) = in_flight.iter().position(|call| *call == self.call) {
            in_flight.swap_remove(place);
        }
    }
}

/// The steps whose effects hold, from the root; one that holds twice stands there twice.
pub(super) fn held(world: &World) -> Vec<String> {
    let accounts = world.accounts();
    let held = accounts.iter().filter(|account| account.counts);
    let held = held.flat_map(|account| account.held.iter().map(|_| account.step.clone()));
    let mut held = held.collect::<Vec<_>>();
    held.sort_unstable();
    held
}

/// The keys with which each step was called, for its action and for its compensation.
pub(super) fn keys(made: &[Made]) -> BTreeMap<(String, bool), BTreeSet<String>> {
    let mut keys = BTreeMap::<_, BTreeSet<_>>::new();
    for made in made {
        let direction = made.call.kind == Kind::Compensation;
        keys.entry((made.call.step.clone(), direction)).or_default().insert(made.key.clone());
    }
    keys
}
