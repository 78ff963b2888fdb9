//! How an attempt can fail, and what that says about its effect.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

/// What a failed attempt says about its effect. The engine's whole behaviour hangs on it, so in doubt say
/// [`Unknown`](Self::Unknown).
///
/// It is said of the whole attempt. Where something on the way repeats requests, as a proxy may, the answer to one copy
/// proves nothing of the other one, unless the participant remembers it by the key: a refusal that is stored does, and that
/// it failed does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Surely no effect, and another try would be answered the same.
    Refused,
    /// Surely no effect, and worth another try.
    Transient,
    /// Nobody can say: a time-out, a broken connection, an answer that cannot be read.
    Unknown,
}

/// An error that an action, probe or compensation may return: it says what it knows of the effect.
///
/// Derive it beside `thiserror::Error`, with the outcome of each variant:
///
/// ```
/// # #[cfg(feature = "macros")] {
/// #[derive(Debug, thiserror::Error, saga_runtime::StepError)]
/// enum FlightError {
///     #[error("flight {0} is sold out")]
///     #[outcome(refused)]
///     SoldOut(String),
///     #[error("the flight desk is closed for the moment")]
///     #[outcome(transient)]
///     Closed,
///     #[error("the flight desk's answer was lost")]
///     #[outcome(unknown)]
///     Lost(#[from] std::io::Error),
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a step's error: it does not say whether the effect took place",
    label = "not classified as refused, transient or unknown",
    note = "add `#[derive(saga_runtime::StepError)]` with `#[outcome(refused)]`, `#[outcome(transient)]` or `#[outcome(unknown)]` on each variant, or implement `StepError` by hand"
)]
pub trait StepError: fmt::Display {
    /// What this error says about the effect.
    fn kind(&self) -> FailureKind;

    /// How long the participant asks to be left alone, as HTTP's `Retry-After` does. The next attempt of this call waits
    /// at least as long, though never longer than [`RETRY_AFTER_MAX`], and never shorter than its own back-off.
    ///
    /// It is a wish, and not recorded: who takes over the log, or is woken by something else meanwhile, may go by the
    /// back-off alone. The deadline does not wait for it, and an operator's retry does not either.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// The longest that an attempt waits because its participant [asks](StepError::retry_after) for it: an hour. Nobody knows
/// what such a wish is worth, and more than this stops a saga.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

impl StepError for Infallible {
    fn kind(&self) -> FailureKind {
        match *self {}
    }
}

impl<E: StepError + ?Sized> StepError for Box<E> {
    fn kind(&self) -> FailureKind {
        (**self).kind()
    }

    fn retry_after(&self) -> Option<Duration> {
        (**self).retry_after()
    }
}

/// A failed attempt: what is known of its effect, and why in words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    /// What is known of its effect.
    pub kind: FailureKind,
    /// The error's own words.
    pub message: String,
    /// How long the participant asks to be left alone. Not recorded.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// A failure that surely had no effect, and would be the same again.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// A failure that surely had no effect, and is worth another try.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Transient, message)
    }

    /// A failure after which nobody can say whether there was an effect.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unknown, message)
    }
}

impl<E: StepError> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { retry_after: error.retry_after(), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Transient => "transient",
            Self::Unknown => "unknown",
        })
    }
}
