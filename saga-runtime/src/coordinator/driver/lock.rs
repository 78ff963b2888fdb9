//! Semantic locks: taken in the log, waited for here.

use tracing::info;

use super::{Driver, Stop};
use crate::coordinator::journal;
use crate::coordinator::wake::wake;
use crate::definition::{Definition, StepKind};
use crate::id::SagaId;
use crate::log::{Append, Locks, Record, Status, Wake, wrong_in_locks};
use crate::machine::{Call, Fact, FactKind, Refusal};
use crate::saga::Saga;

/// The saga waits for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    /// All that it is to take.
    keys: Vec<String>,
    /// The one that another saga holds.
    pub(super) key: String,
    /// That saga.
    pub(super) holder: SagaId,
}

/// The locks that the fact says are taken.
pub(crate) fn locks_taken(definition: &Definition, fact: &Fact) -> Option<Vec<String>> {
    let step = definition.steps.get(fact.place.as_ref()?.step)?;
    match &fact.kind {
        FactKind::Done(keys) if step.kind == StepKind::Lock => serde_json::from_str(keys).ok(),
        _ => None,
    }
}

impl<S: Saga> Driver<S> {
    /// Whether the call is the saga's `lock`.
    pub(super) fn is_lock(call: &Call) -> bool {
        S::DEFINITION.steps.get(call.place.step).is_some_and(|step| step.kind == StepKind::Lock)
    }

    /// Takes the locks of which `fact` says that they are taken: all at once, with its record; keys that no log takes are
    /// refused instead. `false` if it has to wait for one of them.
    pub(super) async fn take_locks(
        &mut self,
        fact: Fact,
        event: S::Event,
        records: &mut Vec<Record>,
    ) -> Result<bool, Stop> {
        let keys = locks_taken(S::DEFINITION, &fact)
            .ok_or_else(|| Stop::Fault("its locks cannot be read".to_owned()))?;
        if let Some(message) = wrong_in_locks(&keys) {
            // It has done nothing yet, and turns.
            let kind = FactKind::Refused(Refusal { message, definitive: true });
            self.apply_fact(Fact { kind, ..fact }, records)?;
            return Ok(true);
        }
        self.append(std::mem::take(records)).await?;
        loop {
            let record = journal::to_record(S::DEFINITION, fact.clone(), self.now());
            let append = Append {
                saga: self.id.clone(),
                begin: None,
                first_seq: self.next_seq,
                records: vec![record],
                status: Status::Running,
                wake: Wake::Now,
                locks: Some(Locks { keys: keys.clone(), root: self.root() }),
            };
            let Some((key, holder)) = self.make_durable(append).await? else { break };
            for other in keys.iter().filter(|other| **other != key) {
                self.leave_lock(other);
            }
            let is_new = self.shared.waiters.wait_for_lock(&key, &self.id);
            if self.blocked.is_none() {
                info!(key, %holder, "waits for a lock");
            }
            self.blocked = Some(Blocked { keys: keys.clone(), key, holder });
            // It may have been let go before there was anybody to tell.
            if !is_new {
                return Ok(false);
            }
        }
        // Who waits behind it is told when it lets go.
        for key in &keys {
            self.shared.waiters.leave_lock(key, &self.id);
        }
        self.blocked = None;
        self.logged_wake = Wake::Now;
        let mut recorded = Vec::new();
        self.apply(fact, event, &mut recorded)?;
        self.next_seq += 1;
        Ok(true)
    }

    /// It takes no lock any more that it waited for.
    pub(super) fn stop_waiting_for_locks(&mut self) {
        if let Some(Blocked { keys, .. }) = self.blocked.take() {
            for key in &keys {
                self.leave_lock(key);
            }
        }
    }

    /// Whoever waits for what it held may take it now.
    pub(super) fn tell_who_waits_for_locks(&self) {
        for key in &self.locks {
            if let Some(first) = self.shared.waiters.first_for_lock(key) {
                wake(&self.shared, &first);
            }
        }
    }

    fn leave_lock(&self, key: &str) {
        if let Some(first) = self.shared.waiters.leave_lock(key, &self.id) {
            wake(&self.shared, &first);
        }
    }
}
