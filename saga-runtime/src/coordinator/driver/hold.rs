//! A child that has done everything, and its parent that lets it end.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tracing::info;

use super::record::returned;
use super::{Command, Driver, Stop, is_child, step_name};
use crate::coordinator::child::{Awaited, Child, ChildOf, child_id};
use crate::coordinator::journal;
use crate::coordinator::shared::Entry;
use crate::coordinator::status::SagaStatus;
use crate::coordinator::wake::{tell, wake, wake_if_seen};
use crate::definition::{StepKind, Zone};
use crate::id::SagaId;
use crate::log::{History, Record, Status, Wake};
use crate::machine::{Call, Fact, FactKind, Place};
use crate::saga::Saga;

impl<S: Saga> Driver<S> {
    /// Whether it does not end by itself when it has done everything.
    pub(super) fn is_to_be_held(&self) -> bool {
        self.child_of.as_ref().is_some_and(|of| of.held)
    }

    /// Records the output together with `records`: from now on it waits for its parent. All that it would compensate is
    /// still there.
    pub(super) async fn hold(&mut self, mut records: Vec<Record>) -> Result<(), Stop> {
        let Some(state) = self.state.clone() else { return Err(Stop::Fault("its state is gone".to_owned())) };
        let output = match returned::<S>(state) {
            Ok((_, output)) => output,
            Err(cause) => {
                self.append(records).await?;
                return Err(Stop::Fault(cause));
            }
        };
        records.push(journal::held(output.to_string(), self.now()));
        self.held = Some(output.to_string());
        self.append(records).await?;
        info!("held");
        self.publish(SagaStatus::Held, Some(output));
        self.tell_parent();
        Ok(())
    }

    /// Waits for its parent's word.
    pub(super) async fn stay_held(&mut self) -> Result<(), Stop> {
        if self.shared.is_shutting_down() {
            return Err(Stop::Shutdown);
        }
        let held = matches!(self.progress.borrow().status(), Some(SagaStatus::Held));
        if !held {
            // It is read from the log: its parent may have ended without its knowing.
            self.publish(SagaStatus::Held, self.held.as_deref().map(Arc::from));
            match self.parent().await {
                Some(parent) if parent.status == Status::Completed => return self.release().await,
                Some(parent) => {
                    if let Some(closed) = journal::closed_by_hand(&parent) {
                        return self.close(closed.by).await;
                    }
                }
                None => {}
            }
        }
        if self.logged_wake == Wake::Never && self.commands.is_empty() {
            return Err(Stop::Dormant(Wake::Never));
        }
        tokio::select! {
            command = self.commands.recv() => match command {
                Some(command) => self.command(command).await,
                None => Err(Stop::Fault("its entry is gone".to_owned())),
            },
            () = self.shared.shutdown() => Ok(()),
        }
    }

    /// A child that could not be told when its parent was closed finds out when it goes on.
    pub(super) async fn follow_its_parent(&mut self) -> Result<(), Stop> {
        if !self.is_to_be_held() || self.held.is_some() || self.closed.is_some() {
            return Ok(());
        }
        match self.parent().await.as_ref().and_then(journal::closed_by_hand) {
            Some(closed) => self.close(closed.by).await,
            None => Ok(()),
        }
    }

    async fn parent(&self) -> Option<History> {
        let of = self.child_of.as_ref()?;
        self.shared.log.history(&of.parent).await.ok()?
    }

    /// Ends a saga that was held. Does nothing to any other.
    pub(super) async fn release(&mut self) -> Result<(), Stop> {
        let Some(output) = self.held.clone() else { return Ok(()) };
        let mut records = Vec::new();
        self.release_children(&mut records).await?;
        self.apply_fact(Fact { place: None, kind: FactKind::Completed(output.clone()) }, &mut records)?;
        self.held = None;
        self.append(records).await?;
        info!("completed");
        self.publish(SagaStatus::Completed, Some(output.into()));
        Ok(())
    }

