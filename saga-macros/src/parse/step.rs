//! `step x: T = call clauses;` and its kin.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::buffer::TokenBuffer;
use syn::{Attribute, Expr, Type};

use super::call::Until;
use super::fields::Found;
use super::parser::{Block, Parser, stream};
use super::words;
use crate::ast::{Call, Compensate, Otherwise, Policies, Probe, Step, StepKind, Undo};
use crate::report::At;
use crate::suggest::nearest;

impl Parser<'_, '_> {
    /// Reads a step behind its keyword. `None`: it has no name, which was reported.
    pub(super) fn step(&mut self, attrs: Vec<Attribute>, kind: StepKind) -> Option<Step> {
        let errors_before = self.report.len();
        let Some(name) = self.take_name("a step") else {
            self.skip_statement();
            return None;
        };
        let ty = self.output_type(&name, kind);
        let has_type = ty.is_some();
        let action = match kind {
            StepKind::Receive => self.no_action(&name),
            _ => self.action(&name, kind, has_type),
        };
        let mut step = Step {
            attrs,
            kind,
            ty: ty.unwrap_or_else(unknown_type),
            name,
            action,
            within: None,
            policies: Policies::default(),
            keyed: None,
            probe: None,
            compensate: None,
            otherwise: None,
            events: None,
            broken: false,
        };
        self.clauses(&mut step, errors_before);
        if !has_type {
            // What they return cannot be checked.
            step.action.refuse();
            step.probe.iter().for_each(|probe| probe.call.refuse());
            step.otherwise.iter().for_each(|otherwise| otherwise.call.refuse());
        }
        if kind == StepKind::Receive && step.within.is_none() && self.report.len() == errors_before {
            let name = &step.name;
            self.report
                .error(name, format!("`receive {name}` does not say how long it waits"))
                .help(format!("write `{}`", form(kind, name)));
        }
        step.broken = self.report.len() > errors_before;
        Some(step)
    }

    fn output_type(&mut self, name: &Ident, kind: StepKind) -> Option<Type> {
        let found = if self.take_punct(':') { self.take_type(&['=']) } else { Found::Missing };
        match found {
            Found::Type(ty) => return Some(ty),
            Found::Malformed => {}
            Found::Missing => {
                self.report
                    .error(name, format!("step `{name}` has no type"))
                    .help(format!("write `{}`", form(kind, name)));
                // `step a A = …`
                while !self.is_punct('=') && !self.ends_action() {
                    self.bump();
                }
            }
        }
        self.poison(name);
        None
    }

    /// Reads `= call`. A step without a type gets no second error for its call.
    fn action(&mut self, name: &Ident, kind: StepKind, has_type: bool) -> Call {
        let missing = |parser: &mut Self| {
            if has_type {
                parser
                    .report
                    .error(parser.last.clone(), format!("step `{name}` has no call"))
                    .help(format!("write `{}`", form(kind, name)));
            }
        };
        if !self.take_punct('=') {
            missing(self);
            // `step a: A f()`
            let trees = if self.ends_action() { Vec::new() } else { self.take_expression(Until::Clause) };
            let call = Call::new(stream(&trees));
            call.refuse();
            return call;
        }
        let call = self.take_call(Until::Clause, missing);
        if kind == StepKind::Saga && !call.is_refused() && !names_saga(&call) {
            call.refuse();
            self.report
                .error(&call.tokens, format!("`{name}` is the output of another saga, but this begins none"))
                .help(format!("write `{}`", form(kind, name)));
        }
        call
    }

    /// Whether a clause, the end of the step, or another statement stands here.
    fn ends_action(&self) -> bool {
        let is_word = |word: &String| words::is_clause(word) || words::is_statement(word);
        self.is_at_end()
            || self.is_punct(';')
            || self.peek_block(Delimiter::Brace)
            || self.peek_word().as_ref().is_some_and(is_word)
            || words::looks_like_statement(self.cursor)
    }

    /// A `receive` waits, and calls nothing.
    fn no_action(&mut self, name: &Ident) -> Call {
        let equals = self.here();
        if self.take_punct('=') {
            self.report
                .error(equals, format!("`receive {name}` waits for a signal: it calls nothing"))
                .help(format!("write `{}`, or `step` instead of `receive`", form(StepKind::Receive, name)));
            self.take_expression(Until::Clause);
        }
        Call::new(TokenStream::new())
    }

