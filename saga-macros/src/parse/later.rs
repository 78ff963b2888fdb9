//! The forms of the later language, which this version refuses.
//!
//! Each gets one error at its keyword. What it declares is poisoned, so that nothing that uses it is blamed too.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::call::Until;
use super::parser::{Parser, stream};
use super::words;

/// What is said about a form of the later language.
pub(super) fn absent(form: &str) -> String {
    format!("this version of `saga!` does not have `{form}`")
}

impl Parser<'_, '_> {
    /// Skips a statement that starts here, and was reported.
    pub(super) fn later_statement(&mut self, word: &str) {
        let trees = match word {
            "if" | "for" => self.take_blocks(),
            _ => self.take_statement(),
        };
        self.poison_bindings(&stream(&trees));
    }

    /// Refuses `parallel for … { … }` behind `parallel`.
    pub(super) fn later_parallel_for(&mut self, parallel: &Ident) {
        self.report.error(parallel, absent("parallel for"));
        let trees = self.take_blocks();
        self.poison_bindings(&stream(&trees));
    }

    /// Refuses a clause that starts here.
    pub(super) fn later_clause(&mut self) {
        let Some(word) = self.take_ident() else { return };
        self.report.error(&word, absent(&word.to_string()));
        self.take_expression(Until::Clause);
    }

    /// Refuses `<…>` behind a saga's name.
    pub(super) fn later_generics(&mut self) {
        if !self.is_punct('<') {
            return;
        }
        self.report.error(self.here(), absent("saga Name<…>"));
        while !self.is_at_end()
            && !self.peek_block(Delimiter::Parenthesis)
            && !self.peek_block(Delimiter::Brace)
        {
            self.bump();
        }
    }

    /// Refuses `where …` before a saga's body.
    pub(super) fn later_where(&mut self) {
        if let Some(word) = self.take_word("where") {
            self.report.error(&word, absent("where"));
            while !self.is_at_end() && !self.peek_block(Delimiter::Brace) {
                self.bump();
            }
        }
    }

    /// Takes up to `;` or the next statement.
    pub(super) fn take_statement(&mut self) -> Vec<TokenTree> {
        let mut trees = Vec::from_iter(self.bump());
        while !self.is_at_end() && !self.ends_statement() {
            if self.take_punct(';') {
                break;
            }
            trees.extend(self.bump());
        }
        trees
    }

    pub(super) fn ends_statement(&self) -> bool {
        words::looks_like_statement(self.cursor)
            || self
                .cursor
                .group(Delimiter::Brace)
                .is_some_and(|(inside, ..)| words::looks_like_branches(inside))
    }

    /// Takes `if … { … } else { … }` or `for … { … }`.
    fn take_blocks(&mut self) -> Vec<TokenTree> {
        let mut trees = Vec::from_iter(self.bump());
        while !self.is_at_end() && !self.take_punct(';') {
            let is_block = self.peek_block(Delimiter::Brace);
            if !is_block && words::looks_like_statement(self.cursor) {
                break;
            }
            trees.extend(self.bump());
            // `if let Car { .. } = car {`: the block of a pattern is not yet the one that is looked for.
            if is_block && !self.is_punct('=') && !self.is_word("else") {
                break;
            }
        }
        trees
    }

    /// Poisons each `step name:` and the like, at any depth.
    fn poison_bindings(&mut self, tokens: &TokenStream) {
        let trees = Vec::from_iter(tokens.clone());
        for (index, tree) in trees.iter().enumerate() {
            match (tree, trees.get(index + 1), trees.get(index + 2)) {
                (TokenTree::Ident(word), Some(TokenTree::Ident(name)), Some(TokenTree::Punct(colon)))
                    if words::BINDINGS.contains(&word.to_string().as_str()) && colon.as_char() == ':' =>
                {
                    self.poison(name);
                }
                (TokenTree::Group(group), ..) => self.poison_bindings(&group.stream()),
                _ => {}
            }
        }
    }
}
