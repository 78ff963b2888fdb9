//! The policies: one arm for all calls that share one.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Expansion;
use super::names::number;
use crate::ast::{Compensate, DurationValue, Policies, Retry, Undo};
use crate::model::StepId;

/// `fn policy(step, kind) -> Policy`.
pub(super) fn function(saga: &Expansion<'_>) -> TokenStream {
    let defaults = &saga.model.ast.defaults;
    let default = value(&Policies::default(), defaults);
    let mut arms = Arms { default: default.to_string(), arms: Vec::new() };
    for (id, step) in saga.model.steps.iter().enumerate() {
        arms.add(Kind::Action, id, value(&step.ast.policies, defaults));
        if let Some(Compensate { undo: Undo::Call(_), policies, .. }) = &step.ast.compensate {
            arms.add(Kind::Compensation, id, value(policies, defaults));
        }
    }
    let arms = arms.arms.into_iter().map(|Arm { kind, steps, value }| {
        let steps = steps.into_iter().map(number);
        let kind = match kind {
            Kind::Action => quote!(__saga::CallKind::Action | __saga::CallKind::Probe),
            Kind::Compensation => quote!(__saga::CallKind::Compensation),
        };
        quote!((#(#steps)|*, #kind) => #value,)
    });
    quote! {
        fn policy(step: usize, kind: __saga::CallKind) -> __saga::Policy {
            match (step, kind) {
                #(#arms)*
                _ => #default,
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Action,
    Compensation,
}

struct Arm {
    kind: Kind,
    steps: Vec<StepId>,
    value: TokenStream,
}

struct Arms {
    default: String,
    arms: Vec<Arm>,
}

impl Arms {
    fn add(&mut self, kind: Kind, step: StepId, value: TokenStream) {
        let text = value.to_string();
        if text == self.default {
            return;
        }
        let same = |arm: &&mut Arm| arm.kind == kind && arm.value.to_string() == text;
        match self.arms.iter_mut().find(same) {
            Some(arm) => arm.steps.push(step),
            None => self.arms.push(Arm { kind, steps: vec![step], value }),
        }
    }
}

fn value(own: &Policies, defaults: &Policies) -> TokenStream {
    let timeout = own.timeout.as_ref().or(defaults.timeout.as_ref()).map(|timeout| {
        let timeout = duration(timeout, &quote!(__saga));
        quote!(timeout: #timeout,)
    });
    let retry = own.retry.as_ref().or(defaults.retry.as_ref()).map(|retry| {
        let retry = match retry {
            Retry::Never => quote!(__saga::Retry::NEVER),
            Retry::Every { limit, first, cap } => {
                let limit = match limit.map(Literal::u32_unsuffixed) {
                    Some(limit) => quote!(__saga::Some(#limit)),
                    None => quote!(__saga::None),
                };
                let p = quote!(__saga);
                let (first, cap) = (duration(first, &p), duration(cap, &p));
                quote!(__saga::Retry { limit: #limit, first: #first, cap: #cap })
            }
        };
        quote!(retry: #retry,)
    });
    match (timeout.is_some(), retry.is_some()) {
        (false, false) => quote!(__saga::Policy::DEFAULT),
        (true, true) => quote!(__saga::Policy { #timeout #retry }),
        _ => quote!(__saga::Policy { #timeout #retry ..__saga::Policy::DEFAULT }),
    }
}

/// A duration. `p` is the runtime's part for generated code.
pub(super) fn duration(value: &DurationValue, p: &TokenStream) -> TokenStream {
    match value {
        DurationValue::Literal(nanos) => {
            let whole = |unit: u128| {
                let number = (nanos % unit == 0).then(|| u64::try_from(nanos / unit).unwrap_or(u64::MAX));
                number.map(Literal::u64_unsuffixed)
            };
            if let Some(seconds) = whole(1_000_000_000) {
                quote!(#p::Duration::from_secs(#seconds))
            } else if let Some(millis) = whole(1_000_000) {
                quote!(#p::Duration::from_millis(#millis))
            } else {
                let nanos = whole(1);
                quote!(#p::Duration::from_nanos(#nanos))
            }
        }
        DurationValue::Expression(tokens) => quote!(#tokens),
    }
}
