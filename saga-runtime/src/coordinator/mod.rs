//! The coordinator: executes sagas, keeps their log, and resumes them after a crash.
//!
//! It is the "saga execution coordinator" of Garcia-Molina and Salem, *Sagas*, 1987.

mod adopt;
mod alarm;
mod attempt;
mod begin;
#[cfg(feature = "sqlite")]
mod begin_in;
mod builder;
mod child;
pub(crate) mod clock;
mod driver;
mod failures;
mod fold;
mod handle;
mod horizon;
mod journal;
mod mailbox;
mod operator;
mod purge;
mod recovery;
mod registration;
mod shared;
mod status;
mod suspects;
mod waiters;
mod wake;

use std::sync::Arc;

pub use begin::{BeginError, Begun};
#[cfg(feature = "sqlite")]
pub use begin_in::Pending;
pub use builder::{Builder, StartError};
pub use driver::{CancelAnswer, SendAnswer};
pub use fold::FoldError;
#[cfg(feature = "verify")]
pub(crate) use fold::{fold, fold_prefixes};
pub use handle::{Handle, HandleError, Outcome, SendError};
pub use operator::{Act, Closed, Intervention, Offer, OperateError, Operator};
pub use purge::{PurgeReport, Retention};
pub use recovery::{Recovery, Unclaimed};
pub use status::{Parked, ParkedCall, SagaStatus};

use crate::coordinator::shared::Shared;
use crate::id::SagaId;
use crate::log::{History, HistoryError, SagaLog};

/// Executes sagas on one log.
///
/// Clones share one coordinator. When the last one is dropped, it drains as by [`shutdown`](Self::shutdown), without
/// waiting for it.
#[derive(Clone)]
pub struct Coordinator {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    recovery: Recovery,
}

impl Coordinator {
    /// A coordinator on `log`. Register sagas, then start it.
    pub fn builder<L: SagaLog>(log: L) -> Builder<L> {
        Builder::new(Arc::new(log))
    }

    pub(crate) fn new(shared: Arc<Shared>, recovery: Recovery) -> Self {
        Self { inner: Arc::new(Inner { shared, recovery }) }
    }

    /// What was found in the log at the start.
    pub fn recovery(&self) -> &Recovery {
        &self.inner.recovery
    }

    /// How many sagas it drives at the moment, parked ones included. A saga that waits is in the log alone.
    pub fn running(&self) -> usize {
        self.inner.shared.running()
    }

    /// The sagas that cannot go on, and why.
    pub fn quarantined(&self) -> Vec<(SagaId, String)> {
        self.inner.shared.quarantined()
    }

    /// The sagas that were to be driven, and whose definition is not registered: those that were found at the start, and
    /// those that have woken since.
    pub fn unclaimed(&self) -> Vec<Unclaimed> {
        self.inner.shared.unclaimed()
    }

    /// Everything that the log holds of a saga, ended ones included; `None` if it was never begun. What was purged is
    /// answered with [`HistoryError::Purged`], which tells what is kept, or [`HistoryError::Expired`].
    pub async fn history(&self, id: &SagaId) -> Result<Option<History>, HistoryError> {
        self.inner.shared.log.history(id).await
    }

    /// Drains: attempts that are in flight end and are recorded, nothing new starts, then the log is let go. Unfinished
    /// sagas resume at the next start. Takes at most as long as the longest timeout of a call in flight.
    pub async fn shutdown(self) {
        self.inner.shared.begin_shutdown();
        self.inner.shared.drained().await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.begin_shutdown();
    }
}

impl std::fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coordinator").field("running", &self.running()).finish_non_exhaustive()
    }
}
