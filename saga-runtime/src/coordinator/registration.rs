//! The sagas that a coordinator can execute.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use crate::coordinator::adopt::{ENDED_UNKNOWN_TO_ITS_STATUS, quarantine, spawn_adopt};
use crate::coordinator::attempt::panic_message;
use crate::coordinator::begin::spawn_begin;
use crate::coordinator::child::ChildOf;
use crate::coordinator::driver::Driver;
use crate::coordinator::fold::fold;
use crate::coordinator::shared::{Entry, Reins, Shared};
use crate::coordinator::status::{Progress, SagaStatus};
use crate::definition::{Definition, Fingerprint};
use crate::id::SagaId;
use crate::log::History;
use crate::machine::{Cause, State};
use crate::saga::Saga;

/// A registered saga.
pub(crate) struct Registration<S: Saga> {
    pub(crate) participants: Arc<S::Participants>,
}

/// A registered saga, whatever its type.
pub(crate) trait Recoverable: Send + Sync {
    fn definition(&self) -> &'static Definition;

    fn children(&self) -> Vec<&'static Definition>;

    /// Resumes the saga of `history` unless it is driven already, or says what is wrong with it.
    fn resume(&self, shared: &Arc<Shared>, history: &History) -> Result<Resumed, String>;

    /// Begins a saga as the child of another, in a task of its own; `input` is JSON.
    fn begin(
        &self,
        shared: &Arc<Shared>,
        id: &SagaId,
        reins: Reins,
        input: &str,
        child_of: ChildOf,
    ) -> Result<(), Box<(String, Reins)>>;

    /// Drives a saga that the log holds unfinished, in a task of its own.
    fn adopt(&self, shared: &Arc<Shared>, id: &SagaId, reins: Reins);

    /// Why the saga of `history` has compensated, if it has, and its history can be read.
    fn cause(&self, history: &History) -> Option<Cause>;
}

/// Registered sagas by the full name and fingerprint of their definitions.
pub(crate) type Registered = HashMap<(Cow<'static, str>, Fingerprint), Arc<dyn Recoverable>>;

/// What became of a saga that the log holds unfinished.
pub(crate) enum Resumed {
    /// A task drives it from now on.
    Now,
    /// One did before, or is about to find out whether it will.
    Before(Arc<Entry>),
}

impl<S: Saga> Recoverable for Registration<S> {
    fn definition(&self) -> &'static Definition {
        S::DEFINITION
    }

    fn children(&self) -> Vec<&'static Definition> {
        S::children()
    }

    fn begin(
        &self,
        shared: &Arc<Shared>,
        id: &SagaId,
        reins: Reins,
        input: &str,
        child_of: ChildOf,
    ) -> Result<(), Box<(String, Reins)>> {
        let decoded = std::panic::catch_unwind(AssertUnwindSafe(|| S::decode_input(input)));
        let decoded = match decoded {
            Ok(Ok(decoded)) => decoded,
            Ok(Err(error)) => return Err(Box::new((error.to_string(), reins))),
            Err(panic) => return Err(Box::new((panic_message(&*panic), reins))),
        };
        spawn_begin::<S>(shared, self, id, reins, decoded, input.to_owned(), Some(child_of));
        Ok(())
    }

    fn adopt(&self, shared: &Arc<Shared>, id: &SagaId, reins: Reins) {
        spawn_adopt::<S>(shared, &self.participants, id, reins);
    }

    fn cause(&self, history: &History) -> Option<Cause> {
        match fold::<S>(history).ok()?.state {
            State::Compensated(cause) => Some(cause),
            _ => None,
        }
    }

    fn resume(&self, shared: &Arc<Shared>, history: &History) -> Result<Resumed, String> {
        let id = &history.saga;
        let input = history.records.first().and_then(|record| record.data.as_deref()).unwrap_or_default();
        let fingerprint = history.begin.fingerprint;
        let reins = match shared.rouse(id) {
            Some(reins) => reins,
            None => match shared.enter(id, S::DEFINITION.full_name(), fingerprint, &input.into()) {
                (_, Some(reins)) => reins,
                (entry, None) => return Ok(Resumed::Before(entry)),
            },
        };
        // From here on nobody else drives it, so that what is not old now does not grow old.
        if shared.has_departed(id) {
            reins.progress.send_replace(Progress::Begun(SagaStatus::Running, None));
            spawn_adopt::<S>(shared, &self.participants, id, reins);
            return Ok(Resumed::Now);
        }
        let folded = fold::<S>(history).map_err(|error| error.to_string()).and_then(|folded| {
            if folded.has_ended() { Err(ENDED_UNKNOWN_TO_ITS_STATUS.to_owned()) } else { Ok(folded) }
        });
        let folded = match folded {
            Ok(folded) => folded,
            Err(cause) => {
                quarantine(shared, id, &reins, cause.clone());
                return Err(cause);
            }
        };
        let records = u64::try_from(history.records.len()).unwrap_or(u64::MAX);
        let Reins { progress, commands } = reins;
        let participants = Arc::clone(&self.participants);
        let driver = Driver::<S>::new(Arc::clone(shared), participants, id.clone(), progress, commands);
        let task = shared.task();
        tokio::spawn(async move {
            driver.resume(folded, records).await;
            drop(task);
        });
        Ok(Resumed::Now)
    }
}

/// What `S` was registered with.
pub(crate) fn registration_of<S: Saga>(shared: &Shared) -> Option<Arc<Registration<S>>> {
    let registered = shared.typed.get(&TypeId::of::<S>())?;
    Arc::clone(registered).downcast().ok()
}
