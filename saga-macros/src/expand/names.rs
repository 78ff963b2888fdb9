//! The names that generated items bear, all of them made of the user's.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;

/// `flight_seat` → `FlightSeat`.
pub(crate) fn camel(name: &Ident) -> String {
    let mut camel = String::new();
    for part in name.unraw().to_string().split('_').filter(|part| !part.is_empty()) {
        let mut letters = part.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    if camel.is_empty() { "Step".to_owned() } else { camel }
}

/// `hotel_to_car` from `HotelToCar`: the field of a branch.
pub(crate) fn snake(label: &str) -> Ident {
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
pub(crate) fn item(saga: &Ident, suffix: &str) -> Ident {
    format_ident!("{}{}", saga.unraw(), suffix, span = Span::call_site())
}

/// A variant, such as `FlightDone`.
pub(crate) fn variant(name: &str) -> Ident {
    format_ident!("{}", name, span = Span::call_site())
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
}
