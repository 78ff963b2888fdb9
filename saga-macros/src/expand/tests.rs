//! The expansion as documentation, and the shapes of the machines of small sagas.
//!
//! `UPDATE_EXPECT=1 cargo test -p saga-macros` writes what is expected anew.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
#![allow(clippy::needless_pass_by_value, reason = "an `Expect` is made for one check")]

mod forms;
mod fuzz;
mod half_typed;
mod liveness;
mod outline;
mod random;

use std::fmt::Write;

use expect_test::{expect, expect_file};
use proc_macro2::TokenStream;

/// What `saga! { tokens }` expands to.
fn expand(tokens: TokenStream) -> syn::File {
    syn::parse2(crate::compile(tokens)).expect("the expansion is made of items")
}

/// What `saga! { text }` expands to.
fn expand_text(text: &str) -> syn::File {
    expand(text.parse().expect("the saga is made of tokens"))
}

/// The tokens in the `saga!` of a Rust source file.
fn saga_in(source: &str) -> TokenStream {
    let file = syn::parse_file(source).expect("the example is valid Rust");
    let sagas = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.is_ident("saga") => Some(item.mac.tokens),
        _ => None,
    });
    sagas.collect()
}

#[test]
fn the_travel_saga() {
    let source = include_str!("../../../examples/src/travel/saga.rs");
    let head = "// What `saga!` writes for examples/src/travel/saga.rs, as prettyplease prints it.\n\
                // A test of saga-macros keeps this file equal to it: `UPDATE_EXPECT=1 cargo test -p saga-macros`.\n\n";
    let expanded = paragraphs(&prettyplease::unparse(&expand(saga_in(source))));
    expect_file!["../../../tests/expansion/book_trip.rs"].assert_eq(&(head.to_owned() + &expanded));
}

/// An empty line behind each item and each function, which prettyplease does not print.
fn paragraphs(text: &str) -> String {
    let mut paragraphs = String::new();
    for (line, next) in text.lines().zip(text.lines().skip(1).chain([""])) {
        paragraphs.extend([line, "\n"]);
        let is_use = line == "    };" || line.starts_with("    use ") && line.ends_with(';');
        let is_end = is_use || ["}", "};", "    }", "        }"].contains(&line);
        let next = next.trim_start();
        if is_end && !next.is_empty() && !next.starts_with(['}', '_']) {
            paragraphs.push('\n');
        }
    }
    paragraphs
}

/// A saga of `steps` compensatable steps, each of which uses the one before.
fn sequence(steps: usize) -> String {
    let mut text = "saga Long(input: u8) -> u8 { with desk: Desk;".to_owned();
    let mut before = "input".to_owned();
    for step in 0..steps {
        write!(text, "step s{step}: u8 = desk.make(cx, {before}) compensate desk.undo(cx, s{step});")
            .unwrap();
        before = format!("s{step}");
    }
    text + &format!("return {before}; }}")
}

#[test]
fn what_is_written_grows_with_the_number_of_steps() {
    let lines = |steps| prettyplease::unparse(&expand_text(&sequence(steps))).lines().count();
    let (ten, twenty, forty) = (lines(10), lines(20), lines(40));
    let per_step = (twenty - ten) / 10;
    assert_eq!((forty - twenty) / 20, per_step, "not linear");
    expect!["148"].assert_eq(&per_step.to_string());
}
