//! What every [`SagaLog`] must do, as cases that any log can be run through: yours, too.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # mod tests {
//! use saga_runtime::log::{SqliteLog as MyLog, conformance};
//!
//! # pub
//! async fn my_log_conforms() {
//!     let folder = tempfile::tempdir().unwrap();
//!     let open = |name: String| {
//!         let log = MyLog::open(folder.path().join(name)).unwrap();
//!         async { log }
//!     };
//!     // Every log: each case on an empty one of its own.
//!     let number = std::cell::Cell::new(0);
//!     conformance::check(|| open(format!("{}.db", number.replace(number.get() + 1)))).await;
//!     // A log that outlives its process: opened again by its name.
//!     conformance::check_reopened(|name| open(name.to_owned())).await;
//! }
//! # }
//! # #[cfg(feature = "sqlite")]
//! # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(tests::my_log_conforms());
//! ```
//!
//! | function | for | what it covers |
//! | --- | --- | --- |
//! | [`check`] | every log | records, begins, conflicts, repeated appends, the order in which sagas wake, locks, purging, many at once |
//! | [`check_reopened`] | a log that outlives its process | all of it is there again, and the fencing epoch has grown |
//! | [`check_begin_in`] | a log with [`SagaLog::begin_in`] | a saga that is begun in a transaction of the user's |
//! | [`check_local`] | a [`Transactional`] log | effects that are committed with their record |
//!
//! Signals, cancels and what operators do are records like all others: a log has no inbox beside them.
//!
//! Each case panics where the log does otherwise: it is meant for tests.

#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test kit speaks by panics; its head says so"
)]

mod effects;
mod exclusion;
mod kit;
mod many;
mod purge;
mod records;
mod reopened;
mod transaction;
mod wakes;

use self::effects::{
    a_call_for_other_transactions_is_not_made, a_call_that_panics_leaves_nothing,
    an_effect_stands_with_its_records_and_once, an_effect_that_is_not_kept_is_undone_alone,
    an_end_by_a_call_lets_go_of_locks, calls_and_appends_of_many_share_the_log,
    no_call_is_made_in_a_wrong_place, what_cannot_be_recorded_leaves_nothing,
};
use self::reopened::{all_is_there_when_it_is_opened_again, each_writer_has_a_greater_epoch};
use self::transaction::{a_begin_in_a_transaction_keeps_the_rules, a_saga_is_begun_by_the_commit};
use super::{Append, AppendError, SagaLog, Transactional};

pub use self::exclusion::{
    a_lock_excludes_other_roots, an_append_that_is_refused_takes_no_lock, an_end_lets_go_of_all_locks,
    locks_are_listed_in_pages, locks_are_taken_all_or_none, sagas_of_one_root_share_their_locks,
    the_appends_of_a_batch_take_locks_in_their_order, what_stands_already_takes_no_lock,
};
pub use self::kit::{all_unfinished, all_until, append, begun, history, id, local, locks, next, record};
pub use self::many::{
    concurrent_appends_all_stand, of_concurrent_begins_one_wins, of_concurrent_locks_one_wins,
};
pub use self::purge::{
    a_purge_leaves_no_place_behind, a_purged_saga_answers_with_what_is_kept, all_ended,
    an_id_that_has_expired_is_never_begun_again, ended, ended_sagas_come_in_pages,
    ids_are_listed_by_their_beginning, only_what_has_ended_is_purged,
    outcomes_expire_in_the_order_of_the_ends, purge, purge_one,
};
pub use self::records::{
    a_batch_may_append_to_one_saga_several_times, a_gap_is_a_conflict, a_sound_log_names_no_damage,
    an_empty_batch_is_answered, an_invalid_append_is_refused, an_unknown_saga_has_no_history,
    another_begin_is_told_what_exists, any_text_is_read_back, nothing_follows_an_end,
    one_refused_append_does_not_hinder_the_others, other_records_at_the_same_place_are_a_conflict,
    the_missing_part_of_an_append_is_added, the_same_append_again_changes_nothing,
    what_is_appended_is_read_back,
};
pub use self::transaction::a_transaction_of_another_kind_begins_nothing;
pub use self::wakes::{
    a_saga_wakes_when_its_last_append_says, sagas_come_in_the_order_in_which_they_wake,
    unfinished_sagas_come_in_pages, what_moves_between_two_pages_shifts_none,
};

