//! Makes facts durable: applied to the state, appended to the log, together with all that follows without waiting.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use tracing::{error, info};

use super::{Driver, Stop, locks_taken};
use crate::coordinator::attempt::panic_message;
use crate::coordinator::journal;
use crate::coordinator::shared::LOG_BACK_OFF;
use crate::coordinator::status::SagaStatus;
use crate::id::SagaId;
use crate::log::{Append, AppendError, Locks, Record, Status, Wake};
use crate::machine::{Event, Fact, FactKind, Next, State};
use crate::saga::{Saga, StateOf};

impl<S: Saga> Driver<S> {
    pub(super) async fn record(&mut self, facts: Vec<Fact>) -> Result<(), Stop> {
        let mut records = Vec::with_capacity(facts.len());
        for fact in facts {
            self.apply_fact(fact, &mut records)?;
        }
        self.finish_record(records).await
    }

    pub(super) async fn record_event(&mut self, event: S::Event) -> Result<(), Stop> {
        let fact = event.to_fact().map_err(|error| Stop::Fault(error.to_string()))?;
        let mut records = Vec::new();
        self.apply(fact, event, &mut records)?;
        self.finish_record(records).await
    }

    /// Makes `records` durable, together with all that follows from them without waiting.
    pub(super) async fn finish_record(&mut self, mut records: Vec<Record>) -> Result<(), Stop> {
        let evaluated = self.evaluate(&mut records).await;
        if evaluated.is_ok()
            && !self.is_still()
            && matches!(self.state.as_ref().map(State::next), Some(Next::Return))
        {
            return match (self.is_to_be_held(), &self.held) {
                (false, _) => self.complete(records).await,
                (true, None) => self.hold(records).await,
                (true, Some(_)) => self.append(records).await,
            };
        }
        self.append(records).await?;
        evaluated
    }

    pub(super) fn apply_fact(&mut self, fact: Fact, records: &mut Vec<Record>) -> Result<(), Stop> {
        let event = S::Event::from_fact(fact.clone());
        let event = event.map_err(|error| Stop::Fault(error.to_string()))?;
        self.apply(fact, event, records)
    }

    pub(super) fn apply(
        &mut self,
        fact: Fact,
        event: S::Event,
        records: &mut Vec<Record>,
    ) -> Result<(), Stop> {
        let state = self.state.take().ok_or_else(|| Stop::Fault("its state is gone".to_owned()))?;
        match state.apply(event) {
            Ok(state) => self.state = Some(state),
            Err(illegal) => {
                let cause = format!("{illegal}, {:?}", illegal.state);
                self.state = Some(illegal.state);
                return Err(Stop::Fault(cause));
            }
        }
        if let Some(locks) = locks_taken(S::DEFINITION, &fact) {
            self.locks = locks;
        }
        self.residue.record(S::DEFINITION, &fact);
        self.mailbox.record(S::DEFINITION, &fact);
        self.failures.record(&fact);
        self.process_ends.record(&fact);
        let before_ms = self.at_ms;
        self.at_ms = self.now();
        self.first_sent.record(S::DEFINITION, &fact, before_ms, self.at_ms);
        records.push(journal::to_record(S::DEFINITION, fact, self.at_ms));
        Ok(())
    }

    /// Builds the output and appends it together with `records`: the saga's last append.
    pub(super) async fn complete(&mut self, mut records: Vec<Record>) -> Result<(), Stop> {
        let state = self.state.take().ok_or_else(|| Stop::Fault("its state is gone".to_owned()))?;
        match returned::<S>(state) {
            Ok((fact, output)) => {
                // They are not needed any more, once nothing can go wrong here but the append itself.
                self.release_children(&mut records).await?;
                records.push(journal::to_record(S::DEFINITION, fact, self.now()));
                self.state = Some(State::Completed);
                self.append(records).await?;
                info!("completed");
                self.publish(SagaStatus::Completed, Some(output));
                Ok(())
            }
            Err(cause) => {
                self.append(records).await?;
                Err(Stop::Fault(cause))
            }
        }
    }

