//! The statements of a saga, and of the branches of its `parallel`s.

use proc_macro2::{Delimiter, Ident};
use syn::Attribute;

use super::call::Until;
use super::later;
use super::parser::Parser;
use super::words;
use crate::ast::{Call, Field, Parallel, Policies, Statement, StepKind};
use crate::report::At;
use crate::suggest::nearest;

/// Where statements stand, and what they amount to.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) statements: Vec<Statement>,
    /// `None` in a branch: what is declared for the whole saga cannot stand there.
    pub(super) top: Option<Top>,
}

/// What is declared for the whole saga.
#[derive(Default)]
pub(super) struct Top {
    pub(super) participants: Vec<Field>,
    pub(super) defaults: Policies,
    pub(super) returns: Option<Call>,
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
    fn statement(&mut self, scope: &mut Scope) {
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
        if words::STATEMENTS.contains(&word.as_str()) {
            self.take_ident();
            self.known_statement(&word, &keyword, attrs, scope);
        } else if words::LATER_STATEMENTS.contains(&word.as_str()) {
            self.report.error(&keyword, later::absent(&word));
            self.later_statement(&word);
        } else if let Some(meant) = nearest(&word, &[words::STATEMENTS, words::LATER_STATEMENTS].concat()) {
            let error =
                self.report.error(&keyword, format!("unknown statement `{word}`: did you mean `{meant}`?"));
            if words::LATER_STATEMENTS.contains(&meant) {
                error.help(later::absent(meant));
            }
            if words::STATEMENTS.contains(&meant) {
                self.take_ident();
                self.known_statement(meant, &keyword, attrs, scope);
            } else {
                self.later_statement(meant);
            }
        } else {
            self.unknown_statement(&keyword);
        }
    }

    /// Reads a statement behind its keyword.
    fn known_statement(&mut self, word: &str, keyword: &Ident, attrs: Vec<Attribute>, scope: &mut Scope) {
        let kind = match word {
            "step" => StepKind::Step,
            "read" => StepKind::Read,
            "pivot" => StepKind::Pivot,
            "parallel" => {
                let parallel = self.parallel(keyword);
                return scope.statements.extend(parallel.map(Statement::Parallel));
            }
            _ => return self.declaration(word, keyword, scope),
        };
        self.refuse_attributes(&attrs);
        let documentation = attrs.into_iter().filter(is_documentation).collect();
        let step = self.step(documentation, kind, keyword);
        scope.statements.extend(step.map(Statement::Step));
    }

    /// Reads `with`, `timeout`, `retry` or `return`, which are for the whole saga.
    fn declaration(&mut self, word: &str, keyword: &Ident, scope: &mut Scope) {
        let Some(top) = &mut scope.top else {
            self.report
                .error(keyword, format!("`{word}` is said for the whole saga: it cannot stand in `parallel`"))
                .help(format!(
                    "move it out of `parallel`{}",
                    if word == "return" { ", to the end" } else { "" }
                ));
            return self.skip_statement();
        };
        match word {
            "with" => {
                let errors_before = self.report.len();
                let participants = self.fields("a participant");
                if participants.is_empty() && self.report.len() == errors_before {
                    self.report
                        .error(keyword, "`with` names no participant")
                        .help("write `with name: Type;`");
                }
                top.participants.extend(participants);
            }
            "return" => return self.returns(keyword, top),
            _ => self.policy(word, At::from(keyword), &mut top.defaults),
        }
        if !self.take_punct(';') {
            self.missing_semicolon(&format!("`{word}`"));
        }
    }

    fn returns(&mut self, keyword: &Ident, top: &mut Top) {
        let call = self.take_call(Until::Statement, |_| {});
        if top.returns.is_some() {
            self.twice(At::from(keyword), "return");
        } else {
            top.returns = Some(call);
        }
        top.last_return = Some(At::from(keyword));
        // As in Rust, nothing has to end the last statement.
        if !self.take_punct(';') && !self.is_at_end() {
            self.missing_semicolon("`return`");
        }
    }

    fn parallel(&mut self, keyword: &Ident) -> Option<Parallel> {
        if self.is_word("for") {
            self.later_parallel_for(keyword);
            return None;
        }
        let Some(block) = self.take_block(Delimiter::Brace) else {
            self.report.error(keyword, "`parallel` has no block").help("write `parallel { … }`");
            self.skip_statement();
            return None;
        };
        let errors_before = self.report.len();
        let mut branches = Vec::new();
        let mut parser = self.inside(&block);
        while !parser.is_at_end() {
            let mut branch = Scope::default();
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

    fn unknown_statement(&mut self, keyword: &Ident) {
        let help =
            "a saga is made of `with`, `timeout`, `retry`, `step`, `read`, `pivot`, `parallel` and `return`";
        self.report.error(keyword, format!("unknown statement `{keyword}`")).help(help);
        self.take_ident();
        // `let x: T = …`: whoever uses `x` is not told that it does not exist.
        if let Some((name, rest)) = self.cursor.ident()
            && rest.punct().is_some_and(|(sign, _)| matches!(sign.as_char(), ':' | '='))
        {
            self.poison(&name);
        }
        self.skip_statement();
    }

    fn no_statement(&mut self, scope: &mut Scope) {
        if let Some(block) = self.take_block(Delimiter::Brace) {
            self.report
                .error(block.at.clone(), "a block is a branch: it stands directly in `parallel`")
                .help("write its statements without the braces");
            let mut branch = Scope::default();
            self.inside(&block).statements(&mut branch);
            return scope.statements.extend(branch.statements);
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

    /// Skips what no statement can start with.
    pub(super) fn skip_to_statement(&mut self) {
        let is_statement = self
            .peek_word()
            .is_some_and(|word| words::is_statement(&word) || nearest(&word, words::STATEMENTS).is_some());
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

    /// Attributes other than documentation would change what there is to do: they are not passed on.
    fn refuse_attributes(&mut self, attrs: &[Attribute]) {
        for attr in attrs.iter().filter(|attr| !is_documentation(attr)) {
            self.report
                .error(attr, "a step can have documentation, but no other attribute")
                .help("remove it: what a saga consists of does not depend on how it is compiled");
        }
    }
}

fn is_documentation(attr: &Attribute) -> bool {
    attr.path().is_ident("doc")
}
