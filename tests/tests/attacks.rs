//! What somebody would try who wants a saga to be lost, to be half done, or never to end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use saga_runtime::coordinator::Builder;
use saga_runtime::log::{
    Append, AppendError, Cursor, History, HistoryError, LockCursor, LockPage, LogError, LogFuture, MemoryLog,
    Page, SagaLog, Status, Wake,
};
use saga_runtime::{Coordinator, Handle, Outcome, Saga, SagaId, saga};
use saga_tests::desk::{Desk, Mood};
use saga_tests::logs::{LogFault, TestLog};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

saga! {
    /// Has no pivot, and a child that is held.
    saga Pair() -> u32 {
        with desk: Desk;
        deadline 10m;
        timeout 2h;

        saga lamp: u32 = Lamp();
        step last: u32 = desk.ask(cx) compensate desk.undo(cx);

        return lamp + last;
    }

    saga Lamp() -> u32 {
        with desk: Desk;
        retry 1 times every 1s..1m;

        step bulb: u32 = desk.ask(cx) compensate desk.undo(cx);

        return bulb;
    }

    /// Locks, waits, and has children that do so, too.
    saga House(key: String, minutes: u64) -> u32 {
        with desk: Desk;
        deadline 3h;
        lock key;
        timeout 5s;
        retry 2 times every 1s..1m;

        step first: u32 = desk.ask(cx) compensate desk.undo(cx);
        parallel {
            saga room: u32 = Room(key.clone(), *minutes);
            {
                sleep 3m;
                step side: u32 = desk.ask(cx) compensate desk.undo(cx);
            }
        }
        sleep (Duration::from_mins(*minutes));
        step second: u32 = desk.ask(cx) compensate desk.undo(cx);
        pivot paid: u32 = desk.ask(cx);
        saga late: u32 = Lamp();

        return first + room + side + second + paid + late;
    }

    /// Waits within, and has a child itself.
    saga Room(key: String, minutes: u64) -> u32 {
        with desk: Desk;
        lock key;
        timeout 5s;
        retry 2 times every 1s..1m;

        step bed: u32 = desk.ask(cx) compensate desk.undo(cx);
        saga lamp: u32 = Lamp();
        sleep (Duration::from_mins(*minutes));
        step key_: u32 = desk.ask(cx) compensate desk.undo(cx);

        return bed + lamp + key_;
    }

    /// Waits while its child is held.
    saga Shelf() -> u32 {
        with desk: Desk;

        saga lamp: u32 = Lamp();
        sleep 10m;
        step end: u32 = desk.ask(cx) compensate desk.undo(cx);

        return lamp + end;
    }
}

/// A log that refuses what `s/lamp` appends, once it is told so, and counts that.
#[derive(Clone, Default)]
struct Picky {
    log: MemoryLog,
    refuses: Arc<AtomicBool>,
    refused: Arc<AtomicU32>,
}

impl SagaLog for Picky {
    fn append(&self, batch: Vec<Append>) -> LogFuture<'_, Vec<Result<(), AppendError>>> {
        if self.refuses.load(Ordering::SeqCst)
            && let [Append { saga, .. }] = &*batch
            && saga.as_str() == "s/lamp"
        {
            self.refused.fetch_add(1, Ordering::SeqCst);
            let refused = AppendError::Invalid { saga: saga.clone(), cause: "the test says so".to_owned() };
            return Box::pin(async { vec![Err(refused)] });
        }
        self.log.append(batch)
    }

    fn history<'a>(&'a self, id: &'a SagaId) -> LogFuture<'a, Result<Option<History>, HistoryError>> {
        self.log.history(id)
    }

    fn unfinished(
        &self,
        until: Wake,
        after: Option<Cursor>,
        limit: usize,
    ) -> LogFuture<'_, Result<Page, LogError>> {
        self.log.unfinished(until, after, limit)
    }

    fn next_wake(&self, after_ms: u64) -> LogFuture<'_, Result<Option<u64>, LogError>> {
        self.log.next_wake(after_ms)
    }

    fn waiting(&self, after_ms: u64) -> LogFuture<'_, Result<u64, LogError>> {
        self.log.waiting(after_ms)
    }

    fn locks(&self, after: Option<LockCursor>, limit: usize) -> LogFuture<'_, Result<LockPage, LogError>> {
        self.log.locks(after, limit)
    }
}

fn builder<L: SagaLog>(log: L, desk: &Desk) -> Builder<L> {
    let desk = || desk.clone();
    Coordinator::builder(log)
        .register::<Pair>(PairParticipants { desk: desk() })
        .register::<Lamp>(LampParticipants { desk: desk() })
        .register::<House>(HouseParticipants { desk: desk() })
        .register::<Room>(RoomParticipants { desk: desk() })
        .register::<Shelf>(ShelfParticipants { desk: desk() })
}