    /// Makes `records` durable. An unavailable log is tried again until it is back: nothing is lost meanwhile, and
    /// nothing goes on.
    pub(super) async fn append(&mut self, records: Vec<Record>) -> Result<(), Stop> {
        if records.is_empty() {
            return Ok(());
        }
        let status = match &self.state {
            _ if self.closed.is_some() => Status::Closed,
            Some(State::Completed) => Status::Completed,
            Some(State::Compensated(_)) => Status::Compensated,
            _ => Status::Running,
        };
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let (saga, first_seq) = (self.id.clone(), self.next_seq);
        let wake = if status == Status::Running { self.wake() } else { Wake::Never };
        let append = Append { saga, begin: None, first_seq, records, status, wake, locks: None };
        self.make_durable_with_locks(append).await?;
        self.next_seq += count;
        self.logged_wake = wake;
        self.appended();
        Ok(())
    }

    /// Tells whoever waits for the saga's end, once that is durable.
    pub(super) fn appended(&self) {
        if let Some(State::Compensated(cause)) = &self.state {
            info!(%cause, "compensated");
            self.publish(SagaStatus::Compensated(cause.clone()), None);
        }
        if self.closed.is_some() || matches!(self.state, Some(State::Compensated(_) | State::Completed)) {
            self.tell_who_waits_for_locks();
        }
    }

    /// Makes the append durable. The first one after a log load takes the saga's locks once more, which changes nothing if
    /// the log has kept them: so it goes on only with what its records say that it holds.
    async fn make_durable_with_locks(&mut self, mut append: Append) -> Result<(), Stop> {
        if self.locks_are_confirmed || self.locks.is_empty() || append.status != Status::Running {
            return self.make_durable(append).await.map(drop);
        }
        append.locks = Some(Locks { keys: self.locks.clone(), root: self.root() });
        if let Some((key, holder)) = self.make_durable(append).await? {
            return Err(Stop::Fault(format!(
                "its records say that it holds the lock `{key}`, and the log has given it to saga `{holder}`: rows of \
                 the log's locks were lost; end one of the two by hand"
            )));
        }
        self.locks_are_confirmed = true;
        Ok(())
    }

    /// Makes the append durable, or says which lock another saga holds, and which saga.
    pub(super) async fn make_durable(&self, mut append: Append) -> Result<Option<(String, SagaId)>, Stop> {
        loop {
            match self.shared.append(append.clone()).await {
                Ok(()) => return Ok(None),
                Err(AppendError::Locked { key, holder, .. }) => return Ok(Some((key, holder))),
                // Nobody is given it; and those who hold it go on.
                Err(AppendError::LockDamaged { .. }) if self.holds(&append) => append.locks = None,
                Err(AppendError::Unavailable(error)) => {
                    error!(%error, "the saga waits for its log");
                    if !self.shared.back_off(LOG_BACK_OFF).await {
                        return Err(Stop::Shutdown);
                    }
                }
                Err(error) => return Err(Stop::Fault(error.to_string())),
            }
        }
    }

    /// Whether the saga's records say already that it holds the locks that `append` takes.
    fn holds(&self, append: &Append) -> bool {
        append.locks.as_ref().is_some_and(|locks| locks.keys == self.locks)
    }
}

/// The fact that the saga returned, and its output as JSON. `return` is the user's code, and may panic: the step before
/// it is recorded all the same.
pub(super) fn returned<S: Saga>(state: StateOf<S>) -> Result<(Fact, Arc<str>), String> {
    let complete = AssertUnwindSafe(|| S::complete(state));
    let event = match std::panic::catch_unwind(complete) {
        Ok(Some(Ok(event))) => event,
        Ok(Some(Err(error))) => return Err(error.to_string()),
        Ok(None) => return Err("it has nothing to return".to_owned()),
        Err(panic) => return Err(format!("its `return` panicked: {}", panic_message(&*panic))),
    };
    let fact = event.to_fact().map_err(|error| error.to_string())?;
    let output = match &fact.kind {
        FactKind::Completed(output) => Arc::from(output.as_str()),
        _ => return Err("it returned something else than an output".to_owned()),
    };
    Ok((fact, output))
}
