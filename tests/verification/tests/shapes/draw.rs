//! Every shape of a saga of so many steps, printed as a declaration.

use std::fmt::Write;

/// What stands in a sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Step,
    /// At least two branches, each of which is a sequence; their order makes no difference.
    Parallel(Vec<Vec<Node>>),
}

/// All sequences of so many steps.
pub(crate) fn sequences(steps: usize) -> Vec<Vec<Node>> {
    if steps == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in 1..=steps {
        for node in nodes(first) {
            for rest in sequences(steps - first) {
                all.push([vec![node.clone()], rest].concat());
            }
        }
    }
    all
}

fn nodes(steps: usize) -> Vec<Node> {
    if steps == 1 {
        return vec![Node::Step];
    }
    branches(steps, steps - 1).into_iter().filter(|branches| branches.len() > 1).map(Node::Parallel).collect()
}

/// All ways to divide so many steps among branches of at most `longest` steps, each once.
fn branches(steps: usize, longest: usize) -> Vec<Vec<Vec<Node>>> {
    if steps == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in 1..=longest.min(steps) {
        // A branch that is a `parallel` alone is no branch of its own.
        let branch =
            sequences(first).into_iter().filter(|nodes| !matches!(nodes.as_slice(), [Node::Parallel(_)]));
        for branch in branch {
            for mut rest in branches(steps - first, first) {
                rest.push(branch.clone());
                rest.sort();
                if !all.contains(&rest) {
                    all.push(rest);
                }
            }
        }
    }
    all
}

/// The sagas of this shape: one that can turn to its end, and one for each place where a pivot can stand.
pub(crate) fn declarations(name: &str, nodes: &[Node]) -> Vec<(String, String)> {
    let pivots =
        nodes.iter().enumerate().filter(|(_, node)| **node == Node::Step).map(|(place, _)| Some(place));
    let all = std::iter::once(None).chain(pivots);
    let all = all.map(|pivot| {
        let name = pivot.map_or_else(|| name.to_owned(), |place| format!("{name}Pivot{place}"));
        let mut text = String::new();
        let mut steps = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            let zone = match pivot {
                Some(pivot) if place == pivot => Zone::Pivot,
                Some(pivot) if place > pivot => Zone::After,
                _ => Zone::Before,
            };
            write(&mut text, node, zone, 2, &mut steps);
        }
        let sum = steps.join(" + ");
        let head = format!(
            "    pub(crate) saga {name}() -> u32 {{\n        with sure: Prudent, careless: Careless;\n        \
             retry 1 times every 100ms..200ms;\n\n"
        );
        let saga = format!("    /// See the name.\n{head}{text}\n        return {sum};\n    }}\n");
        (name, saga)
    });
    all.collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    Before,
    Pivot,
    After,
}

/// What participants promise goes round from step to step.
fn write(text: &mut String, node: &Node, zone: Zone, depth: usize, steps: &mut Vec<String>) {
    let indent = "    ".repeat(depth);
    match node {
        Node::Step => {
            let name = format!("s{}", steps.len());
            let (desk, clauses) = match (zone, steps.len() % 3) {
                (Zone::Pivot, _) | (Zone::After, 0 | 1) => ("sure", String::new()),
                (Zone::After, _) => ("careless", " probe careless.find(cx)".to_owned()),
                (Zone::Before, 0) => ("sure", format!(" compensate sure.cancel(cx, {name})")),
                (Zone::Before, 1) => {
                    ("careless", format!(" probe careless.find(cx) compensate careless.cancel(cx, {name})"))
                }
                (Zone::Before, _) => ("careless", " compensate careless.cancel_by_key(cx)".to_owned()),
            };
            let word = if zone == Zone::Pivot { "pivot" } else { "step" };
            writeln!(text, "{indent}{word} {name}: u32 = {desk}.reserve(cx){clauses};").unwrap();
            steps.push(name);
        }
        Node::Parallel(branches) => {
            writeln!(text, "{indent}parallel {{").unwrap();
            for branch in branches {
                let is_block = branch.len() > 1;
                if is_block {
                    writeln!(text, "{indent}    {{").unwrap();
                }
                for node in branch {
                    write(text, node, zone, depth + 1 + usize::from(is_block), steps);
                }
                if is_block {
                    writeln!(text, "{indent}    }}").unwrap();
                }
            }
            writeln!(text, "{indent}}}").unwrap();
        }
    }
}
