//! Writes the saga: from the model and its layout to Rust.
//!
//! | file | what it writes |
//! | --- | --- |
//! | `event` | `BookTripEvent` |
//! | `forward` | the positions on the way forward, and `BookTripForward` |
//! | `backward` | the positions on the way back, and `BookTripBackward` |
//! | `calls` | the asynchronous calls, with the user's tokens in them |
//! | `declaration` | `BookTrip` itself: its definition, policies and the `Saga` implementation |

mod backward;
mod calls;
mod declaration;
mod event;
mod forward;
pub(crate) mod names;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Type;

use crate::layout::{self, RegionLayout};
use crate::model::{Model, StepId, VariableId};

/// Everything that `saga!` writes for one saga.
pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let layout = layout::lay_out(model);
    let saga = Expansion::new(model);
    let declaration = declaration::expand(&saga, &layout);
    let event = event::expand(&saga);
    let forward = forward::expand(&saga, &layout);
    let backward = backward::expand(&saga, &layout);
    quote! { #declaration #event #forward #backward }
}

/// What every part of the expansion needs: the model, and names and paths.
struct Expansion<'m> {
    model: &'m Model<'m>,
    /// `::saga_runtime`, or what `#[saga(crate = …)]` says.
    runtime: TokenStream,
    /// The runtime's module for generated code.
    private: TokenStream,
    event: Ident,
    participants: Ident,
}

impl<'m> Expansion<'m> {
    fn new(model: &'m Model<'m>) -> Self {
        let runtime = match &model.ast.options.crate_path {
            Some(path) => quote!(#path),
            None => quote!(::saga_runtime),
        };
        let private = quote!(#runtime::__private);
        let saga = &model.ast.name;
        Self {
            model,
            runtime,
            private,
            event: names::item(saga, "Event"),
            participants: names::item(saga, "Participants"),
        }
    }

    /// The generated item `BookTrip…`.
    fn item(&self, suffix: &str) -> Ident {
        names::item(&self.model.ast.name, suffix)
    }

    /// `Flight` of the step `flight`.
    fn camel(&self, step: StepId) -> String {
        names::camel(&self.model.steps[step].ast.name)
    }

    /// The participants that the action of a step mentions, by their index.
    fn mentioned_participants(&self, step: StepId) -> Vec<usize> {
        let mentions = crate::uses::mentions(&self.model.steps[step].ast.action.tokens);
        let participants = self.model.ast.participants.iter().map(|participant| plain(&participant.name));
        let mentioned = participants.enumerate().filter(|(_, name)| mentions.iter().any(|m| m.name == *name));
        mentioned.map(|(index, _)| index).collect()
    }

    /// Name of a step as text, without `r#`.
    fn step_name(&self, step: StepId) -> String {
        plain(&self.model.steps[step].ast.name)
    }

    fn variable(&self, id: VariableId) -> (&'m Ident, &'m Type) {
        let variable = &self.model.variables[id];
        (variable.name, variable.ty)
    }

    /// The variables' names, in order.
    fn idents(&self, variables: &std::collections::BTreeSet<VariableId>) -> Vec<&'m Ident> {
        variables.iter().map(|id| self.variable(*id).0).collect()
    }

    /// The documented field `flight: Arc<FlightReservation>` of each variable.
    fn fields(&self, variables: &std::collections::BTreeSet<VariableId>) -> TokenStream {
        let p = &self.private;
        let vis = &self.model.ast.vis;
        let fields = variables.iter().map(|id| {
            let (name, ty) = self.variable(*id);
            let doc = format!("`{}`.", plain(name));
            quote!(#[doc = #doc] #vis #name: #p::Arc<#ty>,)
        });
        quote!(#(#fields)*)
    }

    /// Parameters `flight: &Arc<FlightReservation>` of what the regions around hold.
    fn outer_parameters(&self, variables: &std::collections::BTreeSet<VariableId>) -> TokenStream {
        let p = &self.private;
        let parameters = variables.iter().map(|id| {
            let (name, ty) = self.variable(*id);
            quote!(#name: &#p::Arc<#ty>)
        });
        quote!(#(, #parameters)*)
    }

    /// Doc comment, visibility, and what every generated type bears.
    fn type_head(&self, doc: &str) -> TokenStream {
        let vis = &self.model.ast.vis;
        quote!(#[doc = #doc] #[derive(::core::clone::Clone)] #[allow(clippy::all, clippy::pedantic, reason = "generated")] #vis)
    }
}

/// What every generated `impl` bears: generated code follows the shape of the saga, not the taste of a lint.
fn quiet() -> TokenStream {
    quote!(#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")])
}

/// A name as text, without `r#`.
fn plain(name: &Ident) -> String {
    use syn::ext::IdentExt;
    name.unraw().to_string()
}

/// The enum variant and the type of a position.
struct Position {
    variant: Ident,
    ty: Ident,
}

/// The names of a region's two enums.
struct RegionNames {
    forward: Ident,
    backward: Ident,
    /// The variant at the end of the way forward, and its type.
    end: Position,
}

impl RegionNames {
    fn new(saga: &Expansion<'_>, region: &RegionLayout) -> Self {
        let label = &region.label;
        if label.is_empty() {
            let end = Position { variant: names::variant("Return"), ty: saga.item("Return") };
            Self { forward: saga.item("Forward"), backward: saga.item("Backward"), end }
        } else {
            let end = Position {
                variant: names::variant("BranchDone"),
                ty: saga.item(&format!("{label}BranchDone")),
            };
            Self {
                forward: saga.item(&format!("{label}Branch")),
                backward: saga.item(&format!("{label}BranchCompensation")),
                end,
            }
        }
    }
}
