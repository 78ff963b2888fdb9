//! Writes the saga: from the model and its layout to Rust.
//!
//! | file | what it writes |
//! | --- | --- |
//! | `declaration` | `BookTrip`, its state and its participants; the implementation of `Saga` |
//! | `definition`, `policy` | parts of that implementation |
//! | `page` | the saga's page of documentation |
//! | `item` | how each of the types that hold data is declared |
//! | `event` | `BookTripEvent` |
//! | `forward` | `BookTripForward`, and the positions on the way forward |
//! | `backward` | `BookTripBackward`, and the positions on the way back |
//! | `index` | for an editor: where each name is mentioned |
//! | `calls` | the asynchronous calls, with the user's tokens in them |
//!
//! What a user can name comes first, with full paths. Behind it are two blocks in which `__saga` is the runtime: the
//! steps with their calls, whose scope is otherwise the user's own, and the implementation, which has traits in scope.

mod backward;
mod blocks;
mod calls;
mod declaration;
mod definition;
mod event;
mod forward;
mod index;
mod item;
pub(crate) mod names;
mod page;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;

use self::item::{Item, Keyword};
use self::names::{doc, plain};
use crate::layout::{self, NodeLayout, RegionLayout};
use crate::model::{Form, Model, Origin, Step, StepId, VariableId};
use crate::parameters::Parameters;

/// Everything that `saga!` writes for one saga.
pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let layout = layout::lay_out(model);
    let saga = Expansion::new(model);
    let mut code = Code::default();
    declaration::expand(&saga, &layout, &mut code);
    event::expand(&saga, &mut code);
    forward::expand(&saga, &layout, &mut code);
    backward::expand(&saga, &layout, &mut code);
    let Code { items, calls, steps, implementation } = code;
    let runtime = &saga.runtime;
    let index = index::expand(&saga);
    // What the others are depends on what the calls mention: before the cursor of an editor nothing may.
    let steps = quote! {
        // What is in scope of a call need not be used.
        #[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
        const _: () = {
            use #runtime::__private as __saga;
            #calls
            #steps
        };
    };
    let (first, second) = if crate::editor::runs_in_an_editor() { (steps, items) } else { (items, steps) };
    quote! {
        #first
        #second
        #[allow(
            trivial_bounds, unreachable_code, unused_imports, unused_variables, clippy::all, clippy::pedantic,
            reason = "generated"
        )]
        const _: () = {
            use #runtime::__private::{self as __saga, Backward as _, Region as _, Share as _, Step as _};
            #implementation
        };
        #index
    }
}

/// What has been written.
#[derive(Default)]
struct Code {
    /// Types, for users to name.
    items: TokenStream,
    /// For an editor, the user's own tokens by themselves.
    calls: TokenStream,
    /// The steps, with the user's own tokens.
    steps: TokenStream,
    /// The rest, where `__saga` is the runtime.
    implementation: TokenStream,
}

/// What every part of the expansion needs: the model, and names and paths.
struct Expansion<'m> {
    model: &'m Model<'m>,
    /// `::saga_runtime`, or what `#[saga(crate = …)]` says.
    runtime: TokenStream,
    /// The saga's own parameters.
    parameters: Parameters,
    /// `<M: …>` of an implementation for what holds data; empty where the data uses no parameter.
    generics: TokenStream,
    /// `where …` of the same.
    given: TokenStream,
    event: Item,
    /// `BookTripParticipants`.
    participants_name: Ident,
    /// The same as a type: with its parameters.
    participants: TokenStream,
    /// The field of a position that holds its call and the attempts at it.
    attempts: Ident,
    /// The field of a position that holds what is to be undone before it.
    undo: Ident,
    /// The field of an `if` that holds its arm.
    arm: Ident,
    /// The field of a `for` that holds its items.
    items: Ident,
    /// The field of an end that holds nothing, and uses the parameters that its data does not.
    unused: Ident,
    /// `::<M>` of what holds data.
    arguments: TokenStream,
}

