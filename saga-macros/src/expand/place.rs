//! Patterns that find one position in the state of a whole saga.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Position;

/// Where a region stands: in a branch of a `parallel` of a region, and so on.
pub(super) struct Outside<'a> {
    pub(super) around: Option<&'a Outside<'a>>,
    pub(super) region: &'a Ident,
    pub(super) position: &'a Position,
    pub(super) branch: &'a Ident,
}

/// The pattern of the whole state around `inner`.
pub(super) fn pattern(outside: Option<&Outside<'_>>, inner: TokenStream) -> TokenStream {
    match outside {
        None => inner,
        Some(Outside { around, region, position: Position { variant, ty }, branch }) => {
            pattern(*around, quote!(#region::#variant(#ty { #branch: #inner, .. })))
        }
    }
}
