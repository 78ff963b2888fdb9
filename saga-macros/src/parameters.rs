//! The saga's own parameters, `<M, B: Bank<M>>`: which of them its data uses, and which of them each generated item has.
//!
//! State, events and signals are generic only over what the data uses: the log holds them, whatever the participants are.
//! The others belong to the calls. What is said of a parameter goes with it, and what is said of several is said where all
//! of them are.

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Type, TypeParam, TypeParamBound, WhereClause, WherePredicate};

use crate::model::{Model, Origin};

/// The saga's parameters, as its items have them. Each is empty where it has none.
pub(crate) struct Parameters {
    /// Of the saga itself: all, with what data has to be.
    pub(crate) saga: Generics,
    /// Of its state, its events and its signals: what the data uses.
    pub(crate) data: Generics,
    /// Of a function of a position, which has those of the data already: the others.
    pub(crate) calls: Generics,
    /// Of its participants: what their types use, and numbers that nothing else knows.
    pub(crate) participants: Generics,
}

impl Parameters {
    pub(crate) fn new(model: &Model<'_>, runtime: &TokenStream) -> Self {
        let written = &model.ast.generics;
        let data_types = data_types(model);
        let participant_types = model.ast.participants.iter().map(|field| field.ty.to_token_stream());
        let participant_types = participant_types.collect::<Vec<_>>();
        let in_data = |name: &Ident| data_types.iter().any(|ty| mentions(ty, name));
        let in_participants = |name: &Ident| participant_types.iter().any(|ty| mentions(ty, name));
        let mut saga = written.clone();
        for parameter in saga.type_params_mut() {
            let name = parameter.ident.clone();
            if in_data(&name) {
                name_it(parameter, runtime);
            }
            if data_types.iter().any(|ty| is_itself(ty, &name)) {
                journal_it(parameter, runtime);
            }
        }
        let data = only(&saga, &in_data);
        let is_number = |name: &Ident| written.const_params().any(|parameter| parameter.ident == *name);
        let participants = only(&saga, &|name| in_participants(name) || (is_number(name) && !in_data(name)));
        let calls = others(&saga, &data);
        Self { saga, data, calls, participants }
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

/// The types of what the log holds.
fn data_types(model: &Model<'_>) -> Vec<TokenStream> {
    let steps = model.steps.iter().filter(|step| !step.ast.kind.is_made()).map(|step| step.ast.ty.clone());
    let items = model.variables.iter().filter(|variable| variable.origin == Origin::Item);
    let items = items.map(|item| item.form.ty());
    let inputs = model.ast.inputs.iter().map(|input| input.ty.clone());
    let all = inputs.chain(steps).chain(items).chain(model.ast.output.clone());
    all.map(|ty: Type| ty.to_token_stream()).collect()
}

/// What the log calls it is asked of it: at its own token, as nothing else is there to be mended.
fn name_it(parameter: &mut TypeParam, runtime: &TokenStream) {
    add(parameter, "SagaParameter", runtime);
}

fn journal_it(parameter: &mut TypeParam, runtime: &TokenStream) {
    add(parameter, "SagaData", runtime);
}

/// Adds a bound of the runtime's, unless it is written already.
fn add(parameter: &mut TypeParam, bound: &str, runtime: &TokenStream) {
    let is_it = |written: &TypeParamBound| match written {
        TypeParamBound::Trait(written) => {
            written.path.segments.last().is_some_and(|last| last.ident == bound)
        }
        _ => false,
    };
    if parameter.bounds.iter().any(is_it) {
        return;
    }
    let bound = Ident::new(bound, Span::call_site());
    parameter.bounds.push(TypeParamBound::Verbatim(quote!(#runtime::#bound)));
}

/// The parameters that are `wanted`, and all that is said of them alone.
fn only(generics: &Generics, wanted: &dyn Fn(&Ident) -> bool) -> Generics {
    let (kept, left) = generics.params.iter().filter_map(name_of).partition::<Vec<_>, _>(|name| wanted(name));
    if left.is_empty() {
        return generics.clone();
    }
    let is_beyond = |tokens: &TokenStream| left.iter().any(|name| mentions(tokens, name));
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
        let predicate = predicate.to_token_stream();
        !is_beyond(&predicate) && kept.iter().any(|name| mentions(&predicate, name))
    });
    with(params, predicates.cloned().collect())
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
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether a type is made of this parameter itself, and not only of what belongs to it: `M`, and not only `M::Receipt`.
fn is_itself(tokens: &TokenStream, name: &Ident) -> bool {
    let mut trees = tokens.clone().into_iter().peekable();
    while let Some(token) = trees.next() {
        match token {
            TokenTree::Ident(ident) if ident == *name => match trees.peek() {
                Some(TokenTree::Punct(punct))
                    if punct.as_char() == ':' && punct.spacing() == Spacing::Joint => {}
                Some(TokenTree::Ident(word)) if word == "as" => {}
                _ => return true,
            },
            TokenTree::Group(group) if is_itself(&group.stream(), name) => return true,
            _ => {}
        }
    }
    false
}
