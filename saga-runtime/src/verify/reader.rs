//! What a run has come to, by its log: what the world asks of it, and when two runs have come to the same.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use super::explorer::{Budget, alternatives};
use super::network::ID;
use super::run::WasSeen;
use super::scenario::Decision;
use super::world::{At, Known, Made};
use crate::coordinator::clock::Clock;
use crate::coordinator::fold;
use crate::definition::Zone;
use crate::log::{History, MemoryLog, Record};
use crate::machine::{CallKind, Next, Phase, Place, State};
use crate::saga::Saga;

/// Reads the log for the world.
pub(super) struct Reader<S> {
    pub(super) log: MemoryLog,
    pub(super) now: Arc<Mutex<Arc<Clock>>>,
    pub(super) was_seen: WasSeen,
    pub(super) retries: u32,
    pub(super) has_deadline: bool,
    pub(super) saga: PhantomData<fn() -> S>,
}

impl<S: Saga> Known for Reader<S> {
    fn state(&self) -> Result<String, String> {
        let now_ms = self.now.lock().unwrap_or_else(PoisonError::into_inner).now_ms();
        let mut text = String::new();
        for history in self.log.sagas() {
            let words = if history.saga.as_str() == ID {
                state_of::<S>(&history, now_ms)?
            } else {
                records_of(&history)
            };
            text.push_str(&words);
            text.push('\n');
        }
        Ok(text)
    }

    fn was_seen(&self, key: u64) -> bool {
        (self.was_seen)(key)
    }

    fn alternatives(&self, at: &At, budget: Budget) -> Vec<(Vec<Decision>, Budget)> {
        alternatives::<S>(self.retries, self.has_deadline, at, budget)
    }

    fn is_beyond_its_retries(&self, made: &Made, nth: u32) -> bool {
        let Place { step, .. } = made.place;
        let is_compensatable =
            S::DEFINITION.steps.get(step).is_some_and(|step| step.zone == Zone::Compensatable);
        let limit = S::policy(step, CallKind::Action).retry.limit;
        made.saga == ID
            && is_compensatable
            && limit.is_some_and(|limit| nth > limit.saturating_add(1))
            && self.log.sagas().iter().filter(|history| history.saga.as_str() == ID).any(|history| {
                fold::<S>(history).is_ok_and(|folded| matches!(folded.state, State::Forward(_)))
            })
    }

    fn is_in_doubt(&self, saga: &str, step: &str) -> bool {
        let is_it = |record: &Record| record.step.as_deref() == Some(step) && record.event == "failed";
        let sagas = self.log.sagas();
        sagas.iter().any(|history| history.saga.as_str() == saga && history.records.iter().any(is_it))
    }
}

/// All that the saga's future depends on, but for what its participants hold: where it stands in which direction, what it
/// holds for done and for doubtful, and how much of its patience is spent.
fn state_of<S: Saga>(history: &History, now_ms: u64) -> Result<String, String> {
    let folded = fold::<S>(history).map_err(|error| format!("its log is no history: {error}"))?;
    let mut settled = BTreeMap::new();
    let mut since = HashMap::new();
    for record in &history.records {
        let step = record.step.as_deref().unwrap_or_default();
        since.insert(step, record.at_ms);
        let is_attempt =
            ["opened", "failed", "not sent", "due"].iter().any(|end| record.event.ends_with(end));
        if !is_attempt {
            // Why it failed makes no difference.
            let is_value = matches!(record.event.as_str(), "done" | "else" | "sent" | "completed");
            settled.insert(step, (record.event.as_str(), record.data.as_deref().filter(|_| is_value)));
        }
    }
    let direction = match &folded.state {
        State::Forward(_) => "forward",
        State::Turning(..) => "turning",
        State::Backward(..) => "backward",
        State::Completed => "completed",
        State::Compensated(_) => "compensated",
    };
    let mut text = format!(
        "{direction} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {settled:?}",
        folded.residue,
        folded.mailbox,
        folded.held,
        folded.suspended,
        folded.closing,
        folded.closed,
        folded.output,
        history.status,
    );
    if let Next::Calls(calls) = folded.state.next() {
        // Which of several things happens first hangs on how long each has waited.
        let several = calls.len() > 1;
        for call in calls {
            let attempts = &call.attempts;
            let step = S::DEFINITION.steps.get(call.place.step).map_or("", |step| step.name);
            let name = format!("{step}{}", call.place.items);
            // Beyond its budget it makes no difference how far.
            let limit = S::policy(call.place.step, call.kind).retry.limit;
            let spent = attempts.spent().min(limit.map_or(u32::MAX, |limit| limit.saturating_add(2)));
            let waits = attempts.phase() == Phase::Waiting;
            let failure = folded.failures.of(&call.place).filter(|_| waits).map(|failure| failure.kind);
            let waited = now_ms.saturating_sub(since.get(name.as_str()).copied().unwrap_or_default());
            let due = attempts.due_ms().map(|due_ms| several.then(|| due_ms.saturating_sub(now_ms)));
            // Writing into a text cannot fail.
            let _ = write!(
                text,
                " {name} {:?} {:?} {spent} {} {failure:?} {due:?} {:?}",
                call.kind,
                attempts.phase(),
                attempts.in_doubt(),
                (waits && several).then_some(waited),
            );
        }
    }
    let is_late = folded.deadline_ms.map(|deadline_ms| deadline_ms <= now_ms);
    let _ = write!(text, " {is_late:?}");
    Ok(text)
}

/// What the log of a child says, without its times.
fn records_of(history: &History) -> String {
    let records = history.records.iter().map(|record| {
        let data = record.data.as_deref().filter(|_| !record.event.ends_with("due")).unwrap_or_default();
        format!("{}:{}:{data}", record.step.as_deref().unwrap_or_default(), record.event)
    });
    format!("{} {:?} {}", history.saga, history.status, records.collect::<Vec<_>>().join(" "))
}
