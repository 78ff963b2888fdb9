//! The words of the language, and what a statement looks like from its first tokens.

use proc_macro2::{Delimiter, Ident};
use syn::buffer::Cursor;

/// The words that begin a statement.
pub(super) const STATEMENTS: &[&str] = &[
    "with", "timeout", "retry", "deadline", "lock", "step", "read", "local", "pivot", "receive", "saga",
    "sleep", "parallel", "if", "for", "return",
];

/// The words that begin a clause of a step.
pub(super) const CLAUSES: &[&str] =
    &["timeout", "retry", "probe", "keyed", "compensate", "else", "events", "within"];

/// Rust's own keywords: no names.
const KEYWORDS: &[&str] = &[
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
    "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self",
    "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// The keywords that are values, or end one.
const VALUES: &[&str] = &["self", "Self", "super", "crate", "true", "false", "await"];

/// The words as a sentence lists them: `a`, `b` and `c`.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
    match &quoted[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => quoted.concat(),
    }
}

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// Whether an expression can end with this identifier.
pub(super) fn ends_expression(word: &str) -> bool {
    VALUES.contains(&word) || !is_keyword(word)
}

pub(super) fn is_statement(word: &str) -> bool {
    STATEMENTS.contains(&word)
}

pub(super) fn is_clause(word: &str) -> bool {
    CLAUSES.contains(&word)
}

/// Whether the word of a clause, with `rest` behind it, is one where an operand would have to follow as well.
///
/// `flights.timeout 5s` is a call that is not complete; `flights.timeout keyed` may be a field called `timeout`.
pub(super) fn looks_like_clause(word: &str, rest: Cursor<'_>) -> bool {
    let is_next_clause = rest.ident().is_some_and(|(next, _)| is_clause(&next.to_string()));
    is_clause(word) && starts_argument(rest) && !is_next_clause
}

/// Whether nothing of a call is left, but the end of its step or another clause.
pub(super) fn ends_step(rest: Cursor<'_>) -> bool {
    let is_semicolon = rest.punct().is_some_and(|(punct, _)| punct.as_char() == ';');
    is_semicolon || rest.eof() || rest.ident().is_some_and(|(next, _)| is_clause(&next.to_string()))
}

/// Whether a statement starts here, as its first tokens alone tell: no expression contains tokens like these.
pub(super) fn looks_like_statement(cursor: Cursor<'_>) -> bool {
    // Behind the word of a clause it is a path of which half the `::` is typed.
    let is_name = |word: &str| !is_keyword(word) && !is_clause(word);
    let is_unknown = |(word, rest): (Ident, Cursor<'_>)| is_name(&word.to_string()) && is_binding(rest);
    looks_like_known_statement(cursor) || cursor.ident().is_some_and(is_unknown)
}

/// The same for statements with a word of the language: with another one it could be a name in a list of fields.
pub(super) fn looks_like_known_statement(cursor: Cursor<'_>) -> bool {
    let Some((word, rest)) = cursor.ident() else {
        return is_attribute(cursor);
    };
    match word.to_string().as_str() {
        "return" => true,
        "parallel" => match rest.group(Delimiter::Brace) {
            Some((inside, ..)) => inside.eof() || looks_like_branches(inside),
            None => is_word(rest, "for"),
        },
        "timeout" | "retry" => false,
        "if" | "for" => has_statements(rest),
        word => is_statement(word) && !is_keyword(word) && starts_argument(rest),
    }
}

/// Whether the block of an `if` or a `for`, with `rest` behind its word, is made of statements: it is no expression then.
fn has_statements(mut rest: Cursor<'_>) -> bool {
    while !rest.eof() && rest.punct().is_none_or(|(punct, _)| punct.as_char() != ';') {
        if let Some((inside, _, behind)) = rest.group(Delimiter::Brace)
            && !continues_pattern(behind)
        {
            return looks_like_branches(inside);
        }
        let Some((_, next)) = rest.token_tree() else { return false };
        rest = next;
    }
    false
}

/// Whether a block with `rest` behind it is an operand, such as the one of `{ a } == b`.
pub(super) fn continues_expression(rest: Cursor<'_>) -> bool {
    let is_operator = rest.punct().is_some_and(|(punct, _)| !matches!(punct.as_char(), ';' | '#' | ','));
    is_operator || rest.group(Delimiter::Brace).is_some()
}

/// Whether a block with `rest` behind it belongs to a pattern, as in `let Car { .. } = car`.
pub(super) fn continues_pattern(rest: Cursor<'_>) -> bool {
    rest.punct().is_some_and(|(punct, _)| matches!(punct.as_char(), '=' | '|'))
}

/// Whether the inside of a block is made of statements.
pub(super) fn looks_like_branches(inside: Cursor<'_>) -> bool {
    let is_nested = inside.group(Delimiter::Brace).is_some_and(|(nested, ..)| looks_like_branches(nested));
    is_nested || looks_like_statement(inside)
}

/// Whether a name or a literal follows: two such tokens in a row are in no expression.
pub(super) fn starts_argument(cursor: Cursor<'_>) -> bool {
    let name = cursor.ident().is_some_and(|(word, _)| !is_keyword(&word.to_string()));
    name || cursor.literal().is_some()
}

/// `name:`, but not `name::`.
pub(super) fn is_binding(cursor: Cursor<'_>) -> bool {
    let Some((name, rest)) = cursor.ident() else { return false };
    if is_keyword(&name.to_string()) {
        return false;
    }
    let Some((colon, rest)) = rest.punct() else { return false };
    colon.as_char() == ':' && rest.punct().is_none_or(|(next, _)| next.as_char() != ':')
}

/// `#[…]`, a doc comment for example.
pub(super) fn is_attribute(cursor: Cursor<'_>) -> bool {
    let Some((hash, rest)) = cursor.punct() else { return false };
    hash.as_char() == '#' && rest.group(Delimiter::Bracket).is_some()
}

pub(super) fn is_word(cursor: Cursor<'_>, word: &str) -> bool {
    cursor.ident().is_some_and(|(found, _)| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_finds_what_each_word_means() {
        let prose = include_str!("../../../saga-runtime/src/private/words.rs");
        for word in STATEMENTS.iter().chain(CLAUSES).filter(|word| !is_keyword(word)) {
            assert!(prose.contains(&format!("\npub mod {word} {{}}")), "`{word}` has no prose");
        }
    }
}
