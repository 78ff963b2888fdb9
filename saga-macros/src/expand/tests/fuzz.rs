//! Whatever tokens there are: no panic, an end, and an answer.
//!
//! A case is made from a seed: tokens of the language and of Rust in any order, or a saga that is right and was changed.
//! What once failed is kept in `tests/fuzz` and is tried first. To look for more:
//!
//! ```text
//! SAGA_FUZZ_CASES=1000000 SAGA_FUZZ_SEED=7 cargo test -p saga-macros --lib fuzz -- --nocapture
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use fastrand::Rng;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::editor::testing::in_an_editor;

#[allow(dead_code, unreachable_pub, reason = "`saga-tests` uses all of it")]
#[path = "../../../../tests/src/random_sagas.rs"]
pub(super) mod random_sagas;

const CASES: u64 = 150;

/// One case takes some milliseconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// A group like this one stands for a `None`-delimited group, as `macro_rules!` makes them: those cannot be written.
const NONE: &str = "__NONE";

#[test]
fn whatever_is_written_is_answered() {
    let number = |name: &str, otherwise| match std::env::var(name) {
        Ok(text) => text.parse::<u64>().expect("a number"),
        Err(_) => otherwise,
    };
    let (cases, first) = (number("SAGA_FUZZ_CASES", CASES), number("SAGA_FUZZ_SEED", 0));
    let (begins, begun) = mpsc::channel();
    let worker = std::thread::Builder::new().stack_size(8 << 20).spawn(move || {
        let texts = corpus().chain((first..first + cases).map(|seed| text(&mut Rng::with_seed(seed))));
        for text in texts {
            begins.send(text.clone()).expect("the watchdog waits");
            if let Some(wrong) = wrong(&text) {
                return Err(format!("{wrong}:\n{text}"));
            }
        }
        Ok(())
    });
    let worker = worker.expect("a thread");
    let mut last = String::new();
    loop {
        match begun.recv_timeout(PATIENCE) {
            Ok(text) => last = text,
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end:\n{last}"),
        }
    }
    let Ok(result) = worker.join() else { panic!("it has ended badly:\n{last}") };
    if let Err(wrong) = result {
        keep(&last);
        panic!("{wrong}");
    }
}

/// Where what once failed is kept.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz")
}

/// Adds to the corpus what a long run has found: to be made smaller, and named after what is wrong.
fn keep(text: &str) {
    if std::env::var_os("SAGA_FUZZ_CASES").is_some() {
        std::fs::write(folder().join("failed.saga"), text).expect("a file");
    }
}

fn corpus() -> impl Iterator<Item = String> {
    let files = std::fs::read_dir(folder()).expect("the corpus").map(|file| file.expect("a file").path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "saga"));
    let mut files = files.collect::<Vec<_>>();
    files.sort();
    assert!(!files.is_empty(), "the corpus has been lost");
    files.into_iter().map(|file| std::fs::read_to_string(file).expect("a text"))
}

/// What is wrong with the answer.
fn wrong(text: &str) -> Option<String> {
    let tokens = with_none(text.parse().ok()?);
    let Ok(expanded) = catch_unwind(AssertUnwindSafe(|| crate::compile(tokens.clone()))) else {
        return Some("it panics".to_owned());
    };
    if let Err(error) = syn::parse2::<syn::File>(expanded) {
        return Some(format!("it expands to what is not Rust: {error}"));
    }
    match catch_unwind(AssertUnwindSafe(|| in_an_editor(|| crate::compile(tokens)))) {
        Ok(_) => None,
        Err(_) => Some("it panics in an editor".to_owned()),
    }
}

/// The tokens with `None`-delimited groups.
fn with_none(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(word) if word == NONE => {
                if let Some(TokenTree::Group(group)) =
                    trees.next_if(|tree| matches!(tree, TokenTree::Group(_)))
                {
                    out.extend([TokenTree::from(Group::new(Delimiter::None, with_none(group.stream())))]);
                }
            }
            TokenTree::Group(group) => {
                out.extend([TokenTree::from(Group::new(group.delimiter(), with_none(group.stream())))]);
            }
            tree => out.extend([tree]),
        }
    }
    out
}

