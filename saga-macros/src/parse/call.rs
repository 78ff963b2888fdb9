//! Calls: raw tokens up to the next clause, `;` or statement.
//!
//! A copy is parsed, to say early that it is incomplete; the tokens themselves are passed on untouched.

use proc_macro2::{Delimiter, Spacing, TokenTree};
use syn::Expr;

use super::parser::{Parser, parse_trees, stream};
use super::words;
use crate::ast::Call;
use crate::report::At;
use crate::suggest::nearest;

/// What the tokens before the next one amount to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// An expression, perhaps: an identifier, a literal, a group, `?`.
    Value,
    /// `.`: a member has to follow.
    Dot,
    /// `'`: a lifetime or label has to follow.
    Quote,
    /// An operator or keyword: an operand has to follow.
    Operator,
}

/// What ends a call besides `;` and the next statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Clause,
    Statement,
}

impl Parser<'_, '_> {
    /// Reads a call. `missing` says what it would be, should there be none.
    pub(super) fn take_call(&mut self, until: Until, missing: impl FnOnce(&mut Self)) -> Call {
        let trees = self.take_expression(until);
        if trees.is_empty() {
            missing(self);
            return Call::missing();
        }
        self.finish_call(&trees)
    }

    /// The call made of these tokens, which were just read.
    pub(super) fn finish_call(&mut self, trees: &[TokenTree]) -> Call {
        let call = Call::new(stream(trees));
        if let Err(error) = parse_trees::<Expr>(trees) {
            call.refuse();
            self.report_malformed(trees, &error);
        }
        call
    }

    fn report_malformed(&mut self, trees: &[TokenTree], error: &syn::Error) {
        let message = error.to_string();
        let is_cut_off = message.starts_with("unexpected end of input");
        if let Some(last) = trees.last().filter(|_| is_cut_off && before_after(trees) != Before::Value) {
            let found = self.found();
            self.report.error(last, format!("this expression is not complete: found {found} after it"));
        } else if is_cut_off {
            self.report.error(At::word(error.span(), "…"), "this expression is not complete");
        } else {
            self.report
                .error(At::word(error.span(), "…"), format!("this expression cannot be read: {message}"));
        }
    }

    /// Reads tokens as long as they can belong to one expression.
    pub(super) fn take_expression(&mut self, until: Until) -> Vec<TokenTree> {
        let mut trees = Vec::new();
        let mut before = Before::Nothing;
        let mut open_ifs = 0_usize;
        while !self.is_at_end() && !self.ends_expression(before, until, open_ifs > 0) {
            match self.peek_word().as_deref() {
                Some("if") => open_ifs += 1,
                Some("else") => open_ifs = open_ifs.saturating_sub(1),
                _ => {}
            }
            trees.extend(self.bump());
            before = before_after(&trees);
        }
        trees
    }

    /// Splits the tokens of a list at the commas between its expressions.
    pub(super) fn finish_calls(&mut self, trees: &[TokenTree]) -> Vec<Call> {
        let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
        let mut calls = Vec::new();
        let mut rest = trees;
        while !rest.is_empty() {
            let commas = rest.iter().enumerate().filter(|(_, tree)| is_comma(tree)).map(|(at, _)| at);
            let ends = commas.chain([rest.len()]).collect::<Vec<_>>();
            // A comma may also stand in an expression, such as `a::<B, C>()`.
            let is_whole = |end: &usize| syn::parse2::<Expr>(stream(&rest[..*end])).is_ok();
            let end = ends.iter().copied().find(is_whole).unwrap_or(ends[0]);
            calls.push(self.finish_call(&rest[..end]));
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        calls
    }

    /// Reads the condition of an `if`, or what a `for` goes through: up to the block that is its body.
    ///
    /// As in Rust, that is the first block behind a value which belongs to no `match` and no pattern. One that holds
    /// statements is the body in any case. The word `limit` behind a value ends it as well.
    pub(super) fn take_head(&mut self) -> Vec<TokenTree> {
        let mut trees = Vec::new();
        // The `match`es and `if`s whose block is still to come.
        let mut open = 0_usize;
        while !self.is_at_end() && !self.ends_head(&trees, open) {
            match self.peek_word().as_deref() {
                Some("if" | "match" | "while" | "for") => open += 1,
                None if self.peek_block(Delimiter::Brace) && before_after(&trees) == Before::Value => {
                    open = open.saturating_sub(1);
                }
                _ => {}
            }
            trees.extend(self.bump());
        }
        trees
    }

    fn ends_head(&self, trees: &[TokenTree], open: usize) -> bool {
        let before = before_after(trees);
        if self.is_punct(';') || before != Before::Quote && words::looks_like_statement(self.cursor) {
            return true;
        }
        if let Some((inside, _, rest)) = self.cursor.group(Delimiter::Brace) {
            let is_operand = match before {
                Before::Nothing => words::continues_expression(rest),
                Before::Value => open > 0 || words::continues_pattern(rest),
                Before::Operator | Before::Quote => true,
                Before::Dot => false,
            };
            return !is_operand || words::looks_like_branches(inside);
        }
        match self.peek_word().as_deref() {
            Some("if" | "for") => matches!(before, Before::Value | Before::Dot),
            // It belongs to an `if` in the head only behind the block of that.
            Some("else") => {
                !matches!(trees.last(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
            }
            Some(word) => before == Before::Value && nearest(word, &["limit"]).is_some(),
            None => false,
        }
    }

    fn ends_expression(&self, before: Before, until: Until, is_in_if: bool) -> bool {
        if self.is_punct(';') {
            return true;
        }
        if before != Before::Quote && words::looks_like_statement(self.cursor) {
            return true;
        }
        let after_value = before == Before::Value;
        let Some((word, rest)) = self.cursor.ident() else {
            let block = self.cursor.group(Delimiter::Brace).filter(|_| after_value);
            return block.is_some_and(|(inside, ..)| words::looks_like_branches(inside));
        };
        match word.to_string().as_str() {
            "else" => !(after_value && is_in_if),
            "if" | "for" => matches!(before, Before::Value | Before::Dot),
            word if words::is_keyword(word) => false,
            // An identifier behind a value is in no expression: a clause, a statement, or a slip in one of them.
            _ if after_value => true,
            word if until == Until::Statement || !words::is_clause(word) => false,
            _ if before == Before::Nothing && words::ends_step(rest) => true,
            word => words::looks_like_clause(word, rest),
        }
    }
}

/// What these tokens amount to.
fn before_after(trees: &[TokenTree]) -> Before {
    let is_joint_dot = |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == '.' && p.spacing() == Spacing::Joint);
    let is_quote = |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == '\'');
    let Some((last, earlier)) = trees.split_last() else { return Before::Nothing };
    match last {
        TokenTree::Ident(_) if earlier.last().is_some_and(is_quote) => Before::Operator,
        TokenTree::Ident(word) if !words::ends_expression(&word.to_string()) => Before::Operator,
        TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Group(_) => Before::Value,
        TokenTree::Punct(punct) => match punct.as_char() {
            '?' => Before::Value,
            '\'' => Before::Quote,
            '.' if !earlier.last().is_some_and(is_joint_dot) => Before::Dot,
            _ => Before::Operator,
        },
    }
}
