//! Tokens → what the user wrote. Parsing never fails: it goes on behind a mistake, and reports it.

mod blocks;
mod body;
mod call;
mod events;
mod fields;
mod generics;
mod head;
mod parser;
mod policy;
mod step;
mod time;
mod words;

#[cfg(test)]
mod any_tokens;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::buffer::TokenBuffer;

use self::parser::Parser;
use crate::ast::Saga;
use crate::report::Report;

/// Reads all sagas of one `saga!`.
pub(crate) fn parse(tokens: TokenStream) -> (Vec<Saga>, Report) {
    let mut report = Report::new();
    let (mut poisoned, mut words) = (Vec::new(), Vec::new());
    let mut sagas = Vec::new();
    let buffer = TokenBuffer::new2(tokens);
    let mut parser = Parser::new(buffer.begin(), Parser::nowhere(), &mut report, &mut poisoned, &mut words);
    while !parser.is_at_end() {
        sagas.extend(parser.saga());
        parser.poisoned.clear();
        parser.words.clear();
    }
    (sagas, report)
}
