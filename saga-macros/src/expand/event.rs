//! `BookTripEvent`: one variant per fact.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names::{doc, number, plain, variant};
use super::{Code, Expansion, forward};
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
        let step = saga.step(id);
        let camel = saga.camel(id);
        let variant = |suffix: &str| variant(&format!("{camel}{suffix}"));
        let is_call = matches!(step.ast.compensate.as_ref().map(|c| &c.undo), Some(Undo::Call(_)));
        let is_compensated = is_call && step.zone == Zone::Compensatable && step.ast.kind == StepKind::Step;
        Self {
            done: variant("Done"),
            refused: variant("Refused"),
            attempt: variant("Attempt"),
            compensation: is_compensated.then(|| CompensationEvents {
                compensated: variant("Compensated"),
                attempt: variant("Compensation"),
            }),
        }
    }
}

pub(super) fn expand(saga: &Expansion<'_>, code: &mut Code) {
    let steps = 0..saga.model.steps.len();
    items(saga, steps.clone(), code);
    let event = &saga.event;
    let name = &saga.model.ast.name;
    let to_fact = steps.clone().map(|id| to_fact(saga, id));
    let from_fact = steps.clone().map(|id| from_fact(saga, id));
    let identity = steps.map(|id| identity(saga, id));
    code.implementation.extend(quote! {
        #[automatically_derived]
        impl __saga::Event for #event {
            fn to_fact(&self) -> __saga::Result<__saga::Fact, __saga::DataError> {
                __saga::Ok(match self {
                    #(#to_fact)*
                    Self::Cancelled(reason) => __saga::cancelled(reason),
                    Self::Completed(output) => __saga::completed::<#name>(output)?,
                })
            }

            fn from_fact(fact: __saga::Fact) -> __saga::Result<Self, __saga::EventError> {
                use __saga::FactKind::*;
                let __saga::Some(step) = fact.step else {
                    return match fact.kind {
                        Cancelled(reason) => __saga::Ok(Self::Cancelled(reason)),
                        Completed(json) => __saga::Ok(Self::Completed(__saga::returned::<#name>(&json)?)),
                        _ => __saga::Err(__saga::EventError::Unknown),
                    };
                };
                __saga::Ok(match (step, fact.kind) {
                    #(#from_fact)*
                    _ => return __saga::Err(__saga::EventError::Unknown),
                })
            }

            fn step(&self) -> __saga::Option<usize> {
                self.identity().0
            }

            fn name(&self) -> &'static str {
                self.identity().1
            }

            fn control(&self) -> __saga::Option<__saga::Control> {
                match self {
                    Self::Cancelled(reason) => {
                        __saga::Some(__saga::Control::Cancelled(__saga::Clone::clone(reason)))
                    }
                    Self::Completed(_) => __saga::Some(__saga::Control::Completed),
                    _ => __saga::None,
                }
            }
        }

        impl #event {
            /// Its step and its name.
            fn identity(&self) -> (__saga::Option<usize>, &'static str) {
                match self {
                    #(#identity)*
                    Self::Cancelled(_) => (__saga::None, "Cancelled"),
                    Self::Completed(_) => (__saga::None, "Completed"),
                }
            }
        }

        /// The name only: no personal data gets into a program's own log.
        #[automatically_derived]
        impl ::core::fmt::Debug for #event {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.identity().1)
            }
        }
    });
}

fn items(saga: &Expansion<'_>, steps: std::ops::Range<StepId>, code: &mut Code) {
    let Expansion { event, .. } = saga;
    let vis = &saga.model.ast.vis;
    let doc = doc(&format!("What can happen to a [`{}`]: what its log holds.", plain(&saga.model.ast.name)));
    let variants = steps.map(|id| variants(saga, id));
    let output = saga.output();
    code.items.extend(quote! {
        #doc
        #vis enum #event {
            #(#variants)*
            /// Somebody cancelled the saga, for this reason.
            Cancelled(::std::string::String),
            /// The saga returned this.
            Completed(#output),
        }
    });
}

fn variants(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let runtime = &saga.runtime;
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let ty = &saga.step(id).ast.ty;
    let name = saga.step_name(id);
    let [done_doc, refused_doc, attempt_doc] = [
        doc(&format!("`{name}` is done, with this output.")),
        doc(&format!("`{name}` was refused.")),
        doc(&format!("Something about an attempt of `{name}`.")),
    ];
    let compensation = compensation.map(|CompensationEvents { compensated, attempt }| {
        let compensated_doc = doc(&format!("`{name}` is compensated."));
        let attempt_doc = doc(&format!("Something about an attempt to compensate `{name}`."));
        quote! {
            #compensated_doc
            #compensated,
            #attempt_doc
            #attempt(#runtime::machine::AttemptFact),
        }
    });
    quote! {
        #done_doc
        #done(#ty),
        #refused_doc
        #refused(#runtime::machine::Refusal),
        #attempt_doc
        #attempt(#runtime::machine::AttemptFact),
        #compensation
    }
}

fn to_fact(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let position = forward::step_position(saga, id).ty;
    let id = number(id);
    let compensation = compensation.map(|CompensationEvents { compensated, attempt }| {
        quote! {
            Self::#compensated => __saga::compensated(#id),
            Self::#attempt(fact) => __saga::compensation(#id, fact),
        }
    });
    quote! {
        Self::#done(output) => __saga::done::<#position>(output)?,
        Self::#refused(refusal) => __saga::refused(#id, refusal),
        Self::#attempt(fact) => __saga::attempt(#id, fact),
        #compensation
    }
}

fn from_fact(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let position = forward::step_position(saga, id).ty;
    let id = number(id);
    let compensation = compensation.map(|CompensationEvents { compensated, attempt }| {
        quote! {
            (#id, Compensated) => Self::#compensated,
            (#id, Compensation(fact)) => Self::#attempt(fact),
        }
    });
    quote! {
        (#id, Done(json)) => Self::#done(__saga::output_of::<#position>(&json)?),
        (#id, Refused(refusal)) => Self::#refused(refusal),
        (#id, Attempt(fact)) => Self::#attempt(fact),
        #compensation
    }
}

fn identity(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let StepEvents { done, refused, attempt, compensation } = StepEvents::new(saga, id);
    let id = number(id);
    let text = Ident::to_string;
    let (done_text, refused_text, attempt_text) = (text(&done), text(&refused), text(&attempt));
    let compensation = compensation.map(|CompensationEvents { compensated, attempt }| {
        let (compensated_text, attempt_text) = (text(&compensated), text(&attempt));
        quote! {
            Self::#compensated => (__saga::Some(#id), #compensated_text),
            Self::#attempt(_) => (__saga::Some(#id), #attempt_text),
        }
    });
    quote! {
        Self::#done(_) => (__saga::Some(#id), #done_text),
        Self::#refused(_) => (__saga::Some(#id), #refused_text),
        Self::#attempt(_) => (__saga::Some(#id), #attempt_text),
        #compensation
    }
}