/// Runs every case, each on a fresh and empty log that `open` gives.
pub async fn check<L, F, Fut>(open: F)
where
    L: SagaLog,
    F: Fn() -> Fut,
    Fut: Future<Output = L>,
{
    an_unknown_saga_has_no_history(&open().await).await;
    what_is_appended_is_read_back(&open().await).await;
    any_text_is_read_back(&open().await).await;
    an_empty_batch_is_answered(&open().await).await;
    the_same_append_again_changes_nothing(&open().await).await;
    the_missing_part_of_an_append_is_added(&open().await).await;
    another_begin_is_told_what_exists(&open().await).await;
    a_gap_is_a_conflict(&open().await).await;
    other_records_at_the_same_place_are_a_conflict(&open().await).await;
    nothing_follows_an_end(&open().await).await;
    an_invalid_append_is_refused(&open().await).await;
    one_refused_append_does_not_hinder_the_others(&open().await).await;
    a_batch_may_append_to_one_saga_several_times(&open().await).await;
    unfinished_sagas_come_in_pages(&open().await).await;
    sagas_come_in_the_order_in_which_they_wake(&open().await).await;
    a_saga_wakes_when_its_last_append_says(&open().await).await;
    what_moves_between_two_pages_shifts_none(&open().await).await;
    a_lock_excludes_other_roots(&open().await).await;
    locks_are_taken_all_or_none(&open().await).await;
    sagas_of_one_root_share_their_locks(&open().await).await;
    an_end_lets_go_of_all_locks(&open().await).await;
    the_appends_of_a_batch_take_locks_in_their_order(&open().await).await;
    what_stands_already_takes_no_lock(&open().await).await;
    an_append_that_is_refused_takes_no_lock(&open().await).await;
    locks_are_listed_in_pages(&open().await).await;
    a_purged_saga_answers_with_what_is_kept(&open().await).await;
    an_id_that_has_expired_is_never_begun_again(&open().await).await;
    only_what_has_ended_is_purged(&open().await).await;
    a_purge_leaves_no_place_behind(&open().await).await;
    ended_sagas_come_in_pages(&open().await).await;
    outcomes_expire_in_the_order_of_the_ends(&open().await).await;
    ids_are_listed_by_their_beginning(&open().await).await;
    concurrent_appends_all_stand(open().await).await;
    of_concurrent_locks_one_wins(open().await).await;
    of_concurrent_begins_one_wins(open().await).await;
    a_transaction_of_another_kind_begins_nothing(&open().await).await;
    a_sound_log_names_no_damage(&open().await).await;
}

/// Runs the cases of a log that outlives its process. `open` opens the log of this name, and makes it if there is none;
/// who had it open before has dropped it.
pub async fn check_reopened<L, F, Fut>(open: F)
where
    L: SagaLog,
    F: Fn(&'static str) -> Fut,
    Fut: Future<Output = L>,
{
    each_writer_has_a_greater_epoch(&open).await;
    all_is_there_when_it_is_opened_again(&open).await;
}

/// Runs every case of sagas that are begun in a transaction of the user's, each on a fresh and empty log that `open`
/// gives. `within` begins a transaction on this log, calls [`SagaLog::begin_in`] with each of the appends, commits it if
/// it is told to and rolls it back otherwise, and gives the answers.
pub async fn check_begin_in<L, F, Fut, W>(open: F, within: W)
where
    L: SagaLog,
    F: Fn() -> Fut,
    Fut: Future<Output = L>,
    W: AsyncFn(&L, Vec<Append>, bool) -> Vec<Result<(), AppendError>>,
{
    a_saga_is_begun_by_the_commit(&open().await, &within).await;
    a_begin_in_a_transaction_keeps_the_rules(&open().await, &within).await;
}

/// Runs every case of local calls, each on a fresh and empty log that `open` gives. `write` has an effect of this name in
/// a transaction, and `read` reads the names of all effects that are committed, in their order.
pub async fn check_local<L, F, Fut, W, R>(open: F, write: W, read: R)
where
    L: Transactional,
    F: Fn() -> Fut,
    Fut: Future<Output = L>,
    W: Fn(&L::Tx, &str) + Clone + Send + 'static,
    R: AsyncFn(&L) -> Vec<String>,
{
    an_effect_stands_with_its_records_and_once(&open().await, write.clone(), &read).await;
    an_effect_that_is_not_kept_is_undone_alone(&open().await, write.clone(), &read).await;
    a_call_that_panics_leaves_nothing(&open().await, write.clone(), &read).await;
    what_cannot_be_recorded_leaves_nothing(&open().await, write.clone(), &read).await;
    no_call_is_made_in_a_wrong_place(&open().await).await;
    an_end_by_a_call_lets_go_of_locks(&open().await, write.clone(), &read).await;
    a_call_for_other_transactions_is_not_made(&open().await).await;
    calls_and_appends_of_many_share_the_log(open().await, write, read).await;
}