impl<'m> Expansion<'m> {
    fn new(model: &'m Model<'m>) -> Self {
        let runtime = match &model.ast.options.crate_path {
            Some(path) => quote!(#path),
            None => quote!(::saga_runtime),
        };
        let saga = &model.ast.name;
        let parameters = Parameters::new(model, &runtime);
        let (generics, arguments, given) = parameters.data.split_for_impl();
        let (generics, given) = (quote!(#generics), quote!(#given));
        let arguments = arguments.as_turbofish().to_token_stream();
        let is_variable = |name: &str| model.variables.iter().any(|variable| plain(&variable.name) == name);
        Self {
            model,
            runtime,
            generics,
            given,
            event: Item::new(names::item(saga, "Event"), arguments.clone()),
            participants: {
                let (name, (_, of_participants, _)) =
                    (names::item(saga, "Participants"), parameters.participants.split_for_impl());
                quote!(#name #of_participants)
            },
            participants_name: names::item(saga, "Participants"),
            attempts: names::variant(&names::free("attempts", is_variable)),
            undo: names::variant(&names::free("undo", is_variable)),
            arm: names::variant(&names::free("arm", is_variable)),
            items: names::variant(&names::free("items", is_variable)),
            unused: names::variant(&names::free("parameters", is_variable)),
            arguments,
            parameters,
        }
    }

    /// The generated item `BookTrip…`.
    fn item(&self, suffix: &str) -> Item {
        Item::new(names::item(&self.model.ast.name, suffix), self.arguments.clone())
    }

    fn step(&self, id: StepId) -> &'m Step<'m> {
        &self.model.steps[id]
    }

    /// `Flight` of the step `flight`.
    fn camel(&self, step: StepId) -> &'m str {
        &self.step(step).label
    }

    /// Name of a step in the log.
    fn step_name(&self, step: StepId) -> String {
        self.step(step).shown.clone()
    }

    /// A variable's name, and its type as calls see it.
    fn variable(&self, id: VariableId) -> (&'m Ident, Type) {
        let variable = &self.model.variables[id];
        (&variable.name, variable.form.ty())
    }

    /// How positions keep a variable. `p` is the runtime's part for generated code.
    fn kept(&self, id: VariableId, p: &TokenStream) -> TokenStream {
        fn kept(form: &Form, p: &TokenStream) -> TokenStream {
            match form {
                Form::One(ty) => quote!(#p::Shared<#ty>),
                Form::Optional(form) => {
                    let form = kept(form, p);
                    quote!(::core::option::Option<#form>)
                }
                Form::Many(form) => {
                    let form = kept(form, p);
                    quote!(#p::Many<#form>)
                }
            }
        }
        kept(&self.model.variables[id].form, p)
    }

    /// The variables' types, as calls see them.
    fn types(&self, variables: &BTreeSet<VariableId>) -> Vec<Type> {
        variables.iter().map(|id| self.variable(*id).1).collect()
    }

    /// Whether calls see a variable as it is kept: by reference to the one value.
    fn is_one(&self, id: VariableId) -> bool {
        matches!(self.model.variables[id].form, Form::One(_))
    }

    /// The variables' names, in order.
    fn idents(&self, variables: &BTreeSet<VariableId>) -> Vec<&'m Ident> {
        variables.iter().map(|id| self.variable(*id).0).collect()
    }

    /// The variables as fields of a literal, from the variables of their names.
    fn taken(&self, variables: &BTreeSet<VariableId>, take: Take) -> Vec<TokenStream> {
        let fields = self.idents(variables).into_iter().map(|name| match take {
            Take::Moved => quote!(#name),
            Take::Shared => quote!(#name: __saga::share(&#name)),
        });
        fields.collect()
    }

    /// The same as arguments.
    fn arguments(&self, variables: &BTreeSet<VariableId>, take: Take) -> Vec<TokenStream> {
        let arguments = self.idents(variables).into_iter().map(|name| match take {
            Take::Moved => quote!(#name),
            Take::Shared => quote!(__saga::share(&#name)),
        });
        arguments.collect()
    }

    /// `fn new`: a position as it is arrived at, its attempts as `attempts` says.
    fn constructor(
        &self,
        data: &BTreeSet<VariableId>,
        undo: Option<&TokenStream>,
        attempts: &TokenStream,
    ) -> TokenStream {
        let (names, field) = (self.idents(data), &self.attempts);
        let p = quote!(__saga);
        let types = data.iter().map(|id| self.kept(*id, &p));
        let undone = undo.is_some().then_some(&self.undo).into_iter();
        quote! {
            fn new(#(#names: #types,)* #undo) -> Self {
                let #field = #attempts;
                Self { #(#names,)* #(#undone,)* #field }
            }
        }
    }

    /// The documented field `flight: Shared<FlightReservation>` of each variable.
    fn fields(&self, variables: &BTreeSet<VariableId>) -> TokenStream {
        let Self { runtime, model, .. } = self;
        let vis = &model.ast.vis;
        let p = quote!(#runtime::__private);
        let fields = variables.iter().map(|id| {
            let (name, ty) = (self.variable(*id).0, self.kept(*id, &p));
            let kind = match self.model.variables[*id].origin {
                Origin::Input => "The input",
                Origin::Item => "The item",
                Origin::Output(_) | Origin::Gathered(_) => "The output of",
            };
            let doc = doc(&format!("{kind} `{}`.", plain(name)));
            quote!(#doc #vis #name: #ty,)
        });
        fields.collect()
    }

    /// `<P: Desk>` of a saga with parameters, for a function of a position, and what its participants need besides to be
    /// called on.
    fn parameters(&self) -> (TokenStream, TokenStream) {
        self.parameters_of(&self.parameters.calls)
    }

    /// The same for a function that stands alone.
    fn all_parameters(&self) -> (TokenStream, TokenStream) {
        self.parameters_of(&self.parameters.saga)
    }

    fn parameters_of(&self, generics: &syn::Generics) -> (TokenStream, TokenStream) {
        if self.model.ast.generics.params.is_empty() {
            return (TokenStream::new(), TokenStream::new());
        }
        let (parameters, ..) = generics.split_for_impl();
        let given = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let types = self.model.ast.participants.iter().map(|participant| &participant.ty);
        let untold = self.parameters.untold();
        let untold = untold.filter(|name| generics.type_params().any(|parameter| parameter.ident == **name));
        let bounds = quote! {
            where
                #(#given,)*
                #(#types: ::core::marker::Send + ::core::marker::Sync + 'static,)*
                #(#untold: 'static,)*
        };
        (quote!(#parameters), bounds)
    }

    /// `::<P>`: what the parameters of such a function stand for.
    fn turbofish(&self) -> TokenStream {
        let (_, arguments, _) = self.parameters.calls.split_for_impl();
        arguments.as_turbofish().to_token_stream()
    }

    /// The same, where it is handed participants: empty where these say it.
    fn turbofish_untold(&self) -> TokenStream {
        if self.parameters.are_told_by_participants() { TokenStream::new() } else { self.turbofish() }
    }

    /// The saga's output type.
    fn output(&self) -> TokenStream {
        let ast = self.model.ast;
        ast.output.as_ref().map_or_else(|| quote_spanned!(ast.name.span()=> ()), |ty| quote!(#ty))
    }

    /// The field of what there is to undo before a node should the saga turn, if there is.
    fn undo_field(&self, region: &RegionLayout, index: usize) -> Option<TokenStream> {
        backward::carries_undo(self, region, index).then(|| self.boxed_undo(region))
    }

    /// The field of what there is to undo after a node is undone, if there is.
    fn before_field(&self, region: &RegionLayout, index: usize) -> Option<TokenStream> {
        region.undoes_before(index).then(|| self.boxed_undo(region))
    }

    fn boxed_undo(&self, region: &RegionLayout) -> TokenStream {
        let (undo, backward) = (&self.undo, RegionNames::new(self, region).backward);
        quote!(#undo: ::std::boxed::Box<#backward>,)
    }

    /// The type of a position with a call of its own. `docs` are the user's.
    fn position(
        &self,
        ty: &Item,
        docs: &[syn::Attribute],
        text: &str,
        data: &BTreeSet<VariableId>,
        undo: Option<&TokenStream>,
    ) -> TokenStream {
        let Self { runtime, attempts, .. } = self;
        let fields = self.fields(data);
        let paragraph = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
        let text = doc(text);
        let docs = quote!(#(#docs)* #paragraph #text);
        let ledger = self.beside(quote!(#runtime::__private::Ledger), &self.types(data));
        let body = quote! {
            #fields
            #undo
            #attempts: #ledger,
        };
        self.declared(&docs, Keyword::Struct, ty, &body)
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
    ty: Item,
}

/// The names of a region's two enums.
struct RegionNames {
    forward: Item,
    backward: Item,
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
        NodeLayout::Step(step) => saga.camel(step.id).to_owned(),
        NodeLayout::Block(block) => block.label.clone(),
    }
}
