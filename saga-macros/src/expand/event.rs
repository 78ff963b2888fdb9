//! `BookTripEvent`: one variant per fact.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names::{doc, free, number, plain, variant};
use super::{Code, Expansion, forward};
use crate::ast::StepKind;
use crate::model::StepId;

/// The variants of a step.
pub(super) struct StepEvents {
    pub(super) done: Ident,
    /// Where it can be refused: not where the coordinator decides, or only waits for a time.
    pub(super) refused: Option<Ident>,
    /// Where attempts are made, or a time is waited for.
    pub(super) attempt: Option<Ident>,
    /// Where it has a value for the case that it fails.
    pub(super) otherwise: Option<Ident>,
    /// Where it waits for a signal.
    pub(super) sent: Option<Ident>,
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
        let kind = step.ast.kind;
        let is_compensated = step.is_undone();
        let decides = matches!(kind, StepKind::If | StepKind::For | StepKind::Lock);
        // A step that stands in several arms names its events in each.
        let earlier = &saga.model.steps[..id];
        let is_taken = |name: &str| {
            let events = earlier.iter().filter_map(|step| step.ast.events.as_ref());
            let names = events.flat_map(|events| {
                [Some(&events.done), events.refused.as_ref(), events.compensated.as_ref()]
            });
            names.flatten().any(|known| plain(known) == name)
        };
        let named = |name: Option<&Ident>, suffix: &str| match name {
            Some(name) => variant_of(&free(&plain(name), is_taken)),
            None => variant(suffix),
        };
        let events = step.ast.events.as_ref();
        Self {
            done: named(events.map(|events| &events.done), "Done"),
            refused: (kind == StepKind::Lock || (!decides && kind != StepKind::Sleep))
                .then(|| named(events.and_then(|events| events.refused.as_ref()), "Refused")),
            attempt: (!decides).then(|| variant("Attempt")),
            otherwise: step.ast.otherwise.is_some().then(|| variant("Else")),
            sent: (kind == StepKind::Receive).then(|| variant("Sent")),
            compensation: is_compensated.then(|| CompensationEvents {
                compensated: named(events.and_then(|events| events.compensated.as_ref()), "Compensated"),
                attempt: variant("Compensation"),
            }),
        }
    }

    /// All of them, each with the kind of fact that it is and what it holds.
    fn all(&self) -> Vec<(&Ident, &'static str, Holds)> {
        let optional = [
            (self.refused.as_ref(), "Refused", Holds::Refusal),
            (self.attempt.as_ref(), "Attempt", Holds::AttemptFact),
            (self.otherwise.as_ref(), "Otherwise", Holds::Output),
            (self.sent.as_ref(), "Sent", Holds::Output),
            (self.compensation.as_ref().map(|events| &events.compensated), "Compensated", Holds::Nothing),
            (self.compensation.as_ref().map(|events| &events.attempt), "Compensation", Holds::AttemptFact),
        ];
        let optional = optional.into_iter().filter_map(|(name, kind, holds)| Some((name?, kind, holds)));
        std::iter::once((&self.done, "Done", Holds::Output)).chain(optional).collect()
    }
}

/// What an event holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Output,
    Refusal,
    AttemptFact,
}

fn variant_of(name: &str) -> Ident {
    variant(name)
}

