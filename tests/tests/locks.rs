//! `lock`: who holds what, who waits for it, and who is next.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::time::Duration;

use saga_runtime::log::{MemoryLog, SagaLog, SqliteLog};
use saga_runtime::machine::Cause;
use saga_runtime::{Begun, CancelAnswer, Coordinator, Handle, Outcome, Saga, SagaId, SagaStatus, saga};
use saga_tests::desk::{Desk, Mood};
use saga_tests::logs::{TestLog, Unhurried};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

saga! {
    /// Does something, takes its time, and does something else.
    saga Job(key: String, minutes: u64) -> u32 {
        with desk: Desk;
        lock key;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step before: u32 = desk.ask(cx) compensate desk.undo(cx);
        sleep (Duration::from_mins(*minutes));
        step after: u32 = desk.ask(cx) compensate desk.undo(cx);

        return before + after;
    }

    /// Locks two things together, in whatever order they are written.
    saga Transfer(from: String, to: String) -> u32 {
        with desk: Desk;
        lock from, to;
        timeout 5s;

        step moved: u32 = desk.ask(cx) compensate desk.undo(cx);
        sleep 10m;

        return moved;
    }

    /// Has ten minutes.
    saga Hurried(key: String) -> u32 {
        with desk: Desk;
        deadline 10m;
        lock key;

        step only: u32 = desk.ask(cx) compensate desk.undo(cx);

        return only;
    }

    /// Has a child that locks the same, and something else.
    saga Outer(key: String) -> u32 {
        with desk: Desk;
        lock key;

        saga inner: u32 = Inner(key.clone());
        step after: u32 = desk.ask(cx) compensate desk.undo(cx);
        sleep 10m;

        return inner + after;
    }

    /// Locks one thing, and has a child that locks another one, after a minute.
    saga Crossing(first: String, second: String) -> u32 {
        with desk: Desk;
        lock first;

        step before: u32 = desk.ask(cx) compensate desk.undo(cx);
        sleep 1m;
        saga inner: u32 = Inner(second.clone());
        step after: u32 = desk.ask(cx) compensate desk.undo(cx);

        return before + inner + after;
    }

    saga Inner(key: String) -> u32 {
        with desk: Desk;
        lock key, "inner";

        step only: u32 = desk.ask(cx) compensate desk.undo(cx);

        return only;
    }
}

async fn start(log: impl SagaLog, desk: &Desk) -> Coordinator {
    let desk = || desk.clone();
    let builder = Coordinator::builder(log)
        .register::<Job>(JobParticipants { desk: desk() })
        .register::<Transfer>(TransferParticipants { desk: desk() })
        .register::<Hurried>(HurriedParticipants { desk: desk() })
        .register::<Crossing>(CrossingParticipants { desk: desk() })
        .register::<Outer>(OuterParticipants { desk: desk() })
        .register::<Inner>(InnerParticipants { desk: desk() });
    builder.start().await.unwrap()
}

fn id(text: &str) -> SagaId {
    SagaId::new(text).unwrap()
}

async fn begin<S: Saga>(coordinator: &Coordinator, name: &str, input: S::Input) -> Handle<S> {
    coordinator.begin::<S>(name, input).await.unwrap().handle().unwrap().clone()
}

async fn job(coordinator: &Coordinator, name: &str, key: &str, minutes: u64) -> Handle<Job> {
    begin::<Job>(coordinator, name, (key.to_owned(), minutes)).await
}

/// How a saga stands that no handle has seen so far.
async fn status<S: Saga>(coordinator: &Coordinator, name: &str) -> SagaStatus {
    let handle = find::<S>(coordinator, name).await;
    sleep(SECOND).await;
    handle.status()
}

async fn find<S: Saga>(coordinator: &Coordinator, name: &str) -> Handle<S> {
    coordinator.find::<S>(&id(name)).await.unwrap().unwrap().handle().unwrap().clone()
}

fn waits_for(key: &str, holder: &str) -> SagaStatus {
    SagaStatus::WaitsForLock { key: key.to_owned(), holder: id(holder) }
}

