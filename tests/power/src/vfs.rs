//! A file system for SQLite that records: the one for Unix, in whose tables four functions are replaced.
//!
//! It is the default of the process, so that the log needs no setting for it. What is opened outside of the folders that
//! are recorded is left alone. Each operation is recorded before it is made: SQLite syncs a folder within other
//! operations, and those come first. A sync takes a while, so that an answer that does not wait for it comes too early.

#![allow(unsafe_code, reason = "SQLite's interface for file systems has no safe one")]

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{ptr, slice, thread};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use crate::trace::{self, Op};

/// How long a sync takes.
const SYNC_TAKES: Duration = Duration::from_micros(300);

/// Opens the folder of a file, to sync it.
type OpenDirectory = unsafe extern "C" fn(*const c_char, *mut c_int) -> c_int;

struct Real {
    vfs: sqlite3_vfs,
    open_directory: OpenDirectory,
}

// SAFETY: SQLite's table for Unix never changes once it is there, and may be used by any thread.
unsafe impl Send for Real {}
// SAFETY: the same.
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

/// The files that are open and recorded, by the address of what SQLite knows them by.
static OPEN: Mutex<Option<HashMap<usize, Open>>> = Mutex::new(None);

#[derive(Clone)]
struct Open {
    folder: PathBuf,
    name: String,
    methods: &'static sqlite3_io_methods,
}

/// Makes it the default, once.
pub(crate) fn install() {
    REAL.get_or_init(|| {
        // SAFETY: `unix` is always there on Unix, its table stays, and `openDirectory` is one of its system calls, with
        // this type. The new table is leaked, as SQLite keeps it.
        unsafe {
            // Statistics of memory are under one lock, for which all threads would wait. Only before SQLite's first use.
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0);
            let unix = ffi::sqlite3_vfs_find(c"unix".as_ptr());
            assert!(!unix.is_null(), "SQLite has its file system for Unix");
            let vfs = *unix;
            let name = c"openDirectory".as_ptr();
            let call = vfs.xGetSystemCall.and_then(|get| get(unix, name));
            let Some(call) = call else { unreachable!("SQLite opens folders by a system call of its own") };
            let open_directory = transmute::<unsafe extern "C" fn(), OpenDirectory>(call);
            let replacement = transmute::<OpenDirectory, unsafe extern "C" fn()>(recorded_open_directory);
            let replaced = vfs.xSetSystemCall.map(|set| set(unix, name, Some(replacement)));
            assert_eq!(replaced, Some(ffi::SQLITE_OK), "the system call is replaced");
            let recording = sqlite3_vfs {
                pNext: ptr::null_mut(),
                zName: c"recording".as_ptr(),
                xOpen: Some(recorded_open),
                xDelete: Some(recorded_delete),
                ..vfs
            };
            let registered = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(recording)), 1);
            assert_eq!(registered, ffi::SQLITE_OK, "the file system is registered");
            Real { vfs, open_directory }
        }
    });
}

fn real() -> &'static Real {
    REAL.get().unwrap_or_else(|| unreachable!("nothing is called before it is installed"))
}

fn open_files() -> MutexGuard<'static, Option<HashMap<usize, Open>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_file(file: *mut sqlite3_file) -> Open {
    let open = open_files().as_ref().and_then(|files| files.get(&file.addr()).cloned());
    open.unwrap_or_else(|| unreachable!("only files that were opened have the recording functions"))
}

/// Folder and name of a file in a folder that is recorded.
///
/// # Safety
///
/// `path` is null, or a string of SQLite's.
unsafe fn recorded(path: *const c_char) -> Option<(PathBuf, String)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: as the caller says.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    let folder = path.parent().filter(|folder| trace::is_recorded(folder))?;
    Some((folder.to_owned(), path.file_name()?.to_string_lossy().into_owned()))
}

