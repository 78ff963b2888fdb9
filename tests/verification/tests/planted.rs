//! The verification kit finds bugs: each one that is planted in the runtime, with the shortest history that shows it.
//!
//! The runtime's source is copied, all bugs are planted in it at once, and a variable of the environment says which of
//! them is to be there. `cargo test -p saga-verification --test planted -- --nocapture` prints the histories.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

#[path = "../planted/plants.rs"]
mod plants;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plants::{PLANTS, Plant};

/// What there is besides the runtime's source, in the runtime that is built.
const HELPERS: &str = include_str!("../planted/planted.rs");

#[test]
fn every_planted_bug_is_found_with_its_history() {
    let program = build();
    let mut missed = Vec::new();
    for plant in PLANTS {
        let without = explore(&program, "", plant.explored);
        let with = explore(&program, plant.name, plant.explored);
        let (history, sound) = (text(&with.stdout), text(&without.stdout));
        println!("\n--- {} ({})\n{history}", plant.name, plant.explored);
        let is_found = with.status.code() == Some(1)
            && history.contains("breaks a promise")
            && history.lines().next().is_some_and(|cause| cause.contains(plant.found));
        if !is_found {
            missed.push(format!("`{}`: {history}{}", plant.name, text(&with.stderr)));
        }
        if !without.status.success() {
            missed.push(format!("`{}`, which is not there: {sound}{}", plant.name, text(&without.stderr)));
        }
    }
    assert!(PLANTS.len() >= 20);
    assert!(missed.is_empty(), "not found as expected:\n{}", missed.join("\n"));
}

fn explore(program: &Path, plant: &str, explored: &str) -> Output {
    Command::new(program).args(explored.split(' ')).env("PLANTED", plant).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Builds the program on a runtime with all bugs, of which none is there yet.
fn build() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.ancestors().nth(2).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
    let workspace = target.join("workspace");
    let planted = planted(&root.join("saga-runtime/src"));
    for name in ["saga-graph", "saga-macros", "saga-participant", "saga-runtime"] {
        let from = root.join(name);
        copy(&from.join("src"), &workspace.join(name).join("src"), &mut |path| {
            name != "saga-runtime"
                || !planted.keys().any(|planted| path.ends_with(Path::new("src").join(planted)))
        });
        write(
            &workspace.join(name).join("Cargo.toml"),
            &fs::read_to_string(from.join("Cargo.toml")).unwrap(),
        );
    }
    let runtime = workspace.join("saga-runtime/src");
    write(&runtime.join("planted.rs"), HELPERS);
    for (path, content) in &planted {
        write(&runtime.join(path), content);
    }
    let program = workspace.join("program");
    write(&program.join("src/main.rs"), &fs::read_to_string(own.join("planted/program.rs")).unwrap());
    write(&program.join("src/sagas.rs"), &fs::read_to_string(own.join("src/sagas.rs")).unwrap());
    let manifest = fs::read_to_string(own.join("Cargo.toml")).unwrap();
    let manifest = manifest.replace("../../saga-runtime", "../saga-runtime");
    let (head, dependencies) = manifest.split_once("[lib]").unwrap();
    let (_, dependencies) = dependencies.split_once("[dependencies]").unwrap();
    let (dependencies, _) = dependencies.split_once("[[test]]").unwrap();
    write(&program.join("Cargo.toml"), &format!("{head}[dependencies]{dependencies}"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let (_, shared) = manifest.split_once("[workspace.package]").unwrap();
    let (shared, _) = shared.split_once("[profile.dev]").unwrap();
    let members = "[\"saga-graph\", \"saga-macros\", \"saga-participant\", \"saga-runtime\", \"program\"]";
    let head = format!("[workspace]\nresolver = \"3\"\nmembers = {members}\n\n[workspace.package]");
    let profile = "[profile.dev]\nopt-level = 1\ndebug = false\n";
    write(&workspace.join("Cargo.toml"), &format!("{head}{shared}{profile}"));
    fs::copy(root.join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--offline", "--package", "saga-verification", "--manifest-path"]);
    cargo.arg(workspace.join("Cargo.toml")).arg("--target-dir").arg(target.join("target"));
    // Some of what is planted is not as tidy as a compiler would like it.
    cargo.env("RUSTFLAGS", "--cap-lints=warn");
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "the planted bugs do not build:\n{}", text(&built.stderr));
    target.join("target/debug/saga-verification")
}

/// The runtime's files in which something is planted.
fn planted(runtime: &Path) -> BTreeMap<&'static str, String> {
    let mut files = BTreeMap::new();
    let mut edit = |file, old: &str, new: &str| {
        let path = runtime.join(file);
        let text = files.entry(file).or_insert_with(|| fs::read_to_string(path).unwrap());
        let count = text.matches(old).count();
        assert_eq!(count, 1, "{file} has this {count} times, in which a bug is planted:\n{old}");
        *text = text.replace(old, new);
    };
    edit("lib.rs", "mod context;", "mod planted;\nmod context;");
    let start = "    let mut recovery = Recovery::default();";
    edit("coordinator/recovery.rs", start, &format!("    crate::planted::forget();\n{start}"));
    for Plant { name, edits, .. } in PLANTS {
        for (file, old, new) in *edits {
            let is_planted = format!("crate::planted::is({name:?})");
            edit(file, old, &new.replace("PLANTED", &is_planted));
        }
    }
    files
}

/// Copies the files that are to be.
fn copy(from: &Path, to: &Path, is_to_be: &mut impl FnMut(&Path) -> bool) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to, is_to_be);
        } else if is_to_be(&entry.path()) {
            write(&to, &fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// What is as it was is not built again.
fn write(path: &Path, content: &str) {
    if fs::read_to_string(path).is_ok_and(|before| before == content) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
