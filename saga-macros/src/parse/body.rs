//! The statements of a saga, and of its blocks.

use proc_macro2::{Delimiter, Ident, TokenTree};
use syn::Attribute;
use syn::buffer::Cursor;

use super::call::Until;
use super::parser::{Block, Parser};
use super::words;
use crate::ast::{Call, Deadline, Field, Lock, Policies, Statement, StepKind};
use crate::report::At;
use crate::suggest::nearest;

/// Where statements stand, and what they amount to.
pub(super) struct Scope {
    pub(super) statements: Vec<Statement>,
    /// `None` in a block: what is declared for the whole saga cannot stand there.
    pub(super) top: Option<Top>,
    /// The word of the block: `parallel`, `if`, `for`.
    block: &'static str,
}

impl Scope {
    /// The braces of a saga.
    pub(super) fn saga() -> Self {
        Self { statements: Vec::new(), top: Some(Top::default()), block: "" }
    }

    /// The braces behind a word such as `parallel`.
    pub(super) fn block(word: &'static str) -> Self {
        Self { statements: Vec::new(), top: None, block: word }
    }
}

/// What is declared for the whole saga.
#[derive(Default)]
pub(super) struct Top {
    pub(super) participants: Vec<Field>,
    pub(super) defaults: Policies,
    pub(super) deadline: Option<Deadline>,
    pub(super) lock: Option<Lock>,
    pub(super) returns: Option<Call>,
    /// A `pivot` without a name.
    pub(super) lost_pivot: bool,
    /// A `return` without an expression.
    pub(super) empty_return: Option<At>,
    /// The `return`, as long as nothing followed it.
    last_return: Option<At>,
}

impl Parser<'_, '_> {
    /// Reads all statements.
    pub(super) fn statements(&mut self, scope: &mut Scope) {
        while !self.is_at_end() {
            if !self.take_punct(';') {
                self.statement(scope);
            }
        }
    }

    /// Reads one statement, and at least one token.
    pub(super) fn statement(&mut self, scope: &mut Scope) {
        let attrs = self.attributes();
        let Some(keyword) = self.peek_ident() else {
            return self.no_statement(scope);
        };
        if let Some(at) = scope.top.as_mut().and_then(|top| top.last_return.take())
            && keyword != "return"
        {
            self.report
                .error(at, "`return` is not the last statement")
                .help("move it to the end: it runs when all steps are done");
        }
        let word = keyword.to_string();
        if words::is_statement(&word) {
            self.take_ident();
            self.known_statement(&word, &keyword, attrs, scope);
        } else if word == "else" {
            self.lone_else(&keyword, scope);
        } else if let Some(meant) = nearest(&word, words::STATEMENTS).filter(|meant| self.can_be(meant)) {
            self.report.error(&keyword, format!("unknown statement `{word}`: did you mean `{meant}`?"));
            self.take_ident();
            self.known_statement(meant, &keyword, attrs, scope);
        } else {
            self.unknown_statement(&keyword, scope);
        }
    }

    /// Whether the word that stands here can be meant as this statement: what follows tells a slip in `receive` from a
    /// method called `reserve`.
    pub(super) fn can_be(&self, meant: &str) -> bool {
        let Some((_, rest)) = self.cursor.ident() else { return false };
        match meant {
            "if" | "for" => has_block(rest),
            "parallel" => rest.group(Delimiter::Brace).is_some() || words::is_word(rest, "for"),
            "with" | "lock" => rest.ident().is_some(),
            _ if StepKind::of_word(meant).is_some() => rest.ident().is_some(),
            _ => true,
        }
    }

