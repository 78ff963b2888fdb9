//! Semantic locks: taken in the log, waited for here.

use tracing::info;

use super::{Driver, Stop};
use crate::coordinator::child::ChildOf;
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
            return self.refuse_locks(fact, message, records).map(|()| true);
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
            if let Some(message) = self.circle(&key, &holder).await {
                self.leave_lock(&key);
                self.blocked = None;
                return self.refuse_locks(fact, message, records).map(|()| true);
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
        for key in &keys {
            if self.shared.waiters.is_awaited_by_child(key)
                && let Some(owner) = self.owner(&self.id).await
            {
                for child in self.shared.waiters.taken(key, &owner) {
                    wake(&self.shared, &child);
                }
            }
        }
        self.logged_wake = Wake::Now;
        let mut recorded = Vec::new();
        self.apply(fact, event, &mut recorded)?;
        self.next_seq += 1;
        Ok(true)
    }

    /// It has done nothing yet, and turns.
    fn refuse_locks(&mut self, fact: Fact, message: String, records: &mut Vec<Record>) -> Result<(), Stop> {
        let kind = FactKind::Refused(Refusal { message, definitive: true });
        self.apply_fact(Fact { kind, ..fact }, records)
    }

    /// Why it must not wait for this lock: others would wait for it meanwhile, and it for them. A child that cannot turn
    /// all that it was begun by waits nevertheless, and so does one of which that cannot be read now.
    async fn circle(&self, key: &str, holder: &SagaId) -> Option<String> {
        let mut child_of = Some(self.child_of.clone()?);
        let (mut lineage, mut can_turn) = (vec![self.id.clone()], true);
        while let Some(of) = child_of {
            can_turn &= of.held;
            child_of = self.read_child_of(&of.parent).await?;
            lineage.push(of.parent);
        }
        let owner = self.owner(holder).await?;
        let circle = self.shared.waiters.wait_as_child(&lineage, key, &owner).filter(|_| can_turn)?;
        let others = circle.iter().map(|(child, key)| format!(", and saga `{child}` for the lock `{key}`"));
        let others = others.collect::<String>();
        Some(format!(
            "they would wait for each other: it for the lock `{key}`, which saga `{holder}` holds{others}"
        ))
    }

    /// The saga with whose end `holder` lets go of its locks: the parent of one that is held lets it end.
    async fn owner(&self, holder: &SagaId) -> Option<SagaId> {
        let mut owner = holder.clone();
        while let Some(of) = self.read_child_of(&owner).await?.filter(|of| of.held) {
            owner = of.parent;
        }
        Some(owner)
    }

    /// Whose child the saga is, if it is one; `None` if that cannot be read now.
    async fn read_child_of(&self, saga: &SagaId) -> Option<Option<ChildOf>> {
        let history = self.shared.log.history(saga).await.ok()??;
        Some(journal::child_of(&history))
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
