//! Calls: raw tokens up to the next clause, `;` or statement.
//!
//! A copy is parsed, to say early that it is incomplete; the tokens themselves are passed on untouched.

use proc_macro2::{Delimiter, Spacing, TokenTree};
use syn::Expr;

use super::parser::{Parser, stream};
use super::words;
use crate::ast::Call;
use crate::report::At;

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
            let call = Call::new(stream(&trees));
            call.refuse();
            return call;
        }
        self.finish_call(&trees)
    }

    /// The call made of these tokens, which were just read.
    pub(super) fn finish_call(&mut self, trees: &[TokenTree]) -> Call {
        let call = Call::new(stream(trees));
        if let Err(error) = syn::parse2::<Expr>(call.tokens.clone()) {
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
            "else" => after_value && !is_in_if,
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
