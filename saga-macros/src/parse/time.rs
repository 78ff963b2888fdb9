//! Durations and times: behind `timeout`, `every` and `within`, and of `deadline` and `sleep`.

use proc_macro2::{Delimiter, Ident, TokenTree};
use quote::ToTokens;
use syn::Expr;

use super::call::Until;
use super::parser::Parser;
use super::words;
use crate::ast::{Call, Deadline, DurationValue, Sleep, Time};
use crate::duration;
use crate::report::At;
use crate::suggest::nearest;

/// What was found where a duration has to be.
pub(super) enum Found {
    Duration(DurationValue),
    /// Something that was meant as one: reported.
    Malformed,
}

impl Parser<'_, '_> {
    /// Reads `30m` or `at (expr)` behind `deadline`.
    pub(super) fn deadline(&mut self) -> Option<Deadline> {
        let at = self.here();
        let time = self.time("deadline", "at")?;
        if matches!(&time, Time::After(value) if value.is_zero()) {
            self.report
                .error(at, "a deadline of 0 leaves the saga no time")
                .help("write a longer one, such as `deadline 30m;`");
            return None;
        }
        Some(Deadline { time })
    }

    /// Reads `24h` or `until (expr)` behind `sleep`, and the `;` that ends it.
    pub(super) fn sleep(&mut self, attrs: Vec<syn::Attribute>, keyword: &Ident) -> Option<Sleep> {
        let errors_before = self.report.len();
        let time = self.time("sleep", "until");
        if !self.take_punct(';') {
            self.missing_semicolon_unless(errors_before, "`sleep`");
        }
        Some(Sleep { attrs, keyword: keyword.span(), time: time? })
    }

    /// Reads the duration of a clause such as `within 24h`. `None`: there is none, which was reported.
    pub(super) fn duration_of(&mut self, word: &str) -> Option<DurationValue> {
        match self.duration(word)? {
            Found::Duration(value) => Some(value),
            Found::Malformed => None,
        }
    }

    /// Reads a duration, or a time in parentheses behind the word `until`, which is `at` for a deadline.
    fn time(&mut self, statement: &str, until: &'static str) -> Option<Time> {
        let is_until = |word: &String| word == "at" || nearest(word, &["until"]).is_some();
        let Some(word) = self.peek_word().filter(is_until) else {
            return self.duration_of(statement).map(Time::After);
        };
        let form = format!("write `{statement} {until} (time);`, an expression of type `SystemTime`");
        if word != until {
            self.report
                .error(self.here(), format!("expected `{until}`, found `{word}`"))
                .help(format!("write `{statement} {until} (time);`"));
        }
        self.take_ident();
        let missing = format!("`{statement} {until}` has no time");
        let Some(block) = self.take_block(Delimiter::Parenthesis) else {
            let first = self.here_or_last();
            let errors_before = self.report.len();
            let call = self.take_call(Until::Statement, |parser| {
                parser.report.error(first.clone(), missing).help(&form);
            });
            if self.report.len() == errors_before {
                self.report.error(first, "a time stands in parentheses").help(form);
            }
            call.refuse();
            return Some(Time::At(call));
        };
        let at = block.at.clone();
        let mut parser = self.inside(&block);
        let trees = std::iter::from_fn(|| parser.bump()).collect::<Vec<TokenTree>>();
        if trees.is_empty() {
            self.report.error(at, missing).help(form);
            return Some(Time::At(Call::missing()));
        }
        Some(Time::At(parser.finish_call(&trees)))
    }

    /// A duration behind `word`. `None`: nothing that could be one, which is reported as well.
    pub(super) fn duration(&mut self, word: &str) -> Option<Found> {
        if self.peek_block(Delimiter::Parenthesis) {
            return self.duration_expression();
        }
        let Some(literal) = self.take_literal() else {
            let found = self.found();
            let is_name =
                self.peek_word().is_some_and(|word| !words::is_keyword(&word) && !words::is_clause(&word));
            let here = self.here_or_last();
            let error = self.report.error(here, format!("expected a duration after `{word}`, found {found}"));
            if is_name {
                error.help("an expression stands in parentheses: `(LIMIT)`");
            } else {
                error.help("write `5s`, `1h30m`, or an expression in parentheses");
            }
            self.skip_argument();
            return None;
        };
        let text = literal.to_string();
        let is_number = text.chars().all(|char| char.is_ascii_digit() || matches!(char, '.' | '_'));
        if is_number && let Some(unit) = self.peek_unit() {
            let apart = self.take_ident()?;
            let mut tokens = literal.to_token_stream();
            apart.to_tokens(&mut tokens);
            self.report
                .error(&tokens, format!("`{text} {apart}` is not written as one duration"))
                .help(format!("did you mean `{text}{unit}`?"));
            return Some(Found::Malformed);
        }
        match duration::nanoseconds(&text) {
            Ok(nanoseconds) => Some(Found::Duration(DurationValue::Literal(nanoseconds))),
            Err(malformed) => {
                self.report.error(&literal, malformed.message).help(malformed.help);
                Some(Found::Malformed)
            }
        }
    }

    fn duration_expression(&mut self) -> Option<Found> {
        let block = self.take_block(Delimiter::Parenthesis)?;
        let tokens = block.inside.token_stream();
        if syn::parse2::<Expr>(tokens.clone()).is_err() {
            self.report
                .error(block.at, "this is no expression")
                .help("write an expression of type `Duration` in the parentheses");
            if !crate::editor::runs_in_an_editor() {
                return Some(Found::Malformed);
            }
        }
        Some(Found::Duration(DurationValue::Expression(tokens)))
    }

    pub(super) fn take_literal(&mut self) -> Option<TokenTree> {
        let (literal, rest) = self.cursor.literal()?;
        self.advance(At::from(&literal), rest);
        Some(literal.into())
    }

    /// The unit that a word behind a number is meant as.
    fn peek_unit(&self) -> Option<&'static str> {
        self.peek_word().and_then(|word| duration::unit_meant(&word))
    }

    /// Where something is missing: the token before, unless a token stands here that is meant to be it.
    pub(super) fn here_or_last(&self) -> At {
        let is_end = self.is_at_end() || self.is_punct(';') || words::looks_like_statement(self.cursor);
        let is_clause = self.peek_word().is_some_and(|word| words::is_clause(&word));
        if is_end || is_clause { self.last.clone() } else { self.here() }
    }

    /// Skips what was meant as an argument, up to the next clause.
    pub(super) fn skip_argument(&mut self) {
        let ends = |parser: &Self| {
            let is_clause = parser.peek_word().is_some_and(|word| words::is_clause(&word));
            is_clause
                || parser.is_punct(';')
                || parser.is_punct(',')
                || words::looks_like_statement(parser.cursor)
        };
        while !self.is_at_end() && !ends(self) {
            self.bump();
        }
    }
}
