//! Wakes the sagas that wait for a time: one task for all of them, however many there are.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, error};

use crate::coordinator::recovery::take_up_page;
use crate::coordinator::shared::{LOG_BACK_OFF, NO_ALARM, Shared};
use crate::coordinator::wake::wake as wake_saga;
use crate::log::{Cursor, LogError, Wake};

/// How often the wall clock is looked at while sagas wait: it leaps when the machine has slept.
const LOOK: Duration = Duration::from_mins(1);

/// Sets the alarm clock going, until the coordinator shuts down. All that wakes by `driven_ms` is driven already.
pub(crate) fn spawn(shared: Arc<Shared>, driven_ms: u64) {
    let task = shared.task();
    tokio::spawn(async move {
        tokio::select! {
            () = shared.shutdown() => {}
            () = wake_in_time(&shared, driven_ms) => {}
        }
        drop(shared);
        drop(task);
    });
}

async fn wake_in_time(shared: &Arc<Shared>, mut driven_ms: u64) {
    let mut alarm = shared.alarm();
    loop {
        let at_ms = *alarm.borrow_and_update();
        let now_ms = shared.clock.now_ms();
        if at_ms > now_ms {
            let sleep = async {
                match at_ms {
                    NO_ALARM => std::future::pending().await,
                    at_ms => tokio::time::sleep(shared.clock.until(at_ms).min(LOOK)).await,
                }
            };
            tokio::select! {
                () = sleep => {}
                // The sender is held by `shared`.
                _ = alarm.changed() => {}
            }
            continue;
        }
        // Who goes dormant from now on arms it again.
        shared.disarm();
        match wake(shared, driven_ms, now_ms).await {
            Ok(()) => driven_ms = now_ms,
            Err(error) => {
                error!(%error, "the sagas that wake wait for their log");
                shared.arm(at_ms);
                tokio::time::sleep(LOG_BACK_OFF).await;
            }
        }
    }
}

/// Drives all that wakes later than `driven_ms`, up to `now_ms`, and arms the alarm for the next one.
async fn wake(shared: &Arc<Shared>, driven_ms: u64, now_ms: u64) -> Result<(), LogError> {
    let mut after = Cursor::behind(Wake::At(driven_ms));
    loop {
        let (taken_up, next) = take_up_page(shared, now_ms, Some(after)).await?;
        debug!(sagas = taken_up.resumed, "woken");
        let Some(next) = next else { break };
        after = next;
        // Those that were woken stand in this queue: so no more of them are in memory than have a place soon. An error
        // says that the coordinator shuts down.
        let _ = shared.sagas_at_once.acquire().await;
    }
    let next = shared.log.next_wake(now_ms).await?;
    let (woken, next_in_memory) = shared.waiters.woken_by(now_ms);
    for saga in &woken {
        wake_saga(shared, saga);
    }
    if let Some(at_ms) = next.into_iter().chain(next_in_memory).min() {
        shared.arm(at_ms);
    }
    Ok(())
}