    /// Reads a statement behind its keyword.
    fn known_statement(&mut self, word: &str, keyword: &Ident, attrs: Vec<Attribute>, scope: &mut Scope) {
        if keyword == word {
            self.words.push(keyword.clone());
        }
        let kind = StepKind::of_word(word);
        let what = if kind.is_some() { "a step" } else { &format!("`{word}`") };
        self.refuse_attributes(&attrs, what);
        let attrs = attrs.into_iter().filter(is_documentation).collect::<Vec<_>>();
        let statement = match word {
            "if" => Some(Statement::If(self.branching(attrs, keyword))),
            "for" => Some(Statement::For(self.each(attrs, keyword, false))),
            "sleep" => self.sleep(attrs, keyword).map(Statement::Sleep),
            "parallel" if self.takes_for(keyword) => Some(Statement::For(self.each(attrs, keyword, true))),
            "parallel" => self.parallel(keyword).map(Statement::Parallel),
            _ => match kind {
                Some(kind) => {
                    let step = self.step(attrs, kind);
                    if let (None, StepKind::Pivot, Some(top)) = (&step, kind, &mut scope.top) {
                        top.lost_pivot = true;
                    }
                    step.map(Statement::Step)
                }
                None => return self.declaration(word, keyword, scope),
            },
        };
        scope.statements.extend(statement);
    }

    /// Reads `with`, `timeout`, `retry`, `deadline`, `lock` or `return`, which are for the whole saga.
    fn declaration(&mut self, word: &str, keyword: &Ident, scope: &mut Scope) {
        let Some(top) = &mut scope.top else {
            let block = scope.block;
            let to = match word {
                "return" => ", to the end",
                "lock" => ", before the first step",
                _ => "",
            };
            self.report
                .error(keyword, format!("`{word}` is said for the whole saga: it cannot stand in `{block}`"))
                .help(format!("move it out of `{block}`{to}"));
            return self.skip_statement();
        };
        let errors_before = self.report.len();
        match word {
            "with" => {
                let participants = self.fields("a participant");
                if participants.is_empty() && self.report.len() == errors_before {
                    self.report
                        .error(keyword, "`with` names no participant")
                        .help("write `with name: Type;`");
                }
                top.participants.extend(participants);
            }
            "deadline" => {
                let deadline = self.deadline();
                if top.deadline.is_some() {
                    self.twice(At::from(keyword), word);
                } else {
                    top.deadline = deadline;
                }
            }
            "lock" => {
                let lock = self.lock(keyword, scope.statements.is_empty());
                if top.lock.is_some() {
                    self.twice(At::from(keyword), word);
                } else {
                    top.lock = Some(lock);
                }
            }
            "return" => return self.returns(keyword, top),
            _ => self.policy(word, At::from(keyword), &mut top.defaults),
        }
        if !self.take_punct(';') {
            self.missing_semicolon_unless(errors_before, &format!("`{word}`"));
        }
    }

    /// Reads the keys behind `lock`.
    fn lock(&mut self, keyword: &Ident, is_first: bool) -> Lock {
        let trees = self.take_expression(Until::Statement);
        if trees.is_empty() {
            self.report
                .error(keyword, "`lock` names nothing to lock")
                .help("write `lock key, …;`: each key an expression, such as `trip.customer`");
            return Lock { keyword: keyword.span(), keys: vec![Call::missing()] };
        }
        if !is_first {
            self.report
                .error(keyword, "`lock` comes after a step: all locks are taken before anything is done")
                .help("move it before the first step");
        }
        Lock { keyword: keyword.span(), keys: self.finish_calls(&trees) }
    }

    fn returns(&mut self, keyword: &Ident, top: &mut Top) {
        let errors_before = self.report.len();
        let call = self.take_call(Until::Statement, |_| top.empty_return = Some(At::from(keyword)));
        if top.returns.is_some() {
            self.twice(At::from(keyword), "return");
        } else {
            top.returns = Some(call);
        }
        top.last_return = Some(At::from(keyword));
        // As in Rust, nothing has to end the last statement.
        if !self.take_punct(';') && !self.is_at_end() {
            self.missing_semicolon_unless(errors_before, "`return`");
        }
    }

    fn unknown_statement(&mut self, keyword: &Ident, scope: &mut Scope) {
        self.report
            .error(keyword, format!("unknown statement `{keyword}`"))
            .help(format!("a saga is made of {}", words::listed(words::STATEMENTS)));
        self.take_ident();
        // `let x: T = …`: whoever uses `x` is not told that it does not exist.
        if let Some((name, rest)) = self.cursor.ident()
            && rest.punct().is_some_and(|(sign, _)| matches!(sign.as_char(), ':' | '='))
        {
            self.poison(&name);
        }
        self.skip_statement();
        self.blocks_of_unknown(scope);
    }