async fn start(log: impl SagaLog, desk: &Desk) -> Coordinator {
    builder(log, desk).start().await.unwrap()
}

fn id(text: &str) -> SagaId {
    SagaId::new(text).unwrap()
}

async fn begin<S: Saga>(coordinator: &Coordinator, name: &str, input: S::Input) -> Handle<S> {
    coordinator.begin::<S>(name, input).await.unwrap().handle().unwrap().clone()
}

/// What runs in one life of the process.
fn life<T>(run: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(run)
}

#[test]
fn a_parent_that_dies_at_its_end_can_turn_as_long_as_it_has_not_ended() {
    for append in 1..=8 {
        for fault in [LogFault::CrashBefore, LogFault::CrashAfter] {
            for late in [false, true] {
                let (log, desk) = (MemoryLog::new(), Desk::new());
                let crashing = TestLog::new(log.clone()).with(append, fault);
                life(async {
                    let live = async {
                        let coordinator = start(crashing.clone(), &desk).await;
                        let _ = coordinator.begin::<Pair>("p", ()).await.unwrap().outcome().await;
                    };
                    tokio::select! { biased; () = crashing.crashed() => {}, () = live => {} }
                });
                life(async {
                    // In this life the last step takes longer than there is time.
                    if late {
                        desk.becomes(Mood::Slow(60 * MINUTE), "p/last");
                    } else {
                        desk.becomes(Mood::Refuses, "p/last");
                    }
                    let coordinator = start(log.clone(), &desk).await;
                    let begun = coordinator.begin::<Pair>("p", ()).await.unwrap();
                    let outcome = tokio::time::timeout(5 * 60 * MINUTE, begun.outcome()).await;
                    let at = format!("{append} {fault:?} {late}: {:?}", crashing.story());
                    let Ok(outcome) = outcome else { panic!("{at}: it does not end") };
                    match outcome.unwrap() {
                        Outcome::Completed(_) => assert_eq!(desk.held(), ["p/lamp/bulb", "p/last"], "{at}"),
                        Outcome::Compensated(_) => {
                            assert!(desk.held().iter().all(|what| what == "p/last" && !late), "{at}");
                        }
                        Outcome::Closed(closed) => panic!("{at}: {closed}"),
                    }
                });
            }
        }
    }
}

