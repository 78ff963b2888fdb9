//! Child sagas: how a parent begins, awaits, turns and releases them.
//!
//! A child has an id made of its parent's, so that it is begun once however often that is tried. One that stands before
//! its parent's pivot does not end when it has done everything: it is *held*, and can still compensate, until its
//! parent ends. So a parent compensates a child as it compensates any other step.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tracing::{error, warn};

use crate::coordinator::attempt::Ended;
use crate::coordinator::driver::{Asked, Command};
use crate::coordinator::journal;
use crate::coordinator::operator::{Closed, Intervention, Operator};
use crate::coordinator::shared::{Entry, LOG_BACK_OFF, Shared};
use crate::coordinator::status::{Progress, SagaStatus};
use crate::coordinator::wake::{Found, find, tell, wake_if_seen};
use crate::definition::{Definition, StepKind};
use crate::error::Failure;
use crate::id::SagaId;
use crate::log::{History, Status};
use crate::machine::{Effect, Items, Settled};

/// What a child is to its parent: recorded when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChildOf {
    pub(crate) parent: SagaId,
    /// The saga that is nobody's child.
    pub(crate) root: SagaId,
    /// Whether it stays able to compensate until its parent ends.
    pub(crate) held: bool,
}

/// The child of one step, for its parent.
pub(crate) struct Child {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: SagaId,
    pub(crate) of: ChildOf,
    /// What its parent waits for.
    pub(crate) awaited: watch::Sender<Awaited>,
}

/// What a parent waits for that has begun, or turns, a child.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Nobody has looked at the child yet: it may be another's.
    #[default]
    Sight,
    /// It is its parent's, and tells what happens.
    Word,
    /// It cannot go on for now, for this reason: it is looked at again and again.
    Recovery(String),
}

/// The id of the child that `step` of `parent` begins.
pub(crate) fn child_id(parent: &SagaId, step: &str, items: &Items) -> Result<SagaId, String> {
    let step = step.strip_prefix("r#").unwrap_or(step);
    SagaId::new(format!("{parent}/{step}{items}")).map_err(|error| error.to_string())
}

