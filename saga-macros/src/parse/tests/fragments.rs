//! Fragments that come through `macro_rules!`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};

use crate::ast::Statement;
use crate::parse::parse;

/// A fragment such as `$d:literal` or `$t:ty`.
fn fragment(tokens: &str) -> TokenStream {
    let group = Group::new(Delimiter::None, tokens.parse().unwrap());
    TokenTree::from(group).into()
}

#[test]
fn fragments_of_macros_are_transparent() {
    let (vis, ty, name, call) = (fragment(""), fragment("Vec<A>"), fragment("a"), fragment("x + y"));
    let (five, cap) = (fragment("5s"), fragment("10s"));
    let tokens = quote! {
        #vis saga Trip(trip: #ty) -> #ty {
            #vis
            step #name: #ty = #call * #name timeout #five retry 5 times every #five..#cap compensate #call;
            return #call;
            #vis
        }
        #vis
    };
    let (sagas, report) = parse(tokens);
    assert_eq!(report.into_text(), "");
    let Statement::Step(step) = &sagas[0].body[0] else { panic!("a step") };
    assert_eq!(
        (step.name.to_string(), step.ty.to_token_stream().to_string()),
        ("a".into(), "Vec < A >".into())
    );
    // A call is passed on with its groups: they hold `x + y` together.
    assert_eq!(step.action.tokens.clone().into_iter().count(), 3);
    assert!(step.compensate.is_some() && step.policies.timeout.is_some() && step.policies.retry.is_some());
}