#[tokio::test]
async fn a_child_that_faults_when_it_is_turned_does_not_keep_the_process_busy() {
    let (log, desk) = (Picky::default(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let shelf = begin::<Shelf>(&coordinator, "s", ()).await;
    while coordinator.running() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    log.refuses.store(true, Ordering::SeqCst);
    shelf.cancel("no more").await.unwrap();
    sleep(SECOND / 2).await;
    let refused = log.refused.load(Ordering::SeqCst);
    assert!((1..5).contains(&refused), "it was tried {refused} times within half a second");
    tokio::time::timeout(5 * SECOND, coordinator.shutdown()).await.unwrap();
}

/// All that ever was in this log and has not ended.
async fn unfinished(log: &impl SagaLog) -> Vec<String> {
    let page = log.unfinished(Wake::Never, None, 1000).await.unwrap();
    page.sagas.into_iter().map(|saga| format!("{:?}", saga.unwrap())).collect()
}

/// What a house and its children hold in the end.
fn whole(name: &str) -> Vec<String> {
    let parts = ["first", "late/bulb", "paid", "room/bed", "room/key_", "room/lamp/bulb", "second", "side"];
    parts.iter().map(|part| format!("{name}/{part}")).collect()
}

/// One street of houses, and everything that can happen to it.
fn street(seed: u64) {
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let mut random = fastrand::Rng::with_seed(seed);
    let (log, desk) = (MemoryLog::new(), Desk::new());
    let what = ["first", "room/bed", "room/lamp/bulb", "room/key_", "side", "second", "-first", "-room/bed"];
    let what = what.iter().chain(&["-room/lamp/bulb", "-room/key_", "-side", "-second", "paid", "late/bulb"]);
    for name in NAMES {
        for what in what.clone() {
            let (sign, what) = what.strip_prefix('-').map_or(("", *what), |what| ("-", what));
            let mood = match random.u32(..40) {
                0 if sign.is_empty() && what != "late/bulb" => Mood::Refuses,
                1..3 => Mood::Busy,
                3..7 => Mood::Slow(Duration::from_secs(random.u64(1..8))),
                _ => continue,
            };
            desk.becomes(mood, &format!("{sign}{name}/{what}"));
        }
    }
    let inputs = NAMES.map(|_| (["x", "y"][random.usize(..2)].to_owned(), random.u64(0..20)));
    for number in 0..random.u64(1..6) {
        let test_log = TestLog::new(log.clone());
        if random.bool() {
            test_log.set_delay(Duration::from_millis(random.u64(0..3000)));
        }
        let (places, calls) = (random.usize(1..4), random.usize(1..4));
        let killed = Duration::from_millis(random.u64(1..8_000_000));
        life(async {
            let live = async {
                let begun = builder(test_log.clone(), &desk).sagas_at_once(places).calls_at_once(calls);
                let coordinator = begun.start().await.unwrap();
                for (name, input) in NAMES.iter().zip(&inputs) {
                    if number == 0 || random.bool() {
                        let begun = coordinator.begin::<House>(name, input.clone()).await;
                        let Ok(begun) = begun else { continue };
                        if let Some(handle) = begun.handle().cloned() {
                            match random.u32(..10) {
                                0 => drop(tokio::spawn({
                                    let after = Duration::from_secs(random.u64(0..3000));
                                    async move {
                                        sleep(after).await;
                                        let _ = handle.cancel("no more").await;
                                    }
                                })),
                                1 => drop(tokio::spawn(async move { handle.outcome().await.is_ok() })),
                                _ => {}
                            }
                        }
                    }
                    sleep(Duration::from_secs(random.u64(0..100))).await;
                }
                for _ in 0..random.u32(0..5) {
                    sleep(Duration::from_secs(random.u64(0..1000))).await;
                    let name = NAMES[random.usize(..NAMES.len())];
                    let _ = coordinator.find::<Room>(&id(&format!("{name}/room"))).await;
                    test_log.set_down(random.u32(..4) == 0);
                }
                test_log.set_down(false);
                if random.bool() {
                    let all = tokio::time::timeout(MINUTE, coordinator.shutdown()).await;
                    assert!(all.is_ok(), "{seed}: the shutdown hangs");
                } else {
                    std::mem::forget(coordinator);
                }
            };
            tokio::select! { () = sleep(killed) => {}, () = live => {} }
        });
    }
    desk.calms_down();
    life(async {
        let begun = builder(log.clone(), &desk).sagas_at_once(1).calls_at_once(1);
        let coordinator = begun.start().await.unwrap();
        sleep(24 * 60 * MINUTE).await;
        for name in NAMES {
            for id in [id(name), id(&format!("{name}/room")), id(&format!("{name}/late"))] {
                if let Ok(Some(begun)) = coordinator.find::<House>(&id).await
                    && let Some(handle) = begun.handle()
                {
                    let _ = handle.retry().await;
                }
            }
        }
        sleep(24 * 60 * MINUTE).await;
        assert_eq!(unfinished(&log).await, Vec::<String>::new(), "{seed}");
        assert!(log.locks(None, 9).await.unwrap().locks.is_empty(), "{seed}");
        assert_eq!((coordinator.running(), coordinator.quarantined()), (0, Vec::new()), "{seed}");
        let mut held = BTreeMap::<String, Vec<String>>::new();
        for what in desk.held() {
            // An operator has tried it again.
            let part = what.replace("/late~2/", "/late/").replace("/late~3/", "/late/");
            held.entry(what.split('/').next().unwrap().to_owned()).or_default().push(part);
        }
        for name in NAMES {
            let status = log.history(&id(name)).await.unwrap().map(|history| history.status);
            let held = held.remove(name).unwrap_or_default();
            match status {
                Some(Status::Completed) => assert_eq!(held, whole(name), "{seed} {name}"),
                _ => assert_eq!(held, Vec::<String>::new(), "{seed} {name} {status:?}"),
            }
        }
        coordinator.shutdown().await;
    });
}

#[test]
fn streets_end_whatever_happens_to_their_process() {
    for seed in 0..300 {
        street(seed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_that_could_not_be_let_go_ends_after_the_next_start() {
    let (log, desk) = (Picky::default(), Desk::new());
    let coordinator = start(log.clone(), &desk).await;
    let shelf = begin::<Shelf>(&coordinator, "s", ()).await;
    sleep(MINUTE).await;
    log.refuses.store(true, Ordering::SeqCst);
    assert!(matches!(shelf.outcome().await, Ok(Outcome::Completed(2))));
    assert_eq!(coordinator.quarantined().len(), 1);
    coordinator.shutdown().await;

    log.refuses.store(false, Ordering::SeqCst);
    let coordinator = start(log.clone(), &desk).await;
    sleep(MINUTE).await;
    assert_eq!(unfinished(&log).await, Vec::<String>::new());
    assert_eq!((coordinator.running(), coordinator.quarantined()), (0, Vec::new()));
}
