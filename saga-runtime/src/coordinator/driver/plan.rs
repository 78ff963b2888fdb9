//! What is due, and until when is waited: what follows from the state and the clock alone.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::lock::Blocked;
use super::{Direction, Driver, attempt_fact, is_child, not_sent, place_name, retry, step_name, taint};
use crate::coordinator::child::Awaited;
use crate::coordinator::horizon::past_horizon;
use crate::coordinator::shared::Entry;
use crate::coordinator::status::{Parked, ParkedCall, Progress, SagaStatus};
use crate::definition::StepKind;
use crate::error::Failure;
use crate::log::Wake;
use crate::machine::{
    AttemptFact, Call, CallKind, Decision, Effect, Fact, FactKind, Refusal, State, decide, is_parked,
};
use crate::saga::Saga;

/// A saga that waits as long as this is let go: below, reading it again costs more than its task.
const LONG_MS: u64 = 2_000;

impl<S: Saga> Driver<S> {
    /// The facts that follow from the state and the clock alone, without waiting.
    pub(super) fn plan(&mut self, calls: &[Call]) -> Vec<Fact> {
        let mut facts = Vec::new();
        self.turn.is_awaited_no_more();
        if self.is_still() {
            return facts;
        }
        let now = Instant::now();
        if self.deadline_ms.is_some_and(|deadline_ms| self.now() >= deadline_ms)
            && !self.shared.is_shutting_down()
            && self.state.as_ref().is_some_and(State::can_cancel)
        {
            return vec![Fact { place: None, kind: FactKind::DeadlinePassed }];
        }
        // What was decided for a call holds as long as it stands as it did: not once its saga has turned.
        self.due.retain(|_, (decided, _)| calls.contains(decided));
        let back_off_until = self.back_off_until_ms.take().map(|ms| self.shared.clock.instant(ms));
        for call in calls {
            if self.shared.is_shutting_down() {
                break;
            }
            if let Some(fact) = self.time_is_up(call) {
                facts.push(fact);
            }
            match decide(call, &retry::<S>(call), fastrand::u32(..)) {
                // The record before it has opened its first attempt.
                Decision::Make if call.attempts.made() == 1 && call.kind == CallKind::Compensation => {
                    if let Some(past) = self.past_horizon(call) {
                        facts.extend([not_sent(call), past]);
                    }
                }
                Decision::Make | Decision::Wait => {}
                Decision::GiveUp => {
                    let message = self.failures.of(&call.place).map_or("", |failure| &failure.message);
                    let attempts = call.attempts.made();
                    let message = format!("{message} (after {attempts} attempts)");
                    facts.push(attempt_fact(call, AttemptFact::GaveUp(message)));
                }
                Decision::Open { after } => {
                    // It may have waited in a life before this one.
                    let due = back_off_until.map_or(now + after, |until| until.min(now + after));
                    let due = self.not_before(call).map_or(due, |not_before| not_before.max(due));
                    let due = self.due.entry(call.place.clone()).or_insert_with(|| (call.clone(), due)).1;
                    if due > now {
                        continue;
                    }
                    if let Some(past) = self.past_horizon(call) {
                        self.due.remove(&call.place);
                        facts.push(past);
                    } else if self.may_have_its_turn(&call.place) {
                        self.due.remove(&call.place);
                        facts.push(attempt_fact(call, AttemptFact::Opened));
                    }
                }
            }
        }
        // A fact may turn the saga, and then others are no longer legal: one at a time.
        let may_turn = |fact: &Fact| {
            matches!(fact.kind, FactKind::Attempt(AttemptFact::GaveUp(_)) | FactKind::Refused(_))
        };
        if facts.iter().any(may_turn) {
            facts.retain(may_turn);
            facts.truncate(1);
        }
        facts
    }

    /// What becomes of a call that is not in flight, if the participants may have forgotten its key.
    fn past_horizon(&self, call: &Call) -> Option<Fact> {
        let horizon = self.shared.horizon?;
        let age_ms = self.first_sent.age_ms(&call.place, self.now())?;
        let (age, is_past) = (Duration::from_millis(age_ms), u128::from(age_ms) >= horizon.as_millis());
        if !is_past
            || self.in_flight.contains_key(&call.place)
            || self.tried_by_hand.contains(&call.place)
            || call.kind.is_passive()
        {
            return None;
        }
        let message = format!(
            "nothing is sent about it any more: its first attempt was made {age:?} ago, and its key is remembered for {horizon:?}"
        );
        Some(attempt_fact(call, past_horizon(call, message)))
    }

    /// What becomes of a `sleep` or `receive` whose time is up.
    pub(super) fn time_is_up(&self, call: &Call) -> Option<Fact> {
        let due_ms = call.waits_until_ms().filter(|due_ms| self.now() >= *due_ms)?;
        let step = S::DEFINITION.steps.get(call.place.step)?;
        let kind = if step.kind == StepKind::Receive {
            let message = format!("no `{}` came in time, until {due_ms} ms", step.name);
            FactKind::Refused(Refusal { message, definitive: true })
        } else {
            FactKind::Done("null".to_owned())
        };
        Some(Fact { place: Some(call.place.clone()), kind })
    }