/// How many bytes the ids of a saga's descendants may have more than its own: each is named after the step that begins
/// it, its item, and the attempt.
pub(crate) fn longest_descendant(
    shared: &Shared,
    definition: &Definition,
    children: &[&'static Definition],
) -> usize {
    const ITEM_AND_ATTEMPT: usize = 24;
    // A saga that begins itself has no longest one: its ids are looked at as far as most go.
    fn longest(
        shared: &Shared,
        definition: &Definition,
        children: &[&'static Definition],
        depth: u8,
    ) -> usize {
        let steps = definition.steps.iter().filter(|step| step.kind == StepKind::Saga);
        let Some(own) = steps.map(|step| 1 + step.name.len() + ITEM_AND_ATTEMPT).max() else { return 0 };
        let below = |child: &&'static Definition| {
            let saga = shared.registered(&child.full_name(), child.fingerprint()).filter(|_| depth > 0)?;
            Some(longest(shared, child, &saga.children(), depth - 1))
        };
        own + children.iter().filter_map(below).max().unwrap_or(0)
    }
    longest(shared, definition, children, 3)
}

/// What of a closed parent's child may still be in effect.
pub(crate) enum Left {
    /// These of its steps.
    These(Vec<(Cow<'static, str>, Effect)>),
    /// All: it had completed.
    All,
    /// Nobody knows, for it could not be closed.
    Unknown(String),
    /// The coordinator shuts down.
    Stopped,
}

/// How a child that was looked at stands.
enum Seen {
    /// It is driven, or dormant.
    Driven(Arc<Entry>),
    /// It is done, with this output as JSON.
    Done(String),
    /// An operator has ended it by hand.
    Closed(Closed),
    /// It has no effect: it compensated, was never begun, or its id is another's. In words.
    Without(String),
    /// It cannot go on for now.
    Stuck(String),
    /// The coordinator shuts down.
    Stopped,
}

impl Child {
    /// Begins the child if it is not begun, and waits for its end. Turns it as soon as its parent is `turning`.
    pub(crate) async fn run(
        self,
        definition: &'static Definition,
        input: String,
        mut turning: watch::Receiver<bool>,
    ) -> Ended<String> {
        loop {
            let is_turning = *turning.borrow_and_update();
            // What its parent has not begun before it turned is not begun any more.
            let seen = if is_turning { self.look().await } else { self.begin(definition, &input).await };
            let entry = match seen {
                Seen::Driven(entry) => entry,
                Seen::Done(output) => return Ended::Settled(Settled::Done(output)),
                Seen::Without(why) => return refused(definition, &why),
                Seen::Closed(closed) => return closed_by_hand(definition, &closed, self.of.held),
                Seen::Stuck(cause) => {
                    if !self.back_off(&cause).await {
                        return Ended::NotSent;
                    }
                    continue;
                }
                Seen::Stopped => return Ended::NotSent,
            };
            if is_turning {
                let (answer, _) = oneshot::channel();
                tell(
                    &self.shared,
                    &entry,
                    Command::Cancel { reason: self.reason(), by_parent: true, answer },
                );
            }
            self.await_word();
            let changed = async {
                // An error says that the parent is gone, and with it this call.
                let turned = turning.wait_for(|turning| *turning).await.is_ok();
                if is_turning || !turned {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                ended = self.settled(&entry) => match ended {
                    Some(Seen::Done(output)) => return Ended::Settled(Settled::Done(output)),
                    Some(Seen::Without(why)) => return refused(definition, &why),
                    Some(Seen::Closed(closed)) => return closed_by_hand(definition, &closed, self.of.held),
                    Some(Seen::Stopped) => return Ended::NotSent,
                    Some(Seen::Stuck(cause)) => {
                        if !self.back_off(&cause).await {
                            return Ended::NotSent;
                        }
                    }
                    Some(Seen::Driven(_)) | None => {}
                },
                () = changed => {}
            }
        }
    }

    /// Turns the child, and waits until it has compensated.
    pub(crate) async fn turn(self) -> Ended<String> {
        loop {
            let entry = match self.look().await {
                Seen::Driven(entry) => entry,
                Seen::Without(_) => return Ended::Settled(Settled::Done("null".to_owned())),
                Seen::Done(_) => return Ended::Settled(Settled::Failed(self.beyond_turning())),
                Seen::Closed(closed) => return self.turned_by_hand(&closed),
                Seen::Stuck(cause) => {
                    if !self.back_off(&cause).await {
                        return Ended::NotSent;
                    }
                    continue;
                }
                Seen::Stopped => return Ended::NotSent,
            };
            let (answer, answered) = oneshot::channel();
            tell(&self.shared, &entry, Command::Cancel { reason: self.reason(), by_parent: true, answer });
            self.await_word();
            // It was held, and that is not its end: only how it stands once it has answered counts.
            let seen = match answered.await {
                Ok(_) => self.settled(&entry).await,
                Err(_) => quarantined(&entry).map(Seen::Stuck),
            };
            match seen {
                Some(Seen::Done(_)) => return Ended::Settled(Settled::Failed(self.beyond_turning())),
                Some(Seen::Without(_)) => return Ended::Settled(Settled::Done("null".to_owned())),
                Some(Seen::Closed(closed)) => return self.turned_by_hand(&closed),
                Some(Seen::Stopped) => return Ended::NotSent,
                Some(Seen::Stuck(cause)) => {
                    if !self.back_off(&cause).await {
                        return Ended::NotSent;
                    }
                }
                Some(Seen::Driven(_)) | None => {}
            }
        }
    }

    /// The child was closed: it is compensated if nothing is left, and otherwise its parent's operator is to say so.
    fn turned_by_hand(&self, closed: &Closed) -> Ended<String> {
        if closed.residue.is_empty() {
            return Ended::Settled(Settled::Done("null".to_owned()));
        }
        let message = format!("saga `{}` was {closed}", self.id);
        Ended::Settled(Settled::Failed(Failure::refused(message)))
    }

    /// Ends the child by hand with its parent, and answers what of it may still be in effect.
    pub(crate) async fn close(self, by: &Operator) -> Left {
        loop {
            let entry = match self.look().await {
                Seen::Driven(entry) => entry,
                Seen::Done(_) => return Left::All,
                Seen::Closed(closed) => return Left::These(closed.residue),
                Seen::Without(_) => return Left::These(Vec::new()),
                Seen::Stuck(cause) => return Left::Unknown(cause),
                Seen::Stopped => return Left::Stopped,
            };
            let (answer, answered) = oneshot::channel();
            let asked = Asked { by: by.clone(), intervention: Intervention::Close, by_parent: true, answer };
            tell(&self.shared, &entry, Command::Operate(asked));
            // However it is answered, the child is found with its end.
            if answered.await.is_err() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Lets the child end, which its parent does not need any more. One that cannot go on for now finds out by itself,
    /// when it can. `false`: the coordinator shuts down first.
    pub(crate) async fn release(self) -> bool {
        loop {
            let entry = match find(&self.shared, &self.id).await {
                Found::Driven(entry) => entry,
                Found::Ended(_) | Found::Unknown => return true,
                Found::Stuck(cause) => {
                    warn!(child = %self.id, cause, "it stays held until it can go on");
                    return true;
                }
                Found::Stopped => return false,
            };
            let (answer, released) = oneshot::channel();
            tell(&self.shared, &entry, Command::Release { answer });
            if released.await.is_ok() {
                return true;
            }
            if let Some(cause) = quarantined(&entry) {
                warn!(child = %self.id, cause, "it stays held until it can go on");
                return true;
            }
        }
    }

    /// It was found, and goes on.
    fn await_word(&self) {
        let before = self.awaited.send_replace(Awaited::Word);
        // It may have been dormant before anybody waited for it: from now on its parent can be so, too.
        if matches!(before, Awaited::Recovery(_)) || self.shared.is_dormant(&self.id) {
            wake_if_seen(&self.shared, &self.of.parent);
        }
    }

    fn reason(&self) -> String {
        format!("saga `{}` compensates", self.of.parent)
    }

    fn beyond_turning(&self) -> Failure {
        let message = format!("saga `{}` has ended, and cannot compensate any more", self.id);
        Failure::refused(message)
    }

    /// Waits before the next look. `false`: the coordinator shuts down first.
    async fn back_off(&self, cause: &str) -> bool {
        error!(child = %self.id, cause, "its parent waits until it can go on");
        let recovery = Awaited::Recovery(cause.to_owned());
        if self.awaited.send_replace(recovery.clone()) != recovery {
            wake_if_seen(&self.shared, &self.of.parent);
        }
        self.shared.back_off(LOG_BACK_OFF * 20).await
    }

    async fn begin(&self, definition: &'static Definition, input: &str) -> Seen {
        let fingerprint = definition.fingerprint();
        let Some(saga) = self.shared.registered(&definition.full_name(), fingerprint) else {
            // An older form of it may have been begun.
            return match self.look().await {
                Seen::Without(_) => Seen::Stuck(format!("no `{}` is registered", definition.full_name())),
                seen => seen,
            };
        };
        let (entry, reins) = self.shared.enter(&self.id, definition.full_name(), fingerprint, &input.into());
        let Some(reins) = reins else {
            entry.decided().await;
            return self.look().await;
        };
        if let Err(error) = saga.begin(&self.shared, &self.id, reins, input, self.of.clone()) {
            let (cause, reins) = *error;
            self.shared.remove(&self.id);
            drop(reins);
            return Seen::Without(format!("its input cannot be read: {cause}"));
        }
        entry.decided().await;
        let progress = entry.progress.borrow().clone();
        match progress {
            Progress::Begun(SagaStatus::Stopped, _) => Seen::Stopped,
            Progress::Begun(SagaStatus::Quarantined { cause }, _) => Seen::Stuck(cause),
            Progress::Begun(..) => Seen::Driven(entry),
            Progress::Exists(history) => match self.judge(&history) {
                Some(seen) => seen,
                None => self.look().await,
            },
            // No child is purged before its root has ended.
            Progress::Past(past) => Seen::Stuck(past.into_error(&self.id).to_string()),
            Progress::NotBegun(error) => Seen::Stuck(error.to_string()),
            Progress::Beginning => Seen::Stuck("its begin was not answered".to_owned()),
        }
    }

    /// How the child stands that was begun before.
    async fn look(&self) -> Seen {
        match find(&self.shared, &self.id).await {
            Found::Driven(entry) => {
                let status = entry.progress.borrow().status().cloned();
                match status {
                    Some(SagaStatus::Stopped) => return Seen::Stopped,
                    Some(SagaStatus::Quarantined { cause }) => return Seen::Stuck(cause),
                    _ => {}
                }
                // Whose child it is stands in the log alone.
                match self.shared.log.history(&self.id).await {
                    Ok(Some(history)) => self.judge(&history).unwrap_or(Seen::Driven(entry)),
                    Ok(None) => Seen::Without("it was never begun".to_owned()),
                    Err(error) => Seen::Stuck(error.to_string()),
                }
            }
            Found::Ended(history) => {
                let ended = || Seen::Stuck("its records do not say how it ended".to_owned());
                self.judge(&history).unwrap_or_else(ended)
            }
            Found::Stuck(cause) => Seen::Stuck(cause),
            Found::Unknown => Seen::Without("it was never begun".to_owned()),
            Found::Stopped => Seen::Stopped,
        }
    }

    /// What the child's history says; `None` if it goes on.
    fn judge(&self, history: &History) -> Option<Seen> {
        if journal::child_of(history).is_none_or(|of| of.parent != self.of.parent) {
            return Some(Seen::Without(format!(
                "the id `{}` is another saga's, which it did not begin",
                self.id
            )));
        }
        match history.status {
            Status::Running => None,
            Status::Compensated => Some(Seen::Without(journal::why_compensated(history))),
            Status::Completed => journal::output(history).map(Seen::Done),
            Status::Closed => journal::closed_by_hand(history).map(Seen::Closed),
        }
    }

    /// Waits until the child is done, held, or has compensated; `None` if it has to be looked for again.
    async fn settled(&self, entry: &Entry) -> Option<Seen> {
        let mut progress = entry.progress.clone();
        let going_on =
            |progress: &Progress| matches!(progress, Progress::Begun(status, _) if status.goes_on());
        let settled = async {
            let settled = progress.wait_for(|progress| !going_on(progress)).await;
            settled.ok().map(|progress| progress.clone())
        };
        let settled = tokio::select! {
            settled = settled => settled?,
            () = self.shared.shutdown() => return Some(Seen::Stopped),
        };
        match settled {
            Progress::Begun(SagaStatus::Completed | SagaStatus::Held, Some(output)) => {
                Some(Seen::Done(output.to_string()))
            }
            Progress::Begun(SagaStatus::Compensated(cause), _) => Some(Seen::Without(cause.to_string())),
            Progress::Begun(SagaStatus::Closed(closed), _) => Some(Seen::Closed(closed)),
            Progress::Begun(SagaStatus::Quarantined { cause }, _) => Some(Seen::Stuck(cause)),
            Progress::Begun(SagaStatus::Stopped, _) => Some(Seen::Stopped),
            _ => None,
        }
    }
}

/// Why the saga is not executed, if that is so.
fn quarantined(entry: &Entry) -> Option<String> {
    match entry.progress.borrow().status() {
        Some(SagaStatus::Quarantined { cause }) => Some(cause.clone()),
        _ => None,
    }
}

/// The child has no effect, or nobody knows.
fn closed_by_hand(definition: &Definition, closed: &Closed, held: bool) -> Ended<String> {
    if closed.residue.is_empty() {
        return refused(definition, &closed.to_string());
    }
    let message = format!("`{}` was {closed}", definition.name);
    if !held {
        // Another attempt would be another child.
        return Ended::Settled(Settled::ByHand(message));
    }
    Ended::Settled(Settled::Failed(Failure::unknown(message)))
}

fn refused(definition: &Definition, why: &str) -> Ended<String> {
    let message = format!("`{}` has no effect: {why}", definition.name);
    Ended::Settled(Settled::Failed(Failure::refused(message)))
}
