//! The saga, and what the real machine says of its history.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use saga_runtime::machine::{
    AttemptFact, Call, CallKind, Decision, Event, Fact, FactKind, Next, Refusal, Role, Settled, State,
    decide, settle,
};
use saga_runtime::{Context, Failure, FailureKind, Keyed, Saga, StateOf, StepError, saga};

/// What a participant says who has no reason to give.
#[derive(Debug, thiserror::Error, StepError)]
#[error("no")]
#[outcome(refused)]
pub struct No;

/// Answers by key.
pub struct Flights;

impl Keyed for Flights {}

impl Flights {
    async fn reserve(&self, _: &Context) -> Result<u32, No> {
        std::future::ready(Ok(1)).await
    }

    async fn cancel(&self, _: &Context, _: &u32) -> Result<(), No> {
        std::future::ready(Ok(())).await
    }
}

/// Does not.
pub struct Hotels;

impl Hotels {
    async fn reserve(&self, _: &Context) -> Result<u32, No> {
        std::future::ready(Ok(1)).await
    }

    async fn cancel(&self, _: &Context) -> Result<(), No> {
        std::future::ready(Ok(())).await
    }
}

saga! {
    /// A step at a participant that answers by key, and one at a participant that does not.
    pub saga Trip() -> u32 {
        with flights: Flights, hotels: Hotels;
        retry 1 times every 100ms..200ms;

        step flight: u32 = flights.reserve(cx) compensate flights.cancel(cx, flight);
        step hotel: u32 = hotels.reserve(cx) compensate hotels.cancel(cx);

        return flight + hotel;
    }
}

/// One of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The first.
    Flight,
    /// The second.
    Hotel,
}

/// A fact of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "see `FactKind` and `AttemptFact`")]
pub enum Entry {
    Done(Step),
    Refused { step: Step, definitive: bool },
    Opened(Step),
    Unknown(Step),
    Transient(Step),
    GaveUp(Step),
    Compensated(Step),
    UndoOpened(Step),
    UndoUnknown(Step),
    UndoTransient(Step),
    Cancelled,
    Completed,
}

/// How the saga has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "see `saga_runtime::machine::State`")]
pub enum End {
    Completed,
    Compensated,
}

/// What the machine says of a history.
#[derive(Debug)]
pub struct View {
    /// What is to be called.
    pub call: Option<Call>,
    /// Whether it is to return.
    pub returns: bool,
    /// Whether it can be cancelled.
    pub can_cancel: bool,
    /// How it has ended.
    pub end: Option<End>,
}

/// What the machine says; `None` if it is no history of the saga.
pub fn view(history: &[Entry]) -> Option<Arc<View>> {
    thread_local! {
        static KNOWN: RefCell<HashMap<Vec<Entry>, Option<Arc<View>>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(view) = known.get(history) {
            return view.clone();
        }
        let view = fold(history).map(|state| Arc::new(View::of(&state)));
        known.insert(history.to_vec(), view.clone());
        view
    })
}

fn fold(history: &[Entry]) -> Option<StateOf<Trip>> {
    history.iter().try_fold(Trip::begin(), |state, entry| {
        let event = <Trip as Saga>::Event::from_fact(entry.fact()).ok()?;
        state.apply(event).ok()
    })
}

impl View {
    fn of(state: &StateOf<Trip>) -> Self {
        let next = state.next();
        let end = match state {
            State::Completed => Some(End::Completed),
            State::Compensated(_) => Some(End::Compensated),
            _ => None,
        };
        let (returns, can_cancel) = (next == Next::Return, state.can_cancel());
        let call = match next {
            Next::Calls(mut calls) if calls.len() == 1 => calls.pop(),
            Next::Calls(calls) => unreachable!("a sequence has one call at a time: {calls:?}"),
            Next::Return | Next::Ended => None,
        };
        Self { call, returns, can_cancel, end }
    }

