//! `BookTripEvent`: one variant per fact.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{Expansion, names, quiet};
use crate::ast::{StepKind, Undo};
use crate::model::{StepId, Zone};

/// The variants of a step.
pub(super) struct StepEvents {
    pub(super) done: Ident,
    pub(super) refused: Ident,
    pub(super) attempt: Ident,
    /// Those of its compensation, where it has one.
    pub(super) compensation: Option<CompensationEvents>,
}

pub(super) struct CompensationEvents {
    pub(super) compensated: Ident,
    pub(super) attempt: Ident,
}

impl StepEvents {
    pub(super) fn new(saga: &Expansion<'_>, id: StepId) -> Self {
        let step = &saga.model.steps[id];
        let camel = saga.camel(id);
        let variant = |suffix: &str| names::variant(&format!("{camel}{suffix}"));
        let call = matches!(step.ast.compensate.as_ref().map(|c| &c.undo), Some(Undo::Call(_)));
        let compensated = call && step.zone == Zone::Compensatable && step.ast.kind == StepKind::Step;
        Self {
            done: variant("Done"),
            refused: variant("Refused"),
            attempt: variant("Attempt"),
            compensation: compensated.then(|| CompensationEvents {
                compensated: variant("Compensated"),
                attempt: variant("Compensation"),
            }),
        }
    }
}

pub(super) fn expand(saga: &Expansion<'_>) -> TokenStream {
    let Expansion { runtime, private: p, event, .. } = saga;
    let quiet = quiet();
    let vis = &saga.model.ast.vis;
    let doc = format!("What can happen to a [`{}`]: what its log holds.", saga.model.ast.name);
    let output = output(saga);
    let variants = (0..saga.model.steps.len()).map(|id| variants(saga, id));
    let to_fact = (0..saga.model.steps.len()).map(|id| to_fact(saga, id));
    let from_fact = (0..saga.model.steps.len()).map(|id| from_fact(saga, id));
    let steps = (0..saga.model.steps.len()).map(|id| step_arm(saga, id));
    let names = (0..saga.model.steps.len()).map(|id| name_arms(saga, id));
    quote! {
        #[doc = #doc]
        #[allow(clippy::all, clippy::pedantic, reason = "generated")]
        #vis enum #event {
            #(#variants)*
            /// Somebody cancelled the saga, for this reason.
            Cancelled(#p::String),
            /// The saga returned this.
            Completed(#output),
        }

        #[automatically_derived]
        #quiet
        impl #runtime::machine::Event for #event {
            fn to_fact(&self) -> ::core::result::Result<#runtime::machine::Fact, #runtime::data::DataError> {
                ::core::result::Result::Ok(match self {
                    #(#to_fact)*
                    Self::Cancelled(reason) => #p::cancelled(reason),
                    Self::Completed(output) => #p::completed(output)?,
                })
            }

            fn from_fact(
                fact: #runtime::machine::Fact,
            ) -> ::core::result::Result<Self, #runtime::machine::EventError> {
                use #runtime::machine::FactKind;
                ::core::result::Result::Ok(match (fact.step, fact.kind) {
                    #(#from_fact)*
                    (::core::option::Option::None, FactKind::Cancelled(reason)) => Self::Cancelled(reason),
                    (::core::option::Option::None, FactKind::Completed(json)) => {
                        Self::Completed(#runtime::data::decode("the output", &json)?)
                    }
                    _ => return ::core::result::Result::Err(#runtime::machine::EventError::Unknown),
                })
            }

            fn step(&self) -> ::core::option::Option<usize> {
                match self {
                    #(#steps)*
                    Self::Cancelled(_) | Self::Completed(_) => ::core::option::Option::None,
                }
            }

            fn name(&self) -> &'static str {
                match self {
                    #(#names)*
                    Self::Cancelled(_) => "Cancelled",
                    Self::Completed(_) => "Completed",
                }
            }

            fn control(&self) -> ::core::option::Option<#runtime::machine::Control> {
                match self {
                    Self::Cancelled(reason) => {
                        ::core::option::Option::Some(#runtime::machine::Control::Cancelled(#p::Clone::clone(reason)))
                    }
                    Self::Completed(_) => ::core::option::Option::Some(#runtime::machine::Control::Completed),
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}

/// The saga's output type.
pub(super) fn output(saga: &Expansion<'_>) -> TokenStream {
    saga.model.ast.output.as_ref().map_or_else(|| quote!(()), |ty| quote!(#ty))
}

fn variants(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let runtime = &saga.runtime;
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let ty = &saga.model.steps[id].ast.ty;
    let name = saga.step_name(id);
    let [done_doc, refused_doc, attempt_doc] = [
        format!("`{name}` is done, with this output."),
        format!("`{name}` was refused."),
        format!("An attempt of `{name}` was opened or failed."),
    ];
    let compensation = compensation.map(|events| {
        let CompensationEvents { compensated, attempt } = events;
        let compensated_doc = format!("`{name}` is compensated.");
        let attempt_doc = format!("An attempt to compensate `{name}` was opened or failed.");
        quote! {
            #[doc = #compensated_doc]
            #compensated,
            #[doc = #attempt_doc]
            #attempt(#runtime::machine::AttemptFact),
        }
    });
    quote! {
        #[doc = #done_doc]
        #done(#ty),
        #[doc = #refused_doc]
        #refused(#runtime::machine::Refusal),
        #[doc = #attempt_doc]
        #attempt(#runtime::machine::AttemptFact),
        #compensation
    }
}

fn to_fact(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let p = &saga.private;
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let name = saga.step_name(id);
    let compensation = compensation.map(|CompensationEvents { compensated, attempt }| {
        quote! {
            Self::#compensated => #p::compensated(#id),
            Self::#attempt(fact) => #p::compensation(#id, fact),
        }
    });
    quote! {
        Self::#done(output) => #p::done(#id, #name, output)?,
        Self::#refused(refusal) => #p::refused(#id, refusal),
        Self::#attempt(fact) => #p::attempt(#id, fact),
        #compensation
    }
}

fn from_fact(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let runtime = &saga.runtime;
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let name = saga.step_name(id);
    let some = quote!(::core::option::Option::Some(#id));
    let compensation = compensation.map(|CompensationEvents { compensated, attempt }| {
        quote! {
            (#some, FactKind::Compensated) => Self::#compensated,
            (#some, FactKind::Compensation(fact)) => Self::#attempt(fact),
        }
    });
    quote! {
        (#some, FactKind::Done(json)) => Self::#done(#runtime::data::decode(#name, &json)?),
        (#some, FactKind::Refused(refusal)) => Self::#refused(refusal),
        (#some, FactKind::Attempt(fact)) => Self::#attempt(fact),
        #compensation
    }
}

fn step_arm(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let compensation = compensation
        .map(|CompensationEvents { compensated, attempt }| quote!(| Self::#compensated | Self::#attempt(_)));
    quote! {
        Self::#done(_) | Self::#refused(_) | Self::#attempt(_) #compensation => ::core::option::Option::Some(#id),
    }
}

fn name_arms(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let text = Ident::to_string;
    let (done_text, refused_text, attempt_text) = (text(&done), text(&refused), text(&attempt));
    let compensation = compensation.map(|CompensationEvents { compensated, attempt }| {
        let (compensated_text, attempt_text) = (text(&compensated), text(&attempt));
        quote! {
            Self::#compensated => #compensated_text,
            Self::#attempt(_) => #attempt_text,
        }
    });
    quote! {
        Self::#done(_) => #done_text,
        Self::#refused(_) => #refused_text,
        Self::#attempt(_) => #attempt_text,
        #compensation
    }
}
