//! The pure machine: every state that can be reached, times every event.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use saga_runtime::definition::{Block, Compensation, Definition, StepDefinition, Zone};
use saga_runtime::machine::{
    AttemptFact, Call, CallKind, Decision, Event, Fact, FactKind, Next, Phase, Refusal, Region, Residue,
    Retry, Role, Settled, State, decide, settle,
};
use saga_runtime::{Failure, FailureKind, StateOf};
use saga_tests::sagas::{Basket, Nest, Payment, Quote, Shape, Tour, Trip};

/// Everything that can be said about a saga of this shape, legal or not.
fn facts(definition: &Definition) -> Vec<Fact> {
    let message = || "m".to_owned();
    let failed = |kind| AttemptFact::Failed(Failure::new(kind, message()));
    let attempt = || {
        [
            AttemptFact::Opened,
            failed(FailureKind::Refused),
            failed(FailureKind::Transient),
            failed(FailureKind::Unknown),
            AttemptFact::Absent,
            AttemptFact::NotSent,
            AttemptFact::Due(7),
            AttemptFact::GaveUp(message()),
            AttemptFact::Parked(message()),
        ]
    };
    let mut facts = vec![
        Fact { place: None, kind: FactKind::Cancelled(message()) },
        Fact { place: None, kind: FactKind::DeadlinePassed },
        Fact { place: None, kind: FactKind::Completed("7".to_owned()) },
    ];
    for step in 0..definition.steps.len() {
        let refused = |definitive| FactKind::Refused(Refusal { message: message(), definitive });
        let kinds = [FactKind::Done("1".to_owned()), refused(true), refused(false), FactKind::Compensated];
        let kinds = kinds.into_iter().chain(attempt().map(FactKind::Attempt));
        let kinds = kinds.chain(attempt().map(FactKind::Compensation));
        facts.extend(kinds.map(|kind| Fact { place: Some(step.into()), kind }));
    }
    facts
}

fn step_of(fact: &Fact) -> Option<usize> {
    fact.place.as_ref().map(|place| place.step)
}

fn event<S: Shape>(fact: &Fact) -> Option<S::Event> {
    S::Event::from_fact(fact.clone()).ok()
}

/// What is true of the effects, by facts alone: an account that knows nothing of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Ledger {
    done: BTreeSet<usize>,
    doubt: BTreeSet<usize>,
    /// The pivot is done.
    past_pivot: bool,
}

impl Ledger {
    fn record(&mut self, definition: &Definition, fact: &Fact) {
        let Some(step) = step_of(fact) else { return };
        let StepDefinition { kind, zone, compensation, .. } = definition.steps[step];
        if !kind.is_effectful() || compensation == Compensation::Nothing {
            return;
        }
        match &fact.kind {
            FactKind::Done(_) => {
                self.past_pivot |= zone == Zone::Pivot;
                self.doubt.remove(&step);
                self.done.insert(step);
            }
            FactKind::Attempt(AttemptFact::Failed(failure)) if failure.kind == FailureKind::Unknown => {
                self.doubt.insert(step);
            }
            FactKind::Refused(Refusal { definitive: true, .. }) | FactKind::Attempt(AttemptFact::Absent) => {
                self.doubt.remove(&step);
            }
            FactKind::Compensated => {
                assert!(self.done.remove(&step) | self.doubt.remove(&step), "undone, and never was: {step}");
            }
            _ => {}
        }
    }

    fn holds(&self, step: usize) -> bool {
        self.done.contains(&step) || self.doubt.contains(&step)
    }
}

/// For each step the steps that come after it in some sequence.
fn followers(definition: &Definition) -> BTreeMap<usize, BTreeSet<usize>> {
    fn steps(block: &Block) -> Vec<usize> {
        match block {
            Block::Step(step) => vec![*step],
            Block::Parallel(branches) | Block::If { arms: branches, .. } => {
                branches.iter().flat_map(|branch| branch.iter().flat_map(steps)).collect()
            }
            Block::For { body, .. } => body.iter().flat_map(steps).collect(),
        }
    }
    fn walk(sequence: &[Block], followers: &mut BTreeMap<usize, BTreeSet<usize>>) {
        for (index, block) in sequence.iter().enumerate() {
            let after = sequence[index + 1..].iter().flat_map(steps).collect::<Vec<_>>();
            for step in steps(block) {
                followers.entry(step).or_default().extend(&after);
            }
            if let Block::Parallel(branches) | Block::If { arms: branches, .. } = block {
                branches.iter().for_each(|branch| walk(branch, followers));
            }
        }
    }
    let mut followers = BTreeMap::new();
    walk(definition.body, &mut followers);
    followers
}

