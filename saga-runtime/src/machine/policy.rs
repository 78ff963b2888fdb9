//! How long a call may take, and how often and when it is tried again.

use std::time::Duration;

/// The policy of one call. Not part of a saga's fingerprint: it may change while sagas run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long one attempt may take; after that its outcome is unknown.
    pub timeout: Duration,
    /// When it is tried again.
    pub retry: Retry,
}

/// When a failed call is tried again: exponential back-off with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after the first; `None` for no limit.
    pub limit: Option<u32>,
    /// The back-off before the second attempt; it doubles from attempt to attempt.
    pub first: Duration,
    /// The longest back-off.
    pub cap: Duration,
}

impl Policy {
    /// What holds where nothing is said: 30 s for an attempt, and 5 retries every 100 ms to 10 s.
    pub const DEFAULT: Self = Self { timeout: Duration::from_secs(30), retry: Retry::DEFAULT };
}

impl Retry {
    /// 5 retries every 100 ms to 10 s.
    pub const DEFAULT: Self =
        Self { limit: Some(5), first: Duration::from_millis(100), cap: Duration::from_secs(10) };

    /// No retry. Where a call must go on nevertheless (a compensation), it does so at the default pace.
    pub const NEVER: Self = Self { limit: Some(0), ..Self::DEFAULT };

    /// Whether `attempts` attempts were all that the limit allows.
    pub fn is_spent(&self, attempts: u32) -> bool {
        self.limit.is_some_and(|limit| attempts > limit)
    }

    /// How long to wait after `attempts` attempts: between half of the full back-off (`jitter` 0) and the whole
    /// (`jitter` `u32::MAX`), so that sagas that failed together do not come back together.
    pub fn back_off(&self, attempts: u32, jitter: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.cap.max(self.first));
        let half = full.as_nanos().min(u128::from(u64::MAX)) / 2;
        let jittered = half + half * u128::from(jitter) / u128::from(u32::MAX);
        Duration::from_nanos(u64::try_from(jittered).unwrap_or(u64::MAX))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_its_cap() {
        let retry = Retry::DEFAULT;
        let at = |attempts| retry.back_off(attempts, u32::MAX).as_millis();
        assert_eq!([at(1), at(2), at(3), at(8), at(u32::MAX)], [100, 200, 400, 10_000, 10_000]);
    }

    #[test]
    fn jitter_takes_up_to_half_away() {
        assert_eq!(Retry::DEFAULT.back_off(1, 0), Duration::from_millis(50));
    }

    #[test]
    fn no_duration_is_too_long() {
        let retry = Retry { limit: None, first: Duration::MAX, cap: Duration::MAX };
        assert!(retry.back_off(u32::MAX, u32::MAX) > Duration::from_secs(1 << 33));
    }

    #[test]
    fn five_retries_are_six_attempts() {
        assert!(!Retry::DEFAULT.is_spent(5));
        assert!(Retry::DEFAULT.is_spent(6));
        assert!(Retry::NEVER.is_spent(1));
    }
}