    /// Reads the clauses and the `;` that ends them. A step with an error is half typed: no second one for its `;`.
    fn clauses(&mut self, step: &mut Step, errors_before: usize) {
        let missing_semicolon = |parser: &mut Self, step: &Step| {
            parser.missing_semicolon_unless(errors_before, &format!("step `{}`", step.name));
        };
        while !self.take_punct(';') {
            let word = self.peek_word();
            let is_statement = words::looks_like_statement(self.cursor)
                || word.as_deref().is_some_and(|word| words::is_statement(word) && !words::is_clause(word));
            if is_statement || self.is_at_end() || self.peek_block(Delimiter::Brace) {
                return missing_semicolon(self, step);
            }
            match word {
                Some(word) if words::is_clause(&word) => self.clause(&word, step),
                Some(word) => match nearest(&word, &[words::CLAUSES, words::STATEMENTS].concat()) {
                    Some(meant) if !self.can_be(meant) => self.unknown_clause(&word, None, step),
                    Some(meant) if !words::is_clause(meant) => {
                        return missing_semicolon(self, step);
                    }
                    meant => self.unknown_clause(&word, meant, step),
                },
                None => self.no_clause(),
            }
        }
    }

    fn clause(&mut self, word: &str, step: &mut Step) {
        let Some(keyword) = self.take_ident() else { return };
        if keyword == word {
            self.words.push(keyword.clone());
        }
        if matches!(word, "timeout" | "retry") {
            return self.step_policy(word, &keyword, step);
        }
        let is_twice = match word {
            "keyed" => step.keyed.replace(keyword.span()).is_some(),
            "probe" => {
                let call = self.take_call(Until::Clause, |parser| {
                    parser
                        .report
                        .error(&keyword, "`probe` has no call")
                        .help("write `probe participant.find(cx)`");
                });
                step.probe.replace(Probe { keyword: keyword.span(), call }).is_some()
            }
            "else" => {
                let call = self.take_call(Until::Clause, |parser| {
                    parser.report.error(&keyword, "`else` has no value").help("write `else value`");
                });
                step.otherwise.replace(Otherwise { keyword: keyword.span(), call }).is_some()
            }
            "events" => {
                let events = self.events(&keyword);
                events.is_some_and(|events| step.events.replace(events).is_some())
            }
            "within" => {
                let within = self.duration_of(word);
                if step.kind != StepKind::Receive {
                    self.report
                        .error(
                            &keyword,
                            format!("`within` belongs to `receive`, and `{}` is none", step.name),
                        )
                        .help("write `timeout` to limit each attempt of a call");
                    return;
                }
                within.is_some_and(|within| step.within.replace(within).is_some())
            }
            _ => {
                let compensate = self.compensate(&keyword);
                step.compensate.replace(compensate).is_some()
            }
        };
        if is_twice {
            self.twice(At::from(&keyword), word);
        }
    }

    /// Reads `timeout …` or `retry …`. Where there are no attempts, they mean nothing.
    fn step_policy(&mut self, word: &str, keyword: &Ident, step: &mut Step) {
        let (why, help) = match (step.kind, word) {
            (StepKind::Receive, "timeout") => ("it waits as long as `within` says", "remove `timeout`"),
            (StepKind::Receive, _) => ("it waits once, and calls nobody", "remove `retry`"),
            (StepKind::Local, "timeout") => {
                ("it is part of a transaction of the log", "remove `timeout`, or write `step`")
            }
            (StepKind::Local, _) => {
                ("it is refused, or done exactly once", "remove `retry`, or write `step`")
            }
            (StepKind::Saga, "timeout") => {
                ("its own steps have time-outs", "remove `timeout`, or write a `deadline` in that saga")
            }
            (StepKind::Saga, _) => ("its own steps are retried", "remove `retry`"),
            _ => return self.policy(word, At::from(keyword), &mut step.policies),
        };
        self.policy(word, At::from(keyword), &mut Policies::default());
        let (name, kind) = (&step.name, step.kind.word());
        self.report.error(keyword, format!("`{name}` is a `{kind}`: {why}")).help(help);
    }

    fn compensate(&mut self, keyword: &Ident) -> Compensate {
        let mut trees = self.take_expression(Until::Clause);
        let block = take_policy_block(&mut trees);
        let is_nothing = matches!(&trees[..], [TokenTree::Ident(word)] if word == "nothing");
        let mut policies = Policies::default();
        if let Some(group) = &block {
            if is_nothing {
                self.report
                    .error(group, "`compensate nothing` calls nothing: it has no time-out and no retries")
                    .help("remove the block");
            } else {
                self.policy_block(group, &mut policies);
            }
        }
        let undo = if is_nothing {
            Undo::Nothing
        } else if trees.is_empty() {
            self.report
                .error(keyword, "`compensate` has no call")
                .help("write `compensate participant.cancel(cx, …)`, or `compensate nothing`");
            Undo::Call(Call::missing())
        } else {
            Undo::Call(self.finish_call(&trees))
        };
        Compensate { keyword: keyword.span(), undo, policies }
    }

