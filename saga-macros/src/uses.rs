//! Which names some tokens mention.
//!
//! A mention is an identifier at any depth, or `{name}` in the string of a macro such as `format!`. What cannot be a
//! variable is none: a field or method (`.name`), a path (`name::`, `::name`), the field of a literal (`name: …`).

use std::collections::HashSet;

use proc_macro2::{Delimiter, Ident, Literal, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::visit::Visit;

use crate::report::At;

/// A name, without `r#`, and where it stands.
pub(crate) struct Mention {
    pub(crate) name: String,
    pub(crate) at: At,
    /// The identifier itself; `None` in a string.
    pub(crate) ident: Option<Ident>,
    /// `name(…)`: more probably a function than a variable.
    pub(crate) is_called: bool,
}

/// All mentions, in the order of the text.
pub(crate) fn mentions(tokens: &TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    collect(tokens, false, &mut found);
    found
}

fn collect(tokens: &TokenStream, in_macro: bool, found: &mut Vec<Mention>) {
    let trees = Vec::from_iter(tokens.clone());
    for (index, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Ident(ident) if can_be_variable(&trees, index) => {
                let is_called = matches!(trees.get(index + 1), Some(TokenTree::Group(group))
                    if group.delimiter() == Delimiter::Parenthesis);
                let (name, at) = (ident.unraw().to_string(), At::from(ident));
                found.push(Mention { name, at, ident: Some(ident.clone()), is_called });
            }
            TokenTree::Group(group) => {
                let of_macro = index > 1
                    && group.delimiter() != Delimiter::None
                    && is_punct(trees.get(index - 1), '!')
                    && matches!(trees[index - 2], TokenTree::Ident(_));
                collect(&group.stream(), in_macro || of_macro, found);
            }
            TokenTree::Literal(literal) if in_macro => {
                let at = At::from(literal);
                found.extend(in_format_string(literal).map(|name| Mention {
                    name,
                    at: at.clone(),
                    ident: None,
                    is_called: false,
                }));
            }
            _ => {}
        }
    }
}

/// The names that some tokens bind themselves, in a closure for example.
pub(crate) fn bound_names(tokens: &TokenStream) -> HashSet<String> {
    struct Names(HashSet<String>);

    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
            self.0.insert(pattern.ident.unraw().to_string());
            syn::visit::visit_pat_ident(self, pattern);
        }
    }

    let mut names = Names(HashSet::new());
    if let Ok(expr) = syn::parse2::<syn::Expr>(tokens.clone()) {
        names.visit_expr(&expr);
    }
    names.0
}

/// Whether the identifier at `index` stands where a variable can stand.
fn can_be_variable(trees: &[TokenTree], index: usize) -> bool {
    let before = |back: usize| index.checked_sub(back).and_then(|index| trees.get(index));
    let is_member = is_punct(before(1), '.') && !is_joint(before(2), '.');
    let in_path = is_punct(before(1), ':') && is_joint(before(2), ':');
    let is_lifetime = is_punct(before(1), '\'');
    // Covers both `name: …` and `name::…`.
    let has_colon = is_punct(trees.get(index + 1), ':');
    !(is_member || in_path || is_lifetime || has_colon)
}

fn is_punct(tree: Option<&TokenTree>, char: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

fn is_joint(tree: Option<&TokenTree>, char: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == char && punct.spacing() == Spacing::Joint)
}

/// The names that a format string captures: `{name}`, `{name:?}`, `{name.field}`, and the widths `{:width$.precision$}`.
fn in_format_string(literal: &Literal) -> impl Iterator<Item = String> + use<> {
    let text = match syn::Lit::new(literal.clone()) {
        syn::Lit::Str(string) => string.value().replace("{{", ""),
        _ => String::new(),
    };
    let mut names = Vec::new();
    for placeholder in text.split('{').skip(1) {
        let Some((placeholder, _)) = placeholder.split_once('}') else { continue };
        let (argument, spec) = placeholder.split_once(':').unwrap_or((placeholder, ""));
        names.extend(argument.split('.').next().map(str::trim));
        let mut parts = spec.split('$').collect::<Vec<_>>();
        parts.pop();
        let is_name = |char: char| char.is_alphanumeric() || char == '_';
        names.extend(parts.into_iter().filter_map(|part| part.rsplit(|char| !is_name(char)).next()));
    }
    names.retain(|name| name.starts_with(|first: char| first.is_alphabetic() || first == '_'));
    names.into_iter().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[track_caller]
    fn check(tokens: &str, expected: &[&str]) {
        let found = mentions(&tokens.parse().unwrap());
        assert_eq!(found.iter().map(|mention| mention.name.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn identifiers_are_mentions_at_any_depth() {
        check("hotels.reserve(cx, &trip, [flight; 2])", &["hotels", "cx", "trip", "flight"]);
        check("async move { flight }", &["async", "move", "flight"]);
        check("a..b", &["a", "b"]);
        check("..b", &["b"]);
        check("&*car.id?", &["car"]);
    }

    #[test]
    fn a_raw_identifier_is_its_plain_form() {
        check("r#flight", &["flight"]);
    }

    #[test]
    fn fields_methods_paths_and_lifetimes_are_none() {
        check("trip.flight.hotel()", &["trip"]);
        check("flight::reserve::<hotel>(car)", &["hotel", "car"]);
        check("Booking { flight: car, hotel }", &["Booking", "car", "hotel"]);
        check("'flight: loop {}", &["loop"]);
    }

    #[test]
    fn format_strings_mention_what_they_capture() {
        check(
            r#"format!("{flight} {hotel:?} {car.id} {{voucher}} {} {0}")"#,
            &["format", "flight", "hotel", "car"],
        );
        check(r##"format!(r#"{flight:>width$.digits$}"#)"##, &["format", "flight", "width", "digits"]);
        check(r#"a::b!(["{flight}"])"#, &["flight"]);
        check(r#"format!("{flight")"#, &["format"]);
    }

    #[test]
    fn a_plain_string_mentions_nothing() {
        check(r#"notes.add(cx, "{flight}")"#, &["notes", "cx"]);
    }
}
