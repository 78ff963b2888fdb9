//! What stands between a saga and its participants: the way there and back, and the promises that participants keep.
//!
//! The user's fakes do the work. What a service keeps to beyond that (one effect and one answer per key, a late action
//! refused after its compensation) is kept here, exactly as far as the declaration relies on it, and so is the ledger that
//! the end is judged by.

use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use super::log::FaultyLog;
use super::scenario::{CallId, Fault, Kind};
use super::world::{Account, Made, World};
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

/// What the client's panics say.
const PANIC: &str = "the client panics, as the scenario says";

/// How long the call takes during which somebody does something.
const A_MOMENT: Duration = Duration::from_millis(10);

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
            // Where there is a value for its failing, nobody relies on whether it took place.
            counts: step.kind == StepKind::Call
                && step.compensation != Compensation::Nothing
                && !step.otherwise,
            cx,
        }
    }
}

impl Passing {
    fn made(&self) -> Made {
        Made {
            call: self.call.clone(),
            saga: self.cx.saga_id().to_string(),
            place: self.place.clone(),
            key: self.cx.key().as_str().to_owned(),
            action_key: self.cx.action_key().as_str().to_owned(),
            keyed: self.keyed,
        }
    }

    /// What was answered before, to whoever asks now.
    fn done<E: Event>(&self, answered: Fact) -> Settled<E> {
        match E::from_fact(Fact { place: Some(self.place.clone()), kind: answered.kind }) {
            Ok(event) => Settled::Done(event),
            Err(error) => {
                Settled::Failed(Failure::unknown(format!("a stored answer cannot be read: {error}")))
            }
        }
    }
}

impl World {
    /// The call is made: goes wrong as the scenario says, or is delivered.
    async fn pass<E: Event + 'static>(
        self,
        mut passing: Passing,
        first: CallFuture<E>,
        second: CallFuture<E>,
    ) -> Settled<E> {
        let (call, _in_flight) = self.call(passing.made());
        passing.call = call;
        if passing.call.kind == Kind::Action {
            // From now on there is something to be barred, even if the call arrives when everything is over.
            let attempt = passing.cx.attempt();
            self.account(&passing, |account| account.attempt = account.attempt.max(attempt));
        }
        if self.command_at(&passing.call).await {
            tokio::time::sleep(A_MOMENT).await;
        }
        self.arrive().await;
        let twice = passing.keyed || passing.call.kind == Kind::Compensation;
        let Some(fault) = self.fault_at(&passing.call, twice).await else {
            return self.deliver(&passing, first).await;
        };
        // One text for all of them: what was lost on its way there and what on its way back nobody can tell.
        let unknown = || Settled::Failed(Failure::unknown("nobody answered"));
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
                unknown()
            }
            Fault::NeverArrived => unknown(),
            Fault::Overtaken | Fault::Late => {
                let (world, call, cx) = (self.clone(), passing.call.clone(), passing.cx.clone());
                self.delay(fault == Fault::Late, call, &cx, async move {
                    world.deliver(&passing, first).await;
                });
                unknown()
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
                    self.account(passing, |account| {
                        if passing.by_key {
                            account.held.clear();
                            account.closed = true;
                        } else {
                            account.held.pop();
                        }
                    });
                }
                settled
            }
        }
    }

    async fn act<E: Event>(&self, passing: &Passing, work: CallFuture<E>) -> Settled<E> {
        let account = self.account(passing, |account| account.clone());
        if account.closed || passing.cx.attempt() < account.barred_below {
            let message = "what was sent before the compensation comes too late".to_owned();
            return Settled::Failed(Failure::refused(message));
        }
        match account.answer.filter(|_| passing.keyed) {
            Some(Ok(fact)) => return passing.done(fact),
            Some(Err(message)) => {
                return Settled::Failed(Failure::refused(message));
            }
            None => {}
        }
        let settled = work.await;
        match &settled {
            Settled::Done(event) => match event.to_fact() {
                Ok(fact) => self.account(passing, |account| {
                    account.effects += 1;
                    account.held.push(fact.clone());
                    account.answer = Some(Ok(fact));
                }),
                Err(error) => self.find_wrong(format!("the output of a fake cannot be written: {error}")),
            },
            Settled::Failed(failure) if failure.kind == FailureKind::Refused => {
                self.account(passing, |account| account.answer = Some(Err(failure.message.clone())));
            }
            _ => {}
        }
        settled
    }

    /// What the action did, or that it did nothing and never will.
    fn probe<E: Event>(&self, passing: &Passing) -> Settled<E> {
        self.account(passing, |account| match account.held.first().cloned() {
            Some(fact) => passing.done(fact),
            None => {
                account.barred_below = account.barred_below.max(passing.cx.attempt() + 1);
                Settled::Absent
            }
        })
    }

    fn account<T>(&self, passing: &Passing, with: impl FnOnce(&mut Account) -> T) -> T {
        self.inner_accounts(|accounts| {
            let account = accounts.entry(passing.cx.action_key().as_str().to_owned()).or_default();
            account.step.clone_from(&passing.call.step);
            account.counts = passing.counts;
            account.keyed = passing.keyed;
            with(account)
        })
    }
}

fn said_no() -> Failure {
    Failure::refused("the participant says no")
}
