//! A saga's state is the fold of its history.

use std::panic::AssertUnwindSafe;

use crate::coordinator::attempt::panic_message;
use crate::coordinator::child::ChildOf;
use crate::coordinator::driver::locks_taken;
use crate::coordinator::failures::Failures;
use crate::coordinator::horizon::FirstSent;
use crate::coordinator::journal::{self, Entry};
use crate::coordinator::mailbox::Mailbox;
use crate::coordinator::operator::{Act, Closed, Operator};
use crate::coordinator::suspects::ProcessEnds;
use crate::data::DataError;
use crate::log::{History, Wake};
use crate::machine::{Event, EventError, FactKind, Next, Residue, State};
use crate::saga::{Saga, StateOf};

/// What a history says.
pub(crate) struct Folded<S: Saga> {
    pub(crate) state: StateOf<S>,
    pub(crate) residue: Residue,
    pub(crate) failures: Failures,
    pub(crate) process_ends: ProcessEnds,
    pub(crate) first_sent: FirstSent,
    /// The signals that came and were not received yet.
    pub(crate) mailbox: Mailbox,
    /// When its deadline is, in milliseconds since the Unix epoch.
    pub(crate) deadline_ms: Option<u64>,
    /// The locks that it holds.
    pub(crate) locks: Vec<String>,
    /// Whose child it is, if it is one.
    pub(crate) child_of: Option<ChildOf>,
    /// Its output as JSON, once it has done everything and its parent may still turn it.
    pub(crate) held: Option<String>,
    /// Who has suspended it.
    pub(crate) suspended: Option<Operator>,
    /// Who is about to end it by hand.
    pub(crate) closing: Option<Operator>,
    /// How an operator ended it by hand.
    pub(crate) closed: Option<Closed>,
    /// The output as JSON, if the saga returned.
    pub(crate) output: Option<String>,
    /// When the last record was made.
    pub(crate) at_ms: u64,
    /// When it is to be driven next.
    pub(crate) wake: Wake,
}

impl<S: Saga> Folded<S> {
    /// Whether nothing follows any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.closed.is_some() || matches!(self.state, State::Completed | State::Compensated(_))
    }
}

/// A history that is none of this saga.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first record is not the input.
    #[error("the history does not begin with the input")]
    NoInput,
    /// The input cannot be read.
    #[error(transparent)]
    Input(DataError),
    /// A value panicked when it was read.
    #[error("its data panicked when it was read: {0}")]
    Panicked(String),
    /// A record cannot be read, or cannot follow those before it.
    #[error("record {number} (`{event}` of {step}) is illegal: {cause}", step = step.as_deref().unwrap_or("the saga"))]
    Record {
        /// Its number within the saga.
        number: usize,
        /// Its step.
        step: Option<String>,
        /// Its event.
        event: String,
        /// What is wrong.
        cause: String,
    },
}

/// Folds `history`. Reading the user's data runs the user's code: its panic is a fault of this saga alone.
pub(crate) fn fold<S: Saga>(history: &History) -> Result<Folded<S>, FoldError> {
    let folded = std::panic::catch_unwind(AssertUnwindSafe(|| fold_records(history)));
    folded.unwrap_or_else(|panic| Err(FoldError::Panicked(panic_message(&*panic))))
}

/// Whether every prefix of `history` is a legal one.
#[cfg(feature = "verify")]
pub(crate) fn fold_prefixes<S: Saga>(history: &History) -> Result<(), String> {
    for length in 1..=history.records.len() {
        let records = history.records.iter().take(length).cloned().collect();
        let prefix = History { records, ..history.clone() };
        fold::<S>(&prefix).map_err(|error| format!("the first {length} records are no history: {error}"))?;
    }
    Ok(())
}