/// One state, with what is true in it.
struct Node<S: Shape> {
    state: StateOf<S>,
    ledger: Ledger,
}

impl<S: Shape> Node<S> {
    /// What tells it from every other: the state as it shows itself, and its calls to the last attempt.
    fn key(&self) -> (String, String, Ledger) {
        let calls = calls::<S>(&self.state);
        (format!("{:?}", self.state), format!("{calls:?}"), self.ledger.clone())
    }
}

impl<S: Shape> Clone for Node<S> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), ledger: self.ledger.clone() }
    }
}

struct Rules {
    definition: &'static Definition,
    followers: BTreeMap<usize, BTreeSet<usize>>,
    effects: BTreeSet<usize>,
}

impl Rules {
    fn of<S: Shape>() -> Self {
        let definition = S::DEFINITION;
        let named = |name: &&str| definition.steps.iter().position(|step| step.name == *name).unwrap();
        Self { definition, followers: followers(definition), effects: S::EFFECTS.iter().map(named).collect() }
    }

    /// The node after a fact, or `None` where it is illegal. Checks everything that must hold on the way.
    fn step<S: Shape>(&self, node: &Node<S>, fact: &Fact) -> Option<Node<S>> {
        let event = event::<S>(fact)?;
        let before = format!("{:?}", node.state);
        let state = match node.state.clone().apply(event) {
            Err(illegal) => {
                assert_eq!(format!("{:?}", illegal.state), before, "given back unchanged after {fact:?}");
                return None;
            }
            Ok(state) => state,
        };
        assert_ne!(format!("{state:?}"), before, "a legal event moves: {fact:?}");
        let mut ledger = node.ledger.clone();
        ledger.record(self.definition, fact);
        if fact.kind == FactKind::Compensated
            && let Some(step) = step_of(fact)
        {
            let still = self.followers[&step].iter().find(|later| ledger.holds(**later));
            assert_eq!(still, None, "`{step}` is compensated before a step after it: {before}");
        }
        if let State::Backward(..) | State::Compensated(_) = state {
            assert!(!ledger.past_pivot, "compensates after the pivot: {before} after {fact:?}");
            let in_flight =
                actions_in_flight::<S>(&node.state).into_iter().find(|step| Some(*step) != step_of(fact));
            assert_eq!(in_flight, None, "compensates while an action is in flight: {before} after {fact:?}");
        }
        self.check_end::<S>(&state, &ledger);
        Some(Node { state, ledger })
    }

    fn check_end<S: Shape>(&self, state: &StateOf<S>, ledger: &Ledger) {
        match state {
            State::Completed => {
                assert_eq!((&ledger.done, &ledger.doubt), (&self.effects, &BTreeSet::new()), "completed");
            }
            State::Compensated(_) => assert!(ledger.done.is_empty() && ledger.doubt.is_empty(), "{ledger:?}"),
            State::Forward(_) | State::Turning(..) | State::Backward(..) => match state.next() {
                Next::Calls(calls) => assert!(!calls.is_empty(), "nobody will ever do anything: {state:?}"),
                Next::Return => assert!(matches!(state, State::Forward(_))),
                Next::Ended => panic!("not ended: {state:?}"),
            },
        }
        assert!(!(ledger.past_pivot && state.can_cancel()), "cancelled after the pivot: {state:?}");
    }

    /// Whatever the coordinator can decide or learn about the state's calls is legal.
    fn check_coordinator<S: Shape>(&self, node: &Node<S>) {
        let Next::Calls(calls) = node.state.next() else { return };
        for call in calls {
            for retry in [Retry::DEFAULT, Retry::NEVER] {
                let fact = match decide(&call, &retry, 0) {
                    Decision::Open { .. } => AttemptFact::Opened,
                    Decision::GiveUp => AttemptFact::GaveUp("m".to_owned()),
                    Decision::Make | Decision::Wait => continue,
                };
                let fact = Fact { place: Some(call.place.clone()), kind: about(&call, fact) };
                assert!(
                    self.step::<S>(node, &fact).is_some(),
                    "decided, and illegal: {fact:?} in {:?}",
                    node.state
                );
            }
            if call.attempts.is_open() {
                self.check_learnt::<S>(node, &call);
            }
        }
    }

