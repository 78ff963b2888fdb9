//! Many at once.

use std::sync::Arc;

use super::kit::{append, begun, held, history, locks, names, next, record};
use crate::log::{Append, AppendError, SagaLog, Status};

/// Many tasks, a saga each, one lock.
pub async fn of_concurrent_locks_one_wins(log: impl SagaLog) {
    let log = Arc::new(log);
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let (log, name) = (Arc::clone(&log), format!("trip-{number}"));
            tokio::spawn(async move {
                let takes = Append { locks: locks(&["seat"], &name), ..begun(&name, number) };
                append(&*log, takes).await
            })
        })
        .collect();
    let mut wins = 0;
    for task in tasks {
        match task.await.unwrap_or_else(|error| panic!("{error}")) {
            Ok(()) => wins += 1,
            Err(AppendError::Locked { key, .. }) => assert_eq!(key, "seat"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(wins, 1);
    assert_eq!(held(&*log, 10).await.len(), 1);
}

/// Many tasks, a saga each.
pub async fn concurrent_appends_all_stand(log: impl SagaLog) {
    const SAGAS: u64 = 64;
    const STEPS: u64 = 8;
    let log = Arc::new(log);
    let tasks: Vec<_> =
        (0..SAGAS).map(|number| tokio::spawn(run_one(Arc::clone(&log), number, STEPS))).collect();
    for task in tasks {
        task.await.unwrap_or_else(|error| panic!("{error}"));
    }
    for number in 0..SAGAS {
        let name = format!("trip-{number}");
        let found = history(&*log, &name).await;
        assert_eq!(found.records.len() as u64, STEPS + 1);
        assert!(
            found.records.iter().map(|record| record.at_ms).eq(number..=number + STEPS),
            "in their order"
        );
        assert_eq!(found.status, Status::Completed);
    }
    assert_eq!(names(&*log, 10).await, Vec::<String>::new());
}

/// Many tasks, one id.
pub async fn of_concurrent_begins_one_wins(log: impl SagaLog) {
    let log = Arc::new(log);
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { append(&*log, begun("trip", number)).await })
        })
        .collect();
    let mut wins = 0;
    for (number, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap_or_else(|error| panic!("{error}")) {
            Ok(()) => {
                wins += 1;
                assert_eq!(history(&*log, "trip").await.records[0].at_ms, number as u64);
            }
            Err(AppendError::Exists(there)) => assert_eq!(*there, history(&*log, "trip").await),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(wins, 1);
}

async fn run_one(log: Arc<impl SagaLog>, number: u64, steps: u64) {
    let name = format!("trip-{number}");
    assert_eq!(append(&*log, begun(&name, number)).await, Ok(()));
    for seq in 1..=steps {
        let status = if seq == steps { Status::Completed } else { Status::Running };
        let done = record(number + seq, "flight", "done", "{\"seat\":\"12A\"}");
        assert_eq!(append(&*log, next(&name, seq, vec![done], status)).await, Ok(()));
        if seq == steps / 2 {
            assert_eq!(
                history(&*log, &name).await.records.len() as u64,
                seq + 1,
                "what is answered is there"
            );
        }
    }
}