fn fold_records<S: Saga>(history: &History) -> Result<Folded<S>, FoldError> {
    let mut records = history.records.iter().enumerate();
    let begun = records.next().map(|(_, record)| record);
    let begun = begun.filter(|record| record.step.is_none() && record.event == journal::BEGUN);
    let input = begun.and_then(|record| record.data.as_deref()).ok_or(FoldError::NoInput)?;
    let input = S::decode_input(input).map_err(FoldError::Input)?;
    let begun_at_ms = begun.map_or(0, |record| record.at_ms);
    let mut folded = Folded::<S> {
        state: S::begin(input),
        mailbox: Mailbox::default(),
        deadline_ms: None,
        locks: Vec::new(),
        child_of: None,
        held: None,
        residue: Residue::default(),
        failures: Failures::default(),
        process_ends: ProcessEnds::default(),
        first_sent: FirstSent::default(),
        suspended: None,
        closing: None,
        closed: None,
        output: None,
        at_ms: begun_at_ms,
        wake: history.wake,
    };
    for (number, record) in records {
        let illegal = |cause: String| FoldError::Record {
            number,
            step: record.step.clone(),
            event: record.event.clone(),
            cause,
        };
        let entry = journal::read(S::DEFINITION, record).map_err(illegal)?;
        if let Some(cause) = misplaced(&folded, number, &entry) {
            return Err(illegal(cause.to_owned()));
        }
        let fact = match entry {
            Entry::Fact(fact) => fact,
            Entry::Deadline(due_ms) => {
                folded.deadline_ms = Some(due_ms);
                continue;
            }
            Entry::ChildOf(child_of) => {
                folded.child_of = Some(child_of);
                continue;
            }
            Entry::Held(output) => {
                folded.held = Some(output);
                continue;
            }
            Entry::Operated(by, act) => {
                match act {
                    Act::Suspend => folded.suspended = Some(by),
                    Act::Resume => folded.suspended = None,
                    Act::Close => folded.closing = Some(by),
                    _ => {}
                }
                continue;
            }
            Entry::Closed(closed) => {
                folded.closed = Some(closed);
                continue;
            }
        };
        if let Some(locks) = locks_taken(S::DEFINITION, &fact) {
            folded.locks = locks;
        }
        folded.residue.record(S::DEFINITION, &fact);
        folded.mailbox.record(S::DEFINITION, &fact);
        folded.process_ends.record(&fact);
        folded.first_sent.record(S::DEFINITION, &fact, folded.at_ms, record.at_ms);
        folded.failures.record(&fact);
        match &fact.kind {
            // Its parent turned it after all.
            FactKind::Cancelled(_) => folded.held = None,
            FactKind::Completed(output) => folded.output = Some(output.clone()),
            _ => {}
        }
        let event = S::Event::from_fact(fact).map_err(|error: EventError| illegal(error.to_string()))?;
        folded.state = apply::<S>(folded.state, event).map_err(illegal)?;
        folded.at_ms = record.at_ms;
    }
    Ok(folded)
}

/// Why what the coordinator notes beside the machine's facts cannot stand here, if it cannot.
fn misplaced<S: Saga>(folded: &Folded<S>, number: usize, entry: &Entry) -> Option<&'static str> {
    let is_fact = matches!(entry, Entry::Fact(_));
    let to_be_held = folded.child_of.as_ref().is_some_and(|of| of.held);
    match entry {
        _ if folded.closed.is_some() => Some("the saga was closed by hand before"),
        _ if folded.has_ended() && !is_fact => Some("the saga has ended before"),
        Entry::ChildOf(_) if number != 1 => Some("it stands only behind the input"),
        Entry::Deadline(_) if number != 1 + usize::from(folded.child_of.is_some()) => {
            Some("it stands only behind the input and what begins a child")
        }
        Entry::Held(_) if !to_be_held => Some("no other saga holds this one"),
        Entry::Held(_) if folded.held.is_some() => Some("the saga is held already"),
        Entry::Held(_) if !matches!(folded.state.next(), Next::Return) => {
            Some("the saga has something left to do")
        }
        _ => None,
    }
}

fn apply<S: Saga>(state: StateOf<S>, event: S::Event) -> Result<StateOf<S>, String> {
    State::apply(state, event).map_err(|illegal| format!("{illegal}, {:?}", illegal.state))
}
