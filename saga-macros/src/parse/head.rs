//! `#[attributes] pub saga Name(inputs) -> Output`, and all of the saga behind it.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser as _;
use syn::{Attribute, LitInt, Path, Type, Visibility};

use super::body::Scope;
use super::fields::Found;
use super::parser::{Parser, stream};
use super::words;
use crate::ast::{Field, Options, Saga};
use crate::report::At;
use crate::suggest::nearest;

impl Parser<'_, '_> {
    /// Reads one saga, and at least one token. `None`: there is none, which was reported.
    pub(super) fn saga(&mut self) -> Option<Saga> {
        let errors_before = self.report.len();
        let attrs = self.attributes();
        let vis = self.visibility();
        if !self.saga_keyword() {
            self.skip_to_saga();
            return None;
        }
        let Some(name) = self.take_name("a saga") else {
            self.skip_to_saga();
            return None;
        };
        let mut generics = self.generics();
        let inputs = self.inputs(&name);
        let output = self.output();
        generics.where_clause = self.where_clause();
        let mut scope = Scope::saga();
        let Some(body) = self.take_block(Delimiter::Brace) else {
            let found = self.found();
            self.report
                .error(self.last.clone(), format!("saga `{name}` has no body: found {found}"))
                .help(format!("write `saga {name}(…) -> Output {{ … }}`"));
            self.skip_to_saga();
            return None;
        };
        self.inside(&body).statements(&mut scope);
        let top = scope.top.unwrap_or_default();
        let broken = self.report.len() > errors_before;
        let (options, attrs) = self.options(attrs);
        Some(Saga {
            attrs,
            options,
            vis,
            name,
            generics,
            inputs,
            output,
            participants: top.participants,
            defaults: top.defaults,
            deadline: top.deadline,
            lock: top.lock,
            body: scope.statements,
            returns: top.returns.filter(|call| !call.tokens.is_empty()),
            end: top.empty_return.unwrap_or_else(|| At::word(body.end, "}")),
            poisoned: std::mem::take(self.poisoned),
            words: std::mem::take(self.words),
            broken,
            lost_pivot: top.lost_pivot,
        })
    }

    /// Outer attributes, doc comments among them.
    pub(super) fn attributes(&mut self) -> Vec<Attribute> {
        let mut attrs = Vec::new();
        while words::is_attribute(self.cursor) {
            let trees = [self.bump(), self.bump()].into_iter().flatten().collect::<Vec<TokenTree>>();
            match Attribute::parse_outer.parse2(stream(&trees)) {
                Ok(parsed) => attrs.extend(parsed),
                Err(error) => {
                    self.report.error(&stream(&trees), format!("this attribute cannot be read: {error}"));
                }
            }
        }
        attrs
    }

    fn visibility(&mut self) -> Visibility {
        let mut tokens = TokenStream::new();
        if let Some(word) = self.take_word("pub") {
            word.to_tokens(&mut tokens);
            if self.peek_block(Delimiter::Parenthesis) {
                self.bump().to_tokens(&mut tokens);
            }
        }
        syn::parse2(tokens.clone()).unwrap_or_else(|error| {
            self.report.error(&tokens, format!("this visibility cannot be read: {error}"));
            Visibility::Inherited
        })
    }

    fn saga_keyword(&mut self) -> bool {
        if self.take_word("saga").is_some() {
            return true;
        }
        let found = self.found();
        let meant = self.peek_word().and_then(|word| nearest(&word, &["saga"]));
        let error = self.report.error(self.here(), format!("expected a saga, found {found}"));
        match meant {
            Some(meant) => error.help(format!("did you mean `{meant}`?")),
            None => error.help("write `saga Name(input: Type) -> Output { … }`"),
        };
        self.bump();
        meant.is_some()
    }

    fn inputs(&mut self, name: &Ident) -> Vec<Field> {
        let Some(block) = self.take_block(Delimiter::Parenthesis) else {
            // At the end it is the body that is missing.
            if !self.is_at_end() {
                self.report
                    .error(name, format!("saga `{name}` has no inputs"))
                    .help(format!("write `saga {name}(input: Type)`, or `saga {name}()`"));
            }
            return Vec::new();
        };
        self.inside(&block).inputs_until_end()
    }