fn checked(folder: &Path, what: &str, code: c_int) -> c_int {
    if code != ffi::SQLITE_OK {
        trace::fail(folder, format!("{what} has failed with {code}"));
    }
    code
}

unsafe extern "C" fn recorded_open(
    vfs: *mut sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let Some(open) = real().vfs.xOpen else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: SQLite calls with a name of its own.
    let Some((folder, name)) = (unsafe { recorded(path) }) else {
        // SAFETY: all arguments are SQLite's.
        return unsafe { open(vfs, path, file, flags, flags_out) };
    };
    let creates = flags & ffi::SQLITE_OPEN_CREATE != 0;
    if creates {
        trace::record(&folder, Op::Create(name.clone()));
    }
    // SAFETY: all arguments are SQLite's; what has opened a file has set its functions, which stay.
    unsafe {
        let code = open(vfs, path, file, flags, flags_out);
        if creates {
            checked(&folder, "open", code);
        }
        if code == ffi::SQLITE_OK {
            let methods = &*(*file).pMethods;
            let replaced = sqlite3_io_methods {
                xWrite: Some(recorded_write),
                xTruncate: Some(recorded_truncate),
                xSync: Some(recorded_sync),
                ..*methods
            };
            // As long as the process: SQLite calls it until the file is closed, and there are not many.
            (*file).pMethods = Box::leak(Box::new(replaced));
            open_files().get_or_insert_default().insert(file.addr(), Open { folder, name, methods });
        }
        code
    }
}

unsafe extern "C" fn recorded_delete(
    vfs: *mut sqlite3_vfs,
    path: *const c_char,
    sync_folder: c_int,
) -> c_int {
    let Some(delete) = real().vfs.xDelete else { return ffi::SQLITE_IOERR_DELETE };
    // SAFETY: all arguments are SQLite's.
    unsafe {
        if let Some((folder, name)) = recorded(path) {
            trace::record(&folder, Op::Delete(name));
        }
        // A file that is not there is told by an error.
        delete(vfs, path, sync_folder)
    }
}

unsafe extern "C" fn recorded_open_directory(path: *const c_char, descriptor: *mut c_int) -> c_int {
    // SAFETY: all arguments are SQLite's.
    unsafe {
        if let Some((folder, _)) = recorded(path) {
            trace::record(&folder, Op::SyncFolder);
        }
        (real().open_directory)(path, descriptor)
    }
}

unsafe extern "C" fn recorded_write(
    file: *mut sqlite3_file,
    data: *const c_void,
    count: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let Open { folder, name, methods } = open_file(file);
    let (Ok(length), Ok(at), Some(write)) = (usize::try_from(count), usize::try_from(offset), methods.xWrite)
    else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite has `count` bytes there.
    let data_written = unsafe { slice::from_raw_parts(data.cast::<u8>(), length) }.to_vec();
    trace::record(&folder, Op::Write { file: name, offset: at, data: data_written });
    // SAFETY: all arguments are SQLite's.
    checked(&folder, "write", unsafe { write(file, data, count, offset) })
}

unsafe extern "C" fn recorded_truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let Open { folder, name, methods } = open_file(file);
    let (Ok(bytes), Some(truncate)) = (usize::try_from(size), methods.xTruncate) else {
        return ffi::SQLITE_IOERR_TRUNCATE;
    };
    trace::record(&folder, Op::Truncate { file: name, size: bytes });
    // SAFETY: all arguments are SQLite's.
    checked(&folder, "truncate", unsafe { truncate(file, size) })
}

unsafe extern "C" fn recorded_sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    let Open { folder, name, methods } = open_file(file);
    let Some(sync) = methods.xSync else { return ffi::SQLITE_IOERR_FSYNC };
    thread::sleep(SYNC_TAKES);
    trace::record(&folder, Op::Sync(name));
    // SAFETY: all arguments are SQLite's.
    checked(&folder, "sync", unsafe { sync(file, flags) })
}
