//! `<P: Desk>` behind a saga's name, and `where …` before its body.

use proc_macro2::{Delimiter, TokenTree};
use syn::{GenericParam, Generics, WhereClause};

use super::parser::{Parser, parse_trees};
use crate::report::At;

impl Parser<'_, '_> {
    /// Reads `<…>`, should it stand here.
    pub(super) fn generics(&mut self) -> Generics {
        if !self.is_punct('<') {
            return Generics::default();
        }
        let (start, opening) = (self.cursor, self.here());
        let Some(trees) = self.take_angles() else {
            self.report.error(opening.clone(), "these generics are not complete: found no `>`");
            self.advance(opening, start);
            while !self.is_at_end()
                && !self.peek_block(Delimiter::Parenthesis)
                && !self.peek_block(Delimiter::Brace)
            {
                self.bump();
            }
            return Generics::default();
        };
        match parse_trees::<Generics>(&trees) {
            Ok(generics) => self.without_lifetimes(generics),
            Err(error) => {
                self.report
                    .error(At::word(error.span(), "…"), format!("these generics cannot be read: {error}"))
                    .help("write `saga Name<P: Desk>(input: Type) -> Output { … }`");
                Generics::default()
            }
        }
    }

    /// Reads `where …`, should it stand here.
    pub(super) fn where_clause(&mut self) -> Option<WhereClause> {
        if !self.is_word("where") {
            return None;
        }
        let mut trees = Vec::new();
        while !self.is_at_end() && !self.peek_block(Delimiter::Brace) && !self.is_saga() {
            trees.extend(self.bump());
        }
        match parse_trees::<WhereClause>(&trees) {
            Ok(clause) => Some(clause),
            Err(error) => {
                self.report
                    .error(At::word(error.span(), "…"), format!("this `where` cannot be read: {error}"))
                    .help("write `where P: Desk`");
                None
            }
        }
    }

    /// Takes up to the `>` that belongs to this `<`. `None`: there is none.
    fn take_angles(&mut self) -> Option<Vec<TokenTree>> {
        let mut trees: Vec<TokenTree> = Vec::new();
        let mut depth = 0_usize;
        while !self.is_at_end() && !self.peek_block(Delimiter::Brace) {
            let is_arrow = matches!(trees.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '-');
            let is_opening = self.is_punct('<');
            let is_closing = self.is_punct('>') && !is_arrow;
            depth += usize::from(is_opening);
            depth -= usize::from(is_closing);
            trees.extend(self.bump());
            if depth == 0 {
                return Some(trees);
            }
        }
        None
    }

    /// What a saga holds outlives whoever began it.
    fn without_lifetimes(&mut self, mut generics: Generics) -> Generics {
        for lifetime in generics.lifetimes() {
            let lifetime = &lifetime.lifetime;
            self.report
                .error(lifetime, format!("saga data must own its data: there is no `{lifetime}` for it"))
                .help("remove the lifetime; write `String` instead of `&str`, `Vec<T>` instead of `&[T]`");
        }
        let owned = |param: &GenericParam| !matches!(param, GenericParam::Lifetime(_));
        generics.params = generics.params.into_iter().filter(owned).collect();
        generics
    }
}
