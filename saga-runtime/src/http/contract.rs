//! What the statuses of a service's answers prove.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use saga_participant::http::Outcome;

/// What a service promises of its statuses, where an answer does not say itself what became of the call (as those of the
/// participant kit do). Without a promise a 2xx other than 202 is done, and all else is unknown.
///
/// ```
/// use saga_runtime::http::Contract;
///
/// # let _ =
/// Contract::new().refused([402, 422]).superseded([409]).transient([429])
/// # ;
/// ```
///
/// A promise has to hold for *every* answer with that status, whoever on the way wrote it. Many routers answer 404 and
/// many frameworks 422 to what they do not understand, and gateways 502 to 504 to what the service has not answered in
/// time: who has promised otherwise for these loses an effect, or does it twice.
#[derive(Debug, Clone, Default)]
pub struct Contract {
    promises: BTreeMap<u16, Outcome>,
}

impl Contract {
    /// A service that promises nothing more.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these it is done: 202 for instance, where that is done for good, or 404 for what is deleted twice.
    #[must_use]
    pub fn done(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.promise(Outcome::Done, statuses)
    }

    /// With these it is refused: surely no effect, and every attempt is answered so. If the participant is `Keyed` that
    /// holds for all attempts with this key, also those of which nobody knows what became. The body is the refusal.
    #[must_use]
    pub fn refused(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.promise(Outcome::Refused, statuses)
    }

    /// With these a compensation or a probe was faster: surely no effect of this key, now and later.
    #[must_use]
    pub fn superseded(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.promise(Outcome::Superseded, statuses)
    }

    /// With these this attempt had surely no effect, and another try is worth it.
    #[must_use]
    pub fn transient(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.promise(Outcome::Transient, statuses)
    }

    fn promise(mut self, outcome: Outcome, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.promises.extend(statuses.into_iter().map(|status| (status, outcome)));
        self
    }

    /// What an answer with this status says that does not say it itself.
    pub(super) fn outcome(&self, status: StatusCode) -> Outcome {
        match self.promises.get(&status.as_u16()) {
            Some(outcome) => *outcome,
            // Accepted is not done.
            None if status.is_success() && status != StatusCode::ACCEPTED => Outcome::Done,
            None => Outcome::Unknown,
        }
    }
}
