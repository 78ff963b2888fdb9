//! What the coordinator decides by itself, from the saga's data alone.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::{Driver, Stop, step_name};
use crate::coordinator::attempt::panic_message;
use crate::log::Record;
use crate::machine::{AttemptFact, CallKind, Event, Fact, FactKind, Phase, State, settle};
use crate::saga::Saga;

impl<S: Saga> Driver<S> {
    /// What the coordinator decides by itself: which arm is taken, which items there are, until when to wait; which
    /// signal is received; and what the log does in its own database.
    pub(super) async fn evaluate(&mut self, records: &mut Vec<Record>) -> Result<(), Stop> {
        loop {
            if self.is_still() {
                return Ok(());
            }
            let calls = self.calls();
            let local = calls.iter().find(|call| Self::is_local(call) && call.attempts.is_open());
            if let Some(call) = local {
                self.make_local(call, records).await?;
                continue;
            }
            if !matches!(self.state, Some(State::Forward(_))) {
                return Ok(());
            }
            let received = calls.iter().find_map(|call| {
                let signal = self.mailbox.first(call.place.step).filter(|_| call.kind == CallKind::Wait)?;
                let kind = match call.attempts.phase() {
                    Phase::Open => FactKind::Done(signal.to_owned()),
                    // It was not there in time, and comes after all.
                    Phase::Parked => FactKind::Attempt(AttemptFact::Opened),
                    _ => return None,
                };
                Some(Fact { place: Some(call.place.clone()), kind })
            });
            if let Some(fact) = received {
                self.apply_fact(fact, records)?;
                continue;
            }
            let Some(call) = calls.iter().find(|call| call.is_to_be_evaluated()) else { return Ok(()) };
            let step = step_name::<S>(call);
            // The user's expressions: they may panic. What was before them is recorded all the same.
            let future = self.future(call)?;
            let evaluated = AssertUnwindSafe(future).catch_unwind().now_or_never();
            let settled = match evaluated {
                Some(Ok(settled)) => settled,
                Some(Err(panic)) => {
                    let message = panic_message(&*panic);
                    return Err(Stop::Fault(format!("the expression of `{step}` panicked: {message}")));
                }
                None => return Err(Stop::Fault(format!("the expression of `{step}` waits"))),
            };
            match settle(call, settled, self.now()) {
                Ok(event) => {
                    let fact = event.to_fact().map_err(|error| Stop::Fault(error.to_string()))?;
                    if Self::is_lock(call) {
                        if self.take_locks(fact, event, records).await? {
                            continue;
                        }
                        return Ok(());
                    }
                    self.apply(fact, event, records)?;
                }
                Err(kinds) => {
                    for kind in kinds {
                        if let Some(failure) = kind.failure() {
                            return Err(Stop::Fault(format!("the expression of `{step}` failed: {failure}")));
                        }
                        self.apply_fact(Fact { place: Some(call.place.clone()), kind }, records)?;
                    }
                }
            }
        }
    }
}