    fn inputs_until_end(&mut self) -> Vec<Field> {
        let mut inputs = self.fields("an input");
        while !self.is_at_end() {
            for attr in self.attributes() {
                self.report.error(&attr, "an input can have no documentation and no attribute");
            }
            inputs.extend(self.fields("an input"));
            let Some(token) = self.bump() else { break };
            self.report.error(&token, format!("expected `,` after an input, found `{token}`"));
            inputs.extend(self.fields("an input"));
        }
        inputs
    }

    fn output(&mut self) -> Option<Type> {
        let arrow = self.here();
        if self.take_puncts('-', '>') {
            return match self.take_type(&[]) {
                Found::Type(ty) => Some(ty),
                Found::Malformed => None,
                Found::Missing => {
                    self.report
                        .error(arrow, "`->` has no type")
                        .help("write `-> Output`, or nothing for `()`");
                    None
                }
            };
        }
        if !self.is_at_end() && !self.peek_block(Delimiter::Brace) && !self.is_word("where") {
            let found = self.found();
            self.report
                .error(arrow, format!("expected `->` or the saga's body, found {found}"))
                .help("write `saga Name(input: Type) -> Output { … }`");
            while !self.is_at_end() && !self.peek_block(Delimiter::Brace) && !self.is_saga() {
                self.bump();
            }
        }
        None
    }

    /// Takes `#[saga(…)]` out of the attributes.
    fn options(&mut self, attrs: Vec<Attribute>) -> (Options, Vec<Attribute>) {
        let mut options = Options::default();
        let (ours, others) = attrs.into_iter().partition::<Vec<_>, _>(|attr| attr.path().is_ident("saga"));
        for attr in ours {
            let read = attr.parse_nested_meta(|meta| {
                let path = meta.path.to_token_stream();
                let option = path.to_string();
                match option.as_str() {
                    "crate" => {
                        options.crate_path =
                            Some(self.crate_path(meta.value()?.call(Path::parse_mod_style)?));
                    }
                    "tx" => options.tx = Some(meta.value()?.parse()?),
                    "version" => options.version = Some(self.version(&meta.value()?.parse::<LitInt>()?)),
                    _ => {
                        let error =
                            self.report.error(&path, format!("unknown option `{option}` of `#[saga(…)]`"));
                        match nearest(&option, &["crate", "version", "tx"]) {
                            Some(meant) => error.help(format!("did you mean `{meant}`?")),
                            None => {
                                error.help("the options are `crate = path`, `version = N` and `tx = Type`")
                            }
                        };
                        if meta.input.peek(syn::Token![=]) {
                            meta.value()?.parse::<syn::Expr>()?;
                        }
                    }
                }
                Ok(())
            });
            if let Err(error) = read {
                self.report
                    .error(&attr, format!("this option cannot be read: {error}"))
                    .help("write `#[saga(crate = ::path, version = N)]`");
            }
        }
        (options, others)
    }

    fn crate_path(&mut self, path: Path) -> Path {
        let is_from_root = path.leading_colon.is_some()
            || path.segments.first().is_some_and(|first| first.ident == "crate" || first.ident == "$crate");
        if !is_from_root {
            let written = path.to_token_stream().to_string().replace(' ', "");
            self.report
                .error(&path, format!("`{written}` depends on where the saga stands"))
                .help(format!("write `crate = ::{written}` or `crate = crate::{written}`"));
        }
        path
    }

    fn version(&mut self, number: &LitInt) -> u32 {
        number.base10_parse().unwrap_or_else(|_| {
            self.report
                .error(number, format!("`{number}` is no version"))
                .help("write a number such as `version = 2`");
            1
        })
    }

    /// Whether `saga Name` follows.
    pub(super) fn is_saga(&self) -> bool {
        self.cursor.ident().is_some_and(|(word, rest)| word == "saga" && words::starts_argument(rest))
    }

    /// Skips to the next saga, or its documentation.
    fn skip_to_saga(&mut self) {
        while !self.is_at_end() && !self.is_saga() && !words::is_attribute(self.cursor) {
            self.bump();
        }
    }
}
