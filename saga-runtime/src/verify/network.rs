//! What stands between a saga and its participants: the way there and back, and the promises that participants keep.
//!
//! The user's fakes do the work. What a service keeps to beyond that (one effect and one answer per key, a late action
//! refused after its compensation) is kept here, exactly as far as the declaration relies on it, and so is the ledger that
//! the end is judged by.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::log::FaultyLog;
use super::scenario::{CallId, Fault, Kind, Scenario};
use crate::__private::CallFuture;
use crate::context::Context;
use crate::data::DataError;
use crate::definition::{Compensation, Definition, StepDefinition, StepKind};
use crate::error::{Failure, FailureKind};
use crate::log::MemoryLog;
use crate::machine::{CallKind, Event, Fact, Forward, Next, Place, Policy, Settled, Settlement, State, Time};
use crate::saga::{RunsOn, Saga};

/// The id of the saga that is explored.
pub(super) const ID: &str = "explored";

/// So many calls are made at most: what has not ended by then goes on for ever.
const CALLS_MAX: usize = 1_000;

/// What the client's panics say.
const PANIC: &str = "the client panics, as the scenario says";

/// How long the call takes during which somebody cancels.
const A_MOMENT: Duration = Duration::from_millis(10);

/// The participants' side of one scenario. Clones are the same; it survives the process.
#[derive(Clone, Default)]
pub(crate) struct World {
    inner: Arc<Mutex<Inner>>,
    /// Told when the watched call is made.
    noticed: Arc<Notify>,
    /// Told when too many calls are made.
    endless: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    scenario: Scenario,
    /// All calls that were made, in their order.
    made: Vec<Made>,
    accounts: BTreeMap<String, Account>,
    /// Overtaken: these arrive before the next call.
    soon: Vec<Message>,
    /// These arrive when everything is over.
    late: Vec<Message>,
    /// What the world itself finds wrong.
    wrong: Vec<String>,
}

type Message = Pin<Box<dyn Future<Output = ()> + Send>>;

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
    /// The effects that hold: the outputs.
    pub(super) held: Vec<Fact>,
    /// How often it took effect, undone or not.
    pub(super) effects: u32,
    /// What is answered from now on, where answers go by key.
    answer: Option<Result<Fact, String>>,
    /// Compensated by key: a late action is refused.
    closed: bool,
    /// Attempts with a lower number than this are refused.
    barred_below: u32,
}

/// The participants of an explored saga: the user's own, and the way to them.
pub(crate) struct Network<S: Saga> {
    own: Arc<S::Participants>,
    world: World,
}

/// A saga as it is declared, whose calls go through a [`Network`].
pub(crate) struct Explored<S>(PhantomData<fn() -> S>);

/// One call on its way.
struct Passing {
    call: CallId,
    place: Place,
    keyed: bool,
    by_key: bool,
    counts: bool,
    cx: Context,
}

impl<S: Saga> Network<S> {
    pub(super) fn new(own: &Arc<S::Participants>, world: &World) -> Self {
        Self { own: Arc::clone(own), world: world.clone() }
    }
}

impl<S: Saga + RunsOn<MemoryLog>> RunsOn<FaultyLog> for Explored<S> {}

impl<S: Saga> Saga for Explored<S> {
    type Input = S::Input;
    type Inputs = S::Inputs;
    type Output = S::Output;
    type Event = S::Event;
    type Forward = S::Forward;
    type Participants = Network<S>;
    type Signal = S::Signal;
    type Itself = S::Itself;

    const INPUTS: Self::Inputs = S::INPUTS;
    const DEFINITION: &'static Definition = S::DEFINITION;

    fn begin(input: Self::Input) -> State<Self::Forward> {
        S::begin(input)
    }

    fn encode_input(input: &Self::Input) -> Result<String, DataError> {
        S::encode_input(input)
    }

    fn decode_input(json: &str) -> Result<Self::Input, DataError> {
        S::decode_input(json)
    }

    fn children() -> Vec<&'static Definition> {
        S::children()
    }

    fn policy(step: usize, kind: CallKind) -> Policy {
        S::policy(step, kind)
    }

    fn deadline(input: &Self::Input) -> Option<Time> {
        S::deadline(input)
    }

    fn call(
        state: &State<Self::Forward>,
        place: &Place,
        kind: CallKind,
        participants: &Arc<Self::Participants>,
        cx: Context,
    ) -> Option<CallFuture<Self::Event>> {
        let step = S::DEFINITION.steps.get(place.step)?;
        let own = |cx| S::call(state, place, kind, &participants.own, cx);
        if kind.is_passive() || step.kind == StepKind::Saga {
            return own(cx);
        }
        let (first, second) = (own(cx.clone())?, own(cx.clone())?);
        let settlement = settlement(state, place)?;
        let passing = Passing::new(step, place, kind, settlement, cx);
        let world = participants.world.clone();
        Some(Box::pin(async move { world.pass(passing, first, second).await }))
    }

    fn complete(state: State<Self::Forward>) -> Option<Result<Self::Event, DataError>> {
        S::complete(state)
    }
}

