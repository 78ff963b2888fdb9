//! Every form of the language, on the engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![allow(clippy::unused_async, reason = "a desk answers at once")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use saga_runtime::coordinator::SendError;
use saga_runtime::log::{MemoryLog, Wake};
use saga_runtime::machine::Cause;
use saga_runtime::{
    Begun, Context, Coordinator, Handle, Keyed, Outcome, RunsOn, Saga, SagaId, SagaStatus, StepError, saga,
};

/// Notes what is asked of it, by the last part of the key; refuses what it is told to.
#[derive(Default, Clone)]
struct Desk {
    notes: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<Vec<String>>>,
}

impl Keyed for Desk {}

#[derive(Debug, thiserror::Error, StepError)]
enum No {
    #[error("no {0}")]
    #[outcome(refused)]
    Never(String),
    #[error("{0} is closed")]
    #[outcome(transient)]
    NotNow(String),
}

impl Desk {
    fn note(&self, cx: &Context) -> String {
        let key = cx.key().as_str().rsplit('/').next().unwrap_or_default().to_owned();
        self.notes.lock().unwrap().push(key.clone());
        key
    }

    async fn take(&self, cx: &Context, what: &str) -> Result<String, No> {
        let key = self.note(cx);
        if self.refused.lock().unwrap().contains(&key) {
            return Err(No::Never(key));
        }
        if self.closed.lock().unwrap().contains(&key) {
            return Err(No::NotNow(key));
        }
        Ok(what.to_uppercase())
    }

    async fn undo(&self, cx: &Context) -> Result<(), No> {
        self.note(cx);
        Ok(())
    }

    fn refusing(key: &str) -> Self {
        let desk = Self::default();
        desk.refused.lock().unwrap().push(key.to_owned());
        desk
    }

    /// What was asked, and forgets it.
    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }
}

/// A coordinator on `log` with one saga, begun or attached to.
async fn on<S: Saga + RunsOn<MemoryLog>>(
    log: &MemoryLog,
    participants: S::Participants,
    input: S::Input,
) -> (Coordinator, Handle<S>) {
    let coordinator = Coordinator::builder(log.clone()).register::<S>(participants).start().await.unwrap();
    let handle = match coordinator.begin::<S>("s", input).await.unwrap() {
        Begun::Started(handle) | Begun::Attached(handle) => handle,
        Begun::Finished(_) => panic!("it has not ended"),
    };
    (coordinator, handle)
}

async fn outcome<S: Saga + RunsOn<MemoryLog>>(
    participants: S::Participants,
    input: S::Input,
) -> Outcome<S::Output> {
    let (_coordinator, handle) = on::<S>(&MemoryLog::new(), participants, input).await;
    handle.outcome().await.unwrap()
}

/// The story of saga `s`: the steps and events of its log.
async fn story<S: Saga>(handle: &Handle<S>) -> Vec<String> {
    let records = handle.history().await.unwrap().records;
    let told = records.into_iter().map(|record| match record.step {
        Some(step) => format!("{step} {}", record.event),
        None => record.event,
    });
    told.collect()
}

/// To the next whole minute: beside virtual time the wall clock goes on.
fn minutes(time: Duration) -> u64 {
    (time + Duration::from_secs(30)).as_secs() / 60
}

fn refused<T: std::fmt::Debug>(outcome: &Outcome<T>) -> &'static str {
    match outcome {
        Outcome::Compensated(Cause::Refused { step, .. }) => step,
        other => panic!("{other:?}"),
    }
}

mod branching {
    use super::*;

