//! What operators do about a saga that is driven.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use tokio::sync::oneshot;
use tracing::warn;

use super::{Command, Driver, Stop, attempt_fact, is_child, place_name, step_name};
use crate::coordinator::attempt::panic_message;
use crate::coordinator::child::Left;
use crate::coordinator::journal;
use crate::coordinator::operator::{Act, Closed, Intervention, Offer, OperateError, Operator};
use crate::coordinator::status::SagaStatus;
use crate::coordinator::wake::tell;
use crate::machine::{AttemptFact, Call, CallKind, Event, EventError, Fact, FactKind, Phase, Role, State};
use crate::saga::Saga;

/// An intervention that nobody has answered yet.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) by: Operator,
    pub(crate) intervention: Intervention,
    /// Whether it is the parent's, which does with its child what is done with itself.
    pub(crate) by_parent: bool,
    pub(crate) answer: oneshot::Sender<Result<(), OperateError>>,
}

impl<S: Saga> Driver<S> {
    /// Whether it starts nothing any more, though the coordinator goes on.
    pub(super) fn is_still(&self) -> bool {
        let is_closing = |asked: &Asked| matches!(asked.intervention, Intervention::Close);
        self.suspended.is_some() || self.closing.is_some() || self.asked.iter().any(is_closing)
    }

    /// Whether nothing follows any more: what was waited for may have ended it.
    fn has_ended(&self) -> bool {
        self.closed.is_some() || matches!(self.state, Some(State::Completed | State::Compensated(_)))
    }

    /// What an operator can do now.
    pub(super) fn offers(&self, calls: &[Call]) -> Vec<Offer> {
        // What it returned its parent goes on with.
        if self.held.is_some() || self.has_ended() {
            return Vec::new();
        }
        let of_saga = |act| Offer { act, step: None };
        let (parked, stuck) = (self.parked(calls), self.stuck_children(calls));
        let (parked_of_children, _) = self.parked_of_children(calls);
        // One that has just been roused has not heard of its children yet: what it showed last holds.
        let shown =
            matches!(self.progress.borrow().status(), Some(SagaStatus::Parked(_) | SagaStatus::Suspended(_)));
        let needs_help = shown || !parked.is_empty() || !parked_of_children.is_empty() || !stuck.is_empty();
        let mut offers = vec![of_saga(Act::Retry)];
        offers.push(of_saga(if self.suspended.is_some() { Act::Resume } else { Act::Suspend }));
        if self.state.as_ref().is_some_and(State::can_cancel) {
            offers.push(of_saga(Act::Cancel));
        }
        if needs_help || self.suspended.is_some() {
            offers.push(of_saga(Act::Close));
        }
        for call in calls {
            let step = Some(step_name::<S>(call));
            offers.extend(resolutions(call).iter().map(|act| Offer { act: *act, step: step.clone() }));
        }
        offers
    }

    /// Does what an operator wants, or keeps it until the attempt that it is about has ended.
    pub(super) async fn operate(&mut self, asked: Asked) -> Result<(), Stop> {
        if let Some(asked) = self.pass_to_child(asked) {
            self.asked.push(asked);
        }
        self.answer_operators().await
    }

    /// Makes the interventions that wait for nothing any more.
    pub(super) async fn answer_operators(&mut self) -> Result<(), Stop> {
        for asked in std::mem::take(&mut self.asked) {
            let calls = self.calls();
            let wanted = asked.intervention.offer();
            let offered = self.offers(&calls);
            let is_parents = asked.by_parent && wanted.act == Act::Close;
            if self.has_ended() || !(is_parents || offered.contains(&wanted)) {
                let refused = OperateError::NotOffered { id: self.id.clone(), wanted, offered };
                // Who asked may have gone.
                let _ = asked.answer.send(Err(refused));
                continue;
            }
            let is_about = |call: &&Call| match &wanted.step {
                Some(step) => step_name::<S>(call) == *step,
                // Children are closed with their parent.
                None => wanted.act == Act::Close && !is_child::<S>(call),
            };
            if calls.iter().filter(is_about).any(|call| self.in_flight.contains_key(&call.place)) {
                self.asked.push(asked);
                continue;
            }
            let call = calls.iter().find(is_about).filter(|_| wanted.step.is_some());
            let made = self.intervene(&asked.by, asked.intervention, call).await?;
            let _ = asked.answer.send(made);
        }
        Ok(())
    }

    /// Makes an intervention that is legal, and answers when it is durable.
    async fn intervene(
        &mut self,
        by: &Operator,
        intervention: Intervention,
        call: Option<&Call>,
    ) -> Result<Result<(), OperateError>, Stop> {
        let place = call.map(|call| &call.place);
        let opened = |call: &Call| attempt_fact(call, AttemptFact::Opened);
        let act = intervention.offer().act;
        let mut facts = Vec::new();
        match intervention {
            Intervention::Close => return self.close(by.clone()).await.map(Ok),
            Intervention::Suspend => {
                self.suspended = Some(by.clone());
                // Nobody waits behind it meanwhile.
                self.stop_waiting_for_locks();
            }
            Intervention::Resume => {
                self.suspended = None;
                let can_cancel = self.state.as_ref().is_some_and(State::can_cancel);
                if can_cancel && self.deadline_ms.is_some_and(|deadline_ms| self.now() >= deadline_ms) {
                    facts.push(Fact { place: None, kind: FactKind::DeadlinePassed });
                }
            }
            Intervention::Cancel => {
                facts.push(Fact { place: None, kind: FactKind::Cancelled(by.to_string()) });
            }
            Intervention::Retry => facts = self.retry(),
            Intervention::ActionDone { output, .. } => {
                facts.extend(call.map(opened));
                facts.push(Fact { place: place.cloned(), kind: FactKind::Done(output) });
            }
            Intervention::ActionNotDone { .. } => {
                facts.extend(call.map(opened));
                facts.extend(call.map(|call| attempt_fact(call, AttemptFact::Absent)));
            }
            Intervention::CompensationDone { .. } => {
                facts.extend(call.map(opened));
                facts.push(Fact { place: place.cloned(), kind: FactKind::Compensated });
            }
        }
        if let Err(error) = self.rehearse(&facts) {
            return Ok(Err(error));
        }
        warn!(%act, operator = by.name, reason = by.reason, "an operator intervenes");
        let step = place.map(|place| place_name::<S>(place).into_owned());
        let mut records = vec![journal::operated(by, act, step, self.now())];
        for fact in facts {
            self.apply_fact(fact, &mut records)?;
        }
        self.finish_record(records).await?;
        Ok(Ok(()))
    }

