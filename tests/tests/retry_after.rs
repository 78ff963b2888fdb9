//! A participant that asks to be left alone is left alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a desk answers at once")]

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saga_runtime::log::MemoryLog;
use saga_runtime::{
    Begun, Context, Coordinator, FailureKind, Keyed, Outcome, RETRY_AFTER_MAX, StepError, saga,
};
use tokio::time::Instant;

/// What a desk answers: as a rule "not now", and for how long.
#[derive(Debug, Clone)]
struct Busy(FailureKind, Option<Duration>);

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("come again later")
    }
}

impl StepError for Busy {
    fn kind(&self) -> FailureKind {
        self.0
    }

    fn retry_after(&self) -> Option<Duration> {
        self.1
    }
}

/// The same behind a derived error.
#[derive(Debug, thiserror::Error, StepError)]
enum DeskError {
    #[error("{0}")]
    #[outcome(inner)]
    Busy(Busy),
    #[error("no")]
    #[outcome(refused)]
    No,
}

/// Answers what it is told to, in turn, and notes when it was called; then it does what it is asked for.
#[derive(Debug, Clone, Default)]
struct Desk {
    answers: Arc<Mutex<Vec<Busy>>>,
    calls: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Keyed for Desk {}

impl Desk {
    fn answering(answers: impl IntoIterator<Item = Busy>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }

    async fn take(&self, cx: &Context) -> Result<u32, DeskError> {
        self.calls.lock().unwrap().push((cx.step().to_owned(), Instant::now()));
        match self.answers.lock().unwrap().pop() {
            Some(busy) => Err(DeskError::Busy(busy)),
            None => Ok(1),
        }
    }

    async fn refuse(&self, _cx: &Context) -> Result<u32, DeskError> {
        Err(DeskError::No)
    }

    /// How long after the call before each call came, in milliseconds.
    fn pauses(&self) -> Vec<u128> {
        let calls = self.calls.lock().unwrap();
        calls.windows(2).map(|two| (two[1].1 - two[0].1).as_millis()).collect()
    }
}

saga! {
    saga Taking() -> u32 {
        with desk: Desk;
        retry 4 times every 100ms..200ms;
        pivot taken: u32 = desk.take(cx);
        return taken;
    }
}

saga! {
    saga GivingBack() {
        with desk: Desk, first: Desk;
        retry 4 times every 100ms..200ms;
        step given: u32 = first.take(cx) compensate desk.take(cx);
        step last: u32 = first.refuse(cx) compensate nothing;
    }
}

saga! {
    saga InTime() {
        with desk: Desk, first: Desk;
        deadline 10s;
        retry 4 times every 100ms..200ms;
        step given: u32 = first.take(cx) compensate desk.take(cx);
        step taken: u32 = desk.take(cx) compensate nothing;
    }
}

fn busy(kind: FailureKind, seconds: u64) -> Busy {
    Busy(kind, Some(Duration::from_secs(seconds)))
}

async fn run(desk: &Desk) -> Outcome<u32> {
    let participants = TakingParticipants { desk: desk.clone() };
    let coordinator =
        Coordinator::builder(MemoryLog::new()).register::<Taking>(participants).start().await.unwrap();
    let Begun::Started(handle) = coordinator.begin::<Taking>("t-1", ()).await.unwrap() else {
        panic!("it was begun before")
    };
    handle.outcome().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_waits_as_long_as_the_participant_asks() {
    let desk = Desk::answering([
        busy(FailureKind::Transient, 1),
        busy(FailureKind::Unknown, 60),
        Busy(FailureKind::Transient, None),
        busy(FailureKind::Transient, 0),
    ]);
    assert!(matches!(run(&desk).await, Outcome::Completed(1)));
    let pauses = desk.pauses();
    assert!((1_000..1_100).contains(&pauses[0]), "{pauses:?}");
    assert!((60_000..60_500).contains(&pauses[1]), "{pauses:?}: long enough to be let go meanwhile");
    assert!((50..300).contains(&pauses[2]), "{pauses:?}: an old wish is forgotten");
    assert!((50..300).contains(&pauses[3]), "{pauses:?}: never shorter than the back-off");
}

#[tokio::test(start_paused = true)]
async fn nobody_can_stop_a_saga_for_ever_with_it() {
    let desk = Desk::answering([Busy(FailureKind::Transient, Some(Duration::MAX))]);
    assert!(matches!(run(&desk).await, Outcome::Completed(1)));
    let pause = desk.pauses()[0];
    let max = RETRY_AFTER_MAX.as_millis();
    assert!((max..max + 1_000).contains(&pause), "{pause}");
}

#[tokio::test(start_paused = true)]
async fn a_compensation_waits_too_and_not_for_what_its_action_was_told() {
    let first = Desk::answering([busy(FailureKind::Transient, 5)]);
    let desk = Desk::answering([busy(FailureKind::Unknown, 30), Busy(FailureKind::Refused, None)]);
    let participants = GivingBackParticipants { desk: desk.clone(), first: first.clone() };
    let coordinator =
        Coordinator::builder(MemoryLog::new()).register::<GivingBack>(participants).start().await.unwrap();
    let Begun::Started(handle) = coordinator.begin::<GivingBack>("g-1", ()).await.unwrap() else {
        panic!("it was begun before")
    };
    assert!(matches!(handle.outcome().await.unwrap(), Outcome::Compensated { .. }));
    assert!((5_000..5_500).contains(&first.pauses()[0]));
    let done_at = first.calls.lock().unwrap()[1].1;
    let undone_at = desk.calls.lock().unwrap()[0].1;
    assert!(undone_at - done_at < Duration::from_secs(1), "the action's wish is not the compensation's");
    let pauses = desk.pauses();
    assert!((30_000..30_500).contains(&pauses[0]), "{pauses:?}");
    assert!(pauses[1] < 500, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_passes_meanwhile() {
    let first = Desk::default();
    let desk = Desk::answering([busy(FailureKind::Transient, 3_000)]);
    let participants = InTimeParticipants { desk: desk.clone(), first };
    let coordinator =
        Coordinator::builder(MemoryLog::new()).register::<InTime>(participants).start().await.unwrap();
    let Begun::Started(handle) = coordinator.begin::<InTime>("i-1", ()).await.unwrap() else {
        panic!("it was begun before")
    };
    let began = Instant::now();
    assert!(matches!(handle.outcome().await.unwrap(), Outcome::Compensated { .. }));
    assert!((9..12).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}