    fn check_learnt<S: Shape>(&self, node: &Node<S>, call: &Call) {
        let failure = |kind| Settled::<()>::Failed(Failure::new(kind, "m".to_owned()));
        let mut all = vec![
            Settled::Done(()),
            failure(FailureKind::Refused),
            failure(FailureKind::Transient),
            failure(FailureKind::Unknown),
            Settled::Panicked("m".to_owned()),
        ];
        if call.kind == CallKind::Probe {
            all.push(Settled::Absent);
        }
        for settled in all {
            let kinds = match settle(call, settled, 0) {
                Ok(()) if call.kind == CallKind::Compensation => vec![FactKind::Compensated],
                Ok(()) => vec![FactKind::Done("1".to_owned())],
                Err(kinds) => kinds,
            };
            let mut at = node.clone();
            for kind in kinds {
                if let FactKind::Refused(refusal) = &kind {
                    let doubtful = call.attempts.in_doubt() && !call.settlement.keyed;
                    assert_eq!(refusal.definitive, !doubtful, "{call:?}");
                }
                let fact = Fact { place: Some(call.place.clone()), kind };
                at = self.step::<S>(&at, &fact).unwrap_or_else(|| {
                    panic!("happened, and illegal: {fact:?} in {:?}", at.state);
                });
            }
        }
        let not_sent = Fact { place: Some(call.place.clone()), kind: about(call, AttemptFact::NotSent) };
        assert!(self.step::<S>(node, &not_sent).is_some(), "not sent, and illegal: {:?}", node.state);
    }
}

fn about(call: &Call, fact: AttemptFact) -> FactKind {
    if call.kind == CallKind::Compensation { FactKind::Compensation(fact) } else { FactKind::Attempt(fact) }
}

fn calls<S: Shape>(state: &StateOf<S>) -> Vec<Call> {
    let mut calls = Vec::new();
    match state {
        // All of them, also those that a turned saga does not go on with.
        State::Forward(at) | State::Turning(at, _) => at.calls(&mut calls),
        State::Backward(..) | State::Completed | State::Compensated(_) => {
            if let Next::Calls(next) = state.next() {
                calls = next;
            }
        }
    }
    calls
}

fn actions_in_flight<S: Shape>(state: &StateOf<S>) -> Vec<usize> {
    let forward = [Role::Compensatable, Role::Pivot, Role::Retriable];
    let calls = calls::<S>(state).into_iter();
    calls
        .filter(|call| call.attempts.is_open() && forward.contains(&call.role))
        .map(|call| call.place.step)
        .collect()
}

fn begin<S: Shape>() -> Node<S> {
    Node { state: S::begin(7), ledger: Ledger::default() }
}

/// Searches every state in which no call has more than `attempts` attempts; answers how many there are.
fn search<S: Shape>(attempts: u32) -> usize {
    let rules = Rules::of::<S>();
    let facts = facts(S::DEFINITION);
    let mut numbers = HashMap::<(String, String, Ledger), usize>::new();
    let mut nodes = Vec::<Node<S>>::new();
    let mut before = Vec::<Vec<usize>>::new();
    let mut queue = VecDeque::new();
    let mut ends = Vec::new();
    let first = begin::<S>();
    numbers.insert(first.key(), 0);
    nodes.push(first);
    before.push(Vec::new());
    queue.push_back(0);
    while let Some(number) = queue.pop_front() {
        let node = nodes[number].clone();
        rules.check_coordinator::<S>(&node);
        if node.state.next() == Next::Ended {
            ends.push(number);
        }
        for fact in &facts {
            let Some(after) = rules.step::<S>(&node, fact) else { continue };
            if calls::<S>(&after.state).iter().any(|call| call.attempts.made() > attempts) {
                continue;
            }
            let known = *numbers.entry(after.key()).or_insert_with(|| {
                nodes.push(after);
                before.push(Vec::new());
                queue.push_back(nodes.len() - 1);
                nodes.len() - 1
            });
            before[known].push(number);
        }
    }
    check_ends_are_reached::<S>(&nodes, &before, ends, attempts);
    nodes.len()
}

