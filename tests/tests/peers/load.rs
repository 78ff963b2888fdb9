//! Engines with a queue under load: duroxide, underway.

use std::sync::Arc;
use std::time::Duration;

use saga_runtime::log::{MemoryLog, SqliteLog};
use saga_runtime::{Coordinator, Outcome};
use saga_tests::sagas::Shape;
use saga_tests::world::{Fault, World};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::scene::{Trip, action, begin, held, start, told, until_called};

/// duroxide 0.1.32 (measured): at 256 concurrent orchestrations the client that waits gets "database is locked". One that
/// is alone takes 367 ms, because queues are looked at every 100 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_256_at_once_some_are_told_that_the_database_is_locked() {
    const AT_ONCE: usize = 256;
    // Nobody looks now and then: where calls and log take no time, a saga takes none.
    std::thread::spawn(a_saga_alone_takes_no_time).join().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    let log = SqliteLog::open(folder.path().join("sagas.db")).unwrap();
    let builder = Coordinator::builder(log).register::<Trip>(Trip::participants(&world));
    let coordinator = Arc::new(builder.start().await.unwrap());
    let mut sagas = JoinSet::new();
    for number in 0..AT_ONCE {
        let coordinator = Arc::clone(&coordinator);
        sagas.spawn(async move {
            coordinator.begin::<Trip>(format!("s-{number}"), 7).await.unwrap().outcome().await.unwrap()
        });
    }
    let ended = timeout(Duration::from_mins(1), sagas.join_all()).await.unwrap();
    assert_eq!(ended, vec![Outcome::Completed(7); AT_ONCE]);
    assert_eq!(held(&world).len(), 3 * AT_ONCE);
}

fn a_saga_alone_takes_no_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let (log, world, begun) = (MemoryLog::new(), World::new(), Instant::now());
        let coordinator = start(&log, &world).await;
        assert_eq!(begin(&coordinator, "alone").await.outcome().await, Ok(Outcome::Completed(7)));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    });
}

/// underway 0.2.0 (measured): `enqueue` starts a job at the step that its handle has executed last, which the jobs share. The
/// second saga failed.
#[tokio::test(start_paused = true)]
async fn a_second_saga_starts_at_the_step_of_the_first() {
    let (log, world) = (MemoryLog::new(), World::new());
    let coordinator = start(&log, &world).await;
    world.script(action("car", 1), Fault::Slow);
    let first = begin(&coordinator, "first").await;
    until_called(&world, action("car", 1)).await;
    // Begun while the first is at its last step, and once more when that has ended.
    let second = begin(&coordinator, "second").await;
    for trip in [first, second] {
        assert_eq!(trip.outcome().await, Ok(Outcome::Completed(7)));
    }
    assert_eq!(begin(&coordinator, "third").await.outcome().await, Ok(Outcome::Completed(7)));
    assert_eq!(told(&world.calls()), "flight hotel car flight hotel car flight hotel car");
    let all = ["first", "second", "third"].into_iter();
    let all = all.flat_map(|id| ["car", "flight", "hotel"].map(|step| format!("Trip/{id}/{step}")));
    assert_eq!(held(&world), all.collect::<Vec<_>>());
}