/// What the declaration, with the types of its participants, says about how the step's doubt is settled.
fn settlement<F: Forward>(state: &State<F>, place: &Place) -> Option<Settlement> {
    let Next::Calls(calls) = state.next() else { return None };
    calls.into_iter().find(|call| call.place == *place).map(|call| call.settlement)
}

impl Passing {
    fn new(
        step: &StepDefinition,
        place: &Place,
        kind: CallKind,
        settlement: Settlement,
        cx: Context,
    ) -> Self {
        let path = cx.saga_id().as_str().strip_prefix(ID).unwrap_or_default().trim_start_matches('/');
        let separator = if path.is_empty() { "" } else { "/" };
        let name = format!("{path}{separator}{}{}", step.name, place.items);
        let kind = match kind {
            CallKind::Compensation => Kind::Compensation,
            CallKind::Probe => Kind::Probe,
            _ if step.kind == StepKind::Read => Kind::Read,
            _ => Kind::Action,
        };
        Self {
            call: CallId { step: name, kind, nth: 0 },
            place: place.clone(),
            // Whoever compensates answers by key: that is what a compensation is.
            keyed: settlement.keyed,
            by_key: step.compensation == Compensation::ByKey,
            counts: step.kind == StepKind::Call && step.compensation != Compensation::Nothing,
            cx,
        }
    }
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let world = Self::default();
        world.inner().scenario = scenario.clone();
        world
    }

    /// Resolves when the call is made during which somebody cancels.
    pub(super) fn noticed(&self) -> impl Future<Output = ()> + Send + 'static {
        let noticed = Arc::clone(&self.noticed);
        async move { noticed.notified().await }
    }

    /// Resolves when it is clear that the calls never end.
    pub(super) async fn goes_on_for_ever(&self) {
        self.endless.notified().await;
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

    /// Everything arrives that is still under way.
    pub(super) async fn settle_down(&self) {
        let under_way = {
            let mut inner = self.inner();
            let soon = std::mem::take(&mut inner.soon);
            soon.into_iter().chain(std::mem::take(&mut inner.late)).collect::<Vec<_>>()
        };
        for message in under_way {
            message.await;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call is made: what is to go wrong with it, and whether somebody cancels meanwhile.
    fn note(&self, passing: &Passing) -> (Option<Fault>, bool) {
        let mut inner = self.inner();
        let of_kind =
            |made: &&Made| (&made.call.step, made.call.kind) == (&passing.call.step, passing.call.kind);
        let before = inner.made.iter().filter(of_kind).count();
        let call = CallId { nth: u32::try_from(before).unwrap_or(u32::MAX) + 1, ..passing.call.clone() };
        let fault = inner.scenario.calls.iter().find(|(at, _)| *at == call).map(|(_, fault)| *fault);
        let watched = inner.scenario.cancel.as_ref() == Some(&call);
        if inner.made.len() == CALLS_MAX {
            self.endless.notify_one();
        }
        inner.made.push(Made {
            call,
            saga: passing.cx.saga_id().to_string(),
            place: passing.place.clone(),
            key: passing.cx.key().as_str().to_owned(),
            action_key: passing.cx.action_key().as_str().to_owned(),
            keyed: passing.keyed,
        });
        (fault, watched)
    }

    async fn pass<E: Event + 'static>(
        self,
        passing: Passing,
        first: CallFuture<E>,
        second: CallFuture<E>,
    ) -> Settled<E> {
        let (fault, watched) = self.note(&passing);
        if watched {
            self.noticed.notify_one();
            tokio::time::sleep(A_MOMENT).await;
        }
        let overtaken = std::mem::take(&mut self.inner().soon);
        for message in overtaken {
            message.await;
        }
        let Some(fault) = fault else { return self.deliver(&passing, first).await };
        let unknown = |cause: &str| Settled::Failed(Failure::unknown(cause));
        match fault {
            Fault::Refused if passing.call.kind == Kind::Action && passing.keyed => {
                // It stays by its no.
                self.deliver(&passing, Box::pin(async { Settled::Failed(said_no()) })).await
            }
            Fault::Refused => Settled::Failed(said_no()),
            Fault::Transient => {
                let message = "the participant has no time".to_owned();
                Settled::Failed(Failure::transient(message))
            }
            Fault::ReplyLost => {
                self.deliver(&passing, first).await;
                unknown("the reply was lost")
            }
            Fault::NeverArrived => unknown("nobody answered"),
            Fault::Overtaken | Fault::Late => {
                let world = self.clone();
                let message: Message = Box::pin(async move {
                    world.deliver(&passing, first).await;
                });
                let mut inner = self.inner();
                if fault == Fault::Late {
                    inner.late.push(message);
                } else {
                    inner.soon.push(message);
                }
                unknown("nobody answered")
            }
            Fault::Twice => {
                self.deliver(&passing, first).await;
                self.deliver(&passing, second).await
            }
            Fault::PanicBefore => resume_unwind(Box::new(PANIC)),
            Fault::PanicAfter => {
                self.deliver(&passing, first).await;
                resume_unwind(Box::new(PANIC))
            }
        }
    }

    /// The call arrives: the participant keeps its promises, and the user's fake does the work.
    async fn deliver<E: Event>(&self, passing: &Passing, work: CallFuture<E>) -> Settled<E> {
        match passing.call.kind {
            Kind::Read => work.await,
            Kind::Action => self.act(passing, work).await,
            Kind::Probe => self.probe(passing),
            Kind::Compensation => {
                let settled = work.await;
                if matches!(settled, Settled::Done(_)) {
                    let mut inner = self.inner();
                    let account = inner.account(passing);
                    if passing.by_key {
                        account.held.clear();
                        account.closed = true;
                    } else {
                        account.held.pop();
                    }
                }
                settled
            }
        }
    }

    async fn act<E: Event>(&self, passing: &Passing, work: CallFuture<E>) -> Settled<E> {
        {
            let mut inner = self.inner();
            let account = inner.account(passing);
            if account.closed || passing.cx.attempt() < account.barred_below {
                let message = "what was sent before the compensation comes too late".to_owned();
                return Settled::Failed(Failure::refused(message));
            }
            match account.answer.clone().filter(|_| passing.keyed) {
                Some(Ok(fact)) => return done(fact),
                Some(Err(message)) => {
                    return Settled::Failed(Failure::refused(message));
                }
                None => {}
            }
        }
        let settled = work.await;
        let mut inner = self.inner();
        match &settled {
            Settled::Done(event) => match event.to_fact() {
                Ok(fact) => {
                    let account = inner.account(passing);
                    account.effects += 1;
                    account.held.push(fact.clone());
                    account.answer = Some(Ok(fact));
                }
                Err(error) => inner.wrong.push(format!("the output of a fake cannot be written: {error}")),
            },
            Settled::Failed(failure) if failure.kind == FailureKind::Refused => {
                inner.account(passing).answer = Some(Err(failure.message.clone()));
            }
            _ => {}
        }
        settled
    }

    /// What the action did, or that it did nothing and never will.
    fn probe<E: Event>(&self, passing: &Passing) -> Settled<E> {
        let mut inner = self.inner();
        let account = inner.account(passing);
        if let Some(fact) = account.held.first().cloned() {
            return done(fact);
        }
        account.barred_below = account.barred_below.max(passing.cx.attempt() + 1);
        Settled::Absent
    }
}

impl Inner {
    fn account(&mut self, passing: &Passing) -> &mut Account {
        let account = self.accounts.entry(passing.cx.action_key().as_str().to_owned()).or_default();
        account.step.clone_from(&passing.call.step);
        account.counts = passing.counts;
        account
    }
}

fn said_no() -> Failure {
    Failure::refused("the participant says no")
}

fn done<E: Event>(fact: Fact) -> Settled<E> {
    match E::from_fact(fact) {
        Ok(event) => Settled::Done(event),
        Err(error) => Settled::Failed(Failure::unknown(format!("a stored answer cannot be read: {error}"))),
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

/// The steps that called somebody, from the root.
pub(super) fn keys(made: &[Made]) -> BTreeMap<(String, bool), BTreeSet<String>> {
    let mut keys = BTreeMap::<_, BTreeSet<_>>::new();
    for made in made {
        let direction = made.call.kind == Kind::Compensation;
        keys.entry((made.call.step.clone(), direction)).or_default().insert(made.key.clone());
    }
    keys
}
