//! Begins a saga in the user's own transaction, on the log's SQLite file.

use std::fmt;
use std::marker::PhantomData;

use rusqlite::Connection;

use crate::coordinator::Coordinator;
use crate::coordinator::begin::{
    Before, BeginError, Begun, before, registration, room_for_children, same_history, same_purged,
};
use crate::coordinator::driver::{begin_append, first_attempts_not_sent};
use crate::coordinator::handle::HandleError;
use crate::id::SagaId;
use crate::log::{AppendError, HistoryError};
use crate::saga::Saga;

/// A saga that is begun once the transaction is committed that it was written in; never, if that is rolled back.
///
/// After the commit, give it to [`Coordinator::started`]. If the process ends before that, the saga is found at the next
/// start.
#[must_use = "commit the transaction, then give this to `Coordinator::started`: until then nobody executes the saga"]
pub struct Pending<S: Saga> {
    id: SagaId,
    /// The input as JSON.
    input: String,
    saga: PhantomData<fn() -> S>,
}

impl<S: Saga> Pending<S> {
    /// The saga's id.
    pub fn id(&self) -> &SagaId {
        &self.id
    }
}

/// By hand: a derive would ask for `S: Debug`, and a declared saga is a name without values.
impl<S: Saga> fmt::Debug for Pending<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Coordinator {
    /// Begins a saga in a transaction of your own on the log's SQLite file: the saga is begun if and only if that is
    /// committed, together with whatever else is written in it. Blocks as any statement of the transaction does, and no
    /// other saga's record is written before the transaction ends: commit soon.
    ///
    /// The connection is one of your own; it has to be `synchronous = FULL`, which is SQLite's default. Beginning the
    /// same again, with the same id and input, is safe. This is the *transactional outbox* in reverse: no second store is
    /// told of what the first one has committed.
    ///
    /// ```
    /// # use saga_runtime::{Context, Coordinator, Keyed, Outcome, StepError, log::SqliteLog, saga};
    /// # #[derive(Debug, thiserror::Error, StepError)]
    /// # #[error("lost")]
    /// # #[outcome(unknown)]
    /// # struct Lost;
    /// # struct Shop;
    /// # impl Keyed for Shop {}
    /// # impl Shop { async fn ship(&self, _: &Context, _: &u32) -> Result<(), Lost> { Ok(()) } }
    /// saga! {
    ///     saga Ship(order: u32) {
    ///         with shop: Shop;
    ///         pivot shipped: () = shop.ship(cx, order);
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let data = tempfile::tempdir()?;
    /// # let path = data.path().join("shop.db");
    /// let log = SqliteLog::open(&path)?;
    /// let coordinator = Coordinator::builder(log).register::<Ship>(ShipParticipants { shop: Shop }).start().await?;
    ///
    /// let mut database = rusqlite::Connection::open(&path)?;
    /// # database.execute_batch("CREATE TABLE purchase (number INTEGER PRIMARY KEY) STRICT")?;
    /// let transaction = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    /// transaction.execute("INSERT INTO purchase (number) VALUES (7)", ())?;
    /// let pending = coordinator.begin_in::<Ship>(&transaction, "ship-7", 7)?;
    /// transaction.commit()?;
    ///
    /// let begun = coordinator.started(pending).await?;
    /// assert_eq!(begun.outcome().await?, Outcome::Completed(()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn begin_in<S: Saga>(
        &self,
        transaction: &Connection,
        id: impl AsRef<str>,
        input: S::Input,
    ) -> Result<Pending<S>, BeginError> {
        let id = SagaId::new(id)?;
        let shared = &self.inner.shared;
        registration::<S>(shared)?;
        room_for_children::<S>(shared, &id)?;
        if shared.is_shutting_down() {
            return Err(BeginError::ShuttingDown);
        }
        let json = S::encode_input(&input)?;
        let now_ms = shared.clock.now_ms();
        let (mut append, _) = begin_append::<S>(&id, &input, json.clone(), None, now_ms)
            .map_err(|cause| BeginError::Saga(HandleError::Quarantined { id: id.clone(), cause }))?;
        // Whoever takes it up must not think that they may have been.
        append.records.extend(first_attempts_not_sent::<S>(input, now_ms));
        match shared.log.begin_in(transaction, &append) {
            Ok(()) => Ok(Pending { id, input: json, saga: PhantomData }),
            Err(AppendError::Exists(history)) => {
                same_history::<S>(&history, &id, &json)?;
                Ok(Pending { id, input: json, saga: PhantomData })
            }
            // It is answered when the transaction is committed.
            Err(AppendError::Purged(purged)) => {
                same_purged::<S>(&purged, &id, Some(&json))?;
                Ok(Pending { id, input: json, saga: PhantomData })
            }
            Err(AppendError::Expired { saga }) => Err(BeginError::Expired { id: saga }),
            Err(AppendError::Unavailable(error)) => Err(BeginError::Log(error)),
            Err(AppendError::Damaged(damaged)) => Err(BeginError::Saga(HistoryError::from(damaged).into())),
            Err(error) => Err(BeginError::Transaction { id, cause: error.to_string() }),
        }
    }

    /// Executes the saga that was begun in a transaction, now that this is committed.
    pub async fn started<S: Saga>(&self, pending: Pending<S>) -> Result<Begun<S>, BeginError> {
        let Pending { id, input, .. } = pending;
        // Somebody else may have begun another one, and this was rolled back.
        match before(self.inner.shared.log.history(&id).await)? {
            None => return Err(BeginError::NotCommitted { id }),
            Some(Before::There(history)) => same_history::<S>(&history, &id, &input)?,
            Some(Before::Purged(purged)) => same_purged::<S>(&purged, &id, Some(&input))?,
        }
        self.find::<S>(&id).await?.ok_or(BeginError::NotCommitted { id })
    }
}