/// The locks that the log says are held, and by whom.
async fn locked(log: &impl SagaLog) -> Vec<String> {
    let page = log.locks(None, 100).await.unwrap();
    let locks = page.locks.into_iter().map(|lock| lock.unwrap());
    locks.map(|lock| format!("{} by {}", lock.key, lock.holder)).collect()
}

#[tokio::test(start_paused = true)]
async fn two_sagas_with_one_key_go_one_after_another_and_others_at_once() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let first = job(&coordinator, "first", "account", 10).await;
    let second = job(&coordinator, "second", "account", 10).await;
    let other = job(&coordinator, "other", "elsewhere", 10).await;
    let began = Instant::now();
    sleep(SECOND).await;
    assert_eq!(second.status(), waits_for("account", "first"));
    assert_eq!(second.status().to_string(), "waits for the lock `account`, which saga `first` holds");
    assert_eq!((first.status(), other.status()), (SagaStatus::Running, SagaStatus::Running));
    assert_eq!(coordinator.running(), 0, "who sleeps holds no task, and who waits neither");
    assert_eq!(desk.story(), ["first/before", "other/before"]);

    assert_eq!(first.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(second.outcome().await, Ok(Outcome::Completed(2)));
    assert!(began.elapsed() > 19 * MINUTE && began.elapsed() < 21 * MINUTE, "{:?}", began.elapsed());
    let story = desk.story();
    let story = story.iter().filter(|what| !what.starts_with("other")).collect::<Vec<_>>();
    assert_eq!(story, ["first/before", "first/after", "second/before", "second/after"]);
    assert_eq!(locked(&log).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_compensated_saga_lets_go_too_and_one_that_compensates_does_not_yet() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    desk.becomes(Mood::Refuses, "first/after");
    desk.becomes(Mood::Busy, "-first/before");
    let first = job(&coordinator, "first", "account", 1).await;
    let second = job(&coordinator, "second", "account", 1).await;
    sleep(10 * MINUTE).await;
    assert!(matches!(first.status(), SagaStatus::Parked(_)), "{}", first.status());
    assert_eq!(second.status(), waits_for("account", "first"), "a parked saga holds its locks");
    assert_eq!(desk.story(), ["first/before"]);
    desk.calms_down();
    first.retry().await.unwrap();
    assert!(matches!(first.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(second.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(desk.story(), ["first/before", "-first/before", "second/before", "second/after"]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_a_parked_saga_has_settled() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    desk.becomes(Mood::Refuses, "first/after");
    desk.becomes(Mood::Busy, "-first/before");
    let first = job(&coordinator, "first", "account", 1).await;
    let second = job(&coordinator, "second", "account", 1).await;
    sleep(SECOND).await;
    let early = tokio::time::timeout(MINUTE / 2, second.settled()).await;
    assert!(early.is_err(), "it waits, and need not wait for an operator: {early:?}");
    let settled = tokio::time::timeout(10 * MINUTE, second.settled()).await;
    assert_eq!(settled, Ok(waits_for("account", "first")));
    assert!(matches!(first.status(), SagaStatus::Parked(_)));
    desk.calms_down();
    first.retry().await.unwrap();
    assert!(matches!(first.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(second.settled().await, SagaStatus::Completed);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_lock_obeys_cancel_and_deadline_and_has_done_nothing() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let holder = job(&coordinator, "holder", "account", 30).await;
    let cancelled = job(&coordinator, "cancelled", "account", 0).await;
    let hurried = begin::<Hurried>(&coordinator, "hurried", "account".to_owned()).await;
    let unseen = coordinator.begin::<Hurried>("unseen", "account".to_owned()).await.unwrap();
    drop(unseen);
    let patient = job(&coordinator, "patient", "account", 0).await;
    sleep(SECOND).await;
    assert_eq!(coordinator.running(), 0);
    assert_eq!(cancelled.cancel("no more").await, Ok(CancelAnswer::Cancelled));
    let reason = "no more".to_owned();
    assert_eq!(cancelled.outcome().await, Ok(Outcome::Compensated(Cause::Cancelled { reason })));

    let began = Instant::now();
    assert_eq!(hurried.outcome().await, Ok(Outcome::Compensated(Cause::DeadlinePassed)));
    assert!(began.elapsed() >= 9 * MINUTE && began.elapsed() < 11 * MINUTE, "{:?}", began.elapsed());
    sleep(MINUTE).await;
    let unseen = coordinator.find::<Hurried>(&id("unseen")).await.unwrap().unwrap();
    assert!(unseen.handle().is_none(), "nobody looked at it, and its deadline passed all the same");
    assert_eq!(coordinator.running(), 0);

    assert_eq!(holder.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(patient.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(desk.story(), ["holder/before", "holder/after", "patient/before", "patient/after"]);
    assert_eq!(locked(&log).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_wait_get_it_in_the_order_in_which_they_came() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    let mut waiting = Vec::new();
    for number in 0..100 {
        waiting.push(job(&coordinator, &format!("{number:02}"), "account", 1).await);
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(coordinator.running(), 0, "who waits holds no task");
    // Those at the front, at the back and between, and the first of all while it sleeps.
    let gone = |number: usize| number % 7 == 1 || number >= 97 || number == 0;
    for (number, handle) in waiting.iter().enumerate().filter(|(number, _)| gone(*number)) {
        assert_eq!(handle.cancel("gone").await, Ok(CancelAnswer::Cancelled), "{number}");
    }
    for (number, handle) in waiting.iter().enumerate() {
        let outcome = handle.outcome().await.unwrap();
        assert_eq!(matches!(outcome, Outcome::Compensated(_)), gone(number), "{number}");
    }
    let order = desk.story().into_iter().filter(|what| what.ends_with("/after")).collect::<Vec<_>>();
    let expected = (0..100).filter(|number| !gone(*number)).map(|number| format!("{number:02}/after"));
    assert_eq!(order, expected.collect::<Vec<_>>());
    assert_eq!(coordinator.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_it_is_let_go_does_not_overtake_those_who_wait() {
    let desk = Desk::new();
    let coordinator = start(MemoryLog::new(), &desk).await;
    let holder = job(&coordinator, "a", "account", 1).await;
    let waits = job(&coordinator, "b", "account", 1).await;
    sleep(SECOND).await;
    assert_eq!(waits.status(), waits_for("account", "a"));
    assert_eq!(holder.outcome().await, Ok(Outcome::Completed(2)));
    let late = job(&coordinator, "c", "account", 1).await;
    sleep(SECOND).await;
    assert_eq!(late.status(), waits_for("account", "b"));
    assert_eq!(waits.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(late.outcome().await, Ok(Outcome::Completed(2)));
}

#[tokio::test(start_paused = true)]
async fn keys_in_opposite_order_do_not_block_each_other() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let mut transfers = Vec::new();
    for number in 0..20 {
        let (from, to) = if number % 2 == 0 { ("x", "y") } else { ("y", "x") };
        let input = (from.to_owned(), to.to_owned());
        transfers.push(begin::<Transfer>(&coordinator, &format!("t-{number}"), input).await);
    }
    let itself = begin::<Transfer>(&coordinator, "itself", ("z".to_owned(), "z".to_owned())).await;
    sleep(SECOND).await;
    assert_eq!(locked(&log).await, ["x by t-0", "y by t-0", "z by itself"]);
    for transfer in transfers {
        assert_eq!(transfer.outcome().await, Ok(Outcome::Completed(1)));
    }
    assert_eq!(itself.outcome().await, Ok(Outcome::Completed(1)), "one key written twice is one lock");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_one_of_two_keys_holds_neither() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let holder = job(&coordinator, "holder", "y", 10).await;
    let transfer = begin::<Transfer>(&coordinator, "transfer", ("x".to_owned(), "y".to_owned())).await;
    let other = job(&coordinator, "other", "x", 1).await;
    sleep(SECOND).await;
    assert_eq!(transfer.status(), waits_for("y", "holder"));
    assert_eq!(locked(&log).await, ["x by other", "y by holder"]);
    // It is not forgotten, whichever it waits for.
    job(&coordinator, "long", "x", 20).await;
    sleep(11 * MINUTE).await;
    assert_eq!(holder.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(other.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(transfer.status(), waits_for("x", "long"));
    assert_eq!(transfer.outcome().await, Ok(Outcome::Completed(1)));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_log_takes_is_a_refusal() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let long = "ü".repeat(501);
    let words = format!("the key `{}…` of a lock has 1002 bytes instead of 1 to 1000", "ü".repeat(40));
    for (name, key, words) in
        [("empty", "", "the key `` of a lock has 0 bytes instead of 1 to 1000"), ("long", &long, &words)]
    {
        let outcome = job(&coordinator, name, key, 1).await.outcome().await;
        let cause = Cause::Refused { step: "lock", message: words.to_owned() };
        assert_eq!(outcome, Ok(Outcome::Compensated(cause.clone())));
        let begun = coordinator.begin::<Job>(name, (key.to_owned(), 1)).await.unwrap();
        assert!(matches!(begun, Begun::Finished(Outcome::Compensated(said)) if said == cause));
    }
    let outer = begin::<Outer>(&coordinator, "outer", String::new()).await;
    assert!(matches!(outer.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!((desk.story(), locked(&log).await), (vec![], vec![]));
    assert_eq!(coordinator.quarantined(), []);
    let other = job(&coordinator, "other", &"ü".repeat(500), 0).await;
    assert_eq!(other.outcome().await, Ok(Outcome::Completed(2)), "this is as long as a key can be");
}

#[tokio::test(start_paused = true)]
async fn a_child_takes_what_its_parent_holds_and_lets_go_of_its_own_with_it() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let outer = begin::<Outer>(&coordinator, "outer", "account".to_owned()).await;
    let second = begin::<Outer>(&coordinator, "second", "account".to_owned()).await;
    let beside = job(&coordinator, "beside", "inner", 1).await;
    sleep(SECOND).await;
    let held = ["account by outer", "account by outer/inner", "inner by outer/inner"];
    assert_eq!(locked(&log).await, held);
    assert_eq!(second.status(), waits_for("account", "outer"));
    assert_eq!(beside.status(), waits_for("inner", "outer/inner"));
    assert_eq!(coordinator.running(), 0, "a child that is held has no task");
    assert_eq!(outer.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(beside.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(second.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(locked(&log).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_child_waits_for_a_lock_and_turns_with_its_parent() {
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let holder = job(&coordinator, "holder", "inner", 10).await;
    let outer = begin::<Outer>(&coordinator, "outer", "account".to_owned()).await;
    let behind = job(&coordinator, "behind", "account", 1).await;
    sleep(SECOND).await;
    assert_eq!(status::<Inner>(&coordinator, "outer/inner").await, waits_for("inner", "holder"));
    assert_eq!(locked(&log).await, ["account by outer", "inner by holder"]);
    assert_eq!(coordinator.running(), 0, "neither the child nor its parent holds a task");
    assert_eq!(outer.cancel("no more").await, Ok(CancelAnswer::Cancelled));
    assert!(matches!(outer.outcome().await, Ok(Outcome::Compensated(_))));
    assert_eq!(behind.outcome().await, Ok(Outcome::Completed(2)));
    assert_eq!(holder.outcome().await, Ok(Outcome::Completed(2)));
    assert!(desk.story().iter().all(|what| !what.contains("outer")), "{:?}", desk.story());
}

#[tokio::test(start_paused = true)]
async fn of_families_that_would_wait_for_each_other_the_last_one_turns() {
    for restarts in [false, true] {
        let (log, desk) = (MemoryLog::new(), Desk::new());
        let mut coordinator = start(log.clone(), &desk).await;
        let pairs = [("a", "x", "y"), ("b", "y", "z"), ("c", "z", "x")];
        let mut families = Vec::new();
        for (name, first, second) in pairs {
            let input = (first.to_owned(), second.to_owned());
            families.push(begin::<Crossing>(&coordinator, name, input).await);
            sleep(SECOND).await;
        }
        sleep(58 * SECOND).await;
        if restarts {
            coordinator.shutdown().await;
            coordinator = start(log.clone(), &desk).await;
            families.clear();
            for (name, ..) in pairs {
                families.push(find::<Crossing>(&coordinator, name).await);
            }
        }
        sleep(10 * MINUTE).await;
        let mut completed = 0;
        for family in families {
            match tokio::time::timeout(MINUTE, family.outcome()).await.unwrap().unwrap() {
                Outcome::Closed(closed) => panic!("{closed}"),
                Outcome::Completed(_) => completed += 1,
                Outcome::Compensated(cause) => {
                    let cause = cause.to_string();
                    assert!(cause.contains("they would wait for each other: it for the lock `"), "{cause}");
                    assert_eq!(cause.matches(", and saga `").count(), 2, "{cause}");
                }
            }
        }
        assert_eq!(completed, 2, "restarts: {restarts}");
        assert_eq!(locked(&log).await, Vec::<String>::new());
    }
}

#[test]
fn locks_and_those_who_wait_survive_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sagas.db");
    let desk = Desk::new();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    let open = || TestLog::new(Unhurried::new(SqliteLog::open(&path).unwrap()));

    let life = runtime();
    life.block_on(async {
        let coordinator = start(open(), &desk).await;
        job(&coordinator, "a", "account", 10).await;
        sleep(SECOND).await;
        for name in ["b", "c", "d"] {
            job(&coordinator, name, "account", 10).await;
            sleep(SECOND).await;
        }
        assert_eq!(status::<Job>(&coordinator, "d").await, waits_for("account", "a"));
        coordinator.shutdown().await;
    });
    drop(life);
    let life = runtime();
    let coordinator = life.block_on(async {
        let log = open();
        let coordinator = start(log.clone(), &desk).await;
        sleep(SECOND).await;
        assert_eq!(locked(&log).await, ["account by a"]);
        for name in ["b", "c", "d"] {
            assert_eq!(status::<Job>(&coordinator, name).await, waits_for("account", "a"), "{name}");
        }
        assert_eq!(coordinator.running(), 0);
        coordinator
    });
    // The process dies: no task of it sees its end.
    drop(life);
    drop(coordinator);
    let life = runtime();
    life.block_on(async {
        let coordinator = start(open(), &desk).await;
        sleep(SECOND).await;
        for name in ["e", "f"] {
            job(&coordinator, name, "account", 10).await;
            sleep(SECOND).await;
        }
        let f = find::<Job>(&coordinator, "f").await;
        assert_eq!(f.outcome().await, Ok(Outcome::Completed(2)));
        let mut order = desk.story().into_iter().filter(|what| what.ends_with("/after")).collect::<Vec<_>>();
        // Those who wait at a start stand in line in the order in which they are taken up: only those who come later are
        // surely behind them.
        order[1..4].sort();
        assert_eq!(order, ["a/after", "b/after", "c/after", "d/after", "e/after", "f/after"]);
        coordinator.shutdown().await;
    });
}

#[tokio::test(start_paused = true)]
async fn a_parent_whose_child_waits_for_a_lock_shows_which_and_nobody_holds_a_task() {
    let coordinator = start(MemoryLog::new(), &Desk::new()).await;
    let job = job(&coordinator, "job", "inner", 10).await;
    sleep(SECOND).await;
    let outer = begin::<Outer>(&coordinator, "outer", "own".to_owned()).await;
    sleep(MINUTE).await;
    assert_eq!(outer.status(), waits_for("inner", "job"));
    assert_eq!(coordinator.running(), 0);
    job.outcome().await.unwrap();
    sleep(MINUTE).await;
    assert_eq!(outer.status(), SagaStatus::Running);
    assert_eq!(outer.outcome().await, Ok(Outcome::Completed(2)));
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_read_any_more_does_not_keep_those_behind_it_waiting() {
    for seen in [true, false] {
        let log = TestLog::new(MemoryLog::new());
        let desk = Desk::new();
        let coordinator = start(log.clone(), &desk).await;
        let holder = job(&coordinator, "holder", "account", 1).await;
        let broken = Some(job(&coordinator, "broken", "account", 1).await).filter(|_| seen);
        let behind = job(&coordinator, "behind", "account", 1).await;
        sleep(SECOND).await;
        log.set_damaged("broken", true);
        assert_eq!(holder.outcome().await, Ok(Outcome::Completed(2)));
        sleep(10 * MINUTE).await;
        assert_eq!(behind.status(), SagaStatus::Completed, "seen: {seen}");
        drop(broken);
    }
}
