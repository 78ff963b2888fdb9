//! Drives one saga: makes its calls, records what happens, and does nothing that is not durable first.
//!
//! The contract, in one sentence: a fact is applied to the state, appended to the log, and only when it is durable
//! does anything follow from it.

mod call;
mod command;
mod evaluate;
mod hold;
mod local;
mod lock;
mod operate;
mod plan;
mod record;
mod turn;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::{Instrument, debug, error, info, info_span};

pub(crate) use self::command::Command;
pub use self::command::{CancelAnswer, SendAnswer};
use self::lock::Blocked;
pub(crate) use self::lock::locks_taken;
pub(crate) use self::operate::Asked;
use self::turn::Turn;
use crate::coordinator::attempt::{Ended, panic_message};
use crate::coordinator::child::{Awaited, ChildOf};
use crate::coordinator::failures::Failures;
use crate::coordinator::fold::Folded;
use crate::coordinator::horizon::FirstSent;
use crate::coordinator::journal;
use crate::coordinator::mailbox::Mailbox;
use crate::coordinator::operator::{Closed, Operator};
use crate::coordinator::shared::{Reins, Shared};
use crate::coordinator::status::{Past, Progress, SagaStatus};
use crate::coordinator::suspects::{ProcessEnds, process_ended};
use crate::coordinator::wake::leave_all_locks;
use crate::definition::StepKind;
use crate::id::SagaId;
use crate::log::{Append, AppendError, Begin, Status, Wake};
use crate::machine::{
    AttemptFact, Call, CallKind, Fact, FactKind, Next, Place, Policy, Residue, Role, State, Time,
};
use crate::saga::{Saga, StateOf};

/// Why the driver stops before the saga's end.
enum Stop {
    /// All of it waits, for long: nobody needs to drive it meanwhile.
    Dormant(Wake),
    /// The coordinator shuts down.
    Shutdown,
    /// The saga cannot go on.
    Fault(String),
    /// The log holds another saga with this id.
    Exists(Box<crate::log::History>),
    /// A saga with this id has ended, and was purged.
    Past(Past),
    /// The first record could not be made durable.
    NotBegun(crate::log::LogError),
}

