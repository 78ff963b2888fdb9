//! How a saga stands, as it is shown.

use std::borrow::Cow;

use saga_runtime::log::{History, Status};
use saga_runtime::machine::Effect;
use saga_runtime::{Outcome, SagaId, SagaStatus};
use serde::Serialize;

use crate::worker::trip::Itinerary;

/// The steps of a trip.
const STEPS: [&str; 3] = ["flight", "hotel", "car"];

/// How a saga stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// The saga.
    pub id: String,
    /// `Running` as long as it goes on by itself, whatever it waits for; `Completed`, `Compensated`; `Parked` if it needs
    /// an operator or tries over its budget, and if an operator has closed it; `Quarantined` if it cannot be executed.
    pub status: &'static str,
    /// The same in words.
    pub detail: String,
    /// What may still be in effect of one that is parked, closed or quarantined.
    pub residue: Vec<Left>,
    /// Every record of the log, oldest first. Without the data, which is the participants' own.
    pub history: Vec<Entry>,
    /// What a completed one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Itinerary>,
}

/// An effect that may still hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Of which step.
    pub step: String,
    /// `done` or `in doubt`.
    pub effect: &'static str,
}

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number within the saga, from 0.
    pub seq: usize,
    /// When it was made, in milliseconds since the Unix epoch.
    pub at: u64,
    /// The step; none for the saga as a whole.
    pub step: Option<String>,
    /// What happened.
    pub event: String,
}

impl View {
    /// One that has ended.
    pub(super) fn of_outcome(id: &SagaId, outcome: Outcome<Itinerary>, history: &History) -> Self {
        match outcome {
            Outcome::Completed(output) => {
                Self { output: Some(output), ..Self::of(id, "Completed", "completed".to_owned(), history) }
            }
            Outcome::Compensated(cause) => {
                let status = SagaStatus::Compensated(cause);
                Self::of(id, "Compensated", status.to_string(), history)
            }
            Outcome::Closed(closed) => {
                let residue = left(&closed.residue);
                Self { residue, ..Self::of(id, "Parked", closed.to_string(), history) }
            }
        }
    }

    /// One that somebody drives. `None` if it has just ended.
    pub(super) fn of_status(id: &SagaId, status: SagaStatus, history: &History) -> Option<Self> {
        let detail = status.to_string();
        Some(match status {
            // What it has come to is read from the log, with its output.
            SagaStatus::Completed | SagaStatus::Compensated(_) | SagaStatus::Closed(_) => return None,
            _ if history.status != Status::Running => return None,
            SagaStatus::Running
            | SagaStatus::WaitsForLock { .. }
            | SagaStatus::Held
            | SagaStatus::Suspended(_)
            | SagaStatus::Stopped => Self::of(id, "Running", detail, history),
            SagaStatus::Parked(parked) => {
                Self { residue: left(&parked.residue), ..Self::of(id, "Parked", detail, history) }
            }
            SagaStatus::Quarantined { cause } => Self::of_quarantined(id, cause, Some(history)),
        })
    }

    /// One that cannot be executed: every step that was not surely compensated may be in effect.
    pub(super) fn of_quarantined(id: &SagaId, cause: String, history: Option<&History>) -> Self {
        let history_shown = history.map(entries).unwrap_or_default();
        let was = |step: &str, event: &str| {
            history_shown.iter().any(|entry| entry.step.as_deref() == Some(step) && entry.event == event)
        };
        let may_hold = STEPS.into_iter().filter(|step| !was(step, "compensated"));
        let residue = may_hold.map(|step| Left {
            step: step.to_owned(),
            effect: if was(step, "done") { Effect::Done } else { Effect::InDoubt }.as_str(),
        });
        Self {
            id: id.to_string(),
            status: "Quarantined",
            detail: cause,
            residue: residue.collect(),
            history: history_shown,
            output: None,
        }
    }

    fn of(id: &SagaId, status: &'static str, detail: String, history: &History) -> Self {
        let residue = Vec::new();
        Self { id: id.to_string(), status, detail, residue, history: entries(history), output: None }
    }
}

fn left(residue: &[(Cow<'static, str>, Effect)]) -> Vec<Left> {
    residue.iter().map(|(step, effect)| Left { step: step.to_string(), effect: effect.as_str() }).collect()
}

fn entries(history: &History) -> Vec<Entry> {
    let records = history.records.iter().enumerate();
    records
        .map(|(seq, record)| Entry {
            seq,
            at: record.at_ms,
            step: record.step.clone(),
            event: record.event.clone(),
        })
        .collect()
}
