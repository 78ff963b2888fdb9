//! ARCHITECTURE.md names the tests that hold its invariants: they exist.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the report")]

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_page_of_architecture_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (_, invariants) = page.split_once("| invariant | held by |").unwrap();
    let rows = invariants.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names: Vec<&str> = rows
        .filter_map(|row| row.rsplit('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert!(names.len() > 10, "the table of invariants is not where it was");

    let mut sources = String::new();
    let members = ["tests/power/tests", "tests/protocol/tests", "tests/verification/tests", "examples/tests"];
    for folder in ["saga-macros/src", "saga-runtime/src", "tests/tests"].into_iter().chain(members) {
        read(&root.join(folder), &mut sources);
    }
    let missing: Vec<&&str> = names.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

fn read(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
