//! Writes the saga: from the model and its layout to Rust.
//!
//! | file | what it writes |
//! | --- | --- |
//! | `declaration` | `BookTrip`, its state and its participants; the implementation of `Saga` |
//! | `definition`, `policy` | parts of that implementation |
//! | `event` | `BookTripEvent` |
//! | `forward` | `BookTripForward`, and the positions on the way forward |
//! | `backward` | `BookTripBackward`, and the positions on the way back |
//! | `calls` | the asynchronous calls, with the user's tokens in them |
//!
//! What a user can name comes first, with full paths. The calls stand beside it, in the user's own scope. The
//! implementation is last, in a block in which `__saga` is the runtime.

mod backward;
mod branches;
mod calls;
mod declaration;
mod definition;
mod event;
mod forward;
pub(crate) mod names;
mod place;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use self::names::{doc, plain};
use crate::layout::{self, NodeLayout, RegionLayout};
use crate::model::{Model, Step, StepId, VariableId};

/// Everything that `saga!` writes for one saga.
pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let layout = layout::lay_out(model);
    let saga = Expansion::new(model);
    let mut code = Code::default();
    declaration::expand(&saga, &layout, &mut code);
    event::expand(&saga, &mut code);
    forward::expand(&saga, &layout, &mut code);
    backward::expand(&saga, &layout, &mut code);
    let Code { items, calls, implementation } = code;
    let runtime = &saga.runtime;
    quote! {
        #items
        #calls
        #[allow(trivial_bounds, unreachable_code, unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = {
            use #runtime::__private as __saga;
            #implementation
        };
    }
}

/// What has been written.
#[derive(Default)]
struct Code {
    /// Types, for users to name.
    items: TokenStream,
    /// Functions with the user's own tokens.
    calls: TokenStream,
    /// The rest, where `__saga` is the runtime.
    implementation: TokenStream,
}

/// What an `impl` with the user's own tokens bears: what is in scope need not be used.
fn quiet() -> TokenStream {
    quote!(#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")])
}

/// What every part of the expansion needs: the model, and names and paths.
struct Expansion<'m> {
    model: &'m Model<'m>,
    /// `::saga_runtime`, or what `#[saga(crate = …)]` says.
    runtime: TokenStream,
    event: Ident,
    participants: Ident,
    /// The field of a position that holds its call and the attempts at it.
    attempts: Ident,
    /// The field of a position that holds what is to be undone before it.
    undo: Ident,
}

impl<'m> Expansion<'m> {
    fn new(model: &'m Model<'m>) -> Self {
        let runtime = match &model.ast.options.crate_path {
            Some(path) => quote!(#path),
            None => quote!(::saga_runtime),
        };
        let saga = &model.ast.name;
        let is_variable = |name: &str| model.variables.iter().any(|variable| plain(variable.name) == name);
        Self {
            model,
            runtime,
            event: names::item(saga, "Event"),
            participants: names::item(saga, "Participants"),
            attempts: names::variant(&names::free("attempts", is_variable)),
            undo: names::variant(&names::free("undo", is_variable)),
        }
    }

    /// The generated item `BookTrip…`.
    fn item(&self, suffix: &str) -> Ident {
        names::item(&self.model.ast.name, suffix)
    }

    fn step(&self, id: StepId) -> &'m Step<'m> {
        &self.model.steps[id]
    }

    /// `Flight` of the step `flight`.
    fn camel(&self, step: StepId) -> String {
        names::camel(&self.step(step).ast.name)
    }

    /// Name of a step as text, without `r#`.
    fn step_name(&self, step: StepId) -> String {
        plain(&self.step(step).ast.name)
    }

    fn variable(&self, id: VariableId) -> (&'m Ident, &'m Type) {
        let variable = &self.model.variables[id];
        (variable.name, variable.ty)
    }

    /// The variables' names, in order.
    fn idents(&self, variables: &BTreeSet<VariableId>) -> Vec<&'m Ident> {
        variables.iter().map(|id| self.variable(*id).0).collect()
    }

