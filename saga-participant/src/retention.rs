//! How long a row stays.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a row lingers after its saga has ended, if nothing else is said.
const LINGER: Duration = Duration::from_hours(24);

/// How long a service remembers its answers. As data, so that it can be told to the coordinators that call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    horizon: Option<Duration>,
    linger: Duration,
}

impl Retention {
    /// For ever, until the saga has ended, and 24 hours more.
    pub const fn new() -> Self {
        Self { horizon: None, linger: LINGER }
    }

    /// Not for ever: a row may go when nothing has changed it for so long.
    ///
    /// That is a promise of the *callers*: nothing about a step, its compensation included, is sent to this service
    /// later than this after the first attempt of the step's action, by whatever clock. What comes later finds nothing
    /// remembered, and is treated as if it was new.
    #[must_use]
    pub const fn horizon(self, horizon: Duration) -> Self {
        Self { horizon: Some(horizon), ..self }
    }

    /// How long rows stay after their saga has ended. A call that was sent before the end may still be on its way, in a
    /// broker's queue for instance, and the rows are what keeps it from doing anything.
    #[must_use]
    pub const fn linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// The horizon, if one is declared.
    pub const fn declared_horizon(&self) -> Option<Duration> {
        self.horizon
    }

    /// When a row that is written now may go, in seconds since 1970.
    pub fn expiry(&self, now: SystemTime) -> Option<i64> {
        self.horizon.map(|horizon| seconds(now).saturating_add(whole_seconds(horizon)))
    }

    /// When a row may go whose saga has ended now, in seconds since 1970.
    pub fn expiry_after_end(&self, now: SystemTime) -> i64 {
        seconds(now).saturating_add(whole_seconds(self.linger))
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::new()
    }
}

/// A time in seconds since 1970.
pub fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -whole_seconds(before.duration()),
    }
}

/// Rounded up: a row never goes early.
fn whole_seconds(duration: Duration) -> i64 {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_for_ever_or_as_long_as_is_said() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(Retention::new().expiry(now), None);
        let short = Retention::new().horizon(Duration::from_millis(1500)).linger(Duration::ZERO);
        assert_eq!(short.expiry(now), Some(1002));
        assert_eq!(short.expiry_after_end(now), 1000);
        assert_eq!(Retention::new().expiry_after_end(now), 1000 + 24 * 3600);
        assert_eq!(Retention::new().horizon(Duration::MAX).expiry(now), Some(i64::MAX));
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_millis(1)), -1);
    }
}