/// Which of a step's two calls: its action, with the probe that asks for it, or its compensation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Direction {
    Action,
    Compensation,
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
    /// What is in flight; of a child, what is waited for.
    in_flight: HashMap<Place, Option<watch::Receiver<Awaited>>>,
    /// When the next attempt of a step is due, and for which call as it stood that was decided.
    due: HashMap<Place, (Call, Instant)>,
    failures: Failures,
    process_ends: ProcessEnds,
    turn: Turn,
    first_sent: FirstSent,
    /// What an operator wants tried, whether participants may have forgotten its key or not.
    tried_by_hand: HashSet<Place>,
    /// Before when a participant wants no other attempt of a call.
    not_before: HashMap<(Place, Direction), Instant>,
    mailbox: Mailbox,
    /// Until when the saga has to have opened its pivot, in milliseconds since the Unix epoch.
    deadline_ms: Option<u64>,
    place: Option<OwnedSemaphorePermit>,
    /// Whose child it is, if it is one.
    child_of: Option<ChildOf>,
    /// Its output as JSON, while all is done and its parent can still turn it.
    held: Option<String>,
    /// The locks that it holds.
    locks: Vec<String>,
    /// Whether the log has given it these locks since it was loaded, or has been asked whether it has them.
    locks_are_confirmed: bool,
    /// The lock that it waits for.
    blocked: Option<Blocked>,
    /// Who has suspended it.
    suspended: Option<Operator>,
    /// Who is about to end it by hand.
    closing: Option<Operator>,
    /// How an operator ended it by hand.
    closed: Option<Closed>,
    /// What operators want that waits for an attempt to end.
    asked: Vec<Asked>,
    /// Whether it turns: its children do then, too.
    turning: watch::Sender<bool>,
    /// When it wakes, as its last append says.
    logged_wake: Wake,
    /// Until when what waits for a back-off has to wait, where a life before this one decided that.
    back_off_until_ms: Option<u64>,
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
            failures: Failures::default(),
            process_ends: ProcessEnds::default(),
            turn: Turn::Unneeded,
            first_sent: FirstSent::default(),
            tried_by_hand: HashSet::new(),
            not_before: HashMap::new(),
            mailbox: Mailbox::default(),
            deadline_ms: None,
            place: None,
            child_of: None,
            held: None,
            locks: Vec::new(),
            locks_are_confirmed: true,
            blocked: None,
            suspended: None,
            closing: None,
            closed: None,
            asked: Vec::new(),
            turning: watch::Sender::new(false),
            logged_wake: Wake::Now,
            back_off_until_ms: None,
        }
    }

    /// Begins the saga, then drives it to its end.
    pub(crate) async fn begin(mut self, input: S::Input, input_json: String, child_of: Option<ChildOf>) {
        self.child_of = child_of;
        let name = S::DEFINITION.full_name();
        let span = info_span!("saga", definition = &*name, id = %self.id);
        async move {
            self.at_ms = self.now();
            let append = begin_append::<S>(&self.id, &input, input_json, self.child_of.as_ref(), self.at_ms);
            let stop = match self.append_begin(append).await {
                Ok(()) => {
                    self.state = Some(S::begin(input));
                    self.publish(SagaStatus::Running, None);
                    info!("begun");
                    Ok(())
                }
                Err(stop) => Err(stop),
            };
            self.drive_until_it_stops(stop).await;
        }
        .instrument(span)
        .await;
    }

    /// Drives a saga of the log from where its history ends.
    pub(crate) async fn resume(mut self, folded: Folded<S>, records: u64) {
        let name = S::DEFINITION.full_name();
        let span = info_span!("saga", definition = &*name, id = %self.id);
        async move {
            self.next_seq = records;
            self.at_ms = folded.at_ms;
            self.residue = folded.residue;
            self.failures = folded.failures;
            self.process_ends = folded.process_ends;
            self.first_sent = folded.first_sent;
            self.mailbox = folded.mailbox;
            self.deadline_ms = folded.deadline_ms;
            self.child_of = folded.child_of;
            self.held = folded.held;
            self.locks = folded.locks;
            self.locks_are_confirmed = false;
            self.suspended = folded.suspended;
            self.closing = folded.closing;
            self.logged_wake = folded.wake;
            self.back_off_until_ms = match folded.wake {
                Wake::At(ms) => Some(ms),
                Wake::Now | Wake::Never => None,
            };
            let tainted = taint::<S>(&folded.state);
            self.state = Some(folded.state);
            if !matches!(*self.progress.borrow(), Progress::Begun(..)) {
                self.publish(SagaStatus::Running, None);
            }
            info!(records, "resumed");
            let mut stop = self.record(tainted).await;
            if stop.is_ok() {
                stop = self.follow_its_parent().await;
            }
            self.drive_until_it_stops(stop).await;
        }
        .instrument(span)
        .await;
    }

    async fn append_begin(&mut self, append: Result<(Append, Option<u64>), String>) -> Result<(), Stop> {
        let (append, deadline_ms) = append.map_err(Stop::Fault)?;
        self.deadline_ms = deadline_ms;
        let count = append.records.len() as u64;
        match self.shared.append(append).await {
            Ok(()) => {
                self.next_seq = count;
                Ok(())
            }
            Err(AppendError::Exists(history)) => Err(Stop::Exists(history)),
            Err(AppendError::Purged(purged)) => Err(Stop::Past(Past::Purged(Arc::new(*purged)))),
            Err(AppendError::Expired { .. }) => Err(Stop::Past(Past::Expired)),
            Err(AppendError::Unavailable(error)) => Err(Stop::NotBegun(error)),
            Err(error) => Err(Stop::Fault(error.to_string())),
        }
    }

    /// Drives the saga, unless it has stopped already, until it stops or goes dormant.
    async fn drive_until_it_stops(mut self, mut stop: Result<(), Stop>) {
        if stop.is_ok() {
            stop = self.drive_unless_it_panics().await;
        }
        while let Err(Stop::Dormant(wake)) = stop {
            // What was in flight were children, which are dormant, too.
            self.in_flight.clear();
            if let Wake::At(at_ms) = wake
                && self.logged_wake == Wake::Now
            {
                self.shared.waiters.wake_at(at_ms, &self.id);
            }
            let reins = Reins { progress: self.progress, commands: self.commands };
            match self.shared.park(&self.id, wake, reins) {
                Ok(()) => {
                    debug!(?wake, "dormant");
                    // Its parent may be so, too.
                    if let Some(parent) = self.child_of.and_then(|of| self.shared.entry(&of.parent)) {
                        let _ = parent.commands.send(Command::Wake);
                    }
                    return;
                }
                Err(reins) => {
                    // There is something to do: it goes dormant again when its log says anew until when.
                    self.logged_wake = Wake::Now;
                    (self.progress, self.commands) = (reins.progress, reins.commands);
                    stop = self.drive_unless_it_panics().await;
                }
            }
        }
        self.stop(stop);
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
                _ if self.closed.is_some() => return Ok(()),
                None | Some(Next::Ended) => return Ok(()),
                Some(Next::Return) if self.is_still() => Vec::new(),
                Some(Next::Return) => {
                    if !self.is_to_be_held() {
                        self.complete(Vec::new()).await?;
                    } else if self.held.is_none() {
                        self.hold(Vec::new()).await?;
                    } else {
                        self.stay_held().await?;
                    }
                    continue;
                }
                Some(Next::Calls(calls)) => calls,
            };
            if let Some(by) = self.closing.clone()
                && !calls.iter().any(|call| !is_child::<S>(call) && self.in_flight.contains_key(&call.place))
            {
                self.close(by).await?;
                continue;
            }
            self.decide_cancels(&calls);
            self.turning.send_replace(!matches!(self.state, Some(State::Forward(_))));
            // Read once: were it to change between here and the wait, nothing would be in flight and nobody would wake.
            let shutting_down = self.shared.is_shutting_down();
            let is_still = shutting_down || self.is_still();
            if is_still && self.in_flight.is_empty() {
                let unsent = calls.iter().filter(|call| call.is_in_flight() && !stands_in_log::<S>(call));
                let unsent = unsent.map(not_sent).collect::<Vec<_>>();
                if !unsent.is_empty() {
                    // They may turn the saga: then it has ended, or its first compensation was never sent either.
                    self.record(unsent).await?;
                    continue;
                }
                if shutting_down {
                    return Err(Stop::Shutdown);
                }
            }
            let facts = self.plan(&calls);
            if !facts.is_empty() {
                self.record(facts).await?;
                continue;
            }
            self.show(&calls);
            for call in calls.iter().filter(|call| call.is_in_flight() && !Self::is_local(call)) {
                if !is_still && !self.in_flight.contains_key(&call.place) {
                    if !is_child::<S>(call) {
                        self.take_place().await;
                    }
                    attempts.push(self.attempt(call)?);
                }
            }
            self.pass_the_turn_on();
            // Who only waits for its children holds none of the places that they need.
            if calls.iter().filter(|call| self.in_flight.contains_key(&call.place)).all(is_child::<S>) {
                self.place = None;
            }
            if !shutting_down && let Some(wake) = self.dormant_until(&calls) {
                return Err(Stop::Dormant(wake));
            }
            self.wait(&calls, &mut attempts, shutting_down).await?;
            self.answer_operators().await?;
        }
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
        let waits_for_turn = !shutting_down && matches!(self.turn, Turn::Awaited);
        let back_offs =
            self.due.iter().filter(|(place, _)| !waits_for_turn || !self.process_ends.is_suspect(place));
        let back_offs = back_offs.map(|(_, (_, due))| *due);
        let times = calls.iter().filter_map(Call::waits_until_ms);
        let deadline = self.deadline_ms.filter(|_| self.state.as_ref().is_some_and(State::can_cancel));
        let times = times.chain(deadline).map(|due_ms| self.shared.clock.instant(due_ms));
        let due = back_offs.chain(times).min().filter(|_| !shutting_down && !self.is_still());
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let turn = Arc::clone(&self.shared.turn).acquire_owned();
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
            Ok(turn) = turn, if waits_for_turn => {
                self.turn = Turn::Taken(turn);
                Ok(())
            }
            () = timer => Ok(()),
            () = shutdown => Ok(()),
        }
    }

    fn calls(&self) -> Vec<Call> {
        match self.state.as_ref().map(State::next) {
            Some(Next::Calls(calls)) => calls,
            _ => Vec::new(),
        }
    }

    fn publish(&self, status: SagaStatus, output: Option<Arc<str>>) {
        self.progress.send_replace(Progress::Begun(status, output));
    }

    fn stop(mut self, stop: Result<(), Stop>) {
        let calls = self.calls();
        if stop.is_ok() {
            self.decide_cancels(&calls);
        }
        let (tells, is_fault) =
            (matches!(stop, Ok(()) | Err(Stop::Fault(_))), matches!(stop, Err(Stop::Fault(_))));
        // The entry goes first: who finds none asks the log, and who has one is told the end by it.
        self.shared.remove(&self.id);
        match stop {
            Ok(()) => debug!("ended"),
            Err(Stop::Dormant(_)) => {}
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
            Err(Stop::Past(past)) => {
                self.progress.send_replace(Progress::Past(past));
            }
            Err(Stop::NotBegun(error)) => {
                self.progress.send_replace(Progress::NotBegun(error));
            }
        }
        if is_fault {
            // It may not know yet for which it waited before it was dormant.
            leave_all_locks(&self.shared, &self.id);
        }
        if tells {
            self.stop_waiting_for_locks();
            self.tell_parent();
        }
    }

    /// Milliseconds since the Unix epoch, never less than what was logged last.
    fn now(&self) -> u64 {
        self.shared.clock.now_ms().max(self.at_ms)
    }
}

