//! What time it is, for everything that waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// So far ahead the wall clock has to be to be followed: whoever waits by less is not to be woken too early by what it is
/// corrected by.
const LEAP_MS: u64 = 1_000;

/// The wall clock, made fit to wait by: it never goes back, and it goes on when tokio's clock does.
///
/// It shows the wall clock's time at its making, and what has passed since by [`Instant`]; so a wall clock that is set
/// back stalls no timer, and in a test with a paused clock virtual time passes here too. Where the wall clock is ahead,
/// as after the machine has slept, it follows.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Milliseconds since the Unix epoch at `started`, with all leaps of the wall clock since.
    base_ms: AtomicU64,
    /// Whether the wall clock is looked at.
    #[cfg(feature = "verify")]
    is_virtual: bool,
}

impl Clock {
    /// Shows the wall clock's time.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            base_ms: AtomicU64::new(wall_ms()),
            #[cfg(feature = "verify")]
            is_virtual: false,
        }
    }

    /// Shows this time, and what passes from now on by tokio's clock: the wall clock is not looked at.
    #[cfg(feature = "verify")]
    pub(crate) fn virtual_from(ms: u64) -> Self {
        Self { started: Instant::now(), base_ms: AtomicU64::new(ms), is_virtual: true }
    }

    /// Milliseconds since the Unix epoch; never less than it was before.
    pub(crate) fn now_ms(&self) -> u64 {
        #[cfg(feature = "verify")]
        if self.is_virtual {
            return self.follow(0);
        }
        self.follow(wall_ms())
    }

    /// How long to wait, by tokio's clock, until it is `at_ms`: for ever at the most.
    pub(crate) fn until(&self, at_ms: u64) -> Duration {
        Duration::from_millis(at_ms.saturating_sub(self.now_ms()))
    }

    /// When it is `at_ms`, by tokio's clock. A time too far away for that is as good as never: long before, the wait is
    /// taken up again.
    pub(crate) fn instant(&self, at_ms: u64) -> Instant {
        let now = Instant::now();
        now.checked_add(self.until(at_ms)).unwrap_or(now + Duration::from_hours(24 * 365))
    }

    fn follow(&self, wall_ms: u64) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ahead = wall_ms.saturating_sub(elapsed);
        let base = self.base_ms.load(Ordering::Relaxed);
        if ahead < base.saturating_add(LEAP_MS) {
            return base.saturating_add(elapsed);
        }
        self.base_ms.fetch_max(ahead, Ordering::Relaxed).max(ahead).saturating_add(elapsed)
    }
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base_ms: u64) -> Clock {
        Clock { base_ms: AtomicU64::new(base_ms), ..Clock::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_clock_that_is_set_back_stops_nothing() {
        let clock = at(1_000_000);
        assert_eq!(clock.follow(5), 1_000_000);
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(clock.follow(6), 1_000_250);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_clock_that_leaps_ahead_is_followed() {
        let clock = at(1_000_000);
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(clock.follow(3_000_000), 3_000_000);
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(clock.follow(5), 3_000_250, "and it does not go back");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_woken_too_early_by_a_wall_clock_that_is_set_right() {
        let clock = at(1_000_000);
        assert_eq!(clock.follow(1_000_999), 1_000_000);
        assert_eq!(clock.follow(1_001_000), 1_001_000);
    }

    #[tokio::test(start_paused = true)]
    async fn virtual_time_passes() {
        let clock = Clock::new();
        let before = clock.now_ms();
        assert!(clock.until(before + 7_200_000) <= Duration::from_hours(2));
        tokio::time::advance(Duration::from_hours(2)).await;
        assert!(clock.now_ms() >= before + 7_200_000);
        assert_eq!(clock.until(before + 7_200_000), Duration::ZERO);
    }
}
