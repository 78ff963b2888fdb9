//! The saga's own parameters, `<M, B: Bank<M>>`: which of them its data uses, and which of them each generated item has.
//!
//! State, events and signals are generic only over what the data uses: the log holds them, whatever the participants are.
//! The others belong to the calls. What is said of a parameter goes with it, and what is said of several is said where all
//! of them are.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{GenericParam, Generics, TypeParam, TypeParamBound, TypePath, WhereClause, WherePredicate};

use crate::editor::as_typed;
use crate::model::{Model, Origin};

/// The saga's parameters, as its items have them. Each is empty where it has none.
pub(crate) struct Parameters {
    /// Of the saga itself: all, with what data has to be.
    pub(crate) saga: Generics,
    /// Of its state, its events and its signals: what the data uses.
    pub(crate) data: Generics,
    /// The same as it is written. A type is declared with that: where it is not enough, rustc says what to add.
    pub(crate) declared: Generics,
    /// Of a function of a position, which has those of the data already: the others.
    pub(crate) calls: Generics,
    /// Of its participants: what their types use, and numbers that nothing else knows.
    pub(crate) participants: Generics,
}

impl Parameters {
    pub(crate) fn new(model: &Model<'_>, runtime: &TokenStream) -> Self {
        let written = &model.ast.generics;
        let uses = Uses::new(model);
        let participants = model.ast.participants.iter().map(|field| field.ty.to_token_stream());
        let participants = participants.collect::<Vec<_>>();
        let of_participants = |name: &Ident| participants.iter().any(|ty| mentions(ty, name));
        let is_number = |name: &Ident| written.const_params().any(|parameter| parameter.ident == *name);
        let saga = with_what_data_needs(written, &uses, runtime);
        let is_used = |name: &Ident| uses.all.contains(name);
        let (data, declared) = (only(&saga, &is_used), only(written, &is_used));
        let participants =
            only(written, &|name| of_participants(name) || (is_number(name) && !is_used(name)));
        let calls = others(&saga, &data);
        Self { saga, data, declared, calls, participants }
    }

    /// Those of the calls that the participants do not tell: where such a call is made they are said.
    pub(crate) fn are_told_by_participants(&self) -> bool {
        self.untold().next().is_none()
    }

    /// Those of the data, without what is said of them: a type alias takes no bounds.
    pub(crate) fn unbounded(&self) -> Generics {
        let mut generics = self.data.clone();
        generics.where_clause = None;
        for parameter in generics.type_params_mut() {
            (parameter.colon_token, parameter.bounds) = (None, Punctuated::new());
        }
        generics
    }

    /// Parameters of the calls that no participant has.
    pub(crate) fn untold(&self) -> impl Iterator<Item = &Ident> {
        let told =
            |name: &&Ident| self.participants.params.iter().all(|parameter| name_of(parameter) != Some(name));
        self.calls.params.iter().filter_map(name_of).filter(told)
    }
}

/// What the data uses of the parameters.
struct Uses<'m> {
    generics: &'m Generics,
    /// All parameters on which its types depend.
    all: Vec<Ident>,
    /// Those whose values are held: `M`, and not only `B::Receipt`.
    held: Vec<Ident>,
    /// What belongs to a parameter and is held: `B::Receipt`.
    belonging: Vec<TypePath>,
}

impl<'m> Uses<'m> {
    fn new(model: &Model<'m>) -> Self {
        let generics = &model.ast.generics;
        let mut uses = Self { generics, all: Vec::new(), held: Vec::new(), belonging: Vec::new() };
        let steps =
            model.steps.iter().filter(|step| !step.ast.kind.is_made()).map(|step| step.ast.ty.clone());
        let items = model.variables.iter().filter(|variable| variable.origin == Origin::Item);
        let items = items.map(|item| item.form.ty());
        let inputs = model.ast.inputs.iter().map(|input| input.ty.clone());
        let types = inputs.chain(steps).chain(items).chain(model.ast.output.clone()).collect::<Vec<_>>();
        for ty in &types {
            uses.visit_type(ty);
        }
        let mut types = types.iter().map(ToTokens::to_token_stream).collect::<Vec<_>>();
        // What `B::Receipt` is depends on all that is said of `B`: in `B: Bank<M>`, on `M`.
        types.extend(uses.said_of_owners());
        let names = generics.params.iter().filter_map(name_of);
        uses.all = names.filter(|name| types.iter().any(|ty| mentions(ty, name))).cloned().collect();
        uses
    }

