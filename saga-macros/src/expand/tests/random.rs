//! Whatever saga is right: what is written is Rust, and every position of it is reached.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;
use quote::ToTokens;

use super::{expand_text, outline};

/// A node of a saga, without names.
#[derive(Debug, Clone)]
enum Node {
    Step { clause: u8, uses: u16 },
    Parallel(Vec<Vec<Node>>),
}

fn sequence(depth: u32) -> BoxedStrategy<Vec<Node>> {
    let step = (any::<u8>(), any::<u16>()).prop_map(|(clause, uses)| Node::Step { clause, uses });
    if depth == 0 {
        return proptest::collection::vec(step, 1..4).boxed();
    }
    let parallel = proptest::collection::vec(sequence(depth - 1), 1..4).prop_map(Node::Parallel);
    proptest::collection::vec(prop_oneof![3 => step, 1 => parallel], 1..4).boxed()
}

/// Writes the statements of a saga; `available` are the outputs that exist, and all that is written stands before or
/// after the pivot.
fn write(nodes: &[Node], after_pivot: bool, available: &mut Vec<usize>, next: &mut usize, text: &mut String) {
    for node in nodes {
        match node {
            Node::Step { clause, uses } => {
                let name = *next;
                *next += 1;
                let picked = |bits: u16, available: &[usize]| {
                    let picked = available.iter().enumerate().filter(|(bit, _)| bits >> (bit % 16) & 1 == 1);
                    picked.flat_map(|(_, output)| [", s".to_owned(), output.to_string()]).collect::<String>()
                };
                let used = picked(*uses, available);
                if clause % 7 == 6 {
                    write!(text, "read s{name}: T{name} = desk.read(cx{used});").unwrap();
                } else {
                    write!(text, "step s{name}: T{name} = desk.make(cx{used})").unwrap();
                    let probed = picked(uses.rotate_left(3), available);
                    let undone = picked(uses.rotate_left(7), available);
                    if clause & 8 != 0 {
                        write!(text, " probe desk.find(cx{probed})").unwrap();
                    }
                    match clause % 7 {
                        _ if after_pivot => {}
                        0 | 1 => write!(text, " compensate desk.undo(cx, s{name}{undone})").unwrap(),
                        2 | 3 => write!(text, " compensate desk.undo(cx{undone})").unwrap(),
                        _ => text.push_str(" compensate nothing"),
                    }
                    text.push_str(" keyed;");
                }
                available.push(name);
            }
            Node::Parallel(branches) => {
                text.push_str("parallel {");
                let before = available.clone();
                for branch in branches {
                    text.push('{');
                    let mut in_branch = before.clone();
                    write(branch, after_pivot, &mut in_branch, next, text);
                    available.extend(&in_branch[before.len()..]);
                    text.push('}');
                }
                text.push('}');
            }
        }
    }
}

fn saga(before: &[Node], after: Option<&Vec<Node>>, returned: u16) -> String {
    let mut text = String::from("pub saga Any(s0: T0, s1: T1) -> Out { with desk: Desk;");
    let (mut available, mut next) = (vec![0, 1], 2);
    write(before, false, &mut available, &mut next, &mut text);
    if let Some(after) = after {
        write!(text, "pivot s{next}: T{next} = desk.pay(cx) keyed;").unwrap();
        available.push(next);
        next += 1;
        write(after, true, &mut available, &mut next, &mut text);
    }
    let outputs = available.iter().filter(|output| returned >> (*output % 16) & 1 == 1);
    let outputs = outputs.map(|output| format!("s{output}")).collect::<Vec<_>>();
    text + &format!("return out({}); }}", outputs.join(", "))
}

/// Every position is one that another one, or the beginning, leads to; and what is built has each field once.
fn check(text: &str) {
    let file = expand_text(text);
    let tokens = file.to_token_stream().to_string();
    assert!(!tokens.contains("compile_error"), "refused:\n{text}\n{tokens}");
    let positions = built(&file);
    let outline = outline::outline(&file);
    for line in outline.lines().filter(|line| !line.starts_with(' ') && line.contains('{')) {
        let (name, fields) = line.split_once(" { ").unwrap();
        let fields = fields.trim_end_matches('}').split(',').map(|field| field.trim().to_owned());
        let fields = fields.filter(|field| !field.is_empty()).collect::<BTreeSet<_>>();
        let built = positions.iter().filter(|(ty, _)| ty == name).collect::<Vec<_>>();
        assert!(!built.is_empty(), "nothing leads to {name}:\n{text}");
        for (_, built) in built {
            match built {
                Built::Literally(literal) => assert_eq!(literal, &fields, "{name}:\n{text}"),
                // The attempts are no argument.
                Built::ByCall(arguments) => assert_eq!(arguments + 1, fields.len(), "{name}:\n{text}"),
            }
        }
    }
}

/// How a position is built.
enum Built {
    /// With these fields.
    Literally(BTreeSet<String>),
    /// By `new`, with so many arguments.
    ByCall(usize),
}

/// The positions that are built.
fn built(file: &syn::File) -> Vec<(String, Built)> {
    struct Positions(Vec<(String, Built)>);

    impl<'ast> syn::visit::Visit<'ast> for Positions {
        fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
            let fields = literal.fields.iter().map(|field| field.member.to_token_stream().to_string());
            let fields = fields.collect::<Vec<_>>();
            let unique = fields.iter().cloned().collect::<BTreeSet<_>>();
            assert_eq!(fields.len(), unique.len(), "a field is given twice");
            let name = literal.path.segments.last().unwrap().ident.to_string();
            if literal.rest.is_none() {
                self.0.push((name, Built::Literally(unique)));
            }
            syn::visit::visit_expr_struct(self, literal);
        }

        fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
            if let syn::Expr::Path(function) = &*call.func {
                let names = function.path.segments.iter().map(|segment| segment.ident.to_string());
                if let [ty, function] = &names.collect::<Vec<_>>()[..]
                    && function == "new"
                {
                    self.0.push((ty.clone(), Built::ByCall(call.args.len())));
                }
            }
            syn::visit::visit_expr_call(self, call);
        }
    }

    let mut positions = Positions(Vec::new());
    syn::visit::Visit::visit_file(&mut positions, file);
    positions.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_position_of_any_saga_is_reached(
        before in sequence(3),
        after in proptest::option::of(sequence(2)),
        returned in any::<u16>(),
    ) {
        check(&saga(&before, after.as_ref(), returned));
    }
}
