//! What was asked of a log, and what it answered: which stages of which saga an image may hold.

use std::collections::BTreeMap;

use saga_runtime::log::{Append, History, Purge, Status, Wake};

use crate::trace::{Mark, Op};

/// What a log can hold of one saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It was not begun.
    Absent,
    /// These records, and these locks as `key root`.
    Stands(Box<History>, Vec<String>),
    /// It was purged, and this outcome kept.
    Purged(String),
}

/// All stages of all sagas, in the order in which they were asked for.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    sagas: BTreeMap<String, Vec<Stage>>,
}

/// Which of the stages a log may hold, by saga: the last one that was answered, and the last one that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    sagas: BTreeMap<String, (usize, usize)>,
    /// The greatest epoch that a log was opened with.
    pub epoch: u64,
}

impl Ledger {
    /// Enters the stage that `append` leads to, and answers its number.
    pub fn enter(&mut self, append: &Append) -> usize {
        let stages = self.stages(append.saga.as_str());
        let (mut history, mut locks) = match (stages.last(), &append.begin) {
            (Some(Stage::Stands(history, locks)), None) => ((**history).clone(), locks.clone()),
            (_, begin) => {
                let begin = begin.clone().unwrap_or_else(|| unreachable!("a saga begins with its begin"));
                let (saga, status, wake) = (append.saga.clone(), Status::Running, Wake::Now);
                (History { saga, begin, status, wake, records: Vec::new() }, Vec::new())
            }
        };
        history.records.extend(append.records.iter().cloned());
        history.status = append.status;
        history.wake = if append.status == Status::Running { append.wake } else { Wake::Never };
        if let Some(taken) = &append.locks {
            locks.extend(taken.keys.iter().map(|key| format!("{key} {}", taken.root)));
        }
        if append.status != Status::Running {
            locks.clear();
        }
        stages.push(Stage::Stands(Box::new(history), locks));
        stages.len() - 1
    }

    /// Enters that a saga is purged, and answers the number of that stage.
    pub fn enter_purge(&mut self, purge: &Purge) -> usize {
        let stages = self.stages(purge.saga.as_str());
        stages.push(Stage::Purged(purge.keep.as_ref().map_or(String::new(), |keep| keep.outcome.clone())));
        stages.len() - 1
    }

    /// The sagas.
    pub fn sagas(&self) -> impl Iterator<Item = &str> {
        self.sagas.keys().map(String::as_str)
    }

    /// The last stage of a saga.
    pub fn last(&self, saga: &str) -> &Stage {
        self.sagas.get(saga).and_then(|stages| stages.last()).unwrap_or(&Stage::Absent)
    }

    /// The number of the stage that `found` is, among those that `bounds` allows.
    pub fn find(&self, saga: &str, bounds: &Bounds, found: &Stage) -> Result<usize, String> {
        let (answered, asked) = bounds.sagas.get(saga).copied().unwrap_or_default();
        let stages = self.sagas.get(saga).map_or(&[][..], Vec::as_slice);
        let number = stages.iter().position(|stage| stage == found);
        match number {
            Some(number) if (answered..=asked).contains(&number) => Ok(number),
            Some(number) => Err(format!(
                "saga `{saga}` is at stage {number}, but {answered} was answered, and {asked} asked for"
            )),
            None => Err(format!("saga `{saga}` is what nobody asked for: {found:?}")),
        }
    }

    fn stages(&mut self, saga: &str) -> &mut Vec<Stage> {
        self.sagas.entry(saga.to_owned()).or_insert_with(|| vec![Stage::Absent])
    }
}

impl Bounds {
    /// What holds once `op` has happened.
    pub fn note(&mut self, op: &Op) {
        match op {
            Op::Mark(Mark::Submitted(saga, stage)) => {
                let (_, asked) = self.sagas.entry(saga.clone()).or_default();
                *asked = (*asked).max(*stage);
            }
            Op::Mark(Mark::Acknowledged(saga, stage)) => {
                let (answered, _) = self.sagas.entry(saga.clone()).or_default();
                *answered = (*answered).max(*stage);
            }
            Op::Mark(Mark::Opened(epoch)) => self.epoch = self.epoch.max(*epoch),
            _ => {}
        }
    }
}