#[test]
fn a_random_saga_is_right() {
    for seed in 0..100 {
        let text = random_sagas::saga("Any", &mut Rng::with_seed(seed));
        let expanded = crate::compile(text.parse().expect("it is made of tokens")).to_string();
        assert!(!expanded.contains("compile_error"), "{text}\n{expanded}");
    }
}

/// A random case.
fn text(rng: &mut Rng) -> String {
    if rng.usize(..4) == 0 {
        let tokens = any_tokens(rng, 4);
        return if rng.bool() { tokens } else { format!("saga Any(a: A) {{ with p: P; {tokens} }}") };
    }
    let saga = random_sagas::saga("Any", rng);
    let mut trees = Trees::of(saga.parse().expect("a random saga is made of tokens"));
    for _ in 0..rng.usize(1..4) {
        trees.change(rng);
    }
    trees.text()
}

fn any_tokens(rng: &mut Rng, depth: usize) -> String {
    let count = rng.usize(..12);
    let token = |rng: &mut Rng| {
        let kind = rng.usize(..if depth == 0 { 8 } else { 12 });
        if kind < 8 {
            return TOKENS[rng.usize(..TOKENS.len())].to_owned();
        }
        let inside = any_tokens(rng, depth - 1);
        match kind {
            8 => format!("({inside})"),
            9 => format!("{{{inside}}}"),
            10 => format!("[{inside}]"),
            _ => format!("{NONE}({inside})"),
        }
    };
    (0..count).map(|_| token(rng) + " ").collect()
}

/// Words of the language, tokens of Rust, and pieces of sagas.
#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "saga", "with", "timeout", "retry", "deadline", "lock", "step", "read", "local", "pivot", "receive", "sleep",
    "parallel", "if", "else", "for", "return", "probe", "keyed", "compensate", "nothing", "events", "within", "every",
    "times", "never", "forever", "until", "at", "limit", "in", "let", "match", "async", "move", "await", "fn", "where",
    "pub", "dyn", "impl", "r#type", "self", "crate", "_", "x", "cx", "tx", "A", "Self", "é", "'a", "'static",
    "=", ":", ";", ",", ".", "..", "..=", "...", "::", "<", ">", "->", "=>", "?", "!", "#", "$", "&", "&&", "|", "||",
    "*", "+", "-", "@", "~", "5s", "5", "0s", "1h30m", "100ms..10s", "0x3d", "1.5", "1e5", "4_000_000_000", "0",
    "340282366920938463463374607431768211456d", "\"{x}\"", "\"\"", "b\"\"", "'c'", "true", "/// doc\n", "#[doc = \"\"]", "#![x]",
    "step x: A = p.f(cx);", "step y: A = p.f(cx, x) compensate p.g(cx, y);", "pivot z: A = p.f(cx);", "read x: A = p.f(cx)",
    "x: A", "= p.f(cx)", "compensate p.g(cx)", "retry 5 times every 1s..2s", "timeout (LIMIT)", "within 24h",
    "for i: I in xs", "if let Some(x) = y", "parallel for i: I in xs limit 2", "saga B()", "format!(\"{x}\")", "|x| x",
    "lock a, \"b\";", "lock format!(\"{a}\")", "local l: A = f(tx) compensate g(tx, l);", "local m: A = f(tx", "= f(tx)",
    "saga c: A = B(a);", "saga d: A = m::B::<T>(a, x) else y", "= B(a)", "B::<C>", "#[saga(tx = T)]", "compensate nothing",
    "Vec<T>", "[u8; 4]", "-> B", "return x;", "events A, B, C", "sleep until (x);", "#[saga(version = 2)]",
];