    /// Lets the children end that could still be turned until now. What is in `records` is recorded before, if there are
    /// any: whoever takes the saga up after a crash comes back here, and does not turn it.
    pub(super) async fn release_children(&mut self, records: &mut Vec<Record>) -> Result<(), Stop> {
        let held = self.residue.effects().map(|(place, _)| place);
        let held = held.filter(|place| Self::holds_child_of(place)).cloned().collect::<Vec<_>>();
        if !held.is_empty() {
            self.append(std::mem::take(records)).await?;
        }
        for place in held {
            if !self.child(&place).map_err(Stop::Fault)?.release().await {
                return Err(Stop::Shutdown);
            }
        }
        Ok(())
    }

    /// The child that the call begins, or turns. After the pivot each attempt is a child of its own: one that compensated
    /// cannot be taken up again. An error says why its id cannot be one.
    pub(super) fn child_of_call(&self, call: &Call) -> Result<Child, String> {
        let mut child = self.child(&call.place)?;
        let attempt = call.attempts.made();
        if !child.of.held && attempt > 1 {
            child.id = SagaId::new(format!("{}~{attempt}", child.id)).map_err(|error| error.to_string())?;
        }
        Ok(child)
    }

    /// The child of the step at `place`.
    fn child(&self, place: &Place) -> Result<Child, String> {
        let step = S::DEFINITION.steps.get(place.step).map_or("", |step| step.name);
        let id = child_id(&self.id, step, &place.items)?;
        let of = ChildOf { parent: self.id.clone(), root: self.root(), held: Self::holds_child_of(place) };
        Ok(Child { shared: Arc::clone(&self.shared), id, of, awaited: watch::Sender::default() })
    }

    /// The saga that is nobody's child: itself, or its first ancestor.
    pub(super) fn root(&self) -> SagaId {
        self.child_of.as_ref().map_or(&self.id, |of| &of.root).clone()
    }

    /// Whether the child of the step at `place` is to be turned if this saga turns.
    fn holds_child_of(place: &Place) -> bool {
        let step = S::DEFINITION.steps.get(place.step);
        step.is_some_and(|step| step.kind == StepKind::Saga && step.zone == Zone::Compensatable)
    }

    /// The children that have not ended, as far as it knows: those that it waits for, and those that it holds.
    pub(super) fn unfinished_children(&self) -> Vec<(Place, Child)> {
        let calls = self.calls();
        let in_flight = calls.iter().filter(|call| is_child::<S>(call) && call.is_in_flight());
        let in_flight =
            in_flight.filter_map(|call| Some((call.place.clone(), self.child_of_call(call).ok()?)));
        let mut children = in_flight.collect::<Vec<_>>();
        for (place, _) in self.residue.effects().filter(|(place, _)| Self::holds_child_of(place)) {
            if !children.iter().any(|(known, _)| known == place)
                && let Ok(child) = self.child(place)
            {
                children.push((place.clone(), child));
            }
        }
        children
    }

    /// The children that it waits for, and what they say of themselves.
    pub(super) fn children_in_flight(&self, calls: &[Call]) -> Vec<(Cow<'static, str>, Arc<Entry>)> {
        let in_flight = calls.iter().filter(|call| is_child::<S>(call) && call.is_in_flight());
        let children = in_flight.filter_map(|call| {
            let child = self.child_of_call(call).ok()?;
            Some((step_name::<S>(call), self.shared.entry(&child.id)?))
        });
        children.collect()
    }

    /// The calls whose children cannot go on for now, and why.
    pub(super) fn stuck_children<'c>(&self, calls: &'c [Call]) -> Vec<(&'c Call, String)> {
        let stuck =
            calls.iter().filter_map(|call| match &*self.in_flight.get(&call.place)?.as_ref()?.borrow() {
                Awaited::Recovery(cause) => Some((call, cause.clone())),
                Awaited::Sight | Awaited::Word => None,
            });
        stuck.collect()
    }

    /// What its children wait for is tried at once, too.
    pub(super) fn retry_children(&self) {
        for (_, child) in self.children_in_flight(&self.calls()) {
            let (answer, _) = oneshot::channel();
            tell(&self.shared, &child, Command::Retry { answer });
        }
    }

    /// Its parent shows what has changed, if anybody looks.
    pub(super) fn show_parent(&self) {
        if let Some(of) = &self.child_of {
            wake_if_seen(&self.shared, &of.parent);
        }
    }

    /// Its parent may wait for what has just happened.
    pub(super) fn tell_parent(&self) {
        if let Some(of) = &self.child_of {
            wake(&self.shared, &of.parent);
        }
    }
}