    /// What is said of the parameters to which something that is held belongs.
    fn said_of_owners(&self) -> Vec<TokenStream> {
        let is_owner = |owner: String| {
            self.belonging.iter().any(|ty| match &ty.qself {
                Some(qself) => text(&qself.ty) == owner,
                None => ty.path.segments.first().is_some_and(|first| first.ident == owner),
            })
        };
        let inline = self.generics.type_params().filter(|parameter| is_owner(parameter.ident.to_string()));
        let inline = inline.map(|parameter| parameter.bounds.to_token_stream());
        let later = predicates(self.generics).filter(|predicate| bounded(predicate).is_some_and(is_owner));
        inline.chain(later.map(ToTokens::to_token_stream)).collect()
    }

    /// The type among the saga's parameters that is called this.
    fn parameter(&self, name: &Ident) -> Option<&'m Ident> {
        let name = as_typed(name);
        self.generics.type_params().map(|parameter| &parameter.ident).find(|parameter| **parameter == name)
    }
}

impl Visit<'_> for Uses<'_> {
    fn visit_type_path(&mut self, ty: &TypePath) {
        let mut names = self.generics.type_params().map(|parameter| &parameter.ident);
        let first = ty.path.segments.first().and_then(|first| self.parameter(&first.ident));
        match (&ty.qself, first) {
            (Some(_), _) if names.any(|name| mentions(&ty.to_token_stream(), name)) => {
                self.belonging.push(ty.clone());
            }
            (None, Some(_)) if ty.path.segments.len() > 1 => self.belonging.push(ty.clone()),
            (None, Some(name)) if ty.path.leading_colon.is_none() => self.held.push(name.clone()),
            _ => visit::visit_type_path(self, ty),
        }
    }
}

