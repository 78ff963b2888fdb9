//! The lock that keeps a second writer away.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::error::{OpenError, OpenErrorReason};

/// Holds `<path>.lock` locked, until it is dropped or the process ends.
///
/// The file stays behind: if it were deleted, a process that had just opened it would lock a file that nobody else
/// can see. SQLite's own locks are left to SQLite, so that others may read meanwhile.
#[derive(Debug)]
pub(super) struct LockFile {
    _file: File,
}

impl LockFile {
    pub(super) fn acquire(path: &Path) -> Result<Self, OpenError> {
        let lock = lock_path(path);
        let fail = |reason| OpenError { path: path.to_owned(), reason };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&lock)
            .map_err(|error| OpenError::from_io(path, &lock, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&mut file);
                return Err(fail(OpenErrorReason::InUse { lock, holder }));
            }
            Err(TryLockError::Error(error)) => {
                return Err(fail(OpenErrorReason::NoLock { lock, cause: error.to_string() }));
            }
        }
        // The number only makes the error of a second opener clearer, so that nothing hangs on whether it is written.
        let _ = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        Ok(Self { _file: file })
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}

/// The process that holds the lock, as far as it has told.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.parse().ok()
}