/// From every state whose calls have an attempt left, an end can be reached.
fn check_ends_are_reached<S: Shape>(
    nodes: &[Node<S>],
    before: &[Vec<usize>],
    ends: Vec<usize>,
    attempts: u32,
) {
    let mut reaches = vec![false; nodes.len()];
    let mut queue = VecDeque::from(ends);
    while let Some(number) = queue.pop_front() {
        if !std::mem::replace(&mut reaches[number], true) {
            queue.extend(&before[number]);
        }
    }
    for (node, reaches) in nodes.iter().zip(reaches) {
        let spent = calls::<S>(&node.state).iter().any(|call| call.attempts.made() >= attempts);
        assert!(reaches || spent, "no way to an end: {:?}", node.state);
    }
}

#[test]
fn every_event_in_every_state_of_a_trip_moves_it_or_gives_it_back() {
    assert_eq!(search::<Trip>(3), 8894);
}

#[test]
fn every_event_in_every_state_of_a_basket_moves_it_or_gives_it_back() {
    assert_eq!(search::<Basket>(3), 553);
}

#[test]
fn every_event_in_every_state_of_a_payment_moves_it_or_gives_it_back() {
    assert_eq!(search::<Payment>(3), 244);
}

#[test]
fn every_event_in_every_state_of_nested_parallels_moves_them_or_gives_them_back() {
    assert_eq!(search::<Nest>(1), 7304);
}

#[test]
fn every_event_in_every_state_of_a_quote_moves_it_or_gives_it_back() {
    assert_eq!(search::<Quote>(3), 1627);
}

/// Walks at random over legal events, and tries every illegal one on the way. What was recorded replays to the same.
fn walk<S: Shape>(cases: u32) {
    let rules = Rules::of::<S>();
    let facts = facts(S::DEFINITION);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let result = runner.run(&vec(any::<u16>(), 0..70), |picks| {
        let mut node = begin::<S>();
        let mut replayed = S::begin(7);
        let mut residue = Residue::default();
        for pick in picks {
            rules.check_coordinator::<S>(&node);
            let legal = facts.iter().filter_map(|fact| Some((fact, rules.step::<S>(&node, fact)?)));
            let mut legal = legal.collect::<Vec<_>>();
            if legal.is_empty() {
                break;
            }
            let (fact, after) = legal.swap_remove(usize::from(pick) % legal.len());
            let event = event::<S>(fact).unwrap();
            assert_eq!(&event.to_fact().unwrap(), fact, "what is recorded is what happened");
            replayed = replayed.apply(event).unwrap();
            residue.record(S::DEFINITION, fact);
            node = after;
            assert_eq!(format!("{replayed:?}"), format!("{:?}", node.state));
            let left = residue.effects().map(|(place, _)| place.step).collect::<BTreeSet<_>>();
            assert_eq!(left, &node.ledger.done | &node.ledger.doubt, "the residue is what may still hold");
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn random_histories_of_a_trip_keep_every_rule_and_replay_to_the_same_state() {
    walk::<Trip>(150);
}

#[test]
fn random_histories_of_a_tour_keep_every_rule_and_replay_to_the_same_state() {
    walk::<Tour>(100);
}

#[test]
fn random_histories_of_nested_parallels_keep_every_rule_and_replay_to_the_same_state() {
    walk::<Nest>(150);
}

#[test]
fn a_turned_saga_goes_on_with_nothing_that_was_never_opened() {
    // `lunch` comes after `bus` in its branch: it must not start once `museum` has turned the saga.
    let done = |step| Fact { place: Some(usize::into(step)), kind: FactKind::Done("1".to_owned()) };
    let refused = |step| Fact {
        place: Some(usize::into(step)),
        kind: FactKind::Refused(Refusal { message: "m".into(), definitive: true }),
    };
    let rules = Rules::of::<Tour>();
    let mut node = begin::<Tour>();
    for fact in [done(0), refused(3), done(1)] {
        node = rules.step::<Tour>(&node, &fact).unwrap();
    }
    let Next::Calls(calls) = node.state.next() else { panic!("{:?}", node.state) };
    let calls =
        calls.iter().map(|call| (call.place.step, call.kind, call.attempts.phase())).collect::<Vec<_>>();
    assert_eq!(
        calls,
        [(1, CallKind::Compensation, Phase::Open)],
        "the bus is given back, and nothing else is done"
    );
}
