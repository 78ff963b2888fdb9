//! Power loss, at any moment, for the log on SQLite as it is: nothing of it is replaced.
//!
//! **How.** SQLite's file system for Unix is made to [record](trace) every write, truncation, sync, creation and
//! deletion in a folder while the real `SqliteLog` works there, together with the moments at which the log's user asked
//! for something and was answered. From that [trace] come *images*: for every prefix of the operations what a [disk] may
//! hold when the power goes just then, which is what was synced, and of the rest nothing, everything, all names without
//! content, all content without names, and random subsets of names and 512-byte sectors. Each image is [opened](audit) by
//! the real log, which must find all that was answered and nothing that was never asked for, and go on.
//!
//! **What is assumed of a disk.** What `fsync` of a file has confirmed stays, and so do the names once the folder was
//! synced; a sector is old or new, and a write harms no sector beside it. Nothing is assumed of order, nor that syncing a
//! file keeps its name.
//!
//! **That it finds something** is shown by disks that obey no sync, or none of a folder, and by the log's own mode that gives
//! up durability: each loses what was answered. What the order of the log's settings is for (`EXTRA` before `WAL`) shows
//! only where a new write-ahead log does not sync its folder, as SQLite has it done on Unix.
//!
//! `POWER_SEEDS=1000 cargo test -p saga-power-loss --features images -- --nocapture` tries so many random subsets after each
//! operation of the first test, and more in the others.

pub mod audit;
pub mod disk;
pub mod ledger;
pub mod older;
pub mod survey;
pub mod trace;
mod vfs;
pub mod workload;