    /// What the driver records before it makes another attempt, or gives up: the pure decision of the runtime.
    pub fn planned(&self) -> Option<Entry> {
        let call = self.call.as_ref()?;
        let of = match call.role {
            Role::Settling => CallKind::Compensation,
            _ => call.kind,
        };
        match decide(call, &Trip::policy(call.place.step, of).retry, 0) {
            Decision::Open { .. } => Some(Entry::attempt(call, &AttemptFact::Opened)),
            Decision::GiveUp => Some(Entry::attempt(call, &AttemptFact::GaveUp(String::new()))),
            Decision::Make | Decision::Wait => None,
        }
    }

    /// The call that is to be made now.
    pub fn open(&self) -> Option<&Call> {
        self.call.as_ref().filter(|call| call.is_in_flight())
    }
}

/// What an attempt of a call has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "see `FailureKind`")]
pub enum Outcome {
    Done,
    Refused,
    Transient,
    Unknown,
}

impl Entry {
    /// What is recorded when an attempt of `call` came to this: as the runtime settles it.
    pub fn settled(call: &Call, outcome: Outcome) -> Self {
        let step = Step::of(call);
        let kind = match outcome {
            Outcome::Done if call.kind == CallKind::Compensation => return Self::Compensated(step),
            Outcome::Done => return Self::Done(step),
            Outcome::Refused => FailureKind::Refused,
            Outcome::Transient => FailureKind::Transient,
            Outcome::Unknown => FailureKind::Unknown,
        };
        let failed = settle::<()>(call, Settled::Failed(Failure::new(kind, String::new())), 0);
        match failed.err().as_deref() {
            Some([FactKind::Refused(Refusal { definitive, .. })]) => {
                Self::Refused { step, definitive: *definitive }
            }
            Some([FactKind::Attempt(fact) | FactKind::Compensation(fact)]) => Self::attempt(call, fact),
            other => unreachable!("{other:?}"),
        }
    }

    fn attempt(call: &Call, fact: &AttemptFact) -> Self {
        let (step, undoes) = (Step::of(call), call.kind == CallKind::Compensation);
        match fact {
            AttemptFact::Opened if undoes => Self::UndoOpened(step),
            AttemptFact::Opened => Self::Opened(step),
            AttemptFact::GaveUp(_) => Self::GaveUp(step),
            AttemptFact::Failed(failure) => match (failure.kind, undoes) {
                (FailureKind::Unknown, true) => Self::UndoUnknown(step),
                (FailureKind::Unknown, false) => Self::Unknown(step),
                (_, true) => Self::UndoTransient(step),
                (_, false) => Self::Transient(step),
            },
            other => unreachable!("{other:?}"),
        }
    }

    fn fact(self) -> Fact {
        let failed = |kind| AttemptFact::Failed(Failure::new(kind, String::new()));
        let gave_up = || AttemptFact::GaveUp(String::new());
        let (step, kind) = match self {
            Self::Done(step) => (Some(step), FactKind::Done("1".into())),
            Self::Refused { step, definitive } => {
                (Some(step), FactKind::Refused(Refusal { message: String::new(), definitive }))
            }
            Self::Opened(step) => (Some(step), FactKind::Attempt(AttemptFact::Opened)),
            Self::Unknown(step) => (Some(step), FactKind::Attempt(failed(FailureKind::Unknown))),
            Self::Transient(step) => (Some(step), FactKind::Attempt(failed(FailureKind::Transient))),
            Self::GaveUp(step) => (Some(step), FactKind::Attempt(gave_up())),
            Self::Compensated(step) => (Some(step), FactKind::Compensated),
            Self::UndoOpened(step) => (Some(step), FactKind::Compensation(AttemptFact::Opened)),
            Self::UndoUnknown(step) => (Some(step), FactKind::Compensation(failed(FailureKind::Unknown))),
            Self::UndoTransient(step) => (Some(step), FactKind::Compensation(failed(FailureKind::Transient))),
            Self::Cancelled => (None, FactKind::Cancelled(String::new())),
            Self::Completed => (None, FactKind::Completed("2".into())),
        };
        Fact { place: step.map(|step| (step as usize).into()), kind }
    }
}

impl Step {
    /// The step of a call.
    pub fn of(call: &Call) -> Self {
        if call.place.step == 0 { Self::Flight } else { Self::Hotel }
    }
}