    /// When somebody has to drive the saga next: it waits as long as all of it waits. Decides the back-offs on the way.
    pub(super) fn wake(&mut self) -> Wake {
        if self.closing.is_some() {
            return Wake::Now;
        }
        if self.held.is_some() || self.suspended.is_some() {
            return Wake::Never;
        }
        if matches!(self.state, Some(State::Turning(..))) {
            return Wake::Now;
        }
        let calls = self.calls();
        let mut wake = self.deadline_ms.filter(|_| self.state.as_ref().is_some_and(State::can_cancel));
        for call in &calls {
            let Some(until_ms) = self.waits_for_long_until_ms(call) else { return Wake::Now };
            wake = Some(wake.map_or(until_ms, |wake| wake.min(until_ms)));
        }
        match wake {
            Some(ms) if ms.saturating_sub(self.now()) >= LONG_MS => Wake::At(ms),
            _ => Wake::Now,
        }
    }

    /// Until when the call waits and nothing else; `None` where that is not long, or an operator is to see it.
    fn waits_for_long_until_ms(&mut self, call: &Call) -> Option<u64> {
        let until_ms = match call.waits_until_ms() {
            Some(until_ms) => until_ms,
            None if is_parked(call, &retry::<S>(call)) => return None,
            None => match decide(call, &retry::<S>(call), fastrand::u32(..)) {
                Decision::Open { after } => {
                    let new = Instant::now() + after;
                    let new = self.not_before(call).map_or(new, |not_before| not_before.max(new));
                    let due = self.due.entry(call.place.clone()).or_insert_with(|| (call.clone(), new));
                    if due.0 != *call {
                        *due = (call.clone(), new);
                    }
                    let wait = due.1.saturating_duration_since(Instant::now());
                    self.now().saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
                }
                Decision::Make | Decision::Wait | Decision::GiveUp => return None,
            },
        };
        (until_ms.saturating_sub(self.now()) >= LONG_MS).then_some(until_ms)
    }

    /// Before when the participant wants no other attempt.
    fn not_before(&self, call: &Call) -> Option<Instant> {
        self.not_before.get(&(call.place.clone(), Direction::of(call))).copied()
    }

    /// Until when nothing happens unless it comes from outside; `None` if something may.
    pub(super) fn dormant_until(&self, calls: &[Call]) -> Option<Wake> {
        if self.closing.is_some()
            || !self.cancels.is_empty()
            || !self.asked.is_empty()
            || !self.commands.is_empty()
        {
            return None;
        }
        if self.logged_wake != Wake::Now {
            return self.in_flight.is_empty().then_some(self.logged_wake);
        }
        // What it waits for tells it when it comes, in this process; in the next one it looks again.
        if !matches!(self.state, Some(State::Forward(_))) {
            return None;
        }
        let waits_for_lock = |call: &Call| self.blocked.is_some() && Self::is_lock(call);
        if !calls.iter().any(|call| is_child::<S>(call) || waits_for_lock(call)) {
            return None;
        }
        let mut wake = self.deadline_ms.filter(|_| self.state.as_ref().is_some_and(State::can_cancel));
        for call in calls {
            if is_child::<S>(call) {
                if !self.waits_for_dormant_child(call) {
                    return None;
                }
            } else if !waits_for_lock(call) {
                let until_ms = call.waits_until_ms()?;
                wake = Some(wake.map_or(until_ms, |wake| wake.min(until_ms)));
            }
        }
        match wake {
            Some(ms) if ms.saturating_sub(self.now()) < LONG_MS => None,
            wake => Some(wake.map_or(Wake::Never, Wake::At)),
        }
    }

    /// Whether nothing happens to the child before it wakes. Its end may be known already, and is then to be taken up; and
    /// as long as nobody has looked, it may be another's saga.
    fn waits_for_dormant_child(&self, call: &Call) -> bool {
        let awaited = self.in_flight.get(&call.place).and_then(Option::as_ref);
        let is_awaited = awaited.is_some_and(|awaited| *awaited.borrow() == Awaited::Word);
        let Some(child) = self.child_of_call(call).ok().filter(|_| is_awaited) else { return false };
        let is_dormant = self.shared.is_dormant(&child.id);
        let entry = self.shared.entry(&child.id);
        let goes_on = |entry: &Entry| entry.progress.borrow().status().is_some_and(SagaStatus::goes_on);
        is_dormant && entry.is_some_and(|entry| goes_on(&entry))
    }

