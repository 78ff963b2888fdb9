//! A state of the world: what is durable, what the workers know, what the participants hold, and what is on its way.

use std::sync::Arc;

use saga_runtime::machine::CallKind;

use crate::history::{End, Entry, Outcome, Step, View, view};
use crate::model::Bounds;
use crate::services::{Reaction, Request, Services};

/// A state of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// What is durable. The begin is not listed.
    pub log: Vec<Entry>,
    pub(crate) workers: Vec<Worker>,
    /// What the participants hold.
    pub services: Services,
    /// Requests for whose answer nobody waits.
    pub(crate) strays: Vec<(Request, u8)>,
    /// What users were answered.
    pub(crate) answered: Option<End>,
    /// Whether users were answered different things.
    pub(crate) contradicted: bool,
    pub(crate) left: Bounds,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Worker {
    Idle,
    Drives(Driver),
}

/// A worker that has loaded the saga. Its memory is the fold of what it knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Driver {
    /// Whether its epoch is the lease's.
    pub(crate) leads: bool,
    /// What it has loaded and recorded.
    pub(crate) known: Vec<Entry>,
    /// How much of that is durable, as far as it was told.
    pub(crate) durable: usize,
    pub(crate) wire: Wire,
}

/// Where the open attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    Unsent,
    Sent,
    /// A second copy of it is a stray.
    SentTwice,
    Answered(Outcome),
}

impl World {
    pub(crate) fn end(&self) -> Option<End> {
        view(&self.log).and_then(|view| view.end)
    }

    pub(crate) fn driver(&mut self, number: usize) -> &mut Driver {
        match &mut self.workers[number] {
            Worker::Drives(driver) => driver,
            Worker::Idle => unreachable!("only who drives acts"),
        }
    }

    /// The ways in which a participant can take a request.
    pub(crate) fn reactions(&self, request: Request, mut may: impl FnMut(Reaction)) {
        may(Reaction::Complies);
        if self.left.refusals > 0 && self.services.may_refuse(request) {
            may(Reaction::Refuses);
        }
        if self.services.may_refuse_again(request) {
            may(Reaction::RefusesAgain);
        }
        if self.left.failures > 0 {
            may(Reaction::Fails);
        }
    }

    /// The worker forgets the saga; what it has sent is still on its way.
    pub(crate) fn stop(&mut self, number: usize) {
        let driver = self.driver(number);
        if driver.wire.is_sent()
            && let Some(call) = driver.view().open()
        {
            let request = Request { step: Step::of(call), undoes: call.kind == CallKind::Compensation };
            self.stray(request);
        }
        self.workers[number] = Worker::Idle;
    }

    pub(crate) fn stray(&mut self, request: Request) {
        match self.strays.iter_mut().find(|(stray, _)| *stray == request) {
            Some((_, count)) => *count += 1,
            None => self.strays.push((request, 1)),
        }
        self.strays.sort_unstable_by_key(|(request, _)| (request.step as u8, request.undoes));
    }

    pub(crate) fn take_stray(&mut self, request: Request) {
        for (stray, count) in &mut self.strays {
            *count -= u8::from(*stray == request);
        }
        self.strays.retain(|(_, count)| *count > 0);
    }

    /// A number that each action lowers. So no history is endless, and the end is reached from everywhere if nothing
    /// stands still before.
    pub(crate) fn left_to_happen(&self) -> usize {
        let Bounds { crashes, timeouts, failures, take_overs, duplicates, cancels, .. } = self.left;
        let faults: u8 = [crashes, timeouts, failures, take_overs, duplicates, cancels].iter().sum();
        let is_led =
            self.workers.iter().any(|worker| matches!(worker, Worker::Drives(driver) if driver.leads));
        let is_over = self.answered.is_some() && self.end().is_some();
        let workers: usize = self.workers.iter().map(Worker::left_to_happen).sum();
        let strays: usize = self.strays.iter().map(|(_, count)| usize::from(*count)).sum();
        let (records, answers) = (RECORDS_MAX - self.log.len(), usize::from(self.answered.is_none()));
        let claims = usize::from(!is_led && !is_over);
        20_000 * usize::from(faults) + 8_000 * claims + 100 * records + workers + strays + answers
    }
}

/// More records than any history has.
const RECORDS_MAX: usize = 64;

impl Worker {
    fn left_to_happen(&self) -> usize {
        let Self::Drives(driver) = self else { return 0 };
        let wire = match driver.wire {
            Wire::Unsent => 30,
            Wire::Sent | Wire::SentTwice => 20,
            Wire::Answered(_) => 10,
        };
        100 * (RECORDS_MAX - driver.known.len()) + driver.pending().len() + wire
    }
}

impl Wire {
    pub(crate) fn is_sent(self) -> bool {
        matches!(self, Self::Sent | Self::SentTwice)
    }
}

impl Driver {
    pub(crate) fn view(&self) -> Arc<View> {
        view(&self.known).unwrap_or_else(|| unreachable!("a worker records what is legal"))
    }

    /// What it has recorded, and was not told to be durable.
    pub(crate) fn pending(&self) -> &[Entry] {
        &self.known[self.durable..]
    }

    pub(crate) fn settle(&mut self, outcome: Outcome) {
        let view = self.view();
        self.wire = Wire::Unsent;
        if let Some(call) = view.open() {
            self.record(Entry::settled(call, outcome));
        }
    }

    /// Records a fact, and the end with it if that is all.
    pub(crate) fn record(&mut self, entry: Entry) {
        self.known.push(entry);
        if self.view().returns {
            self.known.push(Entry::Completed);
        }
    }

    /// Gives up at once if that is what the machine decides. A further attempt waits for a while.
    pub(crate) fn give_up(&mut self) {
        if let Some(entry @ Entry::GaveUp(_)) = self.view().planned() {
            self.record(entry);
        }
    }
}
