//! What a coordinator is made of.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::coordinator::Coordinator;
use crate::coordinator::alarm;
use crate::coordinator::clock::Clock;
use crate::coordinator::purge::{self, Retention};
use crate::coordinator::recovery::recover;
use crate::coordinator::registration::{Recoverable, Registered, Registration};
use crate::coordinator::shared::Shared;
use crate::definition::{Definition, Fingerprint};
use crate::log::{LogError, SagaLog};
use crate::saga::{RunsOn, Saga};

/// Builds a [`Coordinator`]: its log, its sagas, its limits.
#[must_use = "a coordinator runs only once it is started"]
pub struct Builder<L> {
    log: Arc<L>,
    clock: Option<Arc<Clock>>,
    typed: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    recoverable: Vec<Arc<dyn Recoverable>>,
    calls_at_once: usize,
    sagas_at_once: usize,
    retention: Option<Retention>,
    horizon: Option<Duration>,
}

/// Why a coordinator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two sagas of one name, types and structure were registered.
    #[error("two registered sagas are called `{name}` and look the same: give one of them another name")]
    RegisteredTwice {
        /// Their full name.
        name: Cow<'static, str>,
    },
    /// A registered saga begins another one, which is not registered.
    #[error("`{parent}` begins `{child}`, which is not registered: add `.register::<{child}>(…)`")]
    ChildNotRegistered {
        /// The saga that begins the other.
        parent: Cow<'static, str>,
        /// The other.
        child: Cow<'static, str>,
    },
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl<L: SagaLog> Builder<L> {
    pub(crate) fn new(log: Arc<L>) -> Self {
        Self {
            log,
            clock: None,
            typed: HashMap::new(),
            recoverable: Vec::new(),
            calls_at_once: 1024,
            sagas_at_once: 4096,
            retention: None,
            horizon: None,
        }
    }

    /// Goes by this clock.
    #[cfg(feature = "verify")]
    pub(crate) fn clock(self, clock: &Arc<Clock>) -> Self {
        Self { clock: Some(Arc::clone(clock)), ..self }
    }

    /// A saga that this coordinator executes, and what its calls are made on.
    pub fn register<S: Saga + RunsOn<L>>(mut self, participants: S::Participants) -> Self {
        let registration = Arc::new(Registration::<S> { participants: Arc::new(participants) });
        self.typed.insert(TypeId::of::<S>(), Arc::clone(&registration) as Arc<dyn Any + Send + Sync>);
        self.recoverable.push(registration);
        self
    }

    /// How many calls may be in flight at once; 1024 if nothing is said, at least 1. Further ones wait.
    pub fn calls_at_once(mut self, limit: usize) -> Self {
        self.calls_at_once = limit.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// How many sagas may have calls in flight at once; 4096 if nothing is said, at least 1. Further ones are
    /// accepted and wait for their turn. A saga that waits for a back-off or an operator does not count.
    pub fn sagas_at_once(mut self, limit: usize) -> Self {
        self.sagas_at_once = limit.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// How long participants remember the keys of their calls, counted from the first attempt of a step's action; for ever if
    /// nothing is said. Past it nothing about that step is sent any more, neither its action or probe again nor its
    /// compensation, as it would be treated as new: a step before the pivot is given up, and what has to be done is
    /// [parked](crate::SagaStatus::Parked), with the residue, for an operator. One that they want
    /// [retried](crate::coordinator::Intervention::Retry) is sent once.
    ///
    /// Say less than the services keep to, by as much as the clocks may differ and the longest time-out of a call.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// Purges sagas that have ended so long ago, at the start and every ten minutes. If nothing is said, everything is kept
    /// for ever; [`Coordinator::purge`] purges once.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Starts the coordinator: resumes every saga of the log that has work to do, then takes new ones. A
    /// saga that waits stays in the log until it wakes.
    ///
    /// Must be called within a tokio runtime.
    pub async fn start(self) -> Result<Coordinator, StartError> {
        let mut by_definition = Registered::new();
        let known =
            self.recoverable.iter().map(|saga| full_name_and_form(saga.definition())).collect::<Vec<_>>();
        for saga in self.recoverable {
            if let Some(child) =
                saga.children().into_iter().find(|child| !known.contains(&full_name_and_form(child)))
            {
                let parent = saga.definition().full_name();
                return Err(StartError::ChildNotRegistered { parent, child: child.full_name() });
            }
            let key = full_name_and_form(saga.definition());
            let name = key.0.clone();
            if by_definition.insert(key, saga).is_some() {
                return Err(StartError::RegisteredTwice { name });
            }
        }
        let shared = Arc::new(Shared::new(
            self.log,
            self.clock.unwrap_or_else(|| Arc::new(Clock::new())),
            self.typed,
            by_definition,
            self.calls_at_once,
            self.sagas_at_once,
            self.horizon,
        ));
        let now_ms = shared.clock.now_ms();
        let recovery = recover(&shared, now_ms).await.inspect_err(|_| {
            // A coordinator that did not start drives nothing.
            shared.begin_shutdown();
        })?;
        alarm::spawn(Arc::clone(&shared), now_ms);
        if let Some(retention) = self.retention {
            purge::spawn(Arc::clone(&shared), retention);
        }
        Ok(Coordinator::new(shared, recovery))
    }
}

/// What tells one saga from another.
fn full_name_and_form(definition: &Definition) -> (Cow<'static, str>, Fingerprint) {
    (definition.full_name(), definition.fingerprint())
}