/// A text as a tree of tokens, to be changed.
#[derive(Clone)]
enum Tree {
    Token(String),
    Group(Delimiter, Trees),
}

#[derive(Clone)]
struct Trees(Vec<Tree>);

impl Trees {
    fn of(tokens: TokenStream) -> Self {
        let tree = |tree| match tree {
            TokenTree::Group(group) => Tree::Group(group.delimiter(), Self::of(group.stream())),
            // The `'` of a lifetime, and the first sign of two.
            TokenTree::Punct(punct) if punct.spacing() == proc_macro2::Spacing::Joint => {
                Tree::Token(punct.to_string())
            }
            tree => Tree::Token(format!("{tree} ")),
        };
        Self(tokens.into_iter().map(tree).collect())
    }

    fn text(&self) -> String {
        let tree = |tree: &Tree| match tree {
            Tree::Token(text) => text.clone(),
            Tree::Group(Delimiter::Parenthesis, inside) => format!("({}) ", inside.text()),
            Tree::Group(Delimiter::Brace, inside) => format!("{{{}}} ", inside.text()),
            Tree::Group(Delimiter::Bracket, inside) => format!("[{}] ", inside.text()),
            Tree::Group(Delimiter::None, inside) => format!("{NONE}({}) ", inside.text()),
        };
        self.0.iter().map(tree).collect()
    }

    /// A list of trees at any depth: the deeper ones are as probable as they are many.
    fn any_list(&mut self, rng: &mut Rng) -> &mut Vec<Tree> {
        fn lists(trees: &Trees) -> usize {
            let inner = trees.0.iter().map(|tree| match tree {
                Tree::Group(_, inside) => lists(inside),
                Tree::Token(_) => 0,
            });
            1 + inner.sum::<usize>()
        }
        fn nth<'t>(trees: &'t mut Trees, number: &mut usize) -> Option<&'t mut Vec<Tree>> {
            if *number == 0 {
                return Some(&mut trees.0);
            }
            *number -= 1;
            trees.0.iter_mut().find_map(|tree| match tree {
                Tree::Group(_, inside) => nth(inside, number),
                Tree::Token(_) => None,
            })
        }
        let mut number = rng.usize(..lists(self));
        nth(self, &mut number).expect("it has so many lists")
    }

    fn change(&mut self, rng: &mut Rng) {
        let source = self.any_list(rng).clone();
        let list = self.any_list(rng);
        if list.is_empty() {
            return list.push(Tree::Token(format!("{} ", TOKENS[rng.usize(..TOKENS.len())])));
        }
        let at = rng.usize(..list.len());
        let end = (at + rng.usize(1..6)).min(list.len());
        match rng.usize(..8) {
            0 => drop(list.drain(at..end)),
            1 => list.truncate(at),
            2 => {
                let doubled = list[at..end].to_vec();
                drop(list.splice(at..at, doubled));
            }
            3 => {
                let other = rng.usize(..list.len());
                list.swap(at, other);
            }
            // A piece from elsewhere.
            4 if !source.is_empty() => {
                let from = rng.usize(..source.len());
                let piece = source[from..(from + rng.usize(1..12)).min(source.len())].to_vec();
                drop(list.splice(at..end, piece));
            }
            5 => {
                let delimiters =
                    [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
                let delimiter = delimiters[rng.usize(..4)];
                match &mut list[at] {
                    Tree::Group(of, _) => *of = delimiter,
                    Tree::Token(_) => {
                        let inside = Self(list.drain(at..end).collect());
                        list.insert(at, Tree::Group(delimiter, inside));
                    }
                }
            }
            6 => {
                if let Tree::Group(_, inside) = list[at].clone() {
                    drop(list.splice(at..=at, inside.0));
                }
            }
            _ => list.insert(at, Tree::Token(format!("{} ", TOKENS[rng.usize(..TOKENS.len())]))),
        }
    }
}
