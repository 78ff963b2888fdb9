//! A call that ends its process, as one that exhausts the memory does, and what becomes of the sagas beside it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saga_runtime::coordinator;
use saga_runtime::log::MemoryLog;
use saga_runtime::{Begun, Context, Coordinator, Keyed, Outcome, SagaId, StepError, saga};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How many sagas wait for their service when the process ends.
const INNOCENT: usize = 12;

type Builder = coordinator::Builder<MemoryLog>;

#[derive(Debug, thiserror::Error, StepError)]
#[error("sold out")]
#[outcome(refused)]
struct SoldOut;

/// A service that takes a second for each seat; one row of seats ends the process after half of it.
#[derive(Clone, Default)]
struct Seats {
    end_of_process: Arc<Notify>,
    attempts: Arc<Mutex<BTreeMap<String, u32>>>,
}

const DEADLY: u32 = 13;

impl Keyed for Seats {}

impl Seats {
    async fn reserve(&self, cx: &Context, row: u32) -> Result<u32, SoldOut> {
        *self.attempts.lock().unwrap().entry(cx.saga_id().to_string()).or_default() += 1;
        if row == DEADLY {
            sleep(Duration::from_millis(500)).await;
            self.end_of_process.notify_one();
            pending::<()>().await;
        }
        sleep(Duration::from_secs(1)).await;
        Ok(row)
    }

    async fn cancel(&self, _cx: &Context) -> Result<(), SoldOut> {
        sleep(Duration::from_millis(10)).await;
        Ok(())
    }
}

saga! {
    /// Some end their process.
    saga Seating(row: u32) -> u32 {
        with seats: Seats;
        retry 3 times every 10ms..20ms;
        step seat: u32 = seats.reserve(cx, *row) compensate seats.cancel(cx);
        step other: u32 = seats.reserve(cx, 0) compensate seats.cancel(cx);
        return seat + other;
    }
}

fn coordinator(log: &MemoryLog, seats: &Seats) -> Builder {
    Coordinator::builder(log.clone()).register::<Seating>(SeatingParticipants { seats: seats.clone() })
}

/// Lets one process live until it is ended, or all of its sagas have ended.
fn live(log: &MemoryLog, seats: &Seats, settings: fn(Builder) -> Builder, begin: &[(String, u32)]) -> bool {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let coordinator = settings(coordinator(log, seats)).start().await.unwrap();
        for (id, row) in begin {
            coordinator.begin::<Seating>(id, *row).await.unwrap();
        }
        let ended = async {
            while coordinator.running() > 0 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = seats.end_of_process.notified() => false,
            () = ended => true,
        }
    })
}

/// How the sagas end that are begun by one process, and how often it has ended meanwhile.
fn outcomes(
    settings: fn(Builder) -> Builder,
    begin: &[(String, u32)],
) -> (BTreeMap<String, Outcome<u32>>, u32) {
    let (log, seats) = (MemoryLog::new(), Seats::default());
    let mut ends = 0;
    let mut to_begin = begin;
    while !live(&log, &seats, settings, to_begin) {
        ends += 1;
        to_begin = &[];
        assert!(ends < 100, "it ends its process again and again: {:?}", seats.attempts.lock().unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcomes = runtime.block_on(async {
        let coordinator = coordinator(&log, &seats).start().await.unwrap();
        let mut outcomes = BTreeMap::new();
        for (id, _) in begin {
            let found = coordinator.find::<Seating>(&SagaId::new(id).unwrap()).await.unwrap().unwrap();
            assert!(matches!(found, Begun::Finished(..)), "{id} has not ended");
            let outcome = timeout(Duration::from_secs(1), found.outcome()).await.unwrap().unwrap();
            outcomes.insert(id.clone(), outcome);
        }
        outcomes
    });
    (outcomes, ends)
}

fn sagas(deadly: &[usize]) -> Vec<(String, u32)> {
    let row = |number| if deadly.contains(&number) { DEADLY } else { 1 };
    (0..INNOCENT + deadly.len()).map(|number| (format!("s-{number:02}"), row(number))).collect()
}

#[track_caller]
fn only_these_are_compensated(outcomes: &BTreeMap<String, Outcome<u32>>, deadly: &[usize]) {
    for (number, (id, outcome)) in outcomes.iter().enumerate() {
        match outcome {
            Outcome::Completed(_) => assert!(!deadly.contains(&number), "{id} has completed"),
            other => assert!(deadly.contains(&number), "{id} is no suspect, and has ended as {other:?}"),
        }
    }
}

#[test]
fn a_call_that_ends_its_process_costs_no_other_saga_its_attempts() {
    for deadly in [0, 5, INNOCENT] {
        let (outcomes, ends) = outcomes(|builder| builder, &sagas(&[deadly]));
        only_these_are_compensated(&outcomes, &[deadly]);
        assert_eq!(ends, 4, "one for each of its attempts");
    }
}

#[test]
fn several_that_end_their_process_are_told_from_the_others() {
    let deadly = [3, 4, 9];
    let (outcomes, ends) = outcomes(|builder| builder, &sagas(&deadly));
    only_these_are_compensated(&outcomes, &deadly);
    assert!(ends <= 12, "{ends}");
}

#[test]
fn suspects_wait_for_each_other_where_few_sagas_run_at_once_too() {
    let deadly = [0, 7];
    let (outcomes, _) = outcomes(|builder| builder.sagas_at_once(2).calls_at_once(2), &sagas(&deadly));
    only_these_are_compensated(&outcomes, &deadly);
}