    /// Tells the handles whether an operator should look.
    pub(super) fn show(&mut self, calls: &[Call]) {
        let mut parked = self.parked(calls);
        let stuck = self.stuck_children(calls);
        parked.extend(stuck.iter().map(|(call, cause)| stuck_child::<S>(call, cause)));
        let (of_children, residue_of_children) = self.parked_of_children(calls);
        parked.extend(of_children);
        let status = if let Some(by) = &self.suspended {
            SagaStatus::Suspended(by.clone())
        } else if let Some(Blocked { key, holder, .. }) = &self.blocked {
            SagaStatus::WaitsForLock { key: key.clone(), holder: holder.clone() }
        } else if parked.is_empty() {
            self.waiting_children(calls).unwrap_or(SagaStatus::Running)
        } else {
            // What is in flight may take effect too, and so may what a child did that cannot go on.
            let mut residue = self.residue.clone();
            let open = self.state.as_ref().map(taint::<S>).unwrap_or_default();
            let stuck = stuck.iter().map(|(call, cause)| {
                attempt_fact(call, AttemptFact::Failed(Failure::unknown(cause.as_str())))
            });
            for fact in open.into_iter().chain(stuck) {
                residue.record(S::DEFINITION, &fact);
            }
            let residue = residue.effects().map(|(place, effect)| (place_name::<S>(place), effect));
            let residue = residue.chain(residue_of_children).collect();
            SagaStatus::Parked(Parked { calls: parked, residue })
        };
        let changed = match &*self.progress.borrow() {
            // What it showed of its children holds until it has looked at them.
            Progress::Begun(before, _) if status == SagaStatus::Running && before.goes_on() => {
                let may_hold = self.has_unseen_children(calls) && Self::may_be_of_children(before, calls);
                *before != status && !may_hold
            }
            Progress::Begun(before, _) => *before != status,
            _ => true,
        };
        if changed {
            if let SagaStatus::Parked(parked) = &status {
                warn!(%parked, "parked");
            }
            self.publish(status, None);
            self.show_parent();
        }
    }

    /// Whether this status may tell of a child that it still waits for.
    fn may_be_of_children(status: &SagaStatus, calls: &[Call]) -> bool {
        let SagaStatus::Parked(parked) = status else { return true };
        let children = calls.iter().filter(|call| is_child::<S>(call) && call.is_in_flight());
        let mut names = children.map(step_name::<S>);
        names.any(|name| {
            let is_of = |step: &str| {
                step.strip_prefix(&*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            parked.calls.iter().any(|call| is_of(&call.step))
        })
    }

    /// Whether it has a child of which it does not know yet how it stands.
    fn has_unseen_children(&self, calls: &[Call]) -> bool {
        let in_flight = calls.iter().filter(|call| is_child::<S>(call) && call.is_in_flight());
        let awaited = in_flight.map(|call| self.in_flight.get(&call.place).and_then(Option::as_ref));
        let mut unseen =
            awaited.filter(|awaited| awaited.is_none_or(|awaited| *awaited.borrow() == Awaited::Sight));
        unseen.next().is_some()
    }

    /// Its own calls that an operator should see.
    pub(super) fn parked(&self, calls: &[Call]) -> Vec<ParkedCall> {
        let parked = calls.iter().filter(|call| is_parked(call, &retry::<S>(call)));
        let shown = parked.map(|call| {
            let failure = self.failures.of(&call.place);
            ParkedCall {
                step: step_name::<S>(call),
                kind: call.kind,
                attempts: call.attempts.made(),
                failure: failure.map(|failure| failure.kind),
                message: failure.map_or_else(String::new, |failure| failure.message.clone()),
                goes_on: decide(call, &retry::<S>(call), 0) != Decision::Wait,
            }
        });
        shown.collect()
    }

    /// The same of the children that it waits for, and what of them may still be in effect: as `room/bed`.
    pub(super) fn parked_of_children(
        &self,
        calls: &[Call],
    ) -> (Vec<ParkedCall>, Vec<(Cow<'static, str>, Effect)>) {
        let (mut parked, mut residue) = (Vec::new(), Vec::new());
        for (step, child) in self.children_in_flight(calls) {
            if let Some(SagaStatus::Parked(child)) = child.progress.borrow().status() {
                let named = |name: &str| Cow::Owned(format!("{step}/{name}"));
                let calls = child.calls.iter().cloned();
                parked.extend(calls.map(|call| ParkedCall { step: named(&call.step), ..call }));
                residue.extend(child.residue.iter().map(|(name, effect)| (named(name), *effect)));
            }
        }
        (parked, residue)
    }

    /// How the first child stands that waits for a lock, or that an operator has suspended.
    pub(super) fn waiting_children(&self, calls: &[Call]) -> Option<SagaStatus> {
        self.children_in_flight(calls).into_iter().find_map(|(_, child)| {
            match child.progress.borrow().status() {
                Some(status @ (SagaStatus::WaitsForLock { .. } | SagaStatus::Suspended(_))) => {
                    Some(status.clone())
                }
                _ => None,
            }
        })
    }
}

/// What an operator is shown of a call whose child cannot go on for now.
fn stuck_child<S: Saga>(call: &Call, cause: &str) -> ParkedCall {
    ParkedCall {
        step: step_name::<S>(call),
        kind: call.kind,
        attempts: call.attempts.made(),
        failure: None,
        message: format!("its child saga cannot go on: {cause}"),
        goes_on: true,
    }
}
