//! What time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A clock that never goes back: the wall clock when it was made, and tokio's time since then.
#[derive(Debug)]
pub(crate) struct Clock {
    made_at: SystemTime,
    made: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { made_at: SystemTime::now(), made: Instant::now() }
    }

    /// Milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        let now = self.made_at.checked_add(self.made.elapsed()).unwrap_or(self.made_at);
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }

    /// When it is `at_ms`.
    pub(crate) fn instant(&self, at_ms: u64) -> Instant {
        let wait = Duration::from_millis(at_ms.saturating_sub(self.now_ms()));
        let now = Instant::now();
        // A time too far away for tokio is as good as never: the wait is taken up again long before.
        now.checked_add(wait).unwrap_or(now + Duration::from_hours(24 * 365))
    }
}
