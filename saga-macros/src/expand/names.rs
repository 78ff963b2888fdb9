//! The names that generated items bear, all of them made of the user's.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// `flight_seat` → `FlightSeat`.
pub(crate) fn camel(name: &Ident) -> String {
    let mut camel = String::new();
    for part in name.unraw().to_string().split('_').filter(|part| !part.is_empty()) {
        let mut letters = part.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    match camel.as_str() {
        "" => "Step".to_owned(),
        // A word of Rust.
        "Self" => "SelfStep".to_owned(),
        _ => camel,
    }
}

/// `hotel_to_car` from `HotelToCar`: the field of a branch.
pub(super) fn snake(label: &str) -> Ident {
    let mut snake = String::new();
    for letter in label.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    // A branch may be called after a step with a raw identifier.
    syn::parse_str(&snake).unwrap_or_else(|_| Ident::new_raw(&snake, Span::call_site()))
}

/// The item `BookTrip` + `suffix`. Bears no span of the user's, so that the editor does not take it for the user's name.
pub(super) fn item(saga: &Ident, suffix: &str) -> Ident {
    format_ident!("{}{}", saga.unraw(), suffix, span = Span::call_site())
}

/// A variant, such as `FlightDone`.
pub(super) fn variant(name: &str) -> Ident {
    format_ident!("{}", name, span = Span::call_site())
}

/// A local variable of generated code, which no name of the user's meets.
pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// `label`, or a numbered one where it is taken.
pub(crate) fn free(label: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_usize..).map(|number| format!("{label}{number}"));
    let mut labels = std::iter::once(label.to_owned()).chain(numbered);
    labels.find(|label| !is_taken(label)).unwrap_or_default()
}

/// A name as text, without `r#`.
pub(super) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
}

/// A doc comment.
pub(super) fn doc(text: &str) -> TokenStream {
    let text = format!(" {text}");
    quote!(#[doc = #text])
}

/// A number as people write it.
pub(super) fn number(number: usize) -> Literal {
    Literal::usize_unsuffixed(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_derived_from_the_users() {
        assert_eq!(camel(&format_ident!("flight_seat")), "FlightSeat");
        assert_eq!(camel(&Ident::new_raw("type", Span::call_site())), "Type");
        assert_eq!(snake("HotelToCar").to_string(), "hotel_to_car");
        assert_eq!(snake("Type").to_string(), "r#type");
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        assert_eq!(free("Return", |label| label == "Return"), "Return2");
        assert_eq!(free("Return", |_| false), "Return");
    }
}
