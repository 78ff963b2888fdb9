//! The shape of a machine: its positions, what they carry, and their transitions.

use std::fmt::Write;

use syn::{Fields, ImplItem, Item, ReturnType, Type, Visibility};

/// One line per enum and per position, and one per transition.
pub(super) fn outline(file: &syn::File) -> String {
    let mut text = String::new();
    let transitions = transitions(&file.items);
    for item in &file.items {
        match item {
            Item::Enum(item) if ends(&item.ident, &["Forward", "Backward", "Branch", "BranchBackward"]) => {
                let variants = item.variants.iter().map(|variant| match &variant.fields {
                    Fields::Unnamed(fields) => format!("{}({})", variant.ident, ty(&fields.unnamed[0].ty)),
                    _ => variant.ident.to_string(),
                });
                writeln!(text, "{} = {}", item.ident, variants.collect::<Vec<_>>().join(" | ")).unwrap();
            }
            Item::Struct(item) if !ends(&item.ident, &["Participants"]) => {
                let fields = item.fields.iter().map(|field| field.ident.as_ref().unwrap().to_string());
                writeln!(text, "{} {{ {} }}", item.ident, fields.collect::<Vec<_>>().join(", ")).unwrap();
                for (_, transition) in transitions.iter().filter(|(name, _)| item.ident == name.as_str()) {
                    writeln!(text, "    {transition}").unwrap();
                }
            }
            _ => {}
        }
    }
    text
}

fn ends(name: &syn::Ident, suffixes: &[&str]) -> bool {
    suffixes.iter().any(|suffix| name.to_string().ends_with(suffix))
}

/// The public methods of the positions.
fn transitions(items: &[Item]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in items {
        match item {
            Item::Const(item) => {
                if let syn::Expr::Block(block) = &*item.expr {
                    let items = block.block.stmts.iter().filter_map(|statement| match statement {
                        syn::Stmt::Item(item) => Some(item.clone()),
                        _ => None,
                    });
                    found.extend(transitions(&items.collect::<Vec<_>>()));
                }
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let name = ty(&block.self_ty);
                found.extend(block.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(function) if matches!(function.vis, Visibility::Public(_)) => {
                        let ReturnType::Type(_, to) = &function.sig.output else { return None };
                        Some((name.clone(), format!("{} → {}", function.sig.ident, ty(to))))
                    }
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    found
}

/// A type without its path; of `Result<T, Rejected<Self>>` the `T`.
fn ty(ty: &Type) -> String {
    let Type::Path(path) = ty else { return String::new() };
    let Some(last) = path.path.segments.last() else { return String::new() };
    match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) if last.ident == "Result" => {
            match arguments.args.first() {
                Some(syn::GenericArgument::Type(ty)) => self::ty(ty),
                _ => String::new(),
            }
        }
        _ => last.ident.to_string(),
    }
}
