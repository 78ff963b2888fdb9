//! Drives one saga: makes its calls, records what happens, and does nothing that is not durable first.
//!
//! The contract, in one sentence: a fact is applied to the state, appended to the log, and only when it is durable
//! does anything follow from it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::__private::CallFuture;
use crate::context::Context;
use crate::coordinator::attempt::{Ended, attempt, panic_message};
use crate::coordinator::fold::Folded;
use crate::coordinator::journal;
use crate::coordinator::mailbox::Mailbox;
use crate::coordinator::shared::Shared;
use crate::coordinator::status::{Parked, ParkedCall, Progress, SagaStatus};
use crate::definition::StepKind;
use crate::error::Failure;
use crate::id::SagaId;
use crate::log::{Append, AppendError, Begin, Record, Status, Wake};
use crate::machine::{
    AttemptFact, Call, CallKind, Decision, Event, Fact, FactKind, Next, Phase, Place, Policy, Refusal,
    Residue, Role, State, decide, is_ahead, is_parked, settle,
};
use crate::saga::{Saga, StateOf};

/// What a handle asks of its saga.
#[derive(Debug)]
pub(crate) enum Command {
    /// Compensate, if that is still possible.
    Cancel { reason: String, answer: oneshot::Sender<CancelAnswer> },
    /// Try what waits at once.
    Retry { answer: oneshot::Sender<()> },
    /// Take this signal.
    Send { signal: Fact, answer: oneshot::Sender<SendAnswer> },
}

/// What became of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendAnswer {
    /// It is durable: the saga receives it, or has received it already.
    Accepted,
    /// The saga does not receive it any more, for this reason.
    TooLate {
        /// The reason.
        reason: String,
    },
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAnswer {
    /// The saga compensates, for this reason or for an earlier one.
    Cancelled,
    /// The saga is past its point of no return.
    TooLate,
}

/// How often an unavailable log is tried again.
pub(crate) const LOG_BACK_OFF: Duration = Duration::from_millis(500);

/// Why the driver stops before the saga's end.
enum Stop {
    /// The coordinator shuts down.
    Shutdown,
    /// The saga cannot go on.
    Fault(String),
    /// The log holds another saga with this id.
    Exists(Box<crate::log::History>),
    /// The first record could not be made durable.
    NotBegun(crate::log::LogError),
}

pub(crate) struct Driver<S: Saga> {
    shared: Arc<Shared>,
    participants: Arc<S::Participants>,
    id: SagaId,
    /// `None` only while the state is being moved.
    state: Option<StateOf<S>>,
    residue: Residue,
    /// Number of the next record.
    next_seq: u64,
    at_ms: u64,
    progress: watch::Sender<Progress>,
    commands: mpsc::UnboundedReceiver<Command>,
    /// Wishes to cancel that the pivot's outcome decides.
    cancels: Vec<oneshot::Sender<CancelAnswer>>,
    in_flight: HashMap<Place, CallKind>,
    /// When the next attempt of a step is due, and for which call as it stood that was decided.
    due: HashMap<Place, (Call, Instant)>,
    failures: HashMap<Place, Failure>,
    mailbox: Mailbox,
    /// Until when the saga has to have opened its pivot, in milliseconds since the Unix epoch.
    deadline_ms: Option<u64>,
    place: Option<OwnedSemaphorePermit>,
}

