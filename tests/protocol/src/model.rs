//! What can happen in the [world](World), and what must hold of it.

use saga_runtime::machine::CallKind;
use stateright::{Model, Property};

use crate::history::{End, Entry, Outcome, Step, view};
use crate::services::{Reaction, Request, Services};
use crate::world::{Driver, Wire, Worker, World};

/// How often what can go wrong does so, and by how many workers the saga can be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Workers.
    pub workers: usize,
    /// Workers that die.
    pub crashes: u8,
    /// Lost replies, and calls that take too long.
    pub timeouts: u8,
    /// Refusals that the participants are free to make.
    pub refusals: u8,
    /// Attempts that surely have no effect, and may be made again.
    pub failures: u8,
    /// Leases that are taken from a worker that is still alive.
    pub take_overs: u8,
    /// Requests that arrive twice, at the participant that answers by key.
    pub duplicates: u8,
    /// Wishes to cancel.
    pub cancels: u8,
}

/// A rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// An append is not checked against the lease: only whether other records stand at its place.
    Fence,
    /// The participants keep no late call away.
    Barrier,
    /// What is not known is taken for what was not done, so that a failed step is not compensated.
    FailedStepRule,
    /// A compensation is sent before the record that decides for it is durable.
    RecordBeforeCompensation,
    /// The saga's end is answered before it is durable.
    DurableAnswers,
    /// An attempt that was open when the saga was loaded is made as if it were the first one.
    Taint,
    /// Not a rule of the protocol, but what it assumes of the network: where a request arrives twice, one of the two may
    /// be told that it has failed for now, and the other one be done later.
    OneFailureForBothCopies,
}

