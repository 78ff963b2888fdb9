//! Local calls: made by the log, in the transaction of their record.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tracing::{error, info};

use super::{Driver, Stop, step_name};
use crate::coordinator::attempt::panic_message;
use crate::coordinator::journal::{self, Entry};
use crate::coordinator::shared::LOG_BACK_OFF;
use crate::definition::StepKind;
use crate::error::Failure;
use crate::log::{AppendError, AppendLocal, LocalAnswer, LocalCall, Record, Status, Wake};
use crate::machine::{Call, CallKind, Event, Fact, Local, Settled, State, settle};
use crate::saga::{Saga, StateOf};

impl<S: Saga> Driver<S> {
    /// Whether the call is made by the log: the action of a `local` step, or its compensation.
    pub(super) fn is_local(call: &Call) -> bool {
        S::DEFINITION.steps.get(call.place.step).is_some_and(|step| step.kind == StepKind::Local)
            && call.kind != CallKind::Evaluation
    }

    /// Has the log make a local call, and applies what was recorded of it. What was before it is recorded first.
    pub(super) async fn make_local(&mut self, call: &Call, records: &mut Vec<Record>) -> Result<(), Stop> {
        self.append(std::mem::take(records)).await?;
        let recorded = loop {
            let Some(local) = self.local(call, records)? else { return Ok(()) };
            let append = AppendLocal {
                saga: self.id.clone(),
                first_seq: self.next_seq,
                call: self.local_call(call, local),
            };
            match self.shared.log.append_local(append).await {
                Ok(recorded) => break recorded,
                Err(AppendError::LocalFailed { cause, .. }) => {
                    return self.local_failed(call, cause, records);
                }
                Err(AppendError::Unavailable(error)) => {
                    error!(%error, "the saga waits for its log");
                    if !self.shared.back_off(LOG_BACK_OFF).await {
                        return Err(Stop::Shutdown);
                    }
                }
                Err(error) => return Err(Stop::Fault(error.to_string())),
            }
        };
        info!(step = &*step_name::<S>(call), kind = ?call.kind, attempt = call.attempts.made(), "made by the log");
        self.next_seq += recorded.len() as u64;
        self.logged_wake = Wake::Now;
        // It is in the log: what is recorded here again goes nowhere.
        let mut known = Vec::new();
        for record in &recorded {
            let Entry::Fact(fact) = journal::read(S::DEFINITION, record).map_err(Stop::Fault)? else {
                continue;
            };
            if fact.kind.failure().is_some() {
                self.note_failure(call, &fact.kind);
            }
            self.apply_fact(fact, &mut known)?;
        }
        self.appended();
        Ok(())
    }

    /// The call, which waits for its transaction. `None`: it has failed before, which is recorded.
    fn local(&mut self, call: &Call, records: &mut Vec<Record>) -> Result<Option<Local<S::Event>>, Stop> {
        let step = step_name::<S>(call);
        let settled = match AssertUnwindSafe(self.future(call)?).catch_unwind().now_or_never() {
            Some(Ok(Settled::Local(local))) => return Ok(Some(local)),
            Some(Ok(settled)) => settled,
            Some(Err(panic)) => {
                return Err(Stop::Fault(format!(
                    "`{step}` panicked before its call: {}",
                    panic_message(&*panic)
                )));
            }
            None => return Err(Stop::Fault(format!("the local call `{step}` waits"))),
        };
        for fact in facts::<S>(call, settled, self.now()) {
            self.apply_fact(fact, records)?;
        }
        Ok(None)
    }

    /// What the log is to do within its transaction: the call, and what is recorded of it.
    fn local_call(&self, call: &Call, mut local: Local<S::Event>) -> LocalCall {
        let (call, state, now_ms) = (call.clone(), self.state.clone(), self.now());
        let tx = local.tx_name();
        let answer = move |tx: &dyn Any| {
            let settled = local.run(tx)?;
            let keep = matches!(settled, Settled::Done(_));
            let facts = facts::<S>(&call, settled, now_ms);
            let status = status_after::<S>(state.clone(), &facts);
            let records =
                facts.into_iter().map(|fact| journal::to_record(S::DEFINITION, fact, now_ms)).collect();
            Some(LocalAnswer { keep, records, status, wake: Wake::Now })
        };
        LocalCall::of(answer, tx)
    }

    /// Nothing of the call was kept: it panicked, or broke what the database holds it to.
    fn local_failed(&mut self, call: &Call, cause: String, records: &mut Vec<Record>) -> Result<(), Stop> {
        let settled = match call.kind {
            CallKind::Compensation => Settled::Panicked(cause),
            _ => Settled::Failed(Failure::transient(cause)),
        };
        for fact in facts::<S>(call, settled, self.now()) {
            self.note_failure(call, &fact.kind);
            self.apply_fact(fact, records)?;
        }
        Ok(())
    }
}

/// The facts that follow from how a local call ended. What cannot be written down is taken back with the call.
fn facts<S: Saga>(call: &Call, settled: Settled<S::Event>, now_ms: u64) -> Vec<Fact> {
    let kinds = match settle(call, settled, now_ms) {
        Ok(event) => match event.to_fact() {
            Ok(fact) => return vec![fact],
            Err(error) => {
                let failure = Failure::transient(error.to_string());
                settle::<S::Event>(call, Settled::Failed(failure), now_ms).err().unwrap_or_default()
            }
        },
        Err(kinds) => kinds,
    };
    kinds.into_iter().map(|kind| Fact { place: Some(call.place.clone()), kind }).collect()
}

/// The saga's status once these facts hold.
fn status_after<S: Saga>(mut state: Option<StateOf<S>>, facts: &[Fact]) -> Status {
    for fact in facts {
        let event = S::Event::from_fact(fact.clone()).ok();
        state = state.zip(event).and_then(|(state, event)| state.apply(event).ok());
    }
    match state {
        Some(State::Compensated(_)) => Status::Compensated,
        _ => Status::Running,
    }
}
