//! `#[derive(StepError)]`: what each variant of an error says about the effect.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, Index, Path, Result, Token, Variant};

/// Writes the implementation; mistakes are reported all at once, after it.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Vec::new();
    let runtime = &runtime(&input.attrs);
    let retry_after = retry_after(runtime, &input);
    let kind = match &input.data {
        Data::Enum(data) if !data.variants.is_empty() => {
            let arms = data.variants.iter().map(|variant| {
                let whole = class_of(&input.attrs).ok().flatten();
                arm(runtime, variant, whole).unwrap_or_else(|error| {
                    errors.push(error);
                    let name = &variant.ident;
                    quote!(Self::#name { .. } => #runtime::FailureKind::Unknown,)
                })
            });
            let arms = arms.collect::<Vec<_>>();
            quote!(match self { #(#arms)* })
        }
        Data::Enum(_) => quote!(match *self {}),
        Data::Struct(data) => match whole(runtime, &input, &data.fields) {
            Ok(kind) => kind,
            Err(error) => {
                errors.push(error);
                quote!(#runtime::FailureKind::Unknown)
            }
        },
        Data::Union(_) => {
            let error = Error::new(
                input.ident.span(),
                "a union cannot be a step's error\n\
                 help: write an `enum`, whose variants say what they say about the effect",
            );
            return error.to_compile_error();
        }
    };
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let errors = errors.iter().map(Error::to_compile_error);
    quote! {
        #[automatically_derived]
        impl #generics #runtime::StepError for #name #arguments #bounds {
            fn kind(&self) -> #runtime::FailureKind {
                #kind
            }
            #retry_after
        }
        #(#errors)*
    }
}

/// What an `#[outcome(…)]` says.
#[derive(Clone, Copy)]
enum Class {
    Refused(Span),
    Transient(Span),
    Unknown(Span),
    /// What the one field says.
    Inner(Span),
}

/// `::saga_runtime`, or what `#[outcome(crate = …)]` on the type says.
fn runtime(attrs: &[Attribute]) -> TokenStream {
    let path = attrs.iter().filter(|attr| attr.path().is_ident("outcome")).find_map(crate_path);
    path.map_or_else(|| quote!(::saga_runtime), |path| quote!(#path))
}

/// The path of `#[outcome(crate = path)]`.
fn crate_path(attr: &Attribute) -> Option<Path> {
    let path = |input: ParseStream<'_>| {
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style)
    };
    attr.parse_args_with(path).ok()
}

fn arm(runtime: &TokenStream, variant: &Variant, whole: Option<Class>) -> Result<TokenStream> {
    let name = &variant.ident;
    let class = class_of(&variant.attrs)?.or(whole);
    let class = class.ok_or_else(|| missing(name.span(), &format!("variant `{name}`")))?;
    if let Some(kind) = kind(runtime, class) {
        return Ok(quote!(Self::#name { .. } => #kind,));
    }
    let field = only_field(&variant.fields, class)?;
    let span = variant.fields.iter().next().map_or(name.span(), |field| field.ty.span());
    Ok(quote_spanned!(span=> Self::#name { #field: inner } => #runtime::StepError::kind(inner),))
}

fn whole(runtime: &TokenStream, input: &DeriveInput, fields: &Fields) -> Result<TokenStream> {
    let class = class_of(&input.attrs)?;
    let class = class.ok_or_else(|| missing(input.ident.span(), &format!("`{}`", input.ident)))?;
    if let Some(kind) = kind(runtime, class) {
        return Ok(kind);
    }
    let field = only_field(fields, class)?;
    Ok(quote!(#runtime::StepError::kind(&self.#field)))
}

/// Hands on what the fields behind `inner` say; nothing where there is none.
fn retry_after(runtime: &TokenStream, input: &DeriveInput) -> Option<TokenStream> {
    let inner = |attrs: &[Attribute], fields: &Fields| {
        let class = class_of(attrs).ok().flatten().or_else(|| class_of(&input.attrs).ok().flatten());
        class
            .filter(|class| matches!(class, Class::Inner(_)))
            .and_then(|class| only_field(fields, class).ok())
    };
    let wish = match &input.data {
        Data::Struct(data) => {
            let field = inner(&[], &data.fields)?;
            quote!(#runtime::StepError::retry_after(&self.#field))
        }
        Data::Enum(data) => {
            let arms = data.variants.iter().filter_map(|variant| {
                let (name, field) = (&variant.ident, inner(&variant.attrs, &variant.fields)?);
                // As of its kind: what is wrong with the field is told once.
                let span = variant.fields.iter().next().map_or(name.span(), |field| field.ty.span());
                Some(quote_spanned!(span=> Self::#name { #field: inner } => #runtime::StepError::retry_after(inner),))
            });
            let arms = arms.collect::<Vec<_>>();
            if arms.is_empty() {
                return None;
            }
            let rest = (arms.len() < data.variants.len()).then(|| quote!(_ => ::core::option::Option::None,));
            quote!(match self { #(#arms)* #rest })
        }
        Data::Union(_) => return None,
    };
    Some(quote! {
        fn retry_after(&self) -> ::core::option::Option<::core::time::Duration> {
            #wish
        }
    })
}

fn kind(runtime: &TokenStream, class: Class) -> Option<TokenStream> {
    match class {
        Class::Refused(span) => Some(quote_spanned!(span=> #runtime::FailureKind::Refused)),
        Class::Transient(span) => Some(quote_spanned!(span=> #runtime::FailureKind::Transient)),
        Class::Unknown(span) => Some(quote_spanned!(span=> #runtime::FailureKind::Unknown)),
        Class::Inner(_) => None,
    }
}

fn only_field(fields: &Fields, class: Class) -> Result<TokenStream> {
    let mut all = fields.iter();
    match (all.next(), all.next()) {
        (Some(field), None) => Ok(match &field.ident {
            Some(name) => quote!(#name),
            None => {
                let index = Index::from(0);
                quote!(#index)
            }
        }),
        _ => {
            let span = match class {
                Class::Refused(span) | Class::Transient(span) | Class::Unknown(span) | Class::Inner(span) => {
                    span
                }
            };
            Err(Error::new(
                span,
                "`inner` asks the one field what it says about the effect, but there is not exactly one\n\
                 help: write `refused`, `transient` or `unknown`",
            ))
        }
    }
}

fn class_of(attrs: &[Attribute]) -> Result<Option<Class>> {
    let mut class = None;
    let outcomes = attrs.iter().filter(|attr| attr.path().is_ident("outcome"));
    for attr in outcomes.filter(|attr| crate_path(attr).is_none()) {
        if class.is_some() {
            return Err(Error::new(
                attr.path().span(),
                "the outcome is said twice\nhelp: remove one of the two",
            ));
        }
        let word: Ident = attr.parse_args().map_err(|error| {
            Error::new(
                error.span(),
                format!("`#[outcome(…)]` says what the error says about the effect\nhelp: {WORDS}"),
            )
        })?;
        class = Some(match word.to_string().as_str() {
            "refused" => Class::Refused(word.span()),
            "transient" => Class::Transient(word.span()),
            "unknown" => Class::Unknown(word.span()),
            "inner" => Class::Inner(word.span()),
            _ => return Err(Error::new(word.span(), format!("unknown outcome `{word}`\nhelp: {WORDS}"))),
        });
    }
    Ok(class)
}

const WORDS: &str = "write `refused` (surely no effect), `transient` (surely no effect, worth another try), \
                     `unknown` (nobody can say) or `inner` (ask the one field)";

fn missing(span: Span, what: &str) -> Error {
    Error::new(
        span,
        format!(
            "{what} does not say whether the effect took place\n\
             help: add `#[outcome(refused)]` if it surely did not\n\
             help: add `#[outcome(transient)]` if it surely did not and another try may succeed\n\
             help: add `#[outcome(unknown)]` if nobody can say"
        ),
    )
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(input: TokenStream, expected: &Expect) {
        let file = syn::parse2(derive(input)).unwrap();
        expected.assert_eq(&prettyplease::unparse(&file));
    }

    #[test]
    fn every_variant_says_its_outcome() {
        check(
            quote! {
                enum FlightError {
                    #[outcome(refused)]
                    SoldOut(String),
                    #[outcome(inner)]
                    Http { source: HttpError },
                }
            },
            &expect![[r"
                #[automatically_derived]
                impl ::saga_runtime::StepError for FlightError {
                    fn kind(&self) -> ::saga_runtime::FailureKind {
                        match self {
                            Self::SoldOut { .. } => ::saga_runtime::FailureKind::Refused,
                            Self::Http { source: inner } => ::saga_runtime::StepError::kind(inner),
                        }
                    }
                    fn retry_after(&self) -> ::core::option::Option<::core::time::Duration> {
                        match self {
                            Self::Http { source: inner } => ::saga_runtime::StepError::retry_after(inner),
                            _ => ::core::option::Option::None,
                        }
                    }
                }
            "]],
        );
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let tokens = derive(quote! {
            enum FlightError {
                SoldOut,
                #[outcome(maybe)]
                Lost,
                #[outcome(inner)]
                Other(A, B),
            }
        });
        assert_eq!(tokens.to_string().matches("compile_error").count(), 3);
    }
}
