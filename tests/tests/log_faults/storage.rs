//! A full disk, a disk that reports errors, a file and a file system that cannot be written.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use saga_tests::process::example;
use saga_tests::worker::audit;
use saga_tests::worker::plan::{Direction, Fault, Plan, SagaPlan, Step};
use saga_tests::worker::site::{PATIENCE, Site, body};

use super::given;

/// How long the calls take that are in flight when the storage fails.
const IN_FLIGHT: Duration = Duration::from_millis(700);

/// How long the storage fails after these calls have come to their end.
const FAULTY: Duration = Duration::from_millis(1500);

/// As many sagas, each with a slow call of its own. Every second one is refused at its last step, and compensates.
fn plan(sagas: u32, keyed: bool) -> Plan {
    let slow = Fault::Slow(u64::try_from(IN_FLIGHT.as_millis()).unwrap());
    let saga = |number: u32| {
        let mut faults = BTreeMap::from([((Step::Hotel, Direction::Do, 1), slow)]);
        if number % 2 == 1 {
            faults.insert((Step::Car, Direction::Do, 1), Fault::Refuse);
        }
        SagaPlan { id: format!("trip-{number}"), faults, ..SagaPlan::default() }
    };
    Plan {
        sagas: (0..sagas)
            .map(saga)
            .chain([SagaPlan { id: "new".to_owned(), ..SagaPlan::default() }])
            .collect(),
        ..Plan::of(keyed, &[])
    }
}

/// Begins all but the new one, and waits until the slow calls are made.
fn begin(site: &mut Site, plan: &Plan) {
    let sagas: Vec<&str> = plan.sagas.iter().map(|saga| saga.id.as_str()).filter(|id| *id != "new").collect();
    for id in &sagas {
        site.begin(id);
    }
    let deadline = Instant::now() + PATIENCE;
    while site.book().calls.iter().filter(|call| call.step == Step::Hotel).count() < sagas.len() {
        assert!(Instant::now() < deadline, "the calls are not made: {}", site.said());
        sleep(Duration::from_millis(1));
    }
}