    /// The steps in the blocks of a statement that was reported are read nevertheless.
    fn blocks_of_unknown(&mut self, scope: &mut Scope) {
        while let Some(block) = self.take_block(Delimiter::Brace) {
            self.stray_block(&block, scope);
            if self.take_word("else").is_some() {
                self.take_word("if");
                self.take_head();
            }
        }
    }

    /// Reads the steps of a block that was reported, and of the blocks in it.
    fn stray_block(&mut self, block: &Block<'_>, scope: &mut Scope) {
        let mut parser = self.inside(block);
        while !parser.is_at_end() {
            if let Some(block) = parser.take_block(Delimiter::Brace) {
                parser.stray_block(&block, scope);
            } else if !parser.take_punct(';') {
                parser.statement(scope);
            }
        }
    }

    fn lone_else(&mut self, keyword: &Ident, scope: &mut Scope) {
        self.report
            .error(keyword, "`else` has no `if`")
            .help("it follows the `}` of an `if` directly: `if condition { … } else { … }`");
        self.take_ident();
        self.take_word("if");
        self.take_head();
        self.blocks_of_unknown(scope);
    }

    fn no_statement(&mut self, scope: &mut Scope) {
        if let Some(block) = self.take_block(Delimiter::Brace) {
            self.report
                .error(block.at.clone(), "a block is a branch: it stands directly in `parallel`")
                .help("write its statements without the braces");
            return self.stray_block(&block, scope);
        }
        let found = self.found();
        self.report.error(self.here(), format!("expected a statement, found {found}"));
        self.bump();
        self.skip_statement();
    }

    /// Reports that `;` is missing behind what was read last, and goes on with the next statement.
    pub(super) fn missing_semicolon(&mut self, after: &str) {
        let found = self.found();
        self.report.error(self.last.clone(), format!("`;` is missing after {after}: found {found}"));
        self.skip_to_statement();
    }

    /// The same, but for a statement with an error: it is half typed, and gets no second one for its `;`.
    pub(super) fn missing_semicolon_unless(&mut self, errors_before: usize, after: &str) {
        if self.report.len() == errors_before {
            self.missing_semicolon(after);
        } else {
            self.skip_to_statement();
        }
    }

    /// Skips what no statement can start with.
    pub(super) fn skip_to_statement(&mut self) {
        let is_meant = |word: &str| nearest(word, words::STATEMENTS).is_some_and(|meant| self.can_be(meant));
        let is_statement = self.peek_word().is_some_and(|word| words::is_statement(&word) || is_meant(&word));
        if !is_statement && !self.peek_block(Delimiter::Brace) {
            self.skip_statement();
        }
    }

    /// Skips to behind the next `;`, or to the next statement if that comes first.
    pub(super) fn skip_statement(&mut self) {
        while !self.is_at_end() && !self.ends_statement() {
            if self.take_punct(';') {
                return;
            }
            self.bump();
        }
    }

    pub(super) fn ends_statement(&self) -> bool {
        let block = self.cursor.group(Delimiter::Brace);
        words::looks_like_statement(self.cursor)
            || block.is_some_and(|(inside, ..)| words::looks_like_branches(inside))
    }

    /// Attributes other than documentation would change what there is to do: they are not passed on.
    fn refuse_attributes(&mut self, attrs: &[Attribute], what: &str) {
        for attr in attrs.iter().filter(|attr| !is_documentation(attr)) {
            self.report
                .error(attr, format!("{what} can have documentation, but no other attribute"))
                .help("remove it: what a saga consists of does not depend on how it is compiled");
        }
    }
}

/// Whether a block stands before the next `;`.
fn has_block(mut cursor: Cursor<'_>) -> bool {
    while let Some((tree, rest)) = cursor.token_tree() {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return true,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return false,
            _ => cursor = rest,
        }
    }
    false
}

fn is_documentation(attr: &Attribute) -> bool {
    attr.path().is_ident("doc")
}