/// The parameters of the saga with what its data needs of them, behind all that the user wrote.
fn with_what_data_needs(written: &Generics, uses: &Uses<'_>, runtime: &TokenStream) -> Generics {
    let mut said = Vec::new();
    for parameter in written.type_params() {
        let name = &parameter.ident;
        let needs = [
            uses.all.contains(name).then_some("SagaParameter"),
            uses.held.contains(name).then_some("SagaData"),
        ];
        let needs = needs.into_iter().flatten().filter(|need| !is_written(parameter, need));
        let needs = needs.map(|need| Ident::new(need, Span::call_site())).collect::<Vec<_>>();
        if !needs.is_empty() {
            said.push(quote!(#name: #(#runtime::#needs)+*));
        }
    }
    let mut known = Vec::new();
    for ty in &uses.belonging {
        if !known.contains(&text(ty)) {
            known.push(text(ty));
            said.push(quote!(#ty: #runtime::SagaData));
        }
    }
    let mut generics = written.clone();
    if !said.is_empty() {
        let predicates =
            said.into_iter().filter_map(|predicate| syn::parse2::<WherePredicate>(predicate).ok());
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}

/// Whether the parameter has this bound of the runtime's already.
fn is_written(parameter: &TypeParam, need: &str) -> bool {
    parameter.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == need),
        _ => false,
    })
}

/// The parameters that are `wanted`, and all that is said of them alone.
fn only(generics: &Generics, wanted: &dyn Fn(&Ident) -> bool) -> Generics {
    let (kept, left) = generics.params.iter().filter_map(name_of).partition::<Vec<_>, _>(|name| wanted(name));
    if left.is_empty() {
        return generics.clone();
    }
    let is_beyond = |tokens: &TokenStream| left.iter().any(|name| mentions(tokens, name));
    let said = |name: &&&Ident| {
        let inline = generics.type_params().filter(|parameter| parameter.ident == ***name);
        let inline = inline.map(|parameter| parameter.bounds.to_token_stream());
        let later = predicates(generics).filter(|predicate| bounded(predicate) == Some(name.to_string()));
        inline.chain(later.map(ToTokens::to_token_stream)).any(|said| is_beyond(&said))
    };
    // What belongs to it may be known by a bound that is left.
    let weakened = kept.iter().filter(said).collect::<Vec<_>>();
    let params = generics.params.iter().filter(|parameter| name_of(parameter).is_some_and(wanted)).cloned();
    let params = params.map(|mut parameter| {
        if let GenericParam::Type(parameter) = &mut parameter {
            let bounds = parameter.bounds.iter().filter(|bound| !is_beyond(&bound.to_token_stream()));
            parameter.bounds = bounds.cloned().collect();
            parameter.default.take_if(|(_, ty)| is_beyond(&ty.to_token_stream()));
        }
        parameter
    });
    let params = params.collect::<Punctuated<_, _>>();
    let predicates = predicates(generics).filter(|predicate| {
        let tokens = predicate.to_token_stream();
        let is_of_one = |name: &&&Ident| bounded(predicate) == Some(name.to_string());
        let is_known = weakened.iter().all(|name| is_of_one(name) || !mentions(&tokens, name));
        is_known && !is_beyond(&tokens) && kept.iter().any(|name| mentions(&tokens, name))
    });
    with(params, predicates.cloned().collect())
}

/// The type of which a predicate says something.
fn bounded(predicate: &WherePredicate) -> Option<String> {
    match predicate {
        WherePredicate::Type(said) => Some(text(&said.bounded_ty)),
        _ => None,
    }
}

/// The parameters that are not among `data`, and all that is said of them, or of those of the data together with them.
fn others(generics: &Generics, data: &Generics) -> Generics {
    if data.params.is_empty() {
        return generics.clone();
    }
    let is_data = |name: &Ident| data.params.iter().any(|parameter| name_of(parameter) == Some(name));
    let is_other = |parameter: &&GenericParam| name_of(parameter).is_some_and(|name| !is_data(name));
    let params = generics.params.iter().filter(is_other).cloned().collect();
    let known = predicates(data).map(text).collect::<Vec<_>>();
    let mut said: Punctuated<WherePredicate, _> =
        predicates(generics).filter(|predicate| !known.contains(&text(predicate))).cloned().collect();
    for parameter in data.type_params() {
        let name = &parameter.ident;
        let kept = parameter.bounds.iter().map(text).collect::<Vec<_>>();
        let all = generics.type_params().find(|written| written.ident == *name);
        let bounds =
            all.iter().flat_map(|written| &written.bounds).filter(|bound| !kept.contains(&text(bound)));
        let bounds = bounds.collect::<Vec<_>>();
        if !bounds.is_empty() {
            said.extend(syn::parse2::<WherePredicate>(quote!(#name: #(#bounds)+*)));
        }
    }
    with(params, said)
}

fn with(
    params: Punctuated<GenericParam, syn::Token![,]>,
    predicates: Punctuated<WherePredicate, syn::Token![,]>,
) -> Generics {
    if params.is_empty() && predicates.is_empty() {
        return Generics::default();
    }
    let where_clause =
        (!predicates.is_empty()).then(|| WhereClause { where_token: <_>::default(), predicates });
    let (lt_token, gt_token) =
        if params.is_empty() { (None, None) } else { (Some(<_>::default()), Some(<_>::default())) };
    Generics { lt_token, params, gt_token, where_clause }
}

fn predicates(generics: &Generics) -> impl Iterator<Item = &WherePredicate> {
    generics.where_clause.iter().flat_map(|clause| &clause.predicates)
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// The name of a type or a number. A saga has no lifetimes.
pub(crate) fn name_of(parameter: &GenericParam) -> Option<&Ident> {
    match parameter {
        GenericParam::Type(parameter) => Some(&parameter.ident),
        GenericParam::Const(parameter) => Some(&parameter.ident),
        GenericParam::Lifetime(_) => None,
    }
}

/// Whether some tokens hold this name, at any depth.
pub(crate) fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => *name == as_typed(&ident),
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
