//! The errors of one expansion: added from anywhere, rendered once, behind the items.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// Collects errors. Who drops it without [`Report::into_tokens`] has forgotten to show them: that is a bug.
#[must_use]
pub(crate) struct Report {
    errors: Vec<Error>,
    rendered: bool,
}

/// One mistake: what is wrong, and how it can be mended.
pub(crate) struct Error {
    at: At,
    message: String,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { errors: Vec::new(), rendered: false }
    }

    /// Adds an error; its mends follow with [`Error::help`].
    pub(crate) fn error(&mut self, at: impl Into<At>, message: impl Into<String>) -> &mut Error {
        let error = Error { at: at.into(), message: message.into() };
        self.errors.push(error);
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    /// How many errors there are: grows when something goes wrong in between.
    pub(crate) fn len(&self) -> usize {
        self.errors.len()
    }

    /// The errors as `compile_error!` items, which belong behind all other items of the expansion.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        self.rendered = true;
        self.errors.iter().flat_map(Error::tokens).collect()
    }

    /// The errors as a test reads them.
    #[cfg(test)]
    pub(crate) fn into_text(mut self) -> String {
        self.rendered = true;
        let lines =
            self.errors.iter().flat_map(|error| ["at `", &error.at.text, "`: ", &error.message, "\n"]);
        lines.collect()
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        debug_assert!(self.rendered || std::thread::panicking(), "a report was dropped without being shown");
    }
}

impl Error {
    /// Adds a line that shows the mend.
    pub(crate) fn help(&mut self, help: impl AsRef<str>) -> &mut Self {
        self.message.push_str("\nhelp: ");
        self.message.push_str(help.as_ref());
        self
    }

    /// `::core::compile_error! { "message" }`: rustc underlines from the span of its first token to that of its last.
    fn tokens(&self) -> Vec<TokenTree> {
        let start = |mut token: TokenTree| {
            token.set_span(self.at.start);
            token
        };
        let end = |mut token: TokenTree| {
            token.set_span(self.at.end);
            token
        };
        let colons =
            || [start(Punct::new(':', Spacing::Joint).into()), start(Punct::new(':', Spacing::Alone).into())];
        let message = end(Literal::string(&self.message).into());
        let mut tokens = Vec::from(colons());
        tokens.push(Ident::new("core", self.at.start).into());
        tokens.extend(colons());
        tokens.push(Ident::new("compile_error", self.at.start).into());
        tokens.push(start(Punct::new('!', Spacing::Alone).into()));
        tokens.push(end(Group::new(Delimiter::Brace, message.into()).into()));
        tokens
    }
}

/// The place that an error blames: from one token to another.
#[derive(Clone)]
pub(crate) struct At {
    start: Span,
    end: Span,
    /// Spans are empty outside of rustc: tests read the blamed tokens instead.
    #[cfg(test)]
    text: String,
}

impl At {
    /// A token of which only the span is left, and how it is written.
    #[cfg_attr(not(test), expect(unused_variables, reason = "only tests read the text"))]
    pub(crate) fn word(span: Span, text: &str) -> Self {
        Self {
            start: span,
            end: span,
            #[cfg(test)]
            text: text.to_owned(),
        }
    }
}

/// All of these tokens.
impl<T: ToTokens> From<&T> for At {
    fn from(tokens: &T) -> Self {
        let tokens = tokens.to_token_stream();
        #[cfg(test)]
        let text = shortened(&tokens.to_string());
        let mut spans = tokens.into_iter().map(|token| token.span());
        let start = spans.next().unwrap_or_else(Span::call_site);
        Self {
            start,
            end: spans.last().unwrap_or(start),
            #[cfg(test)]
            text,
        }
    }
}

#[cfg(test)]
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn an_error_becomes_an_item_with_its_help_below() {
        let mut report = Report::new();
        report.error(&quote!(car), "step `car` has no compensation").help("add `compensate <call>`");
        assert_eq!(
            report.into_tokens().to_string(),
            quote!(
                ::core::compile_error! { "step `car` has no compensation\nhelp: add `compensate <call>`" }
            )
            .to_string()
        );
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_report_that_nobody_shows_is_a_bug() {
        let dropped = std::panic::catch_unwind(|| drop(Report::new()));
        assert!(dropped.is_err());
    }
}