/// The pattern of an event of a step, without its enum. In a `for` it names the items first.
pub(super) fn event_pattern(
    saga: &Expansion<'_>,
    id: StepId,
    variant: &Ident,
    inner: &TokenStream,
) -> TokenStream {
    match (saga.step(id).depth() > 0, inner.is_empty()) {
        (true, true) => quote!(#variant(_)),
        (true, false) => quote!(#variant(_, #inner)),
        (false, true) => quote!(#variant),
        (false, false) => quote!(#variant(#inner)),
    }
}

pub(super) fn expand(saga: &Expansion<'_>, code: &mut Code) {
    let steps = 0..saga.model.steps.len();
    items(saga, steps.clone(), code);
    let Expansion { event, generics, given, .. } = saga;
    // What it returns is asked of the saga, so that the compiler says once what is wrong with it; with parameters the
    // saga has no one type.
    let (completed, returned) = if saga.model.ast.generics.params.is_empty() {
        let name = &saga.model.ast.name;
        (quote!(completed::<#name>), quote!(returned::<#name>))
    } else {
        let output = saga.output();
        (quote!(completed_with::<#output>), quote!(returned_with::<#output>))
    };
    let told = steps.clone().map(|id| told(saga, id));
    let from_fact = steps.clone().map(|id| from_fact(saga, id));
    let items = steps.clone().filter_map(|id| items_of(saga, id)).collect::<Vec<_>>();
    let items = (!items.is_empty()).then(|| {
        quote! {
            fn items(&self) -> &__saga::Items {
                match self {
                    #(#items)|* => items,
                    _ => __saga::Items::none(),
                }
            }
        }
    });
    let depths = saga.model.steps.iter().map(|step| number(step.depth()));
    let depth = if items.is_some() {
        quote!([#(#depths),*].get(place.step).copied().unwrap_or_default())
    } else {
        quote!(0)
    };
    code.implementation.extend(quote! {
        #[automatically_derived]
        impl #generics __saga::Event for #event #given {
            fn told(&self) -> __saga::Told<'_> {
                use __saga::Tells::*;
                let (step, name, tells) = match self {
                    #(#told)*
                    Self::Cancelled(reason) => return __saga::of_saga("Cancelled", Cancelled(reason)),
                    Self::DeadlinePassed => return __saga::of_saga("DeadlinePassed", DeadlinePassed),
                    Self::Completed(output) => {
                        return __saga::of_saga("Completed", Completed(__saga::#completed(output)));
                    }
                };
                __saga::Told { step: __saga::Some(step), name, tells }
            }

            fn from_fact(fact: __saga::Fact) -> __saga::Result<Self, __saga::EventError> {
                use __saga::FactKind::*;
                let __saga::Some(place) = fact.place else {
                    return match fact.kind {
                        Cancelled(reason) => __saga::Ok(Self::Cancelled(reason)),
                        DeadlinePassed => __saga::Ok(Self::DeadlinePassed),
                        Completed(json) => __saga::Ok(Self::Completed(__saga::#returned(&json)?)),
                        _ => __saga::Err(__saga::EventError::Unknown),
                    };
                };
                // A signal is for whichever item waits for it first.
                if place.items.depth() != #depth && !__saga::is_signal(&fact.kind) {
                    return __saga::Err(__saga::EventError::Unknown);
                }
                let event = match (place.step, fact.kind) {
                    #(#from_fact)*
                    _ => return __saga::Err(__saga::EventError::Unknown),
                };
                __saga::Ok(event)
            }

            #items
        }

        /// The name only: no personal data gets into a program's own log.
        #[automatically_derived]
        impl #generics ::core::fmt::Debug for #event #given {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(__saga::Event::name(self))
            }
        }
    });
}

fn items(saga: &Expansion<'_>, steps: std::ops::Range<StepId>, code: &mut Code) {
    let (event, generics) = (&saga.event.name, &saga.parameters.declared);
    let given = &generics.where_clause;
    let vis = &saga.model.ast.vis;
    let doc = doc(&format!("What can happen to a [`{}`]: what its log holds.", plain(&saga.model.ast.name)));
    let variants = steps.map(|id| variants(saga, id));
    let output = saga.output();
    let held = saga.model.steps.iter().map(|step| step.ast.ty.clone()).chain(saga.model.ast.output.clone());
    let reason = saga.beside(quote!(::std::string::String), &held.collect::<Vec<_>>());
    code.items.extend(quote! {
        #doc
        #vis enum #event #generics #given {
            #(#variants)*
            /// Somebody cancelled the saga, for this reason.
            Cancelled(#reason),
            /// The saga's deadline passed before its pivot was opened.
            DeadlinePassed,
            /// The saga returned this.
            Completed(#output),
        }
    });
}

fn variants(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let runtime = &saga.runtime;
    let ty = &saga.step(id).ast.ty;
    let name = saga.step_name(id);
    let items = (saga.step(id).depth() > 0).then(|| quote!(#runtime::machine::Items));
    let events = StepEvents::new(saga, id);
    let variants = events.all().into_iter().map(|(variant, kind, holds)| {
        let doc = doc(&match kind {
            "Done" => format!("`{name}` is done, with this output."),
            "Refused" => format!("`{name}` was refused."),
            "Attempt" => format!("Something about an attempt of `{name}`."),
            "Otherwise" => format!("`{name}` failed, and this takes its output's place."),
            "Sent" => format!("A signal for `{name}` came."),
            "Compensated" => format!("`{name}` is compensated."),
            _ => format!("Something about an attempt to compensate `{name}`."),
        });
        let held = match holds {
            Holds::Nothing => None,
            Holds::Output => Some(quote!(#ty)),
            Holds::Refusal => Some(quote!(#runtime::machine::Refusal)),
            Holds::AttemptFact => Some(quote!(#runtime::machine::AttemptFact)),
        };
        // A signal is for whichever item waits for it first.
        let items = items.iter().filter(|_| kind != "Sent");
        let fields = items.chain(&held).collect::<Vec<_>>();
        if fields.is_empty() { quote!(#doc #variant,) } else { quote!(#doc #variant(#(#fields),*),) }
    });
    variants.collect()
}

/// A pattern or value of an event, without its enum: `items` and `inner` where it has them.
fn variant_with(
    saga: &Expansion<'_>,
    id: StepId,
    (variant, kind, holds): (&Ident, &str, Holds),
    items: &TokenStream,
    inner: &TokenStream,
) -> TokenStream {
    let items = (saga.step(id).depth() > 0 && kind != "Sent").then_some(items);
    let inner = (holds != Holds::Nothing).then_some(inner);
    let fields = items.into_iter().chain(inner).collect::<Vec<_>>();
    if fields.is_empty() { quote!(#variant) } else { quote!(#variant(#(#fields),*)) }
}

/// Each event with its step, its name and what it tells.
fn told(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let position = forward::step_position(saga, id).ty;
    let events = StepEvents::new(saga, id);
    let step = number(id);
    let arms = events.all().into_iter().map(|event| {
        let pattern = variant_with(saga, id, event, &quote!(_), &quote!(held));
        let (kind, name) = (variant(event.1), event.0.to_string());
        let tells = match event.2 {
            Holds::Nothing => quote!(#kind),
            Holds::Output => quote!(#kind(#position::held(held))),
            Holds::Refusal | Holds::AttemptFact => quote!(#kind(held)),
        };
        quote!(Self::#pattern => (#step, #name, #tells),)
    });
    arms.collect()
}

fn from_fact(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let position = forward::step_position(saga, id).ty;
    let events = StepEvents::new(saga, id);
    let step = number(id);
    let arms = events.all().into_iter().map(|event| {
        let kind = variant(event.1);
        let held = if event.2 == Holds::Output { quote!(#position::read(&held)?) } else { quote!(held) };
        let value = variant_with(saga, id, event, &quote!(place.items), &held);
        let pattern = if event.2 == Holds::Nothing { quote!(#kind) } else { quote!(#kind(held)) };
        quote!((#step, #pattern) => Self::#value,)
    });
    arms.collect()
}

/// The pattern that binds the items of the events of a step, if it stands in a `for`.
fn items_of(saga: &Expansion<'_>, id: StepId) -> Option<TokenStream> {
    let events = StepEvents::new(saga, id);
    let all = events.all().into_iter().filter(|event| event.1 != "Sent");
    let patterns = all.map(|event| {
        let pattern = variant_with(saga, id, event, &quote!(items), &quote!(_));
        quote!(Self::#pattern)
    });
    (saga.step(id).depth() > 0).then(|| quote!(#(#patterns)|*))
}