    /// Whether the facts are legal and can be read: what an operator writes must not harm the saga.
    fn rehearse(&self, facts: &[Fact]) -> Result<(), OperateError> {
        // Reading the user's data runs the user's code.
        let rehearsed = std::panic::catch_unwind(AssertUnwindSafe(|| self.rehearse_unguarded(facts)));
        rehearsed.unwrap_or_else(|panic| {
            let cause = format!("its data panicked when it was read: {}", panic_message(&*panic));
            Err(OperateError::Illegal { id: self.id.clone(), cause })
        })
    }

    fn rehearse_unguarded(&self, facts: &[Fact]) -> Result<(), OperateError> {
        let illegal = |cause| OperateError::Illegal { id: self.id.clone(), cause };
        let mut state = self.state.clone();
        for fact in facts {
            let event = S::Event::from_fact(fact.clone()).map_err(|error| match error {
                EventError::Data(error) => OperateError::Output(error),
                error @ EventError::Unknown => illegal(error.to_string()),
            })?;
            state = match state.map(|state| state.apply(event)) {
                Some(Err(error)) => return Err(illegal(error.to_string())),
                state => state.and_then(Result::ok),
            };
        }
        Ok(())
    }

    /// What is to be tried at once: whatever waits for a back-off is due, and the facts open what is parked.
    pub(super) fn retry(&mut self) -> Vec<Fact> {
        let now = tokio::time::Instant::now();
        self.due.values_mut().for_each(|(_, due)| *due = now);
        self.retry_children();
        let parked = self.calls().into_iter().filter(|call| call.attempts.phase() == Phase::Parked);
        let opened = |call: Call| {
            self.tried_by_hand.insert(call.place.clone());
            attempt_fact(&call, AttemptFact::Opened)
        };
        parked.map(opened).collect()
    }

    /// Ends the saga where it stands, its children first. That it is to end so is recorded before: whoever takes it up
    /// after a crash goes on with that.
    pub(super) async fn close(&mut self, by: Operator) -> Result<(), Stop> {
        if self.closing.is_none() {
            self.closing = Some(by.clone());
            self.append(vec![journal::operated(&by, Act::Close, None, self.now())]).await?;
        }
        // The children may need it to hear of this.
        self.place = None;
        let mut residue = self.residue.clone();
        let mut of_children = Vec::new();
        for (place, child) in self.unfinished_children() {
            match child.close(&by).await {
                Left::Stopped => return Err(Stop::Shutdown),
                Left::All => residue.keep(place),
                Left::These(left) => {
                    residue.remove(&place);
                    let step = place_name::<S>(&place);
                    let named =
                        left.into_iter().map(|(name, effect)| (Cow::Owned(format!("{step}/{name}")), effect));
                    of_children.extend(named);
                }
                Left::Unknown(cause) => {
                    // It finds its parent closed when it goes on.
                    warn!(cause, "a child is not closed with its parent");
                    residue.doubt(place);
                }
            }
        }
        let residue = residue.effects().map(|(place, effect)| (place_name::<S>(place), effect));
        let residue = residue.chain(of_children).collect();
        let closed = Closed { by, residue };
        warn!(%closed, "closed by hand");
        let record = journal::closed(&closed, self.now());
        self.closed = Some(closed.clone());
        self.append(vec![record]).await?;
        self.publish(SagaStatus::Closed(closed), None);
        Ok(())
    }

    /// Gives the child what is about a step of its own, as `stay/hotel`; whatever is left is for this saga.
    fn pass_to_child(&self, asked: Asked) -> Option<Asked> {
        let step = asked.intervention.offer().step.unwrap_or_default();
        let of_child = step.split_once('/').and_then(|(own, rest)| {
            let children = self.children_in_flight(&self.calls());
            let (_, child) = children.into_iter().find(|(name, _)| *name == own)?;
            Some((child, rest))
        });
        let Some((child, rest)) = of_child else { return Some(asked) };
        let intervention = asked.intervention.of_step(rest);
        tell(&self.shared, &child, Command::Operate(Asked { intervention, ..asked }));
        None
    }
}

/// What an operator can say of a call.
fn resolutions(call: &Call) -> &'static [Act] {
    const IN_DOUBT: &[Act] = &[Act::ActionDone, Act::ActionNotDone];
    let attempts = &call.attempts;
    let has_failed = attempts.phase() == Phase::Parked || attempts.spent() > u32::from(attempts.is_open());
    match call.role {
        Role::Compensation if has_failed => &[Act::CompensationDone],
        Role::Compensation => &[],
        _ if !matches!(call.kind, CallKind::Action | CallKind::Probe) => &[],
        _ if attempts.in_doubt() => IN_DOUBT,
        Role::Retriable if has_failed => &[Act::ActionDone],
        _ => &[],
    }
}
