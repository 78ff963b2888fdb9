//! What is remembered of a key, as the columns of a table.

use crate::error::Fault;
use crate::state::State;

/// The columns of [`State`], in the order of the table: see `SQLITE_SCHEMA`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// `open`, `done`, `refused`, `barred`, `tombstone` or `undone`.
    pub state: String,
    /// The hash of the action's request.
    pub request: Option<i64>,
    /// The action's answer or refusal.
    pub answer: Option<String>,
    /// The attempt up to which a probe has barred the action.
    pub attempt: Option<i64>,
    /// The hash of the compensation's request.
    pub undo_request: Option<i64>,
    /// The compensation's answer.
    pub undo_answer: Option<String>,
}

impl From<State> for Row {
    fn from(state: State) -> Self {
        match state {
            State::Open { request } => {
                Self { state: "open".to_owned(), request: Some(request), ..Self::default() }
            }
            State::Done { request, answer } => Self {
                state: "done".to_owned(),
                request: Some(request),
                answer: Some(answer),
                ..Self::default()
            },
            State::Refused { request, answer } => Self {
                state: "refused".to_owned(),
                request: Some(request),
                answer: Some(answer),
                ..Self::default()
            },
            State::Barred { attempt } => {
                Self { state: "barred".to_owned(), attempt: Some(attempt.into()), ..Self::default() }
            }
            State::Tombstone { undo_request } => {
                Self { state: "tombstone".to_owned(), undo_request: Some(undo_request), ..Self::default() }
            }
            State::Undone { request, answer, undo_request, undo_answer } => Self {
                state: "undone".to_owned(),
                request: Some(request),
                answer: Some(answer),
                attempt: None,
                undo_request: Some(undo_request),
                undo_answer: Some(undo_answer),
            },
        }
    }
}

impl Row {
    /// What the row of `key` says.
    pub fn into_state(self, key: &str) -> Result<State, Fault> {
        let Self { state, request, answer, attempt, undo_request, undo_answer } = self;
        let read = match state.as_str() {
            "open" => request.map(|request| State::Open { request }),
            "done" => request.zip(answer).map(|(request, answer)| State::Done { request, answer }),
            "refused" => request.zip(answer).map(|(request, answer)| State::Refused { request, answer }),
            "barred" => attempt
                .and_then(|attempt| u32::try_from(attempt).ok())
                .map(|attempt| State::Barred { attempt }),
            "tombstone" => undo_request.map(|undo_request| State::Tombstone { undo_request }),
            "undone" => request.zip(answer).zip(undo_request.zip(undo_answer)).map(
                |((request, answer), (undo_request, undo_answer))| State::Undone {
                    request,
                    answer,
                    undo_request,
                    undo_answer,
                },
            ),
            _ => None,
        };
        read.ok_or_else(|| Fault::Row { key: key.to_owned(), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::states;

    #[test]
    fn each_state_is_a_row_and_the_row_is_the_state() {
        for state in states() {
            assert_eq!(Row::from(state.clone()).into_state("k"), Ok(state));
        }
    }

    #[test]
    fn a_row_that_says_nothing_is_a_fault_that_names_it() {
        for state in states() {
            let row = Row { state: Row::from(state).state, ..Row::default() };
            let fault = row.clone().into_state("k").unwrap_err();
            assert_eq!(fault, Fault::Row { key: "k".to_owned(), state: row.state });
        }
        assert!(Row::default().into_state("k").is_err());
        let negative = Row { state: "barred".to_owned(), attempt: Some(-1), ..Row::default() };
        assert!(negative.into_state("k").is_err());
    }
}
