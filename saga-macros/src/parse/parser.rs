//! The tokens that are still to be read, and what reading them has found so far.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::quote;
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser as _};

use super::words;
use crate::report::{At, Report};

/// Reads one level of tokens. `None`-delimited groups are transparent, except in calls.
pub(super) struct Parser<'a, 'r> {
    pub(super) cursor: Cursor<'a>,
    /// The token that was read last: blamed for what is missing behind it.
    pub(super) last: At,
    pub(super) report: &'r mut Report,
    /// Names whose declaration is wrong.
    pub(super) poisoned: &'r mut Vec<Ident>,
    /// The words of the language, where they begin a statement or a clause.
    pub(super) words: &'r mut Vec<Ident>,
}

/// A delimited group: the place of it all, and the tokens inside.
pub(super) struct Block<'a> {
    pub(super) at: At,
    pub(super) inside: Cursor<'a>,
    pub(super) end: proc_macro2::Span,
}

impl<'a, 'r> Parser<'a, 'r> {
    pub(super) fn new(
        cursor: Cursor<'a>,
        last: At,
        report: &'r mut Report,
        poisoned: &'r mut Vec<Ident>,
        words: &'r mut Vec<Ident>,
    ) -> Self {
        let mut parser = Self { cursor, last, report, poisoned, words };
        parser.skip_empty_groups();
        parser
    }

    /// A parser for the inside of a block.
    pub(super) fn inside<'b>(&mut self, block: &Block<'b>) -> Parser<'b, '_> {
        Parser::new(block.inside, block.at.clone(), self.report, self.poisoned, self.words)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.cursor.eof()
    }

    /// Reads one token.
    pub(super) fn bump(&mut self) -> Option<TokenTree> {
        let (tree, rest) = self.cursor.token_tree()?;
        self.advance(At::from(&tree), rest);
        Some(tree)
    }

    pub(super) fn advance(&mut self, over: At, rest: Cursor<'a>) {
        self.last = over;
        self.cursor = rest;
        self.skip_empty_groups();
    }

    pub(super) fn peek_ident(&self) -> Option<Ident> {
        self.cursor.ident().map(|(ident, _)| ident)
    }

    pub(super) fn peek_word(&self) -> Option<String> {
        self.peek_ident().map(|ident| ident.to_string())
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        words::is_word(self.cursor, word)
    }

    pub(super) fn is_punct(&self, char: char) -> bool {
        self.cursor.punct().is_some_and(|(punct, _)| punct.as_char() == char)
    }

    pub(super) fn take_ident(&mut self) -> Option<Ident> {
        let (ident, rest) = self.cursor.ident()?;
        self.advance(At::from(&ident), rest);
        Some(ident)
    }

    pub(super) fn take_word(&mut self, word: &str) -> Option<Ident> {
        self.is_word(word).then(|| self.take_ident())?
    }

    pub(super) fn take_punct(&mut self, char: char) -> bool {
        match self.cursor.punct() {
            Some((punct, rest)) if punct.as_char() == char => {
                self.advance(At::from(&punct), rest);
                true
            }
            _ => false,
        }
    }

    /// Two signs such as `->` or `..`.
    pub(super) fn take_puncts(&mut self, first: char, second: char) -> bool {
        let Some((punct, rest)) = self.cursor.punct() else { return false };
        if punct.as_char() != first || rest.punct().is_none_or(|(next, _)| next.as_char() != second) {
            return false;
        }
        self.take_punct(first) && self.take_punct(second)
    }

    pub(super) fn peek_block(&self, delimiter: Delimiter) -> bool {
        self.cursor.group(delimiter).is_some()
    }

    pub(super) fn take_block(&mut self, delimiter: Delimiter) -> Option<Block<'a>> {
        let (inside, span, rest) = self.cursor.group(delimiter)?;
        let text = match delimiter {
            Delimiter::Brace => "{ … }",
            Delimiter::Bracket => "[ … ]",
            Delimiter::Parenthesis | Delimiter::None => "( … )",
        };
        let block = Block { at: At::word(span.join(), text), inside, end: span.close() };
        self.advance(block.at.clone(), rest);
        Some(block)
    }

    /// A name that the user gives: no keyword of Rust.
    ///
    /// `what` is named in the error, for example "a step". `None`: reported.
    pub(super) fn take_name(&mut self, what: &str) -> Option<Ident> {
        match self.peek_ident().filter(|_| !words::looks_like_statement(self.cursor)) {
            Some(name) if !words::is_keyword(&name.to_string()) => self.take_ident(),
            Some(keyword) => {
                self.report
                    .error(&keyword, format!("{what} cannot be named `{keyword}`: that is a word of Rust"))
                    .help(match keyword.to_string().as_str() {
                        "_" | "crate" | "self" | "Self" | "super" => "rename it".to_owned(),
                        raw => format!("rename it, or write `r#{raw}`"),
                    });
                self.take_ident();
                None
            }
            None => {
                let found = self.found();
                self.report.error(self.last.clone(), format!("expected the name of {what}, found {found}"));
                None
            }
        }
    }

    /// The next token, or the last one at the end: where something unexpected is.
    pub(super) fn here(&self) -> At {
        match self.cursor.token_tree() {
            Some((tree, _)) => At::from(&tree),
            None => self.last.clone(),
        }
    }

    /// The next token in words.
    pub(super) fn found(&self) -> String {
        match self.cursor.token_tree() {
            Some((TokenTree::Group(group), _)) => match group.delimiter() {
                Delimiter::Brace => "`{ … }`".to_owned(),
                Delimiter::Bracket => "`[ … ]`".to_owned(),
                Delimiter::Parenthesis => "`( … )`".to_owned(),
                Delimiter::None => format!("`{}`", group.stream()),
            },
            Some(_) if words::is_attribute(self.cursor) => "a doc comment or attribute".to_owned(),
            Some((tree, _)) => format!("`{tree}`"),
            None => "the end".to_owned(),
        }
    }

    /// A declaration of this name is wrong: who uses it is not told so again.
    pub(super) fn poison(&mut self, name: &Ident) {
        self.poisoned.push(name.unraw());
    }

    /// The place where the `compile_error!` of a whole expansion stands when there is no token.
    pub(super) fn nowhere() -> At {
        At::from(&quote!())
    }

    fn skip_empty_groups(&mut self) {
        while let Some((inside, _, rest)) = self.cursor.group(Delimiter::None) {
            if !inside.eof() {
                break;
            }
            self.cursor = rest;
        }
    }
}

/// Parses tokens. What is missing at their end is missing at the last of them, not at the whole `saga!`.
pub(super) fn parse_trees<T: Parse>(trees: &[TokenTree]) -> syn::Result<T> {
    let mut group = Group::new(Delimiter::Parenthesis, stream(trees));
    if let Some(last) = trees.last() {
        group.set_span(last.span());
    }
    let inside = |input: ParseStream<'_>| {
        let content;
        syn::parenthesized!(content in input);
        let parsed = content.parse()?;
        if content.is_empty() { Ok(parsed) } else { Err(content.error("unexpected token")) }
    };
    inside.parse2(TokenTree::from(group).into())
}

/// Tokens as one stream.
pub(super) fn stream(trees: &[TokenTree]) -> TokenStream {
    trees.iter().cloned().collect()
}
