//! What is made in the arms of an `if` goes together behind it.

use quote::ToTokens;
use syn::ext::IdentExt;

use crate::model::{Block, BlockKind, Form, Model, Node, Region};
use crate::report::Report;

pub(super) fn check(model: &Model<'_>, report: &mut Report) {
    region(model, &model.root, report);
}

fn region(model: &Model<'_>, region_of: &Region, report: &mut Report) {
    for node in &region_of.nodes {
        if let Node::Block(block) = node {
            if matches!(block.kind, BlockKind::If { .. }) {
                one_type(model, block, report);
            }
            block.branches.iter().for_each(|branch| region(model, branch, report));
        }
    }
}

/// A name that several arms give to an output has one type: not that of an output here, and there of one that is made
/// in an `if` or a `for` of the arm. That it is written with one type is seen to when names are settled.
fn one_type(model: &Model<'_>, block: &Block, report: &mut Report) {
    for export in &block.exports {
        let made = export.inner.iter().flatten().map(|variable| &model.variables[*variable]);
        let mut made = made.collect::<Vec<_>>().into_iter();
        let Some(first) = made.next() else { continue };
        if let Some(other) = made.find(|other| shape(&other.form) != shape(&first.form)) {
            let name = other.name.unraw();
            report
                .error(
                    &other.name,
                    format!(
                        "behind the `if`, `{name}` would have two types: `{}` of an arm before, `{}` of this one",
                        shape(&first.form),
                        shape(&other.form)
                    ),
                )
                .help("rename one of the two");
        }
    }
}

fn shape(form: &Form) -> String {
    match form {
        Form::One(ty) => ty.to_token_stream().to_string().replace(' ', ""),
        Form::Optional(form) => format!("Option<{}>", shape(form)),
        Form::Many(form) => format!("Vec<{}>", shape(form)),
    }
}
