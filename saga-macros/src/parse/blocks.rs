//! `parallel { … }`, `if … { … } else { … }` and `for … { … }`.

use proc_macro2::{Delimiter, Ident};
use syn::{Attribute, Type};

use super::body::Scope;
use super::fields::Found;
use super::parser::{Block, Parser, stream};
use super::step::unknown_type;
use super::words;
use crate::ast::{Arm, Call, Field, For, If, Parallel, Statement, UNNAMED_ITEM};
use crate::suggest::nearest;

impl Parser<'_, '_> {
    /// Reads `{ … }` behind `parallel`. `None`: there is no branch, which was reported.
    pub(super) fn parallel(&mut self, keyword: &Ident) -> Option<Parallel> {
        let Some(block) = self.take_block(Delimiter::Brace) else {
            self.report.error(keyword, "`parallel` has no block").help("write `parallel { … }`");
            self.skip_statement();
            return None;
        };
        let errors_before = self.report.len();
        let mut branches = Vec::new();
        let mut parser = self.inside(&block);
        while !parser.is_at_end() {
            let mut branch = Scope::block("parallel");
            if let Some(block) = parser.take_block(Delimiter::Brace) {
                let errors_before = parser.report.len();
                parser.inside(&block).statements(&mut branch);
                if branch.statements.is_empty() && parser.report.len() == errors_before {
                    parser
                        .report
                        .error(block.at, "this branch has no step")
                        .help("remove it, or write a step in it");
                }
            } else if !parser.take_punct(';') {
                parser.statement(&mut branch);
            }
            if !branch.statements.is_empty() {
                branches.push(branch.statements);
            }
        }
        if branches.is_empty() {
            if self.report.len() == errors_before {
                self.report
                    .error(keyword, "`parallel` has no branch")
                    .help("remove it, or write steps in it");
            }
            return None;
        }
        Some(Parallel { branches })
    }

    /// Reads the `for` behind `parallel`, should this be one.
    pub(super) fn takes_for(&mut self, keyword: &Ident) -> bool {
        if self.take_word("for").is_some() {
            return true;
        }
        let is_item = words::is_binding(self.cursor);
        if is_item {
            let found = self.found();
            self.report
                .error(keyword, format!("expected `for` or `{{ … }}` after `parallel`, found {found}"))
                .help("write `parallel for item: Type in items limit 4 { … }`");
        }
        is_item
    }

    /// Reads `condition { … } else …` behind `if`.
    pub(super) fn branching(&mut self, attrs: Vec<Attribute>, keyword: &Ident) -> If {
        let errors_before = self.report.len();
        let mut arms = vec![self.arm(keyword)];
        let mut otherwise = None;
        while let Some(word) = self.take_word("else") {
            if let Some(keyword) = self.take_word("if") {
                arms.push(self.arm(&keyword));
                continue;
            }
            if let Some(block) = self.take_block(Delimiter::Brace) {
                otherwise = Some(self.block(&block, "if"));
                break;
            }
            let found = self.found();
            self.report
                .error(&word, format!("`else` has no block: found {found} after it"))
                .help("write `else { … }` or `else if condition { … }`");
            // Perhaps it is the `if` that is missing.
            let condition = Call::new(stream(&self.take_head()));
            condition.refuse();
            let Some(block) = self.take_block(Delimiter::Brace) else { break };
            arms.push(Arm { condition, body: self.block(&block, "if") });
        }
        let bodies = arms.iter().map(|arm| &arm.body).chain(&otherwise);
        if bodies.flatten().next().is_none() && self.report.len() == errors_before {
            self.report.error(keyword, "`if` has no step").help("remove it, or write steps in it");
        }
        If { attrs, keyword: keyword.span(), arms, otherwise }
    }

    /// Reads `condition { … }` behind the `if` that is its keyword.
    fn arm(&mut self, keyword: &Ident) -> Arm {
        let errors_before = self.report.len();
        let trees = self.take_head();
        let condition = if trees.is_empty() {
            self.report.error(keyword, "`if` has no condition").help("write `if condition { … }`");
            Call::missing()
        } else {
            self.finish_call(&trees)
        };
        let body = self.body(keyword, "if", "if condition { … }", errors_before);
        Arm { condition, body }
    }

    /// Reads `item: Type in items { … }` behind `for`, and `limit N` as well if it is a `parallel for`.
    pub(super) fn each(&mut self, attrs: Vec<Attribute>, keyword: &Ident, is_parallel: bool) -> For {
        let errors_before = self.report.len();
        let what = if is_parallel { "parallel for" } else { "for" };
        let limit = if is_parallel { " limit 4" } else { "" };
        let name = self.item_name();
        let form = match &name {
            Some(name) => format!("{what} {name}: Type in items{limit} {{ … }}"),
            None => format!("{what} item: Type in items{limit} {{ … }}"),
        };
        let item = match name {
            Some(name) => Field { ty: self.item_type(&name, &form), name },
            None => Field { ty: unknown_type(), name: Ident::new(UNNAMED_ITEM, keyword.span()) },
        };
        self.word_in(&form, errors_before);
        let trees = self.take_head();
        let items = if trees.is_empty() {
            if self.report.len() == errors_before {
                self.report
                    .error(self.last.clone(), format!("`{what}` has nothing to go through"))
                    .help(format!("write `{form}`"));
            }
            Call::missing()
        } else {
            self.finish_call(&trees)
        };
        let limit = self.limit(is_parallel, errors_before);
        let body = self.body(keyword, what, &form, errors_before);
        if body.is_empty() && self.report.len() == errors_before {
            self.report
                .error(keyword, format!("`{what}` has no step"))
                .help("remove it, or write steps in it");
        }
        For { attrs, keyword: keyword.span(), item, items, limit, body }
    }