/// The append that begins a saga at `at_ms`, and until when it has to have opened its pivot.
pub(crate) fn begin_append<S: Saga>(
    id: &SagaId,
    input: &S::Input,
    json: String,
    child_of: Option<&ChildOf>,
    at_ms: u64,
) -> Result<(Append, Option<u64>), String> {
    let deadline_ms = deadline::<S>(input)?.map(|time| time.due_ms(at_ms));
    let mut records = vec![journal::begun(json, at_ms)];
    records.extend(child_of.map(|of| journal::begun_by(of, at_ms)));
    records.extend(deadline_ms.map(|due_ms| journal::deadline(due_ms, at_ms)));
    let definition = S::DEFINITION.full_name().into_owned();
    let fingerprint = S::DEFINITION.fingerprint();
    let append = Append {
        saga: id.clone(),
        begin: Some(Begin { definition, fingerprint }),
        first_seq: 0,
        records,
        status: Status::Running,
        wake: Wake::Now,
        locks: None,
    };
    Ok((append, deadline_ms))
}

/// The records that the first attempts of a saga that is begun with `input` are not made by whoever begins it.
#[cfg(feature = "sqlite")]
pub(crate) fn first_attempts_not_sent<S: Saga>(input: S::Input, at_ms: u64) -> Vec<crate::log::Record> {
    let Next::Calls(calls) = S::begin(input).next() else { return Vec::new() };
    let open = calls.iter().filter(|call| call.is_in_flight() && !stands_in_log::<S>(call));
    open.map(|call| journal::to_record(S::DEFINITION, not_sent(call), at_ms)).collect()
}

/// The user's expression looks at the clock perhaps: it is evaluated once, and recorded.
fn deadline<S: Saga>(input: &S::Input) -> Result<Option<Time>, String> {
    let deadline = std::panic::catch_unwind(AssertUnwindSafe(|| S::deadline(input)));
    deadline.map_err(|panic| format!("the expression of its deadline panicked: {}", panic_message(&*panic)))
}

/// Whether the call is a child saga, begun or turned: what became of it stands in the log.
fn is_child<S: Saga>(call: &Call) -> bool {
    S::DEFINITION.steps.get(call.place.step).is_some_and(|step| step.kind == StepKind::Saga)
}

/// Whether what became of the call is known from the log, whenever the process ends.
fn stands_in_log<S: Saga>(call: &Call) -> bool {
    is_child::<S>(call) || Driver::<S>::is_local(call)
}

/// After a restart nobody knows what became of the attempts that were open.
fn taint<S: Saga>(state: &StateOf<S>) -> Vec<Fact> {
    let Next::Calls(calls) = state.next() else { return Vec::new() };
    let open = calls.iter().filter(|call| call.is_in_flight() && !stands_in_log::<S>(call));
    open.map(|call| attempt_fact(call, AttemptFact::Failed(process_ended()))).collect()
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
