//! Participants remember keys for a time, and past it nothing about them is sent.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::coordinator::{Act, Intervention, Operator};
use saga_runtime::log::MemoryLog;
use saga_runtime::machine::{Cause, Effect};
use saga_runtime::{Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::desk::{Desk, Mood};
use tokio::time::sleep;

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

saga! {
    /// Waits before its last step.
    saga Stay(days: u64) -> u32 {
        with desk: Desk;
        timeout 5s;
        retry 1 times every 1s..10s;

        step flight: u32 = desk.ask(cx) compensate desk.undo(cx);
        sleep (DAY * u32::try_from(*days).unwrap());
        step hotel: u32 = desk.ask(cx) compensate desk.undo(cx);
        step car: u32 = desk.ask(cx) compensate desk.undo(cx);

        return flight + hotel + car;
    }

    /// Is tried again after twenty days.
    saga Patient() -> u32 {
        with desk: Desk;
        timeout 5s;
        retry 5 times every 20d..20d;

        step flight: u32 = desk.ask(cx) compensate desk.undo(cx) { retry 1 times every 1s..2s };
        pivot paid: u32 = desk.ask(cx);
        step mail: u32 = desk.ask(cx) else 0;
        step voucher: u32 = desk.ask(cx);

        return flight + paid + voucher + mail;
    }
}

async fn start(log: &MemoryLog, desk: &Desk, horizon: Option<Duration>) -> Coordinator {
    let desk = || desk.clone();
    let builder = Coordinator::builder(log.clone())
        .register::<Stay>(StayParticipants { desk: desk() })
        .register::<Patient>(PatientParticipants { desk: desk() });
    let builder = match horizon {
        Some(horizon) => builder.horizon(horizon),
        None => builder,
    };
    builder.start().await.unwrap()
}

async fn begin<S: Saga>(coordinator: &Coordinator, input: S::Input) -> Handle<S> {
    coordinator.begin::<S>("s", input).await.unwrap().handle().unwrap().clone()
}

/// Why it is parked, and what it holds.
#[track_caller]
fn parked<S: Saga>(handle: &Handle<S>) -> (String, Vec<(String, Effect)>) {
    let SagaStatus::Parked(parked) = handle.status() else { panic!("{}", handle.status()) };
    let residue = parked.residue.iter().map(|(step, effect)| (step.to_string(), *effect));
    (parked.to_string(), residue.collect())
}

fn ann() -> Operator {
    Operator { name: "ann".to_owned(), reason: "seen on the statement".to_owned() }
}

/// The log's records of a step, in their order.
async fn events<S: Saga>(handle: &Handle<S>, step: &str) -> Vec<String> {
    let history = handle.history().await.unwrap();
    let of_step = history.records.into_iter().filter(|record| record.step.as_deref() == Some(step));
    of_step.map(|record| record.event).filter(|event| event != "operator").collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_no_more_is_not_compensated_but_parked() {
    let desk = Desk::new();
    desk.becomes(Mood::Refuses, "s/car");
    let coordinator = start(&MemoryLog::new(), &desk, Some(30 * DAY)).await;
    let stay = begin::<Stay>(&coordinator, 40).await;
    sleep(140 * DAY).await;
    let (cause, residue) = parked(&stay);
    assert!(cause.contains("nothing is sent about it any more"), "{cause}");
    assert_eq!(residue, [("flight".to_owned(), Effect::Done)]);
    // The hotel's key was new.
    assert_eq!(desk.story(), ["s/flight", "s/hotel", "-s/hotel"]);
    let not_sent = ["done", "compensation not sent", "compensation parked"];
    assert_eq!(events(&stay, "flight").await, not_sent);
    let done = Intervention::CompensationDone { step: "flight".to_owned() };
    stay.operate(&ann(), done).await.unwrap();
    let refused = Cause::Refused { step: "car", message: "no".to_owned() };
    assert_eq!(stay.outcome().await, Ok(Outcome::Compensated(refused)));
    assert_eq!(desk.held(), ["s/flight"], "by hand");
}

#[tokio::test(start_paused = true)]
async fn what_is_still_remembered_is_compensated() {
    for (days, horizon) in [(40, None), (20, Some(30 * DAY))] {
        let desk = Desk::new();
        desk.becomes(Mood::Refuses, "s/car");
        let coordinator = start(&MemoryLog::new(), &desk, horizon).await;
        let stay = begin::<Stay>(&coordinator, days).await;
        assert!(matches!(stay.outcome().await, Ok(Outcome::Compensated(_))));
        assert_eq!(desk.held(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_in_doubt_is_given_up_and_its_compensation_is_sent_when_an_operator_says_so() {
    let desk = Desk::new();
    desk.becomes(Mood::Mute, "s/flight");
    let coordinator = start(&MemoryLog::new(), &desk, Some(10 * DAY)).await;
    let patient = begin::<Patient>(&coordinator, ()).await;
    sleep(50 * DAY).await;
    assert_eq!(parked(&patient).1, [("flight".to_owned(), Effect::InDoubt)]);
    desk.calms_down();
    desk.becomes(Mood::Busy, "-s/flight");
    patient.operate(&ann(), Intervention::Retry).await.unwrap();
    sleep(50 * DAY).await;
    // Once, and no more by itself.
    assert_eq!(parked(&patient).1, [("flight".to_owned(), Effect::InDoubt)]);
    desk.calms_down();
    sleep(50 * DAY).await;
    assert_eq!(desk.held(), ["s/flight"]);
    patient.operate(&ann(), Intervention::Retry).await.unwrap();
    assert!(matches!(patient.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(desk.story(), ["s/flight", "-s/flight"]);
    let opened = events(&patient, "flight").await;
    let opened = opened.iter().map(String::as_str).filter(|event| !event.starts_with("compensation"));
    assert_eq!(opened.collect::<Vec<_>>(), ["failed", "gave up", "compensated"], "it is not asked for again");
}

#[tokio::test(start_paused = true)]
async fn a_pivot_in_doubt_is_parked_and_one_that_surely_never_was_turns_the_saga() {
    let desk = Desk::new();
    desk.becomes(Mood::Mute, "s/paid");
    let coordinator = start(&MemoryLog::new(), &desk, Some(10 * DAY)).await;
    let patient = begin::<Patient>(&coordinator, ()).await;
    sleep(50 * DAY).await;
    let offers = patient.offers().await.unwrap();
    assert!(offers.iter().any(|offer| offer.act == Act::ActionDone), "{offers:?}");
    assert_eq!(events(&patient, "paid").await, ["opened", "failed", "parked"]);
    let done = Intervention::ActionDone { step: "paid".to_owned(), output: "1".to_owned() };
    patient.operate(&ann(), done).await.unwrap();
    assert_eq!(patient.outcome().await, Ok(Outcome::Completed(4)));

    let desk = Desk::new();
    desk.becomes(Mood::Busy, "s/paid");
    // As old as the flight's key.
    let coordinator = start(&MemoryLog::new(), &desk, Some(30 * DAY)).await;
    let patient = begin::<Patient>(&coordinator, ()).await;
    sleep(10 * DAY).await;
    assert!(matches!(patient.status(), SagaStatus::Running), "{}", patient.status());
    sleep(50 * DAY).await;
    assert_eq!(parked(&patient).1, [("flight".to_owned(), Effect::Done)]);
}

#[tokio::test(start_paused = true)]
async fn past_the_pivot_what_there_is_a_value_for_has_it_and_what_must_be_done_is_parked() {
    let desk = Desk::new();
    desk.becomes(Mood::Busy, "s/mail");
    desk.becomes(Mood::Busy, "s/voucher");
    let coordinator = start(&MemoryLog::new(), &desk, Some(10 * DAY)).await;
    let patient = begin::<Patient>(&coordinator, ()).await;
    sleep(50 * DAY).await;
    assert_eq!(events(&patient, "mail").await, ["failed", "gave up", "else"]);
    assert_eq!(events(&patient, "voucher").await, ["failed", "parked"]);
    parked(&patient);
    desk.calms_down();
    patient.operate(&ann(), Intervention::Retry).await.unwrap();
    assert_eq!(patient.outcome().await, Ok(Outcome::Completed(3)));
    assert_eq!(desk.held(), ["s/flight", "s/paid", "s/voucher"]);
}

#[tokio::test(start_paused = true)]
async fn across_restarts_it_is_known_when_a_key_was_first_sent_and_what_was_not_sent_has_none() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    desk.becomes(Mood::Refuses, "s/car");
    let coordinator = start(&log, &desk, Some(30 * DAY)).await;
    begin::<Stay>(&coordinator, 40).await;
    sleep(HOUR).await;
    coordinator.shutdown().await;
    let coordinator = start(&log, &desk, Some(30 * DAY)).await;
    let stay = coordinator.find::<Stay>(&SagaId::new("s").unwrap()).await.unwrap().unwrap();
    let stay = stay.handle().unwrap().clone();
    sleep(41 * DAY).await;
    assert_eq!(parked(&stay).1, [("flight".to_owned(), Effect::Done)]);
    assert_eq!(desk.story(), ["s/flight", "s/hotel", "-s/hotel"]);
}
