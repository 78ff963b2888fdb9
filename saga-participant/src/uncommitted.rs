//! A decided call whose transaction is still open.

/// A call that is decided, in a transaction that is not committed yet. `commit` gives the answer: before that it cannot
/// be had, so that nobody is told what a crash could undo. Dropped, the transaction is rolled back, as if the call had
/// never come.
#[must_use = "nothing has happened before `commit`"]
#[derive(Debug)]
pub struct Uncommitted<Tx, A> {
    pub(crate) tx: Tx,
    pub(crate) answer: A,
}
