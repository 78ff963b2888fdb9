//! One attempt of a call, from the state that has it to the facts that it becomes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::Either;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{Instrument, info, info_span, warn};

use super::{Direction, Driver, Stop, is_child, not_sent, policy, step_name};
use crate::__private::CallFuture;
use crate::context::Context;
use crate::coordinator::attempt::{Ended, attempt, panic_message};
use crate::coordinator::child::Child;
use crate::error::{Failure, RETRY_AFTER_MAX};
use crate::machine::{Begins, Call, CallKind, Event, Fact, FactKind, Place, Settled, settle};
use crate::saga::Saga;

impl Direction {
    pub(super) fn of(call: &Call) -> Self {
        if call.kind == CallKind::Compensation { Self::Compensation } else { Self::Action }
    }
}

impl<S: Saga> Driver<S> {
    /// Waits until the saga is among those that run at once. Commands wait meanwhile.
    pub(super) async fn take_place(&mut self) {
        if self.place.is_none() {
            // An error says that the coordinator shuts down: then the attempt will not be sent either.
            self.place = Arc::clone(&self.shared.sagas_at_once).acquire_owned().await.ok();
        }
    }

    pub(super) fn attempt(
        &mut self,
        call: &Call,
    ) -> Result<impl Future<Output = (Call, Ended<S::Event>)> + use<S>, Stop> {
        let step = step_name::<S>(call);
        let number = call.attempts.made();
        let span = info_span!("attempt", step = &*step, kind = ?call.kind, number);
        if is_child::<S>(call) {
            let child = self.child_of_call(call);
            let begins = if call.kind == CallKind::Compensation { None } else { Some(self.begins(call)?) };
            let awaited = child.as_ref().ok().map(|child| child.awaited.subscribe());
            self.in_flight.insert(call.place.clone(), awaited);
            let attempt = child_attempt::<S>(call.clone(), child, begins, self.turning.subscribe());
            return Ok(Either::Left(attempt.instrument(span)));
        }
        let future = self.future(call)?;
        self.in_flight.insert(call.place.clone(), None);
        let timeout = policy::<S>(call).timeout;
        let calls_at_once = Arc::clone(&self.shared.calls_at_once);
        Ok(Either::Right(attempt(call.clone(), future, timeout, calls_at_once).instrument(span)))
    }

    /// The child saga that the call begins: the user's expression says with which input.
    fn begins(&self, call: &Call) -> Result<Begins, Stop> {
        let step = step_name::<S>(call);
        let fault = |what: &str| Err(Stop::Fault(format!("the input of the child saga `{step}` {what}")));
        match AssertUnwindSafe(self.future(call)?).catch_unwind().now_or_never() {
            Some(Ok(Settled::Begins(begins))) => Ok(begins),
            Some(Ok(Settled::Failed(failure))) => fault(&format!("cannot be made: {failure}")),
            Some(Err(panic)) => fault(&format!("panicked: {}", panic_message(&*panic))),
            Some(Ok(_)) | None => fault("is none"),
        }
    }

    pub(super) fn future(&self, call: &Call) -> Result<CallFuture<S::Event>, Stop> {
        let Place { step, items } = call.place.clone();
        let name = S::DEFINITION.steps.get(step).map_or("", |step| step.name);
        let (definition, id, number) = (S::DEFINITION.name, self.id.clone(), call.attempts.made());
        let context = match call.kind {
            CallKind::Compensation => Context::compensation(definition, id, name, number),
            _ => Context::action(definition, id, name, number),
        };
        let context = context.of_items(items).in_epoch(self.shared.log.epoch());
        let state = self.state.as_ref();
        let future =
            state.and_then(|state| S::call(state, &call.place, call.kind, &self.participants, context));
        future.ok_or_else(|| Stop::Fault(format!("`{name}` has no such call")))
    }

    pub(super) async fn ended(&mut self, call: Call, ended: Ended<S::Event>) -> Result<(), Stop> {
        self.tried_by_hand.remove(&call.place);
        let settled = match ended {
            // What became of it stands in the log.
            Ended::NotSent if is_child::<S>(&call) => return Ok(()),
            Ended::NotSent => return self.record(vec![not_sent(&call)]).await,
            Ended::Fault(cause) => return Err(Stop::Fault(cause)),
            Ended::Settled(settled) => settled,
        };
        let step = step_name::<S>(&call);
        match settle(&call, settled, self.now()) {
            Ok(event) => {
                info!(step = &*step, kind = ?call.kind, attempt = call.attempts.made(), "done");
                self.record_event(event).await
            }
            Err(kinds) => {
                for kind in &kinds {
                    self.note_failure(&call, kind);
                }
                let place = Some(call.place);
                self.record(kinds.into_iter().map(|kind| Fact { place: place.clone(), kind }).collect()).await
            }
        }
    }

    pub(super) fn note_failure(&mut self, call: &Call, kind: &FactKind) {
        let Some(failure) = kind.failure() else { return };
        let (step, attempt) = (step_name::<S>(call), call.attempts.made());
        warn!(step = &*step, kind = ?call.kind, attempt, outcome = %failure.kind, error = failure.message, "failed");
        let id = (call.place.clone(), Direction::of(call));
        match failure.retry_after.map(|wish| Instant::now() + wish.min(RETRY_AFTER_MAX)) {
            Some(not_before) => self.not_before.insert(id, not_before),
            None => self.not_before.remove(&id),
        };
    }
}

/// Begins a child saga and waits for it, or turns the one that was begun.
async fn child_attempt<S: Saga>(
    call: Call,
    child: Result<Child, String>,
    begins: Option<Begins>,
    turning: watch::Receiver<bool>,
) -> (Call, Ended<S::Event>) {
    let child = match child {
        Ok(child) => child,
        // It cannot be begun, now or ever.
        Err(message) => {
            let failure = Failure::refused(message);
            return (call, Ended::Settled(Settled::Failed(failure)));
        }
    };
    let id = child.id.clone();
    let ended = match begins {
        Some(Begins { definition, input }) => child.run(definition, input, turning).await,
        None => child.turn().await,
    };
    let settled = match ended {
        Ended::NotSent => return (call, Ended::NotSent),
        Ended::Settled(Settled::Done(output)) => {
            let kind = match call.kind {
                CallKind::Compensation => FactKind::Compensated,
                _ => FactKind::Done(output),
            };
            match S::Event::from_fact(Fact { place: Some(call.place.clone()), kind }) {
                Ok(event) => Settled::Done(event),
                // It is done all the same: asked again, it would answer the same.
                Err(error) => {
                    let cause = format!("the output of the child saga `{id}` cannot be read: {error}");
                    return (call, Ended::Fault(cause));
                }
            }
        }
        Ended::Settled(Settled::Failed(failure)) => Settled::Failed(failure),
        Ended::Settled(Settled::ByHand(message)) => Settled::ByHand(message),
        Ended::Settled(_) | Ended::Fault(_) => {
            return (call, Ended::Fault(format!("the child saga `{id}` ended in no known way")));
        }
    };
    (call, Ended::Settled(settled))
}
