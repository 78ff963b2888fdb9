//! `name: Type`, and types.

use proc_macro2::{Delimiter, TokenTree};
use syn::Type;

use super::parser::{Parser, stream};
use super::step::unknown_type;
use super::words;
use crate::ast::Field;

/// What was found where a type has to be.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub(super) enum Found {
    Type(Type),
    Missing,
    /// Something that is no type: reported.
    Malformed,
}

impl Parser<'_, '_> {
    /// Reads `name: Type, …` up to the end, `;` or the next statement. `what` is "an input" or "a participant".
    pub(super) fn fields(&mut self, what: &str) -> Vec<Field> {
        let mut fields = Vec::new();
        while !self.is_at_end() && !self.is_punct(';') && !words::looks_like_statement(self.cursor) {
            fields.extend(self.field(what));
            if self.take_punct(',') {
                continue;
            }
            if !self.is_at_end() && !self.is_punct(';') && !words::looks_like_statement(self.cursor) {
                let found = self.found();
                self.report.error(self.here(), format!("expected `,` after {what}, found {found}"));
                if !words::is_binding(self.cursor) {
                    self.skip_field();
                    self.take_punct(',');
                }
            }
        }
        fields
    }

    fn field(&mut self, what: &str) -> Option<Field> {
        let Some(name) = self.take_name(what) else {
            self.skip_field();
            return None;
        };
        let found = if self.take_punct(':') { self.take_type(&[',', '=']) } else { Found::Missing };
        match found {
            Found::Type(ty) => return Some(Field { name, ty }),
            Found::Malformed => {}
            Found::Missing => {
                let noun = what.split_once(' ').map_or(what, |(_, noun)| noun);
                self.report
                    .error(&name, format!("{noun} `{name}` has no type"))
                    .help(format!("write `{name}: Type`"));
                self.skip_field();
            }
        }
        self.poison(&name);
        crate::editor::runs_in_an_editor().then(|| Field { name, ty: unknown_type() })
    }

    /// Skips to the next `,`.
    fn skip_field(&mut self) {
        while !self.is_at_end()
            && !self.is_punct(',')
            && !self.is_punct(';')
            && !words::looks_like_statement(self.cursor)
        {
            self.bump();
        }
    }

    /// Reads a type up to one of the `stops`, `;`, `in`, `where`, a block, or what looks like a clause or statement.
    pub(super) fn take_type(&mut self, stops: &[char]) -> Found {
        let mut trees: Vec<TokenTree> = Vec::new();
        let mut angles = 0_usize;
        // Where the `=` of a type such as `Vec<T = call` is, which lacks its `>`.
        let mut equals = None;
        while !self.is_at_end() && !self.ends_type(stops, &trees, angles) {
            match self.cursor.punct().map(|(punct, _)| punct.as_char()) {
                Some('<') => angles += 1,
                Some('>') if !is_punct(trees.last(), &['-', '=']) => angles = angles.saturating_sub(1),
                _ => {}
            }
            if self.is_punct('=') && stops.contains(&'=') && equals.is_none() {
                equals = Some((self.cursor, self.last.clone(), trees.len()));
            }
            trees.extend(self.bump());
        }
        if trees.is_empty() {
            return Found::Missing;
        }
        let tokens = stream(&trees);
        match syn::parse2::<Type>(tokens.clone()) {
            Ok(ty) => Found::Type(ty),
            // It is still to be completed.
            Err(_) if equals.is_none() && crate::editor::runs_in_an_editor() => {
                self.report.error(&tokens, "this type is not complete");
                Found::Type(Type::Verbatim(tokens))
            }
            Err(_) if let Some((cursor, last, length)) = equals => {
                self.advance(last, cursor);
                self.report.error(&stream(&trees[..length]), "this type is not complete");
                Found::Malformed
            }
            Err(error) => {
                let is_cut_off = error.to_string().starts_with("unexpected end of input");
                let what = if is_cut_off { "this type is not complete" } else { "this is no type" };
                self.report.error(&tokens, what);
                Found::Malformed
            }
        }
    }

    fn ends_type(&self, stops: &[char], before: &[TokenTree], angles: usize) -> bool {
        let is_end = self.is_punct(';') || self.is_word("in") || self.is_word("where");
        if is_end || words::looks_like_known_statement(self.cursor) {
            return true;
        }
        if angles == 0 && (stops.iter().any(|stop| self.is_punct(*stop)) || self.peek_block(Delimiter::Brace))
        {
            return true;
        }
        let after_type = match before.last() {
            Some(TokenTree::Ident(word)) => words::ends_expression(&word.to_string()),
            Some(TokenTree::Group(_)) => true,
            last => angles == 0 && is_punct(last, &['>']),
        };
        let is_word =
            |word: &String| matches!(word.as_str(), "else" | "if" | "match") || !words::is_keyword(word);
        after_type && self.peek_word().is_some_and(|word| is_word(&word))
    }
}

fn is_punct(tree: Option<&TokenTree>, chars: &[char]) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if chars.contains(&punct.as_char()))
}