    /// Reads `{ timeout …, retry … }` behind the call of a compensation.
    fn policy_block(&mut self, group: &proc_macro2::Group, policies: &mut Policies) {
        let buffer = TokenBuffer::new2(group.stream());
        let at = At::word(group.span(), "{ … }");
        let block = Block { at, inside: buffer.begin(), end: group.span_close() };
        let mut parser = self.inside(&block);
        while !parser.is_at_end() {
            if parser.take_punct(',') || parser.take_punct(';') {
                continue;
            }
            let here = parser.here();
            let word = parser.peek_word().unwrap_or_default();
            let meant = nearest(&word, &["timeout", "retry"]);
            if meant.is_none_or(|meant| meant != word) {
                let message = format!("expected `timeout` or `retry`, found {}", parser.found());
                let error = parser.report.error(here.clone(), message);
                if let Some(meant) = meant {
                    error.help(format!("did you mean `{meant}`?"));
                }
            }
            parser.bump();
            match meant {
                Some(meant) => parser.policy(meant, here, policies),
                None => parser.skip_argument(),
            }
        }
    }

    fn unknown_clause(&mut self, word: &str, meant: Option<&'static str>, step: &mut Step) {
        let here = self.here();
        if let Some(meant) = meant {
            self.report.error(here, format!("unknown clause `{word}`: did you mean `{meant}`?"));
            return self.clause(meant, step);
        }
        let (whose, clauses) = match step.kind {
            StepKind::Receive => ("a `receive`", &["within", "else", "events"][..]),
            _ => ("a step", &["timeout", "retry", "probe", "keyed", "compensate", "else", "events"][..]),
        };
        self.report
            .error(here, format!("unknown clause `{word}`"))
            .help(format!("{whose} has the clauses {}; `;` ends it", words::listed(clauses)));
        self.take_ident();
        self.take_expression(Until::Clause);
    }

    fn no_clause(&mut self) {
        if self.is_punct(',') {
            self.report
                .error(self.here(), "there is no `,` between clauses")
                .help("clauses follow one another; `;` ends the step");
            self.take_punct(',');
            return;
        }
        let found = self.found();
        self.report.error(self.here(), format!("expected a clause or `;`, found {found}"));
        self.bump();
        self.take_expression(Until::Clause);
    }
}

/// A step of this kind, as a help shows it.
fn form(kind: StepKind, name: &Ident) -> String {
    let word = kind.word();
    match kind {
        StepKind::Step | StepKind::Read | StepKind::Pivot => {
            format!("{word} {name}: Type = participant.method(cx, …);")
        }
        StepKind::Local => format!("{word} {name}: Type = function(tx, …);"),
        StepKind::Receive => format!("{word} {name}: Type within 24h;"),
        StepKind::Saga => format!("{word} {name}: Type = OtherSaga(…);"),
        // These have no name to forget a type behind.
        StepKind::If | StepKind::For | StepKind::Sleep | StepKind::Lock => word.to_owned(),
    }
}

/// Whether this is `OtherSaga(…)`.
fn names_saga(call: &Call) -> bool {
    let Ok(Expr::Call(call)) = syn::parse2::<Expr>(call.tokens.clone()) else { return false };
    matches!(&*call.func, Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none())
}

/// `()`, where the type is missing: whoever uses the output is refused anyway.
pub(super) fn unknown_type() -> Type {
    syn::parse_quote!(())
}

/// Splits `{ timeout …, retry … }` off from the end of a call.
fn take_policy_block(trees: &mut Vec<TokenTree>) -> Option<proc_macro2::Group> {
    let is_control = |tree: &TokenTree| {
        matches!(tree, TokenTree::Ident(word)
            if ["if", "match", "while", "for", "loop", "async", "unsafe"].contains(&word.to_string().as_str()))
    };
    let [.., before, TokenTree::Group(group)] = &trees[..] else { return None };
    if group.delimiter() != Delimiter::Brace || trees.first().is_some_and(is_control) {
        return None;
    }
    let follows_call = match before {
        TokenTree::Group(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == '?',
        TokenTree::Ident(_) => holds_policies(group),
        TokenTree::Literal(_) => false,
    };
    if !follows_call {
        return None;
    }
    match trees.pop() {
        Some(TokenTree::Group(group)) => Some(group),
        _ => None,
    }
}

/// Whether a block starts like `timeout 3s` or `retry forever`: no literal of a struct does.
fn holds_policies(group: &proc_macro2::Group) -> bool {
    let buffer = TokenBuffer::new2(group.stream());
    let Some((word, rest)) = buffer.begin().ident() else { return false };
    (word == "timeout" || word == "retry")
        && (words::starts_argument(rest) || rest.group(Delimiter::Parenthesis).is_some())
}
