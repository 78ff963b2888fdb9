//! Damage to the log's file, each kind on a copy of its own: what is damaged is found, is quarantined alone with its
//! cause, and nothing is done for it; all others come to their ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod mutations;
mod scene;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use self::mutations::Mutation;
use self::scene::{DONE, NAP, OTHER, ROUND, Scene, Verdict};

/// How many mutations are tried at once.
const AT_ONCE: usize = 4;

/// Tries all of them, and answers how many there were.
fn all_found(scene: &Scene, mutations: &[Mutation]) -> usize {
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for place in 0..AT_ONCE {
            let (next, broken) = (&next, &broken);
            scope.spawn(move || {
                while let Some(mutation) = mutations.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(cause) = is_found(scene, place, mutation) {
                        broken.lock().unwrap().push(format!("{}\n    {cause}", mutation.sql));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    let count = mutations.len();
    println!("{count} mutations in {:.1} s", start.elapsed().as_secs_f64());
    let shown = broken.iter().take(30).cloned().collect::<Vec<_>>().join("\n");
    assert!(broken.is_empty(), "{} of {count} are not found:\n{shown}", broken.len());
    count
}

/// Only the sagas that the mutation is about are quarantined, with a clear cause, and stay as they are.
fn is_found(scene: &Scene, place: usize, mutation: &Mutation) -> Result<(), String> {
    let verdict = scene.run(place, |path| mutations::execute(path, &mutation.sql))?;
    let Verdict { quarantined, answers, calls } = &verdict;
    let victims: BTreeSet<&str> = mutation.victims.iter().copied().collect();
    let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}: {verdict:#?}")) };
    for (saga, cause) in quarantined {
        must(
            ![ROUND, OTHER, DONE, NAP].contains(&saga.as_str()) || victims.contains(saga.as_str()),
            "another one",
        )?;
        let says_where = ["row ", "table ", "index "].iter().any(|word| cause.contains(word));
        must(says_where, "the cause does not say where")?;
        must(
            cause.contains("restore") || cause.contains("reindex"),
            "the cause does not say how it is mended",
        )?;
    }
    must(quarantined.len() >= victims.len(), "what is damaged is not quarantined")?;
    for saga in [ROUND, OTHER, DONE, NAP] {
        let answer = &answers[saga];
        if victims.contains(saga) {
            must(
                answer.as_ref().is_err_and(|error| error.contains("damaged")),
                "the damaged one was begun, or is unknown",
            )?;
            must(!calls.contains_key(saga), "a call was made for the damaged one")?;
        } else {
            let expected = Scene::expected(saga);
            must(
                answer.as_ref().is_ok_and(|answer| *answer == expected),
                "another one did not come to its end",
            )?;
        }
    }
    must(answers["new"].as_ref().is_ok_and(|answer| answer == "Completed(3)"), "a new one cannot be begun")
}

#[test]
fn every_changed_cell_of_a_saga_that_runs_is_found() {
    let scene = Scene::new();
    let mut mutations = Vec::new();
    for row in scene.rows(ROUND) {
        mutations.extend(mutations::of_texts(&row));
        mutations.extend(mutations::of_integers(&row));
        mutations.extend(mutations::of_types(&row));
    }
    let count = all_found(&scene, &mutations);
    assert!(count > 1500, "{count}");
}

#[test]
fn every_changed_cell_of_a_saga_that_has_ended_or_waits_is_found() {
    let scene = Scene::new();
    let mut mutations = Vec::new();
    for row in [DONE, NAP].into_iter().flat_map(|saga| scene.rows(saga)) {
        mutations.extend(mutations::of_texts(&row).into_iter().step_by(3));
        mutations.extend(mutations::of_integers(&row));
        mutations.extend(mutations::of_types(&row));
    }
    let count = all_found(&scene, &mutations);
    assert!(count > 300, "{count}");
}

#[test]
fn rows_that_are_missing_doubled_reordered_or_anothers_are_found() {
    let scene = Scene::new();
    let mut mutations = Vec::new();
    for saga in [ROUND, DONE, NAP] {
        mutations.extend(mutations::of_rows(&scene, saga));
    }
    let count = all_found(&scene, &mutations);
    assert!(count > 100, "{count}");
}

#[test]
fn a_lost_lock_is_taken_again_by_who_holds_it() {
    let scene = Scene::new();
    for sql in [
        "",
        "DELETE FROM lock",
        "DELETE FROM lock WHERE key = 'room'",
        "UPDATE lock SET key = 'roon' WHERE saga = 2",
    ] {
        scene.contend(sql).unwrap_or_else(|cause| panic!("{sql}: {cause}"));
    }
}

/// The file's bytes are not the log's rows: SQLite may find nothing wrong with what it does not look at. So it is asked
/// only that nothing wrong is done.
#[test]
fn whatever_byte_of_the_file_is_changed_nothing_wrong_is_done() {
    let scene = Scene::new();
    let (next, refused, quarantined) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let broken = Mutex::new(Vec::new());
    let places = scene.places(600);
    thread::scope(|scope| {
        for place in 0..AT_ONCE {
            let (next, broken, refused, quarantined, scene, places) =
                (&next, &broken, &refused, &quarantined, &scene, &places);
            scope.spawn(move || {
                while let Some((byte, bit)) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match scene.run_flipped(place, *byte, *bit) {
                        Ok(Some(true)) => quarantined.fetch_add(1, Ordering::Relaxed),
                        Ok(Some(false)) => 0,
                        Ok(None) => refused.fetch_add(1, Ordering::Relaxed),
                        Err(cause) => {
                            broken.lock().unwrap().push(format!("byte {byte}, bit {bit}: {cause}"));
                            0
                        }
                    };
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    let (refused, quarantined) = (refused.into_inner(), quarantined.into_inner());
    println!("of {} changes {refused} are refused, {quarantined} quarantine", places.len());
    assert!(broken.is_empty(), "{} are broken:\n{}", broken.len(), broken.join("\n"));
    assert!(refused > 5 && quarantined > 100, "it is damaged where it matters");
}