/// While the storage fails a new saga is refused with this cause, and nothing goes on: what is answered now cannot be
/// recorded, and so nothing follows from it.
fn nothing_goes_on(site: &mut Site, cause: &str) {
    let (status, answer) = site.ask("POST", "/sagas", &body("new", "Ada"));
    let error = answer["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!(status, 503, "{answer}");
    assert!(error.contains(cause) && error.contains("trips.db") && error.contains("same id"), "{error}");
    sleep(IN_FLIGHT + FAULTY);
    let went_on: Vec<_> =
        site.book().calls.into_iter().filter(|call| call.step == Step::Car || call.saga == "new").collect();
    assert!(went_on.is_empty(), "{went_on:?}");
    // Whoever asks how it stands is answered: reading goes on, or the log says that it does not.
    for (path, known) in [("/sagas/trip-0", 200), ("/healthz", 200)] {
        let (status, view) = site.ask("GET", path, "");
        assert!(status == known || status == 503, "{path}: {status} {view}");
    }
}

/// All of them end, the new one as well, and the ledger holds what their ends say.
fn all_or_nothing(mut site: Site, plan: &Plan, lives: u32) {
    assert_eq!(site.life().lives(), lives, "{}", site.said());
    site.begin_by_retry("new");
    for saga in &plan.sagas {
        site.until_ended(&saga.id);
    }
    assert_eq!(site.life().lives(), lives, "it ended by itself: {}", site.said());
    let (tally, violations) = audit::conclude(&mut site, plan, &BTreeMap::new());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert_eq!(tally.sagas as usize, plan.sagas.len());
    println!("{tally:?}");
}

/// Fills the disk to the last byte.
fn fill(ballast: &Path) {
    let mut file = File::create(ballast).unwrap();
    for size in [1 << 16, 1 << 12, 1 << 6, 1] {
        loop {
            match file.write_all(&vec![7; size]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_full_disk_stops_progress_and_with_the_room_all_goes_on() {
    let disk = given("SAGA_TEST_DISK");
    let ballast = disk.join("ballast");
    for restarts in [false, true] {
        let store = disk.join(if restarts { "restarts" } else { "goes-on" });
        fs::create_dir(&store).unwrap();
        let plan = plan(6, restarts);
        let mut site = Site::start_as(&plan, Some(&store), &[]);
        begin(&mut site, &plan);
        fill(&ballast);
        nothing_goes_on(&mut site, "the disk is full; free some space");
        if restarts {
            site.life().kill();
        }
        fs::remove_file(&ballast).unwrap();
        if restarts {
            site.see_to_it_that_it_lives();
        }
        all_or_nothing(site, &plan, if restarts { 2 } else { 1 });
        fs::remove_dir_all(&store).unwrap();
    }
}

/// Tells the libfiu in the worker what of its C library fails from now on.
fn tell(site: &Site, control: &Path, orders: impl IntoIterator<Item = String>) {
    let mut command = Command::new("fiu-ctrl");
    command.arg("-f").arg(control);
    for order in orders {
        command.arg("-c").arg(order);
    }
    let told = command.arg(site.life().id().unwrap().to_string()).status().unwrap();
    assert!(told.success(), "libfiu does not listen");
}

/// These functions fail with EIO.
fn fails(points: &[&str]) -> Vec<String> {
    points.iter().map(|point| format!("enable name={point},failinfo=5")).collect()
}

/// They do not any more.
fn is_sound(points: &[&str]) -> Vec<String> {
    points.iter().map(|point| format!("disable name={point}")).collect()
}

#[test]
fn a_disk_that_reports_errors_stops_progress_and_when_it_is_over_all_goes_on() {
    let sync: &[&str] = &["posix/io/sync/fsync", "posix/io/sync/fdatasync"];
    let write: &[&str] = &["posix/io/rw/pwrite"];
    std::thread::scope(|scope| {
        for (points, restarts) in [(sync, false), (sync, true), (write, false), (write, true)] {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let control = folder.path().join("fiu");
                let plan = plan(6, restarts);
                let starter = ["fiu-run", "-x", "-f", control.to_str().unwrap()];
                let mut site = Site::start_as(&plan, None, &starter);
                begin(&mut site, &plan);
                tell(&site, &control, fails(points));
                nothing_goes_on(&mut site, "");
                let said = site.said();
                assert!(said.is_empty() || !said.contains("panicked"), "{said}");
                if restarts {
                    // What an append wrote before its sync failed may be there or not.
                    site.life().kill();
                    site.see_to_it_that_it_lives();
                } else {
                    tell(&site, &control, is_sound(points));
                }
                all_or_nothing(site, &plan, if restarts { 2 } else { 1 });
            });
        }
    });
}

/// Now and then one of them fails: each failed commit is an unknown one.
#[test]
fn syncs_and_writes_that_fail_now_and_then_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("fiu");
    let plan = plan(30, false);
    let starter = ["fiu-run", "-x", "-f", control.to_str().unwrap()];
    let mut site = Site::start_as(&plan, None, &starter);
    let now_and_then = [("posix/io/sync/fdatasync", 0.2), ("posix/io/rw/pwrite", 0.05)];
    let order = |(point, probability): (&str, f64)| {
        format!("enable_random name={point},probability={probability},failinfo=5")
    };
    tell(&site, &control, now_and_then.map(order));
    for saga in &plan.sagas {
        site.begin_by_retry(&saga.id);
    }
    let deadline = Instant::now() + Duration::from_secs(8);
    while Instant::now() < deadline && site.book().calls.len() < 5 * plan.sagas.len() {
        sleep(Duration::from_millis(5));
    }
    tell(&site, &control, is_sound(&now_and_then.map(|(point, _)| point)));
    all_or_nothing(site, &plan, 1);
}

/// What the worker says that this has started: it must not have come up.
fn refused(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    assert!(said.starts_with("error: ") && said.contains("trips.db") && !said.contains("panicked"), "{said}");
    said
}

/// A worker of a user who may do nothing, on the file of `site`.
fn as_nobody(site: &Site, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command.args(site.command().get_args());
    command
}

#[test]
fn a_file_that_may_not_be_written_is_refused_with_the_mend_and_its_sagas_go_on_when_it_may() {
    let plan = plan(2, false);
    let folder = tempfile::tempdir().unwrap();
    let mut site = Site::start_as(&plan, Some(folder.path()), &[]);
    begin(&mut site, &plan);
    site.life().kill();
    // Anybody may read all of it, and run the program.
    let readable = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let programs = tempfile::tempdir_in("/tmp").unwrap();
    let program = programs.path().join("travel_worker");
    fs::copy(example("travel_worker"), &program).unwrap();
    for (path, mode) in [(programs.path(), 0o755), (&program, 0o755), (folder.path(), 0o755)] {
        readable(path, mode);
    }
    for entry in fs::read_dir(folder.path()).unwrap() {
        readable(&entry.unwrap().path(), 0o444);
    }
    let said = refused(&as_nobody(&site, &program).output().unwrap());
    assert!(said.contains("may not read and write") && said.contains("allow it"), "{said}");
    for entry in fs::read_dir(folder.path()).unwrap() {
        readable(&entry.unwrap().path(), 0o644);
    }
    site.see_to_it_that_it_lives();
    all_or_nothing(site, &plan, 2);
}

#[test]
fn a_file_system_that_is_read_only_is_refused_with_the_mend_and_its_sagas_go_on_when_it_is_not() {
    let plan = plan(2, true);
    let folder = tempfile::tempdir().unwrap();
    let mut site = Site::start_as(&plan, Some(folder.path()), &[]);
    begin(&mut site, &plan);
    site.life().kill();
    let mount = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).arg(folder.path()).status().unwrap();
        assert!(done.success(), "{program} {arguments:?}");
    };
    mount("mount", &["--bind", folder.path().to_str().unwrap()]);
    mount("mount", &["-o", "remount,bind,ro"]);
    let output = site.command().output().unwrap();
    mount("umount", &[]);
    let said = refused(&output);
    assert!(said.contains("may not read and write") && said.contains("allow it"), "{said}");
    site.see_to_it_that_it_lives();
    all_or_nothing(site, &plan, 2);
}

#[test]
fn a_second_worker_is_refused_and_takes_over_when_the_first_one_is_gone() {
    let plan = plan(4, false);
    let mut site = Site::start(&plan);
    begin(&mut site, &plan);
    let calls = site.book().calls.len();
    let said = refused(&site.command().output().unwrap());
    assert!(said.contains("another process") && said.contains("a log has one writer"), "{said}");
    assert_eq!(site.book().calls.len(), calls, "it called nobody");
    site.life().kill();
    site.see_to_it_that_it_lives();
    all_or_nothing(site, &plan, 2);
}
