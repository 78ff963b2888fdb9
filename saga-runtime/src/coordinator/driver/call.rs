//! One attempt of a call, from the state that has it to the facts that it becomes.

use std::sync::Arc;

use tracing::{Instrument, info, info_span, warn};

use super::{Driver, Stop, not_sent, policy, step_name};
use crate::__private::CallFuture;
use crate::context::Context;
use crate::coordinator::attempt::{Ended, attempt};
use crate::machine::{Call, CallKind, Fact, FactKind, Place, settle};
use crate::saga::Saga;

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
        let future = self.future(call)?;
        self.in_flight.insert(call.place.clone(), call.kind);
        let span = info_span!("attempt", step = &*step, kind = ?call.kind, number);
        let timeout = policy::<S>(call).timeout;
        let calls_at_once = Arc::clone(&self.shared.calls_at_once);
        Ok(attempt(call.clone(), future, timeout, calls_at_once).instrument(span))
    }

    pub(super) fn future(&self, call: &Call) -> Result<CallFuture<S::Event>, Stop> {
        let Place { step, items } = call.place.clone();
        let name = S::DEFINITION.steps.get(step).map_or("", |step| step.name);
        let (definition, id, number) = (S::DEFINITION.name, self.id.clone(), call.attempts.made());
        let context = match call.kind {
            CallKind::Compensation => Context::compensation(definition, id, name, number),
            _ => Context::action(definition, id, name, number),
        };
        let context = context.of_items(items);
        let state = self.state.as_ref();
        let future =
            state.and_then(|state| S::call(state, &call.place, call.kind, &self.participants, context));
        future.ok_or_else(|| Stop::Fault(format!("`{name}` has no such call")))
    }

    pub(super) async fn ended(&mut self, call: Call, ended: Ended<S::Event>) -> Result<(), Stop> {
        let settled = match ended {
            Ended::NotSent => return self.record(vec![not_sent(&call)]).await,
            Ended::Settled(settled) => settled,
        };
        let step = step_name::<S>(&call);
        match settle(&call, settled, self.now()) {
            Ok(event) => {
                info!(step = &*step, kind = ?call.kind, attempt = call.attempts.made(), "done");
                self.failures.remove(&call.place);
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
        self.failures.insert(call.place.clone(), failure);
    }
}
