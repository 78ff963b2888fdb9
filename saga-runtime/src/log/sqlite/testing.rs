//! Faults that tests inject into the writer, and what they can see of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use rusqlite::{Connection, Error, ffi};

/// Shared between a test and the log that it opens.
#[derive(Debug, Clone, Default)]
pub(in crate::log) struct Faults(Arc<State>);

#[derive(Debug, Default)]
struct State {
    before_commit: AtomicU32,
    after_commit: AtomicU32,
    open: AtomicU32,
    /// 0 is no limit.
    pages_max: AtomicI64,
    commits: AtomicU64,
}

impl Faults {
    /// The next `times` COMMITs fail and commit nothing.
    pub(super) fn fail_before_commit(&self, times: u32) {
        self.0.before_commit.store(times, Ordering::SeqCst);
    }

    /// The next `times` COMMITs are reported as failed though they are there.
    pub(super) fn fail_after_commit(&self, times: u32) {
        self.0.after_commit.store(times, Ordering::SeqCst);
    }

    /// The next `times` that the file is opened again fail.
    pub(super) fn fail_open(&self, times: u32) {
        self.0.open.store(times, Ordering::SeqCst);
    }

    /// The disk has no more than this many pages for the database.
    pub(super) fn set_pages_max(&self, pages: i64) {
        self.0.pages_max.store(pages, Ordering::SeqCst);
    }

    /// How many commits have succeeded.
    pub(super) fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::SeqCst)
    }

    pub(super) fn before_commit(&self) -> rusqlite::Result<()> {
        fail(&self.0.before_commit, ffi::SQLITE_IOERR_FSYNC)
    }

    pub(super) fn after_commit(&self) -> rusqlite::Result<()> {
        fail(&self.0.after_commit, ffi::SQLITE_IOERR_FSYNC)?;
        self.0.commits.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    pub(super) fn before_open(&self) -> rusqlite::Result<()> {
        fail(&self.0.open, ffi::SQLITE_CANTOPEN)
    }

    pub(super) fn limit_pages(&self, connection: &Connection) {
        let pages = self.0.pages_max.load(Ordering::SeqCst);
        if pages > 0 {
            connection
                .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
                .expect("a limit can be set");
        }
    }
}

fn fail(times: &AtomicU32, code: i32) -> rusqlite::Result<()> {
    let left = times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if left.is_ok() {
        Err(Error::SqliteFailure(ffi::Error::new(code), Some("injected".into())))
    } else {
        Ok(())
    }
}
