//! A Graphviz digraph.

use std::fmt::Write as _;

use crate::flow::{Edge, Flow, Item, Node, Shape, Way, flow};
use crate::saga::Saga;
use crate::text;

/// The machine of `saga` in the language of Graphviz: the way forward in solid arrows, the way back in dashed ones.
pub fn dot(saga: &Saga) -> String {
    let Flow { items, edges } = flow(saga);
    let mut graph = format!("digraph \"{}\" {{\n", text::dot(&saga.name));
    graph.push_str("    rankdir=TB; nodesep=0.5; ranksep=0.45;\n");
    graph.push_str("    graph [fontname=\"sans-serif\", fontsize=11, style=rounded, color=gray];\n");
    graph.push_str("    node [fontname=\"sans-serif\", fontsize=11, shape=box];\n");
    graph.push_str("    edge [fontname=\"sans-serif\", fontsize=9];\n");
    write_items(&mut graph, &items, 1);
    for edge in &edges {
        // What is compensated first stands lowest, beside its step.
        let (tail, head) = if edge.way == Way::Back { (edge.to, edge.from) } else { (edge.from, edge.to) };
        let _ = writeln!(graph, "    n{tail} -> n{head}{};", edge_attributes(edge));
    }
    graph.push_str("}\n");
    graph
}

fn write_items(graph: &mut String, items: &[Item], depth: usize) {
    let indent = "    ".repeat(depth);
    for item in items {
        match item {
            Item::Node(node) => {
                let lines: Vec<String> = node.lines.iter().map(|line| text::dot(line)).collect();
                let _ =
                    writeln!(graph, "{indent}n{} [label=\"{}\"{}];", node.id, lines.join("\\n"), shape(node));
                if let Some(step) = node.beside {
                    let _ = writeln!(graph, "{indent}{{ rank=same; n{step}; n{}; }}", node.id);
                }
            }
            Item::Cluster(cluster) => {
                let _ = writeln!(graph, "{indent}subgraph cluster_{} {{", cluster.id);
                let _ = writeln!(graph, "{indent}    label=\"{}\";", text::dot(&cluster.title));
                write_items(graph, &cluster.items, depth + 1);
                let _ = writeln!(graph, "{indent}}}");
            }
        }
    }
}

fn shape(node: &Node) -> &'static str {
    match node.shape {
        Shape::Begin | Shape::Completed => ", shape=box, style=\"rounded,bold\"",
        Shape::Compensated => ", shape=box, style=\"rounded,bold\", color=\"#d9573f\"",
        Shape::Step => "",
        Shape::Pivot => ", peripheries=2, penwidth=2, color=\"#b57b00\"",
        Shape::Wait => ", style=rounded",
        Shape::Decision => ", shape=diamond, height=0.4",
        Shape::Fork | Shape::Join => ", shape=hexagon, height=0.3",
        Shape::Undo => ", style=dashed, color=\"#d9573f\"",
        Shape::Turn => ", shape=hexagon, height=0.3, style=dashed, color=\"#d9573f\"",
    }
}

fn edge_attributes(edge: &Edge) -> String {
    let mut attributes = Vec::new();
    if let Some(label) = &edge.label {
        attributes.push(format!("label=\"{}\"", text::dot(label)));
    }
    attributes.extend(
        match edge.way {
            Way::Forward => None,
            Way::Again => Some("constraint=false"),
            Way::Failure | Way::BackAgain => Some("style=dashed, color=\"#d9573f\", constraint=false"),
            Way::Doubt => Some("style=dotted, color=\"#d9573f\""),
            Way::Back => Some("style=dashed, color=\"#d9573f\", dir=back"),
        }
        .map(str::to_owned),
    );
    if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) }
}