/// The protocol, whole or without a rule.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// What can go wrong.
    pub bounds: Bounds,
    /// What is left out.
    pub without: Option<Without>,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum Action {
    Claims(usize),
    Appends(usize),
    Sends(usize, Request),
    Arrives(usize, Request, Reaction),
    IsAnswered(usize, Outcome),
    TimesOut(usize, Request),
    TriesAgain(usize),
    IsSentTwice(usize, Request),
    StrayArrives(Request, Reaction),
    StrayIsLost(Request),
    Cancels(usize),
    AnswersUser(usize, End),
    Crashes(usize),
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    /// The saga has been begun by the first worker, and nothing sent.
    fn init_states(&self) -> Vec<World> {
        let mut workers = vec![Worker::Idle; self.bounds.workers];
        workers[0] =
            Worker::Drives(Driver { leads: true, known: Vec::new(), durable: 0, wire: Wire::Unsent });
        vec![World {
            log: Vec::new(),
            workers,
            services: Services::FRESH,
            strays: Vec::new(),
            answered: None,
            contradicted: false,
            left: self.bounds,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let is_led =
            world.workers.iter().any(|worker| matches!(worker, Worker::Drives(driver) if driver.leads));
        let is_over = world.answered.is_some() && world.end().is_some();
        // Those that are idle are all the same.
        let idle = world.workers.iter().position(|worker| *worker == Worker::Idle);
        if let Some(idle) = idle
            && !is_over
            && (!is_led || world.left.take_overs > 0)
        {
            actions.push(Action::Claims(idle));
        }
        for (number, worker) in world.workers.iter().enumerate() {
            if let Worker::Drives(driver) = worker {
                self.actions_of(world, number, driver, actions);
            }
        }
        for (request, _) in &world.strays {
            world.reactions(*request, |reaction| actions.push(Action::StrayArrives(*request, reaction)));
            actions.push(Action::StrayIsLost(*request));
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        match action {
            Action::Claims(number) => self.claim(&mut world, number),
            Action::Appends(number) => self.append(&mut world, number),
            Action::Sends(number, _) => world.driver(number).wire = Wire::Sent,
            Action::Arrives(number, request, reaction) => {
                let outcome = self.handle(&mut world, request, reaction);
                world.driver(number).wire = Wire::Answered(outcome);
            }
            Action::IsAnswered(number, outcome) => world.driver(number).settle(outcome),
            Action::TimesOut(number, request) => {
                world.left.timeouts -= 1;
                if world.driver(number).wire.is_sent() {
                    world.stray(request);
                }
                let unknown = self.unknown();
                world.driver(number).settle(unknown);
            }
            Action::TriesAgain(number) => {
                let driver = world.driver(number);
                if let Some(opened) = driver.view().planned() {
                    driver.record(opened);
                }
            }
            Action::IsSentTwice(number, request) => {
                world.left.duplicates -= 1;
                world.driver(number).wire = Wire::SentTwice;
                world.stray(request);
            }
            Action::StrayArrives(request, reaction) => {
                self.handle(&mut world, request, reaction);
                world.take_stray(request);
            }
            Action::StrayIsLost(request) => world.take_stray(request),
            Action::Cancels(number) => {
                world.left.cancels -= 1;
                world.driver(number).record(Entry::Cancelled);
            }
            Action::AnswersUser(number, end) => {
                world.contradicted |= world.answered.is_some_and(|before| before != end);
                world.answered = Some(end);
                let driver = world.driver(number);
                if driver.pending().is_empty() {
                    world.workers[number] = Worker::Idle;
                }
            }
            Action::Crashes(number) => {
                world.left.crashes -= 1;
                world.stop(number);
            }
        }
        let goes_on = world.left_to_happen() < last.left_to_happen();
        assert!(goes_on || self.without.is_some(), "a history may be endless: {action:?} in {last:?}");
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("all or nothing", |_, world: &World| match world.end() {
                Some(End::Completed) => world.services.effects() == (1, 1),
                Some(End::Compensated) => world.services.effects() == (0, 0),
                None => true,
            }),
            Property::always("what was answered stays true", |_, world: &World| {
                let end = world.end();
                !world.contradicted && world.answered.is_none_or(|told| end.is_none_or(|end| end == told))
            }),
            Property::always("the log is a history", |_, world: &World| view(&world.log).is_some()),
            Property::always("it never stands still before its end", |model: &Protocol, world: &World| {
                let mut actions = Vec::new();
                model.actions(world, &mut actions);
                !actions.is_empty() || (world.end().is_some() && world.answered == world.end())
            }),
            Property::sometimes("it completes", |_, world: &World| world.end() == Some(End::Completed)),
            Property::sometimes("it compensates what was done", |_, world: &World| {
                world.end() == Some(End::Compensated) && world.log.contains(&Entry::Done(Step::Flight))
            }),
            Property::sometimes("it completes after a doubt", |_, world: &World| {
                world.end() == Some(End::Completed) && world.log.contains(&Entry::Unknown(Step::Flight))
            }),
            Property::sometimes("a request is late", |_, world: &World| {
                world.end() == Some(End::Compensated)
                    && world.strays.iter().any(|(request, _)| !request.undoes)
            }),
            Property::sometimes("two drive it at once", |_, world: &World| {
                let sent =
                    |worker: &Worker| matches!(worker, Worker::Drives(driver) if driver.wire.is_sent());
                world.workers.iter().filter(|worker| sent(worker)).count() > 1
            }),
        ]
    }
}

impl Protocol {
    fn lacks(&self, rule: Without) -> bool {
        self.without == Some(rule)
    }

    /// What the outcome of an attempt is taken for that nobody knows.
    fn unknown(&self) -> Outcome {
        if self.lacks(Without::FailedStepRule) { Outcome::Transient } else { Outcome::Unknown }
    }

    fn actions_of(&self, world: &World, number: usize, driver: &Driver, actions: &mut Vec<Action>) {
        let view = driver.view();
        let is_durable = driver.pending().is_empty();
        if world.left.crashes > 0 {
            actions.push(Action::Crashes(number));
        }
        if !is_durable {
            actions.push(Action::Appends(number));
        }
        if let Some(end) = view.end
            && (is_durable || self.lacks(Without::DurableAnswers) && world.answered.is_none())
        {
            actions.push(Action::AnswersUser(number, end));
        }
        if is_durable && view.can_cancel && world.left.cancels > 0 {
            actions.push(Action::Cancels(number));
        }
        if is_durable && view.planned().is_some() {
            actions.push(Action::TriesAgain(number));
        }
        let Some(call) = view.open() else { return };
        let undoes = call.kind == CallKind::Compensation;
        let request = Request { step: Step::of(call), undoes };
        let is_early = undoes && self.lacks(Without::RecordBeforeCompensation);
        if driver.wire == Wire::Unsent && (is_durable || is_early) {
            actions.push(Action::Sends(number, request));
        }
        if driver.wire.is_sent() {
            let fails_for_both = driver.wire == Wire::Sent || self.lacks(Without::OneFailureForBothCopies);
            world.reactions(request, |reaction| {
                if reaction != Reaction::Fails || fails_for_both {
                    actions.push(Action::Arrives(number, request, reaction));
                }
            });
        }
        if driver.wire == Wire::Sent && world.left.duplicates > 0 && request.step == Step::Flight {
            actions.push(Action::IsSentTwice(number, request));
        }
        if !is_durable {
            return;
        }
        if let Wire::Answered(outcome) = driver.wire {
            actions.push(Action::IsAnswered(number, outcome));
        }
        if driver.wire != Wire::Unsent && world.left.timeouts > 0 {
            actions.push(Action::TimesOut(number, request));
        }
    }

    /// Takes the lease and loads the saga: what was open then is in doubt.
    fn claim(&self, world: &mut World, number: usize) {
        for worker in &mut world.workers {
            if let Worker::Drives(driver) = worker
                && driver.leads
            {
                driver.leads = false;
                world.left.take_overs -= 1;
            }
        }
        let (known, durable) = (world.log.clone(), world.log.len());
        let mut driver = Driver { leads: true, known, durable, wire: Wire::Unsent };
        let view = driver.view();
        match view.open() {
            Some(call) if !self.lacks(Without::Taint) => driver.record(Entry::settled(call, self.unknown())),
            _ => driver.give_up(),
        }
        world.workers[number] = Worker::Drives(driver);
    }

    /// The append, which checks in one statement whose lease it is, and what stands at its place: as a log does, it takes
    /// the same records there for its own.
    fn append(&self, world: &mut World, number: usize) {
        let mut log = std::mem::take(&mut world.log);
        let driver = world.driver(number);
        let is_allowed = driver.leads || self.lacks(Without::Fence);
        let stands = log.get(driver.durable..).is_some_and(|there| there.starts_with(driver.pending()));
        let is_free = log.len() == driver.durable;
        let is_appended = is_allowed && (is_free || stands);
        if is_appended {
            if !stands {
                log.extend_from_slice(driver.pending());
            }
            driver.durable = driver.known.len();
            driver.give_up();
        } else {
            world.stop(number);
        }
        world.log = log;
    }

    fn handle(&self, world: &mut World, request: Request, reaction: Reaction) -> Outcome {
        match reaction {
            Reaction::Complies | Reaction::RefusesAgain => {}
            Reaction::Refuses => world.left.refusals -= 1,
            Reaction::Fails => world.left.failures -= 1,
        }
        world.services.handle(request, reaction, !self.lacks(Without::Barrier))
    }
}
