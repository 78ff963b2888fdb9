//! Local calls on the writer's connection: what they may do, and the savepoint that they do it in.

use std::any::{Any, type_name};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, Authorization};
use rusqlite::{Connection, Error, ffi};

use crate::log::{Append, AppendError, AppendLocal, LocalAnswer};

/// The one around each call. A call may make others within it, and leave them open.
const SAVEPOINT: &str = "saga_local";

const OPEN: &str = "SAVEPOINT saga_local";

const UNDO: &str = "ROLLBACK TO saga_local";

const RELEASE: &str = "RELEASE saga_local";

/// Tables and views that only the log itself writes.
const OWN: &[&str] = &["saga", "journal", "lock", "story", "held_lock", "saga_writer", "saga_purged"];

/// Names that begin so are left for later versions of the log.
const RESERVED: &str = "saga_";

/// Statements that change nothing: those that ask for the schema, and what SQLite itself uses to alter a table.
const PRAGMAS: &[&str] = &[
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Says to a connection whether a local call is running on it, and so what may be prepared on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<AtomicBool>);

impl Gate {
    /// From now on a local call that runs on `connection` can do only what is its business. It costs nothing where
    /// statements are prepared once.
    pub(super) fn guard(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let running = Arc::clone(&self.0);
        connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
            if !running.load(Ordering::Relaxed) || may(&context.action) {
                Authorization::Allow
            } else {
                Authorization::Deny
            }
        }))
    }

    /// Makes the call of `local` within the transaction of `connection`, and gives what `judge` makes of its answer. Its
    /// effects stay if it and its judge want them to, and never without what is to be recorded.
    ///
    /// An error means that the transaction is to be rolled back, or has been.
    pub(super) fn call(
        &self,
        connection: &Connection,
        local: &mut AppendLocal,
        judge: impl FnOnce(LocalAnswer) -> Result<Append, AppendError>,
    ) -> rusqlite::Result<Result<Append, AppendError>> {
        let execute = |sql| connection.prepare_cached(sql)?.execute(()).map(drop);
        execute(OPEN)?;
        self.0.store(true, Ordering::Relaxed);
        let answer = catch_unwind(AssertUnwindSafe(|| local.call.run(connection)));
        self.0.store(false, Ordering::Relaxed);
        if connection.is_autocommit() {
            return Err(ended(local));
        }
        let saga = || local.saga.clone();
        let (keep, judged) = match answer {
            Ok(Some(answer)) => (answer.keep, judge(answer)),
            Ok(None) => {
                let (wanted, tx) = (local.call.tx_name(), type_name::<Connection>());
                let cause =
                    format!("its local call is for a log with transactions of type `{wanted}`, not `{tx}`");
                (false, Err(AppendError::Invalid { saga: saga(), cause }))
            }
            Err(panic) => {
                let cause = format!("it panicked: {}", panic_message(&*panic));
                (false, Err(AppendError::LocalFailed { saga: saga(), cause }))
            }
        };
        if !keep || judged.is_err() {
            execute(UNDO)?;
        }
        execute(RELEASE)?;
        Ok(judged)
    }
}

/// The user's values go with the call, and dropping them must not end the thread of the log.
pub(super) fn discard(local: AppendLocal) {
    if catch_unwind(AssertUnwindSafe(|| drop(local))).is_err() {
        tracing::error!("what a local call has held panicked when it was dropped");
    }
}

/// SQLite rolls a transaction back when its storage fails, and so does a statement that says so.
fn ended(local: &AppendLocal) -> Error {
    let cause = format!(
        "its transaction was rolled back while the local call of saga `{}` ran, so that nothing of it is kept: the \
         storage is full or reports an error, or a statement of the call says so itself, as INSERT OR ROLLBACK does",
        local.saga
    );
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT_ROLLBACK), Some(cause))
}

/// Whether a statement of a local call may do this.
fn may(action: &AuthAction<'_>) -> bool {
    let own = |name: &str| OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
    let reserved = |name: &str| own(name) || starts_with(name, RESERVED);
    match *action {
        AuthAction::Savepoint { savepoint_name, .. } => !savepoint_name.eq_ignore_ascii_case(SAVEPOINT),
        AuthAction::Pragma { pragma_name, .. } => {
            PRAGMAS.iter().any(|pragma| pragma.eq_ignore_ascii_case(pragma_name))
        }
        AuthAction::CreateTable { table_name } | AuthAction::CreateVtable { table_name, .. } => {
            !reserved(table_name)
        }
        AuthAction::CreateView { view_name } => !reserved(view_name),
        AuthAction::DropView { view_name } => !own(view_name),
        AuthAction::CreateIndex { index_name, table_name } => {
            !own(table_name) && !starts_with(index_name, RESERVED)
        }
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateTrigger { table_name, .. }
        | AuthAction::DropIndex { table_name, .. }
        | AuthAction::DropTable { table_name }
        | AuthAction::DropTrigger { table_name, .. } => !own(table_name),
        // They would end the transaction that others wait for.
        AuthAction::Transaction { .. }
        // Another file may be committed without this one.
        | AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        // It changes how the log's own statements are planned.
        | AuthAction::Analyze { .. }
        // What is temporary stays on the connection, and hides tables of the same name.
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::Unknown { .. } => false,
        _ => true,
    }
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// What a panic said.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
