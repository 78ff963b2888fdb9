//! Whenever the power goes, the log opens, holds all that it has answered and nothing else, and goes on. See the crate's
//! own page for what is assumed, and how to try more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::fs;
use std::time::Instant;

use rusqlite::Connection;
use saga_power_loss::audit;
use saga_power_loss::disk::{Disk, Files, Kept, Obeys};
use saga_power_loss::ledger::{Bounds, Ledger};
use saga_power_loss::older;
use saga_power_loss::survey::{Found, after, after_on, survey};
use saga_power_loss::trace::{Mark, Op, Recording};
use saga_power_loss::workload::{FILE, Scene, Trace, a_day, an_hour, many_appends, record, record_fresh};
use saga_runtime::log::sqlite::Durability::{Full, Normal};

/// How many random images after each operation, unless `POWER_SEEDS` says so.
const SEEDS: u64 = 112;

/// After how many of the operations of a day the log is opened, and power is lost again.
const SECOND_LOSSES: usize = 16;

/// How many operations before a checkpoint images are made of.
const BEFORE: usize = 40;

fn seeds() -> u64 {
    std::env::var("POWER_SEEDS").map_or(SEEDS, |text| text.parse().unwrap())
}

fn a_day_on(durability: saga_runtime::log::sqlite::Durability) -> Trace {
    record_fresh(durability, |scene| a_day(scene, durability))
}

/// Checks all images of `trace`, and answers how many there were.
fn nothing_is_lost(what: &str, trace: &Trace, from: usize, seeds: u64) -> usize {
    nothing_is_lost_on(Obeys::All, what, trace, from, seeds)
}

fn nothing_is_lost_on(obeys: Obeys, what: &str, trace: &Trace, from: usize, seeds: u64) -> usize {
    let start = Instant::now();
    let Found { images, broken } = survey(trace, from, obeys, seeds);
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {images} images of {} operations in {seconds:.1} s", trace.ops.len() - from);
    let shown = broken.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(broken.is_empty(), "{what}: {} of {images} are broken:\n{shown}", broken.len());
    images
}

/// Together more than 30,000, unless fewer are asked for.
fn are_enough(images: usize, wanted: usize) {
    assert!(images >= wanted || seeds() < SEEDS, "{images} images are fewer than {wanted}");
}

/// How many images of `trace` are broken.
fn broken(what: &str, trace: &Trace, obeys: Obeys) -> usize {
    let Found { images, broken } = survey(trace, 0, obeys, 4);
    println!("{what}: {} of {images} images are broken, as {}", broken.len(), broken.first().unwrap());
    broken.len()
}

#[test]
fn whatever_the_disk_has_kept_what_was_answered_is_there_and_nothing_else() {
    let images = nothing_is_lost("a day", &a_day_on(Full), 0, seeds());
    are_enough(images, 14_000);
}

#[test]
fn a_file_of_an_older_version_survives_its_migration() {
    let now = record_fresh(Full, |scene| an_hour(scene, "old"));
    let (disk, bounds) = after(&now, now.ops.len());
    let files = disk.after_loss(Kept::Nothing);
    let versions = older::version(&files);
    assert_eq!(
        versions as usize,
        older::BACK.len() + 1,
        "a new version of the schema: say what takes it back"
    );
    let mut images = 0;
    for version in 1..versions {
        for closed in [true, false] {
            let old = older::as_written_by(version, &files, closed);
            assert_eq!((older::version(&old), old.len()), (version, if closed { 1 } else { 2 }));
            // Before version 4 no epochs were counted.
            let mut bounds = bounds.clone();
            if version < 4 {
                bounds.epoch = 0;
            }
            let before = (Disk::holding(&old), bounds, now.ledger.clone());
            let trace = record(before, &old, |scene| an_hour(scene, "new"), Full);
            let what = format!("version {version}, {}", if closed { "closed" } else { "left open" });
            images += nothing_is_lost(&what, &trace, 0, seeds() / 4);
        }
    }
    are_enough(images, 6_000);
}

#[test]
fn what_is_in_the_write_ahead_log_survives_its_way_into_the_database() {
    let trace = record_fresh(Full, |scene| many_appends(scene, 220));
    let (database, wal) = (FILE, format!("{FILE}-wal"));
    let place = |from: usize, file: &str, at: Option<usize>| {
        let is = |op: &Op| matches!(op, Op::Write { file: to, offset, .. } if to == file && at.is_none_or(|at| at == *offset));
        from + trace.ops[from..].iter().position(is).unwrap()
    };
    let appends = place(place(0, &wal, Some(0)) + 1, &wal, None) + 500;
    let copied = place(appends, database, None);
    let begun_anew = place(copied, &wal, Some(0));
    println!("copied at {copied}, begun anew at {begun_anew}, of {}", trace.ops.len());
    are_enough(nothing_is_lost("a checkpoint", &trace, copied - BEFORE, seeds() / 24), 1_500);
}

