//! The generated items that hold the saga's data, with the saga's parameters that the data uses.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Fields, ItemEnum, ItemStruct, Type};

use super::Expansion;
use crate::parameters::mentions;

/// A generated type: `BookTripForward`, and `TransferForward::<M>` of a saga whose data uses `M`. It can be written like
/// that wherever it is mentioned: as a type, in an expression and in a pattern.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) name: Ident,
    arguments: TokenStream,
}

impl Item {
    pub(super) fn new(name: Ident, arguments: TokenStream) -> Self {
        Self { name, arguments }
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
        self.arguments.to_tokens(tokens);
    }
}

/// What a position is: one of several, or what it carries.
#[derive(Clone, Copy)]
pub(super) enum Keyword {
    Enum,
    Struct,
}

impl ToTokens for Keyword {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Enum => quote!(enum),
            Self::Struct => quote!(struct),
        });
    }
}

impl Expansion<'_> {
    /// The declaration of an item that is `Clone` and `Debug`, whatever the saga's parameters stand for.
    pub(super) fn declared(
        &self,
        docs: &TokenStream,
        keyword: Keyword,
        item: &Item,
        body: &TokenStream,
    ) -> TokenStream {
        let (vis, name) = (&self.model.ast.vis, &item.name);
        let generics = &self.parameters.declared;
        if generics.params.is_empty() {
            return quote! {
                #docs
                #[derive(::core::clone::Clone, ::core::fmt::Debug)]
                #vis #keyword #name { #body }
            };
        }
        let given = &generics.where_clause;
        let declaration = quote!(#vis #keyword #name #generics #given { #body });
        // A derive would ask both of the parameters as well.
        let (cloned, shown) = match keyword {
            Keyword::Enum => of_enum(&declaration),
            Keyword::Struct => of_struct(&declaration, &self.unused),
        };
        let Self { generics, given, .. } = self;
        quote! {
            #docs
            #declaration

            #[automatically_derived]
            impl #generics ::core::clone::Clone for #item #given {
                fn clone(&self) -> Self {
                    #cloned
                }
            }

            #[automatically_derived]
            impl #generics ::core::fmt::Debug for #item #given {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #shown
                }
            }
        }
    }

    /// The types among the parameters of the data that none of these types uses. rustc wants each to be used.
    fn unused_by(&self, types: &[Type]) -> Vec<&Ident> {
        let names = self.parameters.data.type_params().map(|parameter| &parameter.ident);
        let is_used = |name: &Ident| types.iter().any(|ty| mentions(&ty.to_token_stream(), name));
        names.filter(|name| !is_used(name)).collect()
    }

    /// `ty`, as a type that uses all parameters of the data, where `types` beside it do not.
    pub(super) fn beside(&self, ty: TokenStream, types: &[Type]) -> TokenStream {
        let unused = self.unused_by(types);
        let runtime = &self.runtime;
        if unused.is_empty() {
            return ty;
        }
        quote!(<(#(#unused,)*) as #runtime::__private::Beside<#ty>>::Type)
    }

    /// `PhantomData` of the parameters of the data that `types` do not use, if there are any.
    pub(super) fn phantom(&self, types: &[Type]) -> Option<TokenStream> {
        let unused = self.unused_by(types);
        (!unused.is_empty()).then(|| quote!(::core::marker::PhantomData<fn() -> (#(#unused,)*)>))
    }
}

/// The bodies of `clone` and `fmt` of a struct.
fn of_struct(declaration: &TokenStream, unused: &Ident) -> (TokenStream, TokenStream) {
    let Ok(ItemStruct { ident, fields, .. }) = syn::parse2(declaration.clone()) else {
        return unreadable();
    };
    let fields = fields.into_iter().filter_map(|field| field.ident).collect::<Vec<_>>();
    let name = ident.to_string();
    let shown = fields.iter().filter(|field| *field != unused).map(|field| (super::plain(field), field));
    let (names, shown): (Vec<_>, Vec<_>) = shown.unzip();
    (
        quote!(Self { #(#fields: ::core::clone::Clone::clone(&self.#fields)),* }),
        quote!(f.debug_struct(#name) #(.field(#names, &self.#shown))* .finish()),
    )
}

/// The same of an enum, whose variants hold one value or none.
fn of_enum(declaration: &TokenStream) -> (TokenStream, TokenStream) {
    let Ok(ItemEnum { variants, .. }) = syn::parse2(declaration.clone()) else {
        return unreadable();
    };
    let (mut cloned, mut shown) = (TokenStream::new(), TokenStream::new());
    for variant in variants {
        let (ident, name) = (&variant.ident, variant.ident.to_string());
        if matches!(variant.fields, Fields::Unit) {
            cloned.extend(quote!(Self::#ident => Self::#ident,));
            shown.extend(quote!(Self::#ident => f.write_str(#name),));
        } else {
            cloned.extend(quote!(Self::#ident(at) => Self::#ident(::core::clone::Clone::clone(at)),));
            shown.extend(quote!(Self::#ident(at) => f.debug_tuple(#name).field(at).finish(),));
        }
    }
    (quote!(match self { #cloned }), quote!(match self { #shown }))
}

/// A type in it is nothing that can be read, which was reported.
fn unreadable() -> (TokenStream, TokenStream) {
    (quote!(loop {}), quote!(::core::result::Result::Ok(())))
}