    saga! {
        saga Branching(size: u32) -> (Option<String>, Option<String>) {
            with desk: Desk;
            step first: String = desk.take(cx, "first") compensate desk.undo(cx);
            if *size > 10 {
                step big: String = desk.take(cx, "big") compensate desk.undo(cx);
                step more: String = desk.take(cx, "more") compensate desk.undo(cx);
            } else if *size > 5 {
                step medium: String = desk.take(cx, "medium") compensate desk.undo(cx);
            }
            if let Some(found) = big {
                step extra: String = desk.take(cx, found) compensate desk.undo(cx);
            }
            step last: String = desk.take(cx, first) compensate desk.undo(cx);
            return (big, extra);
        }
    }

    fn desk(desk: &Desk) -> BranchingParticipants {
        BranchingParticipants { desk: desk.clone() }
    }

    #[tokio::test(start_paused = true)]
    async fn one_arm_is_taken_and_its_outputs_are_options_behind_it() {
        for (size, output, notes) in [
            (11, (Some("BIG"), Some("BIG")), vec!["first", "big", "more", "extra", "last"]),
            (6, (None, None), vec!["first", "medium", "last"]),
            (1, (None, None), vec!["first", "last"]),
        ] {
            let called = Desk::default();
            let (big, extra) = output;
            let expected = (big.map(str::to_owned), extra.map(str::to_owned));
            assert_eq!(outcome::<Branching>(desk(&called), size).await, Outcome::Completed(expected));
            assert_eq!(called.notes(), notes, "{size}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_done_in_the_arm_is_compensated_and_nothing_else() {
        for (size, notes) in [
            (
                11,
                "first big more extra last extra.compensate more.compensate big.compensate first.compensate",
            ),
            (6, "first medium last medium.compensate first.compensate"),
            (1, "first last first.compensate"),
        ] {
            let called = Desk::refusing("last");
            assert_eq!(refused(&outcome::<Branching>(desk(&called), size).await), "last");
            assert_eq!(called.notes().join(" "), notes, "{size}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_in_the_arm_turns_the_saga() {
        let called = Desk::refusing("more");
        assert_eq!(refused(&outcome::<Branching>(desk(&called), 11).await), "more");
        assert_eq!(called.notes().join(" "), "first big more big.compensate first.compensate");
    }

    #[tokio::test(start_paused = true)]
    async fn a_decision_costs_no_append_of_its_own() {
        let (_coordinator, handle) = on::<Branching>(&MemoryLog::new(), desk(&Desk::default()), 6).await;
        handle.outcome().await.unwrap();
        let story = story(&handle).await.join(", ");
        assert_eq!(story, "begun, first done, if big done, medium done, if extra done, last done, completed");
    }

    #[test]
    fn the_pure_machine_knows_no_arm_but_those_declared() {
        let state = Branching::begin(6).apply(BranchingEvent::FirstDone("f".into())).unwrap();
        let illegal = state.apply(BranchingEvent::IfBigDone(3)).unwrap_err();
        let state = illegal.state.apply(BranchingEvent::IfBigDone(2)).unwrap();
        assert!(format!("{state:?}").contains("IfExtra("), "{state:?}");
    }
}

mod looping {
    use super::*;

    saga! {
        saga Looping(lines: Vec<String>) -> Vec<String> {
            with desk: Desk;
            for line: String in lines.clone() {
                step pick: String = desk.take(cx, line) compensate desk.undo(cx);
                if line.len() > 1 {
                    step wrap: String = desk.take(cx, pick) compensate desk.undo(cx);
                }
            }
            step ship: String = desk.take(cx, &format!("{}:{}", pick.join("+"), wrap.iter().flatten().count()))
                compensate desk.undo(cx);
            return { let mut all = pick; all.push(ship); all };
        }
    }

    saga! {
        saga Spreading(lines: Vec<String>) -> Vec<Vec<String>> {
            with desk: Desk;
            parallel for line: String in lines.clone() limit 2 {
                for letter: String in line.chars().map(String::from) {
                    step cut: String = desk.take(cx, letter) compensate desk.undo(cx);
                }
            }
            step last: u32 = async { desk.take(cx, "").await.map(|_| 7) } compensate desk.undo(cx);
            return cut;
        }
    }

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_item_has_its_own_steps_and_keys_and_the_outputs_are_lists() {
        let desk = Desk::default();
        let participants = LoopingParticipants { desk: desk.clone() };
        let ended = outcome::<Looping>(participants, lines(&["a", "bb", "c"])).await;
        assert_eq!(ended, Outcome::Completed(lines(&["A", "BB", "C", "A+BB+C:1"])));
        assert_eq!(desk.notes().join(" "), "pick[0] pick[1] wrap[1] pick[2] ship");
    }

    #[tokio::test(start_paused = true)]
    async fn no_items_are_no_steps() {
        let desk = Desk::default();
        let participants = LoopingParticipants { desk: desk.clone() };
        assert_eq!(outcome::<Looping>(participants, vec![]).await, Outcome::Completed(lines(&[":0"])));
        assert_eq!(desk.notes(), ["ship"]);
    }

    #[tokio::test(start_paused = true)]
    async fn items_are_compensated_in_reverse_and_those_that_never_began_are_not() {
        let desk = Desk::refusing("pick[2]");
        let participants = LoopingParticipants { desk: desk.clone() };
        let ended = outcome::<Looping>(participants, lines(&["a", "bb", "c", "d"])).await;
        assert_eq!(refused(&ended), "pick");
        assert_eq!(
            desk.notes().join(" "),
            "pick[0] pick[1] wrap[1] pick[2] wrap[1].compensate pick[1].compensate pick[0].compensate"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_last_item_all_are_compensated_in_reverse() {
        let desk = Desk::refusing("ship");
        let participants = LoopingParticipants { desk: desk.clone() };
        let ended = outcome::<Looping>(participants, lines(&["a", "bb"])).await;
        assert_eq!(refused(&ended), "ship");
        let undone = "wrap[1].compensate pick[1].compensate pick[0].compensate";
        assert_eq!(desk.notes().join(" "), format!("pick[0] pick[1] wrap[1] ship {undone}"));
    }

    #[tokio::test(start_paused = true)]
    async fn nested_and_parallel_items_end_as_nested_lists() {
        let participants = SpreadingParticipants { desk: Desk::default() };
        let ended = outcome::<Spreading>(participants, lines(&["ab", "", "c"])).await;
        assert_eq!(ended, Outcome::Completed(vec![lines(&["A", "B"]), vec![], lines(&["C"])]));
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_as_many_items_as_the_limit_are_open_at_once() {
        let desk = Desk::default();
        let participants = SpreadingParticipants { desk: desk.clone() };
        outcome::<Spreading>(participants, lines(&["ab", "cd", "e"])).await;
        let notes = desk.notes();
        let at = |note: &str| notes.iter().position(|known| known == note).unwrap();
        assert!(at("cut[2][0]") > at("cut[0][1]").min(at("cut[1][1]")), "{notes:?}");
        assert!(at("cut[1][0]") < at("cut[0][1]"), "{notes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_stopped_in_a_for_goes_on_with_the_item_it_was_at() {
        let (desk, log) = (Desk::default(), MemoryLog::new());
        desk.closed.lock().unwrap().push("pick[1]".to_owned());
        let participants = || LoopingParticipants { desk: desk.clone() };
        let (coordinator, handle) = on::<Looping>(&log, participants(), lines(&["a", "b"])).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(handle);
        coordinator.shutdown().await;
        assert_eq!(desk.notes()[..2], ["pick[0]", "pick[1]"]);
        desk.closed.lock().unwrap().clear();
        let (_coordinator, handle) = on::<Looping>(&log, participants(), lines(&["a", "b"])).await;
        assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed(lines(&["A", "B", "A+B:0"])));
        assert_eq!(desk.notes().join(" "), "pick[1] ship");
    }

    /// Like the saga of `Looping`, of which both a `for` and what its compensation needs are by output.
    mod by_output {
        use super::*;

        #[derive(Default, Clone)]
        struct Shelf(Desk);
        impl Keyed for Shelf {}
        impl Shelf {
            async fn take(&self, cx: &Context, what: &str) -> Result<String, No> {
                self.0.take(cx, what).await
            }
            async fn put_back(&self, cx: &Context, what: &String, all: &str) -> Result<(), No> {
                self.0.notes.lock().unwrap().push(format!("{what} of {all}"));
                self.0.undo(cx).await
            }
        }

        saga! {
            saga Picking(lines: Vec<String>) -> Vec<String> {
                with shelf: Shelf;
                step all: String = shelf.take(cx, &lines.concat()) compensate nothing;
                for line: String in lines.clone() {
                    step pick: String = shelf.take(cx, line) compensate shelf.put_back(cx, pick, all);
                }
                step check: String = shelf.take(cx, &pick.concat()) compensate nothing;
                step end: String = shelf.take(cx, check) compensate nothing;
                return pick;
            }
        }

        #[tokio::test(start_paused = true)]
        async fn a_compensation_sees_the_output_of_its_own_item() {
            let shelf = Shelf(Desk::refusing("end"));
            let ended =
                outcome::<Picking>(PickingParticipants { shelf: shelf.clone() }, lines(&["a", "b"])).await;
            assert_eq!(refused(&ended), "end");
            let notes = shelf.0.notes().join(" ");
            let undone = "B of AB pick[1].compensate A of AB pick[0].compensate";
            assert_eq!(notes, format!("all pick[0] pick[1] check end {undone}"));
        }
    }
}

mod waiting {
    use super::*;

    saga! {
        saga Approving(size: u32) -> String {
            with desk: Desk;
            deadline 3d;
            step hold: String = desk.take(cx, "hold") compensate desk.undo(cx);
            sleep 1h;
            receive approval: String within 24h;
            pivot sent: String = desk.take(cx, approval);
            read weather: String = desk.take(cx, "sunny") retry never else "unknown".to_owned();
            receive thanks: u8 within 2d else 0;
            step notice: Option<String> = async { desk.take(cx, sent).await.map(Some) } retry never else None;
            return format!("{sent} {weather} {thanks} {notice:?} {size}");
        }
    }

    fn desk(desk: &Desk) -> ApprovingParticipants {
        ApprovingParticipants { desk: desk.clone() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_that_comes_early_waits_and_a_sleep_takes_its_time() {
        let (_coordinator, handle) = on::<Approving>(&MemoryLog::new(), desk(&Desk::default()), 7).await;
        let begun = tokio::time::Instant::now();
        handle.send(ApprovingSignal::Thanks(3)).await.unwrap();
        handle.send(ApprovingSignal::Approval("yes".into())).await.unwrap();
        let ended = handle.outcome().await.unwrap();
        assert_eq!(ended, Outcome::Completed("YES SUNNY 3 Some(\"YES\") 7".to_owned()));
        assert_eq!(minutes(begun.elapsed()), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_that_does_not_come_is_a_refusal() {
        let called = Desk::default();
        let (_coordinator, handle) = on::<Approving>(&MemoryLog::new(), desk(&called), 7).await;
        let begun = tokio::time::Instant::now();
        assert_eq!(refused(&handle.outcome().await.unwrap()), "approval");
        assert_eq!(minutes(begun.elapsed()), 25 * 60);
        assert_eq!(called.notes().join(" "), "hold hold.compensate");
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_and_has_a_value_for_that_goes_on_with_it() {
        let called = Desk::refusing("weather");
        called.closed.lock().unwrap().push("notice".to_owned());
        let (_coordinator, handle) = on::<Approving>(&MemoryLog::new(), desk(&called), 7).await;
        handle.send(ApprovingSignal::Approval("yes".into())).await.unwrap();
        let ended = handle.outcome().await.unwrap();
        assert_eq!(ended, Outcome::Completed("YES unknown 0 None 7".to_owned()));
        let story = story(&handle).await.join(", ");
        let expected = "begun, deadline, hold done, sleep due, approval sent, sleep done, approval due, approval done, \
            sent opened, sent done, weather refused, weather else, thanks due, thanks refused, thanks else, \
            notice failed, notice gave up, notice else, completed";
        assert_eq!(story, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_that_comes_too_late_is_rejected_with_the_reason() {
        let (_coordinator, handle) = on::<Approving>(&MemoryLog::new(), desk(&Desk::default()), 7).await;
        handle.send(ApprovingSignal::Approval("yes".into())).await.unwrap();
        tokio::time::sleep(Duration::from_hours(2)).await;
        let late = handle.send(ApprovingSignal::Approval("no".into())).await.unwrap_err();
        let expected =
            "saga `s` takes this signal no more: the saga is past `approval`, or takes another way";
        assert_eq!(late.to_string(), expected);
        handle.outcome().await.unwrap();
        let late = handle.send(ApprovingSignal::Thanks(1)).await.unwrap_err();
        assert!(matches!(late, SendError::TooLate { .. }), "{late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_goes_on_waiting_after_a_restart_as_long_as_was_said() {
        let (called, log) = (Desk::default(), MemoryLog::new());
        let (coordinator, handle) = on::<Approving>(&log, desk(&called), 7).await;
        handle.send(ApprovingSignal::Approval("yes".into())).await.unwrap();
        drop(handle);
        coordinator.shutdown().await;
        let (_coordinator, handle) = on::<Approving>(&log, desk(&called), 7).await;
        assert!(matches!(handle.outcome().await.unwrap(), Outcome::Completed(_)));
        let story = story(&handle).await;
        assert_eq!(story.iter().filter(|event| *event == "sleep due").count(), 1, "{story:?}");
        assert!(!story.iter().any(|event| event.ends_with("failed")), "nothing is in doubt: {story:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_log_knows_until_when_a_saga_waits() {
        let (_coordinator, handle) = on::<Approving>(&MemoryLog::new(), desk(&Desk::default()), 7).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let history = handle.history().await.unwrap();
        let begun_ms = history.records[0].at_ms;
        let Wake::At(until_ms) = history.wake else { panic!("it sleeps: {:?}", history.wake) };
        assert_eq!(minutes(Duration::from_millis(until_ms - begun_ms)), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_that_waits_is_cancelled_at_once() {
        let called = Desk::default();
        let (_coordinator, handle) = on::<Approving>(&MemoryLog::new(), desk(&called), 7).await;
        tokio::time::sleep(Duration::from_hours(2)).await;
        handle.cancel("no more").await.unwrap();
        assert!(matches!(handle.outcome().await.unwrap(), Outcome::Compensated(Cause::Cancelled { .. })));
        assert_eq!(called.notes().join(" "), "hold hold.compensate");
    }

    saga! {
        saga Thanking(size: u32) -> u8 {
            with desk: Desk;
            pivot sent: String = desk.take(cx, "sent");
            receive thanks: u8 within 1h;
            return thanks;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_that_is_missing_after_the_pivot_parks_and_is_taken_when_it_comes() {
        let participants = || ThankingParticipants { desk: Desk::default() };
        let (_coordinator, handle) = on::<Thanking>(&MemoryLog::new(), participants(), 7).await;
        let SagaStatus::Parked(parked) = handle.settled().await else { panic!("it is parked") };
        assert_eq!(parked.calls[0].step, "thanks");
        handle.send(ThankingSignal::Thanks(3)).await.unwrap();
        assert_eq!(handle.outcome().await.unwrap(), Outcome::Completed(3));

        let (_coordinator, handle) = on::<Thanking>(&MemoryLog::new(), participants(), 7).await;
        handle.settled().await;
        let retried = tokio::time::Instant::now();
        handle.retry().await.unwrap();
        assert_eq!(handle.status(), SagaStatus::Running);
        handle.settled().await;
        assert_eq!(minutes(retried.elapsed()), 60, "it waits once more");
    }

    saga! {
        saga Hurrying(hours: u64) {
            with desk: Desk;
            deadline at (std::time::SystemTime::now() + Duration::from_hours(*hours));
            step hold: String = desk.take(cx, "hold") compensate desk.undo(cx);
            sleep (Duration::from_hours(2));
            pivot sent: String = desk.take(cx, hold);
            sleep until (std::time::SystemTime::UNIX_EPOCH);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn past_its_deadline_a_saga_compensates_unless_it_is_past_its_pivot() {
        for (hours, ends) in [(1, false), (3, true)] {
            let called = Desk::default();
            let ended = outcome::<Hurrying>(HurryingParticipants { desk: called.clone() }, hours).await;
            let expected =
                if ends { Outcome::Completed(()) } else { Outcome::Compensated(Cause::DeadlinePassed) };
            assert_eq!(ended, expected);
            let notes = if ends { "hold sent" } else { "hold hold.compensate" };
            assert_eq!(called.notes().join(" "), notes);
        }
    }
}

mod named {
    use super::*;

    saga! {
        saga Named(size: u32) -> String {
            with desk: Desk;
            step seat: String = desk.take(cx, "seat") compensate desk.undo(cx)
                events SeatReserved, SeatRefusedByDesk, SeatReleased;
            step room: String = desk.take(cx, seat) compensate desk.undo(cx);
            return room;
        }
    }

    #[test]
    fn events_name_what_happens() {
        let state = Named::begin(1).apply(NamedEvent::SeatReserved("s".into())).unwrap();
        assert!(format!("{state:?}").contains("Room("));
        let names = Named::DEFINITION.steps[0].events.unwrap();
        let names = [names.done, names.refused, names.compensated];
        assert_eq!(names, ["SeatReserved", "SeatRefusedByDesk", "SeatReleased"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_parked_item_is_named_with_its_number() {
    saga! {
        saga Parking(size: u32) {
            with desk: Desk;
            pivot paid: String = desk.take(cx, "paid");
            for line: u32 in 0..*size {
                step ship: String = desk.take(cx, &line.to_string());
            }
        }
    }
    let participants = ParkingParticipants { desk: Desk::refusing("ship[1]") };
    let (coordinator, handle) = on::<Parking>(&MemoryLog::new(), participants, 2).await;
    let SagaStatus::Parked(parked) = handle.settled().await else { panic!("it is parked") };
    assert_eq!(parked.calls[0].step, "ship[1]");
    let residue = parked.residue.iter().map(|(step, _)| &**step).collect::<Vec<_>>();
    assert_eq!(residue, ["paid", "ship[0]"]);
    assert!(coordinator.find::<Parking>(&SagaId::new("s").unwrap()).await.unwrap().is_some());
}

mod generic {
    use super::*;

    trait Counter: Keyed + Send + Sync + 'static {
        fn count(&self, cx: &Context) -> impl Future<Output = Result<u32, No>> + Send;
    }

    struct Three;
    impl Keyed for Three {}
    impl Counter for Three {
        async fn count(&self, _: &Context) -> Result<u32, No> {
            Ok(3)
        }
    }

    saga! {
        saga Counting<C: Counter, const MORE: u32>(first: u32) -> Vec<u32> {
            with counter: C;
            for number: u32 in *first..MORE {
                step count: u32 = async { counter.count(cx).await.map(|count| count + number) } compensate nothing;
            }
            return count;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_saga_with_parameters_runs_on_what_is_put_in() {
        let participants = CountingParticipants::<Three, 4> { counter: Three };
        assert_eq!(outcome::<Counting<Three, 4>>(participants, 2).await, Outcome::Completed(vec![5, 6]));
    }
}