#[test]
fn what_was_seen_after_a_loss_is_there_after_the_next_one() {
    let trace = a_day_on(Full);
    let mut images = 0;
    for count in (0..trace.ops.len()).step_by(trace.ops.len() / SECOND_LOSSES) {
        let (disk, bounds) = after(&trace, count);
        let files = disk.after_loss(Kept::Torn { seed: count as u64, percent: 70 });
        let before = (Disk::holding(&files), bounds.clone(), trace.ledger.clone());
        let work = async |scene: Scene| an_hour(scene.see(&bounds).await, "new").await;
        let second = record(before, &files, work, Full);
        images += nothing_is_lost(&format!("again, after {count}"), &second, 0, seeds() / 12);
    }
    are_enough(images, 5_000);
}

/// What a process that died has written and not synced is seen by the next one, though no disk has it yet.
#[test]
fn what_was_seen_after_a_process_has_died_is_there_after_a_loss() {
    let trace = a_day_on(Full);
    let mut images = 0;
    for count in (0..trace.ops.len()).step_by(trace.ops.len() / SECOND_LOSSES) {
        let (disk, bounds) = after(&trace, count);
        let files = disk.after_loss(Kept::Everything);
        let before = (disk, bounds.clone(), trace.ledger.clone());
        let work = async |scene: Scene| an_hour(scene.see(&bounds).await, "new").await;
        let second = record(before, &files, work, Full);
        images += nothing_is_lost(&format!("killed after {count}"), &second, 0, seeds() / 12);
    }
    are_enough(images, 5_000);
}

#[test]
fn a_disk_that_obeys_no_sync_loses_what_was_answered() {
    assert!(broken("no sync", &a_day_on(Full), Obeys::Nothing) > 100);
}

#[test]
fn a_folder_that_is_not_synced_loses_what_was_answered() {
    assert!(broken("no sync of the folder", &a_day_on(Full), Obeys::NoFolder) > 100);
}

/// Where a file system does no more for a new write-ahead log than it has to, `EXTRA` has to come before it.
#[test]
fn the_order_of_the_settings_decides_whether_a_fresh_file_survives() {
    const WAL: &str = "PRAGMA journal_mode = WAL";
    let lost = |settings: [&str; 2]| {
        let folder = audit::folder();
        let recording = Recording::start(folder.path()).unwrap();
        let connection = Connection::open(folder.path().join(FILE)).unwrap();
        connection.execute_batch(&settings.join(";")).unwrap();
        connection.execute_batch("PRAGMA synchronous = FULL; CREATE TABLE answered (n)").unwrap();
        recording.mark(Mark::Opened(1));
        drop(connection);
        let ops = recording.finish().unwrap();
        let answered = ops.iter().position(|op| matches!(op, Op::Mark(_))).unwrap();
        let trace =
            Trace { before: Disk::default(), bounds: Bounds::default(), ops, ledger: Ledger::default() };
        let images = (0..seeds()).map(|seed| {
            let (disk, _) = after_on(&trace, answered, Obeys::Deletions);
            disk.after_loss(Kept::Torn { seed, percent: 50 })
        });
        images.filter(|files| !is_there(files)).count()
    };
    let (extra_first, wal_first) = (lost(["PRAGMA synchronous = EXTRA", WAL]), lost([WAL, "SELECT 1"]));
    let images = nothing_is_lost_on(Obeys::Deletions, "the log there", &a_day_on(Full), 0, seeds() / 4);
    are_enough(images, 3_000);
    println!("EXTRA first: {extra_first}, WAL first: {wal_first} of {} images have lost it", seeds());
    assert!(extra_first == 0 && wal_first > 0);
}

/// Whether a table is there that was answered to be.
fn is_there(files: &Files) -> bool {
    let folder = audit::folder();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let connection = Connection::open(folder.path().join(FILE)).unwrap();
    connection.prepare("SELECT n FROM answered").is_ok()
}

#[test]
fn the_mode_that_gives_up_durability_loses_what_was_answered_and_gives_no_epoch_twice() {
    let Found { images, broken } = survey(&a_day_on(Normal), 0, Obeys::All, 4);
    let (epochs, lost): (Vec<_>, Vec<_>) = broken.into_iter().partition(|cause| cause.contains("epoch"));
    println!("NORMAL: {} of {images} images are broken, as {}", lost.len(), lost.first().unwrap());
    assert!(lost.len() > 10);
    assert!(epochs.is_empty(), "{} of {images}, as {}", epochs.len(), epochs.first().unwrap());
}