    /// Reads the name of an item. Without one, goes on at `in`.
    fn item_name(&mut self) -> Option<Ident> {
        if self.is_word("in") {
            self.report.error(self.last.clone(), "expected the name of an item, found `in`");
            return None;
        }
        let name = self.take_name("an item");
        if name.is_none() {
            self.skip_to_in();
        }
        name
    }

    fn skip_to_in(&mut self) {
        while !self.is_at_end()
            && !self.is_word("in")
            && !self.is_punct(';')
            && !self.peek_block(Delimiter::Brace)
            && !words::looks_like_statement(self.cursor)
        {
            self.bump();
        }
    }

    fn item_type(&mut self, name: &Ident, form: &str) -> Type {
        let found = if self.take_punct(':') { self.take_type(&['=']) } else { Found::Missing };
        match found {
            Found::Type(ty) => return ty,
            Found::Malformed => {}
            Found::Missing => {
                self.report.error(name, format!("item `{name}` has no type")).help(format!("write `{form}`"));
                self.skip_to_in();
            }
        }
        self.poison(name);
        unknown_type()
    }

    /// Reads `in`, or what stands there instead of it.
    fn word_in(&mut self, form: &str, errors_before: usize) {
        if self.take_word("in").is_some() {
            return;
        }
        if self.report.len() == errors_before {
            let found = self.found();
            self.report
                .error(self.last.clone(), format!("expected `in` after the item, found {found}"))
                .help(format!("write `{form}`"));
        }
        // `of lines`: two names in a row are in no expression.
        let is_word = self.cursor.ident().is_some_and(|(_, rest)| rest.ident().is_some());
        if self.is_punct('=') || is_word && !words::looks_like_statement(self.cursor) {
            self.bump();
        }
    }

    /// Reads `limit N`. A `parallel for` has it, a plain `for` does not.
    fn limit(&mut self, is_parallel: bool, errors_before: usize) -> Option<u32> {
        let help = "write `limit 4`: so many items are worked on at once";
        let word = self.peek_ident().filter(|word| nearest(&word.to_string(), &["limit"]).is_some());
        let Some(word) = word else {
            if is_parallel && self.report.len() == errors_before {
                self.report
                    .error(self.last.clone(), "`parallel for` has no `limit`")
                    .help(format!("{help}; `for` alone works on one after the other"));
            }
            return is_parallel.then_some(1);
        };
        self.take_ident();
        let count = self.take_literal();
        if !is_parallel {
            self.report
                .error(&word, "a `for` has no `limit`: it works on one item after the other")
                .help("remove `limit`, or write `parallel for`");
            return None;
        }
        if word != "limit" {
            self.report
                .error(&word, format!("expected `limit`, found `{word}`"))
                .help("did you mean `limit`?");
        }
        let text = count.as_ref().map(|count| count.to_string().replace('_', "")).unwrap_or_default();
        match text.parse::<u32>() {
            Ok(0) => {
                self.report
                    .error(self.last.clone(), "a limit of 0 lets no item be worked on")
                    .help("write `limit 1` or more");
                Some(1)
            }
            Ok(limit) => Some(limit),
            Err(_) => {
                let found = count.map_or_else(|| self.found(), |count| format!("`{count}`"));
                self.report
                    .error(&word, format!("expected a number after `limit`, found {found}"))
                    .help(help);
                while !self.is_at_end() && !self.peek_block(Delimiter::Brace) && !self.ends_statement() {
                    self.bump();
                }
                Some(1)
            }
        }
    }

    /// Reads the block of an `if` or a `for`. A head with an error is half typed: no second one for its block.
    fn body(
        &mut self,
        keyword: &Ident,
        what: &'static str,
        form: &str,
        errors_before: usize,
    ) -> Vec<Statement> {
        if let Some(block) = self.take_block(Delimiter::Brace) {
            return self.block(&block, what);
        }
        if self.report.len() == errors_before {
            self.report.error(keyword, format!("`{what}` has no block")).help(format!("write `{form}`"));
        }
        self.take_punct(';');
        Vec::new()
    }

    fn block(&mut self, block: &Block<'_>, what: &'static str) -> Vec<Statement> {
        let mut scope = Scope::block(what);
        self.inside(block).statements(&mut scope);
        scope.statements
    }
}
