//! Local calls: their effect stands in the log's own database, in the transaction of the record that tells of it.

use std::any::{Any, type_name};
use std::fmt;

use super::{Record, SagaLog, Status, Wake};
use crate::id::SagaId;

/// A log with transactions in which a saga can do more than record what happened.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no transactions in which a `local` step could take part",
    label = "a saga with a `local` step cannot run on `{Self}`",
    note = "`SqliteLog` has such transactions: the effects are then in tables of yours in the log's own file"
)]
pub trait Transactional: SagaLog {
    /// What a local call is given: a transaction that it can read and write in, and neither commit nor end.
    type Tx: 'static;
}

/// A call to be made within the log's transaction, and the place of the records that it answers.
#[derive(Debug)]
pub struct AppendLocal {
    /// The saga, which has begun.
    pub saga: SagaId,
    /// Number within the saga of the first record that the call answers; not 0.
    pub first_seq: u64,
    /// The call.
    pub call: LocalCall,
}

/// A call that is made on the thread of the log, within its transaction.
///
/// It is synchronous, and *every saga of the log waits for it*: it is to be as short as its statements. It must not wait
/// for anything else, least of all for the log. It may run several times, each time in a transaction of which nothing was
/// kept of the time before.
pub struct LocalCall {
    run: Box<Run>,
    tx: &'static str,
}

/// Answers nothing to a transaction of another type.
type Run = dyn FnMut(&dyn Any) -> Option<LocalAnswer> + Send;

/// What a local call has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAnswer {
    /// Whether what it did to the database is kept. Otherwise it is undone, and only the records are written.
    pub keep: bool,
    /// What happened, oldest first; never empty.
    pub records: Vec<Record>,
    /// The saga's status once the records hold.
    pub status: Status,
    /// When the saga is to be driven next, once the records hold.
    pub wake: Wake,
}

impl LocalCall {
    /// A call for logs with the transaction type `Tx`.
    pub fn new<Tx: 'static>(mut call: impl FnMut(&Tx) -> LocalAnswer + Send + 'static) -> Self {
        Self { run: Box::new(move |tx| tx.downcast_ref().map(&mut call)), tx: type_name::<Tx>() }
    }

    /// The same, whatever the type is called.
    pub(crate) fn of(
        run: impl FnMut(&dyn Any) -> Option<LocalAnswer> + Send + 'static,
        tx: &'static str,
    ) -> Self {
        Self { run: Box::new(run), tx }
    }

    /// Makes the call, for the log that it was handed to. `None` if it is for another type of transaction. A panic of
    /// the call goes through.
    pub fn run(&mut self, tx: &dyn Any) -> Option<LocalAnswer> {
        (self.run)(tx)
    }

    /// The name of the transaction type that the call is for, to be told to people.
    pub fn tx_name(&self) -> &'static str {
        self.tx
    }
}

impl fmt::Debug for LocalCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCall").field("tx", &self.tx).finish_non_exhaustive()
    }
}