impl<S: Saga> Driver<S> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        participants: Arc<S::Participants>,
        id: SagaId,
        progress: watch::Sender<Progress>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        Self {
            shared,
            participants,
            id,
            state: None,
            residue: Residue::default(),
            next_seq: 0,
            at_ms: 0,
            progress,
            commands,
            cancels: Vec::new(),
            in_flight: HashMap::new(),
            due: HashMap::new(),
            failures: HashMap::new(),
            mailbox: Mailbox::default(),
            deadline_ms: None,
            place: None,
        }
    }

    /// Begins the saga, then drives it to its end.
    pub(crate) async fn begin(mut self, input: S::Input, input_json: String) {
        let span = info_span!("saga", definition = S::DEFINITION.name, id = %self.id);
        async move {
            let stop = match self.append_begin(input_json).await {
                Ok(()) => {
                    self.deadline_ms = S::deadline(&input).map(|time| time.due_ms(self.at_ms));
                    self.state = Some(S::begin(input));
                    self.publish(SagaStatus::Running, None);
                    info!("begun");
                    self.drive_unless_it_panics().await
                }
                Err(stop) => Err(stop),
            };
            self.stop(stop);
        }
        .instrument(span)
        .await;
    }

    /// Drives a saga of the log from where its history ends.
    pub(crate) async fn resume(mut self, folded: Folded<S>, records: u64) {
        let span = info_span!("saga", definition = S::DEFINITION.name, id = %self.id);
        async move {
            self.next_seq = records;
            self.at_ms = folded.at_ms;
            self.residue = folded.residue;
            self.failures = folded.failures;
            self.mailbox = folded.mailbox;
            self.deadline_ms = folded.deadline_ms;
            let tainted = taint(&folded.state);
            self.state = Some(folded.state);
            self.publish(SagaStatus::Running, None);
            info!(records, "resumed");
            let stop = match self.record(tainted).await {
                Ok(()) => self.drive_unless_it_panics().await,
                Err(stop) => Err(stop),
            };
            self.stop(stop);
        }
        .instrument(span)
        .await;
    }

    async fn append_begin(&mut self, input: String) -> Result<(), Stop> {
        self.at_ms = self.now();
        let record =
            Record { at_ms: self.at_ms, step: None, event: journal::BEGUN.to_owned(), data: Some(input) };
        let begin =
            Begin { definition: S::DEFINITION.name.to_owned(), fingerprint: S::DEFINITION.fingerprint() };
        let append = Append {
            saga: self.id.clone(),
            begin: Some(begin),
            first_seq: 0,
            records: vec![record],
            status: Status::Running,
            wake: Wake::Now,
            locks: None,
        };
        match self.shared.append(append).await {
            Ok(()) => {
                self.next_seq = 1;
                Ok(())
            }
            Err(AppendError::Exists(history)) => Err(Stop::Exists(history)),
            Err(AppendError::Unavailable(error)) => Err(Stop::NotBegun(error)),
            Err(error) => Err(Stop::Fault(error.to_string())),
        }
    }

    /// The calls are guarded one by one. What else is the user's code, as the `Serialize` of an output, is so here: its
    /// panic is a fault of this saga, and whoever waits for the saga is told.
    async fn drive_unless_it_panics(&mut self) -> Result<(), Stop> {
        let driven = AssertUnwindSafe(self.drive()).catch_unwind().await;
        driven.unwrap_or_else(|panic| Err(Stop::Fault(format!("it panicked: {}", panic_message(&*panic)))))
    }

    /// Goes on until the saga's end. Whoever calls it has begun or resumed the saga.
    async fn drive(&mut self) -> Result<(), Stop> {
        let mut attempts = FuturesUnordered::new();
        // What it begins with may be the coordinator's to decide.
        self.record(Vec::new()).await?;
        loop {
            let calls = match self.state.as_ref().map(State::next) {
                None | Some(Next::Ended) => return Ok(()),
                Some(Next::Return) => {
                    self.complete(Vec::new()).await?;
                    continue;
                }
                Some(Next::Calls(calls)) => calls,
            };
            self.decide_cancels(&calls);
            // Read once: were it to change between here and the wait, nothing would be in flight and nobody would wake.
            let shutting_down = self.shared.is_shutting_down();
            if shutting_down && self.in_flight.is_empty() {
                let unsent = calls.iter().filter(|call| call.is_in_flight()).map(not_sent);
                let unsent = unsent.collect::<Vec<_>>();
                if unsent.is_empty() {
                    return Err(Stop::Shutdown);
                }
                // They may turn the saga: then it has ended, or its first compensation was never sent either.
                self.record(unsent).await?;
                continue;
            }
            let facts = self.plan(&calls);
            if !facts.is_empty() {
                self.record(facts).await?;
                continue;
            }
            self.show(&calls);
            for call in calls.iter().filter(|call| call.is_in_flight()) {
                if !shutting_down && !self.in_flight.contains_key(&call.place) {
                    self.take_place().await;
                    attempts.push(self.attempt(call)?);
                }
            }
            if self.in_flight.is_empty() {
                self.place = None;
            }
            self.wait(&calls, &mut attempts, shutting_down).await?;
        }
    }

    /// The facts that follow from the state and the clock alone, without waiting.
    fn plan(&mut self, calls: &[Call]) -> Vec<Fact> {
        let mut facts = Vec::new();
        let now = Instant::now();
        if self.deadline_ms.is_some_and(|deadline_ms| self.now() >= deadline_ms)
            && !self.shared.is_shutting_down()
            && self.state.as_ref().is_some_and(State::can_cancel)
        {
            return vec![Fact { place: None, kind: FactKind::DeadlinePassed }];
        }
        // What was decided for a call holds as long as it stands as it did: not once its saga has turned.
        self.due.retain(|_, (decided, _)| calls.contains(decided));
        for call in calls {
            if self.shared.is_shutting_down() {
                break;
            }
            if let Some(fact) = self.time_is_up(call) {
                facts.push(fact);
            }
            match decide(call, &retry::<S>(call), fastrand::u32(..)) {
                Decision::Make | Decision::Wait => {}
                Decision::GiveUp => {
                    let message = self.failures.get(&call.place).map_or("", |failure| &failure.message);
                    let attempts = call.attempts.made();
                    let message = format!("{message} (after {attempts} attempts)");
                    facts.push(attempt_fact(call, AttemptFact::GaveUp(message)));
                }
                Decision::Open { after } => {
                    let due =
                        self.due.entry(call.place.clone()).or_insert_with(|| (call.clone(), now + after)).1;
                    if due <= now {
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

    /// What becomes of a `sleep` or `receive` whose time is up.
    fn time_is_up(&self, call: &Call) -> Option<Fact> {
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

    /// Waits until something happens, and records it.
    async fn wait<F>(
        &mut self,
        calls: &[Call],
        attempts: &mut FuturesUnordered<F>,
        shutting_down: bool,
    ) -> Result<(), Stop>
    where
        F: Future<Output = (Call, Ended<S::Event>)>,
    {
        let back_offs = self.due.values().map(|(_, due)| *due);
        let times = calls.iter().filter_map(Call::waits_until_ms);
        let deadline = self.deadline_ms.filter(|_| self.state.as_ref().is_some_and(State::can_cancel));
        let times = times.chain(deadline).map(|due_ms| self.shared.clock.instant(due_ms));
        let due = back_offs.chain(times).min().filter(|_| !shutting_down);
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let shutdown = async {
            if shutting_down {
                std::future::pending::<()>().await;
            }
            self.shared.shutdown().await;
        };
        tokio::select! {
            biased;
            Some((call, ended)) = attempts.next(), if !attempts.is_empty() => {
                self.in_flight.remove(&call.place);
                self.ended(call, ended).await
            }
            command = self.commands.recv() => match command {
                Some(command) => self.command(command).await,
                None => Err(Stop::Fault("its entry is gone".to_owned())),
            },
            () = timer => Ok(()),
            () = shutdown => Ok(()),
        }
    }

    async fn ended(&mut self, call: Call, ended: Ended<S::Event>) -> Result<(), Stop> {
        let settled = match ended {
            Ended::NotSent => return self.record(vec![not_sent(&call)]).await,
            Ended::Settled(settled) => settled,
        };
        let step = step_name::<S>(&call);
        match settle(&call, settled, self.now()) {
            Ok(event) => {
                info!(step = &*step, kind = ?call.kind, attempt = call.attempts.made(), "done");
                self.failures.remove(&call.place);
                self.record_event(event).await
            }
            Err(kinds) => {
                for kind in &kinds {
                    self.note_failure(&call, kind);
                }
                let place = Some(call.place);
                self.record(kinds.into_iter().map(|kind| Fact { place: place.clone(), kind }).collect()).await
            }
        }
    }

    fn note_failure(&mut self, call: &Call, kind: &FactKind) {
        let Some(failure) = kind.failure() else { return };
        let (step, attempt) = (step_name::<S>(call), call.attempts.made());
        warn!(step = &*step, kind = ?call.kind, attempt, outcome = %failure.kind, error = failure.message, "failed");
        self.failures.insert(call.place.clone(), failure);
    }

    async fn command(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Cancel { reason, answer } => {
                let state = self.state.as_ref();
                if state.is_some_and(State::can_cancel) {
                    self.cancels.push(answer);
                    return self.record(vec![Fact { place: None, kind: FactKind::Cancelled(reason) }]).await;
                }
                match state {
                    Some(State::Turning(..)) => self.cancels.push(answer),
                    Some(State::Backward(..) | State::Compensated(_)) => {
                        let _ = answer.send(CancelAnswer::Cancelled);
                    }
                    _ => {
                        let _ = answer.send(CancelAnswer::TooLate);
                    }
                }
                Ok(())
            }
            Command::Retry { answer } => {
                let now = Instant::now();
                self.due.values_mut().for_each(|(_, due)| *due = now);
                let parked = self.calls().into_iter().filter(|call| call.attempts.phase() == Phase::Parked);
                let facts = parked.map(|call| attempt_fact(&call, AttemptFact::Opened)).collect();
                let _ = answer.send(());
                self.record(facts).await
            }
            Command::Send { signal, answer } => match self.why_too_late(&signal) {
                Some(reason) => {
                    let _ = answer.send(SendAnswer::TooLate { reason });
                    Ok(())
                }
                None => {
                    self.record(vec![signal]).await?;
                    let _ = answer.send(SendAnswer::Accepted);
                    Ok(())
                }
            },
        }
    }

    /// Why a signal is not received any more, if it is not.
    fn why_too_late(&self, signal: &Fact) -> Option<String> {
        let step = signal.place.as_ref()?.step;
        let name = S::DEFINITION.steps.get(step).map_or("", |step| step.name);
        match &self.state {
            Some(State::Forward(_)) => {
                let now = self.calls().iter().map(|call| call.place.step).collect::<Vec<_>>();
                (!is_ahead(S::DEFINITION, step, &now))
                    .then(|| format!("the saga is past `{name}`, or takes another way"))
            }
            Some(State::Turning(_, cause) | State::Backward(_, cause) | State::Compensated(cause)) => {
                Some(format!("the saga compensates ({cause})"))
            }
            _ => Some("the saga has completed".to_owned()),
        }
    }

    fn calls(&self) -> Vec<Call> {
        match self.state.as_ref().map(State::next) {
            Some(Next::Calls(calls)) => calls,
            _ => Vec::new(),
        }
    }

    /// Answers the wishes to cancel as soon as they are decided.
    fn decide_cancels(&mut self, calls: &[Call]) {
        let answer = match &self.state {
            Some(State::Turning(..)) if calls.iter().any(|call| call.role == Role::Pivot) => return,
            Some(State::Turning(..) | State::Backward(..) | State::Compensated(_)) => CancelAnswer::Cancelled,
            _ => CancelAnswer::TooLate,
        };
        for cancel in self.cancels.drain(..) {
            let _ = cancel.send(answer);
        }
    }

    /// Waits until the saga is among those that run at once. Commands wait meanwhile.
    async fn take_place(&mut self) {
        if self.place.is_none() {
            // An error says that the coordinator shuts down: then the attempt will not be sent either.
            self.place = Arc::clone(&self.shared.sagas_at_once).acquire_owned().await.ok();
        }
    }

    fn attempt(
        &mut self,
        call: &Call,
    ) -> Result<impl Future<Output = (Call, Ended<S::Event>)> + use<S>, Stop> {
        let step = step_name::<S>(call);
        let number = call.attempts.made();
        let future = self.future(call)?;
        self.in_flight.insert(call.place.clone(), call.kind);
        let span = info_span!("attempt", step = &*step, kind = ?call.kind, number);
        let timeout = policy::<S>(call).timeout;
        let calls_at_once = Arc::clone(&self.shared.calls_at_once);
        Ok(attempt(call.clone(), future, timeout, calls_at_once).instrument(span))
    }

    fn future(&self, call: &Call) -> Result<CallFuture<S::Event>, Stop> {
        let Place { step, items } = call.place.clone();
        let name = S::DEFINITION.steps.get(step).map_or("", |step| step.name);
        let (definition, id, number) = (S::DEFINITION.name, self.id.clone(), call.attempts.made());
        let context = match call.kind {
            CallKind::Compensation => Context::compensation(definition, id, name, number),
            _ => Context::action(definition, id, name, number),
        };
        let context = context.of_items(items);
        let state = self.state.as_ref();
        let future =
            state.and_then(|state| S::call(state, &call.place, call.kind, &self.participants, context));
        future.ok_or_else(|| Stop::Fault(format!("`{name}` has no such call")))
    }

    /// Tells the handles whether an operator should look.
    fn show(&mut self, calls: &[Call]) {
        let parked = calls.iter().filter(|call| is_parked(call, &retry::<S>(call)));
        let parked = parked
            .map(|call| {
                let failure = self.failures.get(&call.place);
                ParkedCall {
                    step: step_name::<S>(call),
                    kind: call.kind,
                    attempts: call.attempts.made(),
                    failure: failure.map(|failure| failure.kind),
                    message: failure.map_or_else(String::new, |failure| failure.message.clone()),
                    goes_on: decide(call, &retry::<S>(call), 0) != Decision::Wait,
                }
            })
            .collect::<Vec<_>>();
        let status = if parked.is_empty() {
            SagaStatus::Running
        } else {
            // What is in flight may take effect too.
            let mut residue = self.residue.clone();
            let open = self.state.as_ref().map(taint).unwrap_or_default();
            for fact in &open {
                residue.record(S::DEFINITION, fact);
            }
            let residue = residue.effects().map(|(place, effect)| (place_name::<S>(place), effect)).collect();
            SagaStatus::Parked(Parked { calls: parked, residue })
        };
        let changed = match &*self.progress.borrow() {
            Progress::Begun(before, _) => *before != status,
            _ => true,
        };
        if changed {
            if let SagaStatus::Parked(parked) = &status {
                warn!(%parked, "parked");
            }
            self.publish(status, None);
        }
    }

    async fn record(&mut self, facts: Vec<Fact>) -> Result<(), Stop> {
        let mut records = Vec::with_capacity(facts.len());
        for fact in facts {
            self.apply_fact(fact, &mut records)?;
        }
        self.finish_record(records).await
    }

    async fn record_event(&mut self, event: S::Event) -> Result<(), Stop> {
        let fact = event.to_fact().map_err(|error| Stop::Fault(error.to_string()))?;
        let mut records = Vec::new();
        self.apply(fact, event, &mut records)?;
        self.finish_record(records).await
    }

    /// Makes `records` durable, together with all that follows from them without waiting.
    async fn finish_record(&mut self, mut records: Vec<Record>) -> Result<(), Stop> {
        let evaluated = self.evaluate(&mut records);
        if evaluated.is_ok() && matches!(self.state.as_ref().map(State::next), Some(Next::Return)) {
            return self.complete(records).await;
        }
        self.append(records).await?;
        evaluated
    }

    /// What the coordinator decides by itself: which arm is taken, which items there are, until when to wait; and which
    /// signal is received.
    fn evaluate(&mut self, records: &mut Vec<Record>) -> Result<(), Stop> {
        loop {
            if !matches!(self.state, Some(State::Forward(_))) {
                return Ok(());
            }
            let calls = self.calls();
            let received = calls.iter().find_map(|call| {
                let signal = self.mailbox.first(call.place.step).filter(|_| call.kind == CallKind::Wait)?;
                let kind = match call.attempts.phase() {
                    Phase::Open => FactKind::Done(signal.to_owned()),
                    // It was not there in time, and comes after all.
                    Phase::Parked => FactKind::Attempt(AttemptFact::Opened),
                    _ => return None,
                };
                Some(Fact { place: Some(call.place.clone()), kind })
            });
            if let Some(fact) = received {
                self.apply_fact(fact, records)?;
                continue;
            }
            let Some(call) = calls.iter().find(|call| call.is_to_be_evaluated()) else { return Ok(()) };
            let step = step_name::<S>(call);
            // The user's expressions: they may panic. What was before them is recorded all the same.
            let future = self.future(call)?;
            let evaluated = AssertUnwindSafe(future).catch_unwind().now_or_never();
            let settled = match evaluated {
                Some(Ok(settled)) => settled,
                Some(Err(panic)) => {
                    let message = panic_message(&*panic);
                    return Err(Stop::Fault(format!("the expression of `{step}` panicked: {message}")));
                }
                None => return Err(Stop::Fault(format!("the expression of `{step}` waits"))),
            };
            match settle(call, settled, self.now()) {
                Ok(event) => {
                    let fact = event.to_fact().map_err(|error| Stop::Fault(error.to_string()))?;
                    self.apply(fact, event, records)?;
                }
                Err(kinds) => {
                    for kind in kinds {
                        if let Some(failure) = kind.failure() {
                            return Err(Stop::Fault(format!("the expression of `{step}` failed: {failure}")));
                        }
                        self.apply_fact(Fact { place: Some(call.place.clone()), kind }, records)?;
                    }
                }
            }
        }
    }

    fn apply_fact(&mut self, fact: Fact, records: &mut Vec<Record>) -> Result<(), Stop> {
        let event = S::Event::from_fact(fact.clone());
        let event = event.map_err(|error| Stop::Fault(error.to_string()))?;
        self.apply(fact, event, records)
    }

    fn apply(&mut self, fact: Fact, event: S::Event, records: &mut Vec<Record>) -> Result<(), Stop> {
        let state = self.state.take().ok_or_else(|| Stop::Fault("its state is gone".to_owned()))?;
        match state.apply(event) {
            Ok(state) => self.state = Some(state),
            Err(illegal) => {
                let cause = format!("{illegal}, {:?}", illegal.state);
                self.state = Some(illegal.state);
                return Err(Stop::Fault(cause));
            }
        }
        self.residue.record(S::DEFINITION, &fact);
        self.mailbox.record(S::DEFINITION, &fact);
        self.at_ms = self.now();
        records.push(journal::to_record(S::DEFINITION, fact, self.at_ms));
        Ok(())
    }

    /// Builds the output and appends it together with `records`: the saga's last append.
    async fn complete(&mut self, mut records: Vec<Record>) -> Result<(), Stop> {
        let state = self.state.take().ok_or_else(|| Stop::Fault("its state is gone".to_owned()))?;
        // `return` is the user's code: it may panic. The step before it is recorded all the same.
        let complete = AssertUnwindSafe(|| S::complete(state));
        let completed = match std::panic::catch_unwind(complete) {
            Ok(Some(Ok(event))) => event.to_fact().map_err(|error| error.to_string()),
            Ok(Some(Err(error))) => Err(error.to_string()),
            Ok(None) => Err("it has nothing to return".to_owned()),
            Err(panic) => Err(format!("its `return` panicked: {}", panic_message(&*panic))),
        };
        match completed {
            Ok(fact) => {
                let output = match &fact.kind {
                    FactKind::Completed(output) => Some(Arc::from(output.as_str())),
                    _ => None,
                };
                records.push(journal::to_record(S::DEFINITION, fact, self.now()));
                self.state = Some(State::Completed);
                self.append(records).await?;
                info!("completed");
                self.publish(SagaStatus::Completed, output);
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
    async fn append(&mut self, records: Vec<Record>) -> Result<(), Stop> {
        if records.is_empty() {
            return Ok(());
        }
        let status = match &self.state {
            Some(State::Completed) => Status::Completed,
            Some(State::Compensated(_)) => Status::Compensated,
            _ => Status::Running,
        };
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let (saga, first_seq) = (self.id.clone(), self.next_seq);
        let append = Append { saga, begin: None, first_seq, records, status, wake: self.wake(), locks: None };
        loop {
            match self.shared.append(append.clone()).await {
                Ok(()) => break,
                Err(AppendError::Unavailable(error)) => {
                    error!(%error, "the saga waits for its log");
                    if self.shared.is_shutting_down() {
                        return Err(Stop::Shutdown);
                    }
                    tokio::select! {
                        () = tokio::time::sleep(LOG_BACK_OFF) => {}
                        () = self.shared.shutdown() => {}
                    }
                }
                Err(error) => return Err(Stop::Fault(error.to_string())),
            }
        }
        self.next_seq += count;
        if let Some(State::Compensated(cause)) = &self.state {
            info!(%cause, "compensated");
            self.publish(SagaStatus::Compensated(cause.clone()), None);
        }
        Ok(())
    }

    /// When somebody has to drive the saga next: it waits as long as all of it waits.
    fn wake(&self) -> Wake {
        if !matches!(self.state, Some(State::Forward(_))) {
            return Wake::Now;
        }
        let calls = self.calls();
        let Some(times) = calls.iter().map(Call::waits_until_ms).collect::<Option<Vec<_>>>() else {
            return Wake::Now;
        };
        let deadline = self.deadline_ms.filter(|_| self.state.as_ref().is_some_and(State::can_cancel));
        times.into_iter().chain(deadline).min().map_or(Wake::Now, Wake::At)
    }

    fn publish(&self, status: SagaStatus, output: Option<Arc<str>>) {
        self.progress.send_replace(Progress::Begun(status, output));
    }

    fn stop(mut self, stop: Result<(), Stop>) {
        let calls = self.calls();
        if stop.is_ok() {
            self.decide_cancels(&calls);
        }
        // The entry goes first: who finds none asks the log, and who has one is told the end by it.
        self.shared.remove(&self.id);
        match stop {
            Ok(()) => debug!("ended"),
            Err(Stop::Shutdown) => {
                info!("stopped until the next start");
                self.publish(SagaStatus::Stopped, None);
            }
            Err(Stop::Fault(cause)) => {
                error!(cause, "quarantined");
                self.shared.quarantine(&self.id, &cause);
                self.publish(SagaStatus::Quarantined { cause }, None);
            }
            Err(Stop::Exists(history)) => {
                self.progress.send_replace(Progress::Exists(Arc::new(*history)));
            }
            Err(Stop::NotBegun(error)) => {
                self.progress.send_replace(Progress::NotBegun(error));
            }
        }
    }

    /// Milliseconds since the Unix epoch, never less than what was logged last.
    fn now(&self) -> u64 {
        self.shared.clock.now_ms().max(self.at_ms)
    }
}

/// After a restart nobody knows what became of the attempts that were open.
fn taint<F: crate::machine::Forward>(state: &State<F>) -> Vec<Fact> {
    let Next::Calls(calls) = state.next() else { return Vec::new() };
    let open = calls.iter().filter(|call| call.is_in_flight());
    let failure = || Failure::unknown("the process ended while this attempt was open");
    open.map(|call| attempt_fact(call, AttemptFact::Failed(failure()))).collect()
}

fn not_sent(call: &Call) -> Fact {
    attempt_fact(call, AttemptFact::NotSent)
}

fn attempt_fact(call: &Call, fact: AttemptFact) -> Fact {
    let kind = match call.kind {
        CallKind::Compensation => FactKind::Compensation(fact),
        _ => FactKind::Attempt(fact),
    };
    Fact { place: Some(call.place.clone()), kind }
}

fn policy<S: Saga>(call: &Call) -> Policy {
    S::policy(call.place.step, call.kind)
}

/// A doubt is settled under the retries of the compensation that waits for it.
fn retry<S: Saga>(call: &Call) -> crate::machine::Retry {
    match call.role {
        Role::Settling => S::policy(call.place.step, CallKind::Compensation).retry,
        _ => policy::<S>(call).retry,
    }
}

fn step_name<S: Saga>(call: &Call) -> Cow<'static, str> {
    place_name::<S>(&call.place)
}

/// `flight`, or `pick[2]` of an item.
fn place_name<S: Saga>(place: &Place) -> Cow<'static, str> {
    let name = S::DEFINITION.steps.get(place.step).map_or("", |step| step.name);
    if place.items.depth() == 0 { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}{}", place.items)) }
}