    /// The variables as fields of a literal, from the variables of their names.
    fn taken(&self, variables: &BTreeSet<VariableId>, take: Take) -> Vec<TokenStream> {
        let fields = self.idents(variables).into_iter().map(|name| match take {
            Take::Moved => quote!(#name),
            Take::Shared => quote!(#name: #name.share()),
        });
        fields.collect()
    }

    /// The documented field `flight: Shared<FlightReservation>` of each variable.
    fn fields(&self, variables: &BTreeSet<VariableId>) -> TokenStream {
        let Self { runtime, model, .. } = self;
        let vis = &model.ast.vis;
        let fields = variables.iter().map(|id| {
            let (name, ty) = self.variable(*id);
            let kind = if self.model.variables[*id].step.is_none() { "The input" } else { "The output of" };
            let doc = doc(&format!("{kind} `{}`.", plain(name)));
            quote!(#doc #vis #name: #runtime::__private::Shared<#ty>,)
        });
        fields.collect()
    }

    /// The saga's output type.
    fn output(&self) -> TokenStream {
        let ast = self.model.ast;
        ast.output.as_ref().map_or_else(|| quote_spanned!(ast.name.span()=> ()), |ty| quote!(#ty))
    }

    /// The field of what there is to undo before a node, if there is.
    fn undo_field(&self, region: &RegionLayout, index: usize) -> Option<TokenStream> {
        let is_needed = region.undoes_before(index) && region.turns_at(index, self.model);
        is_needed.then(|| {
            let (vis, undo) = (&self.model.ast.vis, &self.undo);
            let backward = RegionNames::new(self, region).backward;
            quote! {
                /// What is compensated should the saga turn.
                #vis #undo: #backward,
            }
        })
    }

    /// The field of what there is to undo after a node is undone, if there is.
    fn before_field(&self, region: &RegionLayout, index: usize) -> Option<TokenStream> {
        region.undoes_before(index).then(|| {
            let (vis, undo) = (&self.model.ast.vis, &self.undo);
            let backward = RegionNames::new(self, region).backward;
            quote! {
                /// What is compensated next.
                #vis #undo: ::std::boxed::Box<#backward>,
            }
        })
    }

    /// The type of a position with a call of its own. `docs` are the user's.
    fn position(
        &self,
        ty: &Ident,
        docs: &[syn::Attribute],
        text: &str,
        data: &BTreeSet<VariableId>,
        undo: Option<&TokenStream>,
    ) -> TokenStream {
        let Self { runtime, attempts, model, .. } = self;
        let vis = &model.ast.vis;
        let fields = self.fields(data);
        let paragraph = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
        let text = doc(text);
        quote! {
            #(#docs)*
            #paragraph
            #text
            #[derive(::core::clone::Clone, ::core::fmt::Debug)]
            #vis struct #ty {
                #fields
                #undo
                #attempts: #runtime::__private::Ledger,
            }
        }
    }
}

/// How a position takes its data from variables: branches share theirs with one another.
#[derive(Clone, Copy)]
enum Take {
    Moved,
    Shared,
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
        let is_taken = |name: &str| region.nodes.iter().any(|node| label_of(saga, node) == name);
        let (forward, backward, end, end_ty) = if label.is_empty() {
            ("Forward".to_owned(), "Backward".to_owned(), "Return", "Return".to_owned())
        } else {
            let branch = format!("{label}Branch");
            (branch.clone(), format!("{branch}Backward"), "BranchDone", format!("{branch}Done"))
        };
        Self {
            forward: saga.item(&forward),
            backward: saga.item(&backward),
            end: Position { variant: names::variant(&names::free(end, is_taken)), ty: saga.item(&end_ty) },
        }
    }
}

/// `Flight` of a step, `HotelToCar` of a parallel.
fn label_of(saga: &Expansion<'_>, node: &NodeLayout) -> String {
    match node {
        NodeLayout::Step(step) => saga.camel(step.id),
        NodeLayout::Parallel(parallel) => parallel.label.clone(),
    }
}
