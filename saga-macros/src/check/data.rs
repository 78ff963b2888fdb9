//! Data has to come back from the log as it went there.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{GenericArgument, PathArguments, Type, TypePath};

use crate::model::{Model, Origin};
use crate::report::Report;

/// JSON has one `null`: what is `Some` of that comes back as `None`.
pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let saga = model.ast;
    let steps = model.steps.iter().filter(|step| step.output.is_some()).map(|step| &step.ast.ty);
    let items = model.variables.iter().filter(|variable| variable.origin == Origin::Item);
    let items = items.map(|item| item.form.ty()).collect::<Vec<_>>();
    let inputs = saga.inputs.iter().map(|input| &input.ty);
    for ty in inputs.chain(steps).chain(&items).chain(&saga.output) {
        Ambiguous(report).visit_type(ty);
    }
}

/// Reports each `Option` within a type whose `Some` may be the `null` of its `None`.
struct Ambiguous<'r>(&'r mut Report);

impl<'ast> Visit<'ast> for Ambiguous<'_> {
    fn visit_type(&mut self, ty: &'ast Type) {
        match option_of(ty) {
            Some(inner) if is_null(inner) || option_of(inner).is_some() => {
                let inner = inner.to_token_stream().to_string().replace(' ', "");
                self.0
                    .error(ty, format!("`Option<{inner}>` does not come back from the log as it went there: `Some` of nothing is `None` in JSON"))
                    .help("use an `enum` with a name for each case, or `bool`");
            }
            _ => visit::visit_type(self, ty),
        }
    }
}

/// The `T` of `Option<T>`, however long its path is.
fn option_of(ty: &Type) -> Option<&Type> {
    let Type::Path(TypePath { qself: None, path, .. }) = ty else { return None };
    let last = path.segments.last().filter(|last| last.ident == "Option")?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

fn is_null(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
