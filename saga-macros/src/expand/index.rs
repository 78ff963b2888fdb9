//! What only an editor sees: each name of the saga once, with all that mention it; and what the words mean.
//!
//! Every call is a function of its own, so a name is declared anew in each: from a mention an editor would find the
//! others in that call alone, and would rename no others. Here all of them belong to one declaration.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Expansion;
use super::names::{local, plain};
use crate::ast::{Call, DurationValue, StepKind, Undo};
use crate::model::Step;
use crate::uses::{bound_names, mentions};

/// Nothing, unless it is an editor that asks. It is to stand last: nothing that is completed may come behind it.
pub(super) fn expand(saga: &Expansion<'_>) -> TokenStream {
    if !crate::editor::runs_in_an_editor() {
        return TokenStream::new();
    }
    let mut declared = HashSet::new();
    let names = saga.model.variables.iter().map(|variable| {
        let (name, ty) = (&variable.name, variable.form.ty());
        // One that is declared in several arms, or seen again behind its block, is the same.
        if declared.insert(plain(name)) { quote!(let #name: &#ty = loop {};) } else { quote!(#name;) }
    });
    let names = names.collect::<TokenStream>();
    let participants = local("participants");
    let is_participant =
        |name: &str| saga.model.ast.participants.iter().any(|participant| plain(&participant.name) == name);
    let mentioned = tokens(saga).into_iter().flat_map(|tokens| {
        let bound = bound_names(&tokens);
        mentions(&tokens).into_iter().filter(move |mention| !bound.contains(&mention.name))
    });
    let mentioned = mentioned.filter_map(|mention| {
        let ident = mention.ident?;
        if is_participant(&mention.name) {
            return Some(quote!(#participants.#ident;));
        }
        declared.contains(&mention.name).then(|| quote!(#ident;))
    });
    let mentioned = mentioned.collect::<TokenStream>();
    // Over a word an editor shows what it resolves to, and so its documentation. What Rust's own words mean it knows.
    let runtime = &saga.runtime;
    let words = saga.model.ast.words.iter().filter(|word| syn::parse2::<Ident>(quote!(#word)).is_ok());
    let words = words.map(|word| quote!(use #runtime::__private::words::#word as _;));
    let ty = &saga.participants;
    let (parameters, bounds) = saga.all_parameters();
    let index = local("index");
    quote! {
        const _: () = {
            #(#words)*
            #[allow(warnings, clippy::all)]
            fn #index #parameters (#participants: &#ty) #bounds {
                #names
                #mentioned
            }
        };
    }
}

/// All that the user writes in which names can be mentioned.
fn tokens(saga: &Expansion<'_>) -> Vec<TokenStream> {
    let model = saga.model;
    let of_steps = model.steps.iter().flat_map(of_step);
    let returns = model.ast.returns.iter().map(|call| call.tokens.clone());
    let values = crate::check::values(model.ast).map(|call| call.tokens.clone());
    of_steps.chain(values).chain(returns).collect()
}

fn of_step(step: &Step<'_>) -> Vec<TokenStream> {
    let step = &step.ast;
    let action = (step.kind != StepKind::Receive).then_some(&step.action);
    let probe = step.probe.as_ref().map(|probe| &probe.call);
    let compensation = step.compensate.as_ref().and_then(|compensate| match &compensate.undo {
        Undo::Call(call) => Some(call),
        Undo::Nothing => None,
    });
    let otherwise = step.otherwise.as_ref().map(|otherwise| &otherwise.call);
    let calls = [action, probe, compensation, otherwise].into_iter().flatten();
    let within = step.within.as_ref().and_then(|within| match within {
        DurationValue::Expression(tokens) => Some(tokens.clone()),
        DurationValue::Literal(_) => None,
    });
    calls.map(|call: &Call| call.tokens.clone()).chain(within).collect()
}
