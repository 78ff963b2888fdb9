//! What the compiler says: one case per mistake that a user can make, with the message as it is shown, and what has to
//! compile without a word.
//!
//! `TRYBUILD=overwrite cargo test -p saga-tests --test ui` writes the messages anew. Read them as a user would.

#[test]
fn mistakes_are_reported_and_the_rest_compiles() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
