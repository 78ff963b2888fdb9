//! What is journaled can be read back.

use syn::visit::{self, Visit};
use syn::{GenericArgument, PathArguments, Type, TypePath};

use crate::model::{Model, Origin};
use crate::report::Report;

/// In JSON an `Option` that is `None` is `null`, and so is what some types are of themselves: `Some` of these would be
/// read back as `None`. Of other types only rustc knows, which does not tell.
pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    let steps = model.steps.iter().filter(|step| step.output.is_some()).map(|step| &step.ast.ty);
    let items = model.variables.iter().filter(|variable| variable.origin == Origin::Item);
    let items = items.map(|item| item.form.ty()).collect::<Vec<_>>();
    let inputs = model.ast.inputs.iter().map(|input| &input.ty);
    for ty in inputs.chain(steps).chain(&items).chain(&model.ast.output) {
        Options(report).visit_type(ty);
    }
}

struct Options<'r>(&'r mut Report);

impl<'ast> Visit<'ast> for Options<'_> {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        let Some(mut inner) = option_of(path) else { return visit::visit_type_path(self, path) };
        if is_unit(inner) {
            self.0
                .error(
                    path,
                    "an `Option` of `()` cannot be read back: in the log both of its values are `null`",
                )
                .help("write `bool`");
        } else if inner_option(inner).is_some() {
            self.0
                .error(
                    path,
                    "an `Option` of an `Option` cannot be read back: in the log `Some(None)` and `None` are both `null`",
                )
                .help("write an `enum` with a variant for each case, or a struct with the inner one in a field");
            // One mistake, however many there are in one another.
            while let Some(next) = inner_option(inner) {
                inner = next;
            }
        }
        self.visit_type(inner);
    }
}

fn inner_option(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Path(path) => option_of(path),
        _ => None,
    }
}

/// `T` of `Option<T>`.
fn option_of(path: &TypePath) -> Option<&Type> {
    let names = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    let is_option = matches!(&names[..], ["Option"] | ["std" | "core", "option", "Option"]);
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if is_option => Some(bare(ty)),
        _ => None,
    }
}

/// Without parentheses, and what `macro_rules!` puts around a type.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => bare(&inner.elem),
        Type::Group(inner) => bare(&inner.elem),
        ty => ty,
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
