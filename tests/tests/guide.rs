//! The guide says what the compiler says: its messages are those of the compile-fail cases, each case has a section, and
//! its links lead to a heading.
//!
//! `UPDATE_EXPECT=1 cargo test -p saga-tests --test guide` writes the messages on the pages anew. A new case needs a
//! section with its marker, `<!-- case: name -->`; below it the message is written. `<!-- case: name 2 -->` shows the
//! second of several messages only.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Cases that teach no rule.
const WITHOUT_SECTION: &[&str] = &[];

#[test]
fn every_message_in_the_guide_is_the_compilers() {
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    for page in pages(&guide().join("why")) {
        let text = fs::read_to_string(&page).unwrap();
        let expected = with_messages(&text, &page);
        if text != expected && is_update {
            // At once: the other tests read the pages meanwhile.
            let new = page.with_extension("new");
            fs::write(&new, &expected).unwrap();
            fs::rename(&new, &page).unwrap();
        } else if let Some((line, (is, expected))) = first_difference(&text, &expected) {
            panic!(
                "{}:{line} says `{is}`, the compiler says `{expected}`: run the test with UPDATE_EXPECT=1",
                page.display()
            );
        }
    }
}

#[test]
fn every_case_has_a_section_in_the_guide() {
    let told = pages(&guide().join("why"))
        .iter()
        .flat_map(|page| {
            let text = fs::read_to_string(page).unwrap();
            text.lines().filter_map(marker).map(|(case, _)| case.to_owned()).collect::<Vec<_>>()
        })
        .collect::<BTreeSet<_>>();
    let missing = cases()
        .into_iter()
        .filter(|case| !told.contains(case) && !WITHOUT_SECTION.contains(&&**case))
        .collect::<Vec<_>>();
    assert!(
        missing.is_empty(),
        "no section in saga-runtime/src/guide/why tells of {missing:?}: add one with `<!-- case: {} -->`",
        missing[0]
    );
}

#[test]
fn every_link_within_the_guide_leads_to_a_heading() {
    let source = guide();
    let mut linking = pages(&source);
    linking.extend(pages(&source.join("why")));
    linking.push(source.join("../saga_macro.md"));
    for page in linking {
        let text = fs::read_to_string(&page).unwrap();
        for (target, heading) in links_to_headings(&text) {
            let target = source.join(format!("{}.md", target.replace("::", "/")));
            let there = fs::read_to_string(&target).unwrap_or_else(|_| {
                panic!("{} links to {}, which is no page", page.display(), target.display())
            });
            assert!(
                there
                    .lines()
                    .filter_map(|line| line.strip_prefix("# "))
                    .any(|title| anchor(title) == heading),
                "{} links to `{heading}`, which is no heading of {}",
                page.display(),
                target.display()
            );
        }
    }
}

#[test]
fn a_message_is_written_below_its_marker_and_the_rest_is_left() {
    let text = "# A\n\n<!-- case: no_future -->\n```text\nold\n```\n\n```\nlet x = 1;\n```\n";
    let written = with_messages(text, Path::new("page.md"));
    assert!(written.starts_with("# A\n\n<!-- case: no_future -->\n```text\nerror[E0277]: a step's call"));
    assert!(written.ends_with("\n```\n\n```\nlet x = 1;\n```\n"), "{written}");
    assert_eq!(with_messages(&written, Path::new("page.md")), written);
}

/// The page with the message of each case below its marker.
fn with_messages(text: &str, page: &Path) -> String {
    let mut written = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        written += line;
        written.push('\n');
        let Some((case, nth)) = marker(line) else { continue };
        let place = || format!("{}, case `{case}`", page.display());
        assert_eq!(lines.next(), Some("```text"), "{}: the marker stands above a block of text", place());
        assert!(lines.any(|line| line == "```"), "{}: the block has no end", place());
        written.extend(["```text\n", &message(case, nth, &place()), "\n```\n"]);
    }
    written
}

/// The case that a line names, and which of its messages is meant, if not all.
fn marker(line: &str) -> Option<(&str, Option<usize>)> {
    let named = line.strip_prefix("<!-- case: ")?.strip_suffix(" -->")?;
    match named.split_once(' ') {
        Some((case, nth)) => Some((case, Some(nth.parse().unwrap()))),
        None => Some((named, None)),
    }
}

/// What the compiler says of a case, as it is committed for the test of the case itself.
fn message(case: &str, nth: Option<usize>, place: &str) -> String {
    let file = ui().join(format!("{case}.stderr"));
    let all = fs::read_to_string(file).unwrap_or_else(|error| panic!("{place} has no message: {error}"));
    let Some(nth) = nth else { return all.trim_end().to_owned() };
    let mut messages = Vec::<String>::new();
    for line in all.lines() {
        match messages.last_mut().filter(|_| !line.starts_with("error")) {
            Some(message) => message.extend(["\n", line]),
            None => messages.push(line.to_owned()),
        }
    }
    let message = nth.checked_sub(1).and_then(|index| messages.get(index));
    message.unwrap_or_else(|| panic!("{place} has no message {nth}")).trim_end().to_owned()
}

fn first_difference<'t>(text: &'t str, expected: &'t str) -> Option<(usize, (&'t str, &'t str))> {
    let ends = std::iter::repeat("the end");
    let (is, should_be) = (text.lines().chain(ends.clone()), expected.lines().chain(ends));
    let length = text.lines().count().max(expected.lines().count());
    (1..).zip(is.zip(should_be)).take(length).find(|(_, (is, expected))| is != expected)
}

/// The pages and headings that links as `crate::guide::page#heading` lead to.
fn links_to_headings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('(').filter_map(|rest| {
        let (link, _) = rest.split_once(')')?;
        link.strip_prefix("crate::guide::")?.split_once('#')
    })
}

/// A heading as rustdoc makes it a link.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn cases() -> Vec<String> {
    let files = fs::read_dir(ui()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "stderr"))
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect::<Vec<_>>();
    cases.sort();
    cases
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "md")).collect()
}

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../saga-runtime/src/guide")
}

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/fail")
}
