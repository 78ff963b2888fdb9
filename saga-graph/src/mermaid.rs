//! A Mermaid flowchart. It is no `stateDiagram-v2`, because that can neither dash an edge nor mark a node twice.

use std::fmt::Write as _;

use crate::flow::{Flow, Item, Node, Shape, flow};
use crate::saga::Saga;
use crate::text;

/// The machine of `saga` as a Mermaid flowchart: the way forward in solid arrows, the way back in dashed ones.
pub fn mermaid(saga: &Saga) -> String {
    let Flow { items, edges } = flow(saga);
    let mut chart = String::from("flowchart TD\n");
    write_items(&mut chart, &items, 1);
    for edge in &edges {
        let arrow = if edge.way.is_forward() { "-->" } else { "-.->" };
        let label = edge.label.as_deref().map(|label| format!("|\"{}\"|", text::mermaid(label)));
        let _ = writeln!(chart, "    n{} {arrow}{} n{}", edge.from, label.unwrap_or_default(), edge.to);
    }
    let back: Vec<String> = edges
        .iter()
        .enumerate()
        .filter(|(_, edge)| !edge.way.is_forward())
        .map(|(i, _)| i.to_string())
        .collect();
    if !back.is_empty() {
        let _ = writeln!(chart, "    linkStyle {} stroke:#d9573f", back.join(","));
    }
    chart.push_str("    classDef back stroke:#d9573f,stroke-dasharray:4 3\n");
    chart.push_str("    classDef pivot stroke:#b57b00,stroke-width:3px\n");
    chart
}

fn write_items(chart: &mut String, items: &[Item], depth: usize) {
    let indent = "    ".repeat(depth);
    for item in items {
        match item {
            Item::Node(node) => {
                let _ = writeln!(chart, "{indent}{}", node_text(node));
            }
            Item::Cluster(cluster) => {
                let title = text::mermaid(&cluster.title);
                let _ = writeln!(chart, "{indent}subgraph c{} [\"{title}\"]", cluster.id);
                write_items(chart, &cluster.items, depth + 1);
                let _ = writeln!(chart, "{indent}end");
            }
        }
    }
}

fn node_text(node: &Node) -> String {
    let lines: Vec<String> = node.lines.iter().map(|line| text::mermaid(line)).collect();
    let (open, close, class) = match node.shape {
        Shape::Begin | Shape::Completed => ("([", "])", ""),
        Shape::Compensated => ("([", "])", ":::back"),
        Shape::Step => ("[", "]", ""),
        Shape::Pivot => ("[[", "]]", ":::pivot"),
        Shape::Wait => ("(", ")", ""),
        Shape::Decision => ("{", "}", ""),
        Shape::Fork | Shape::Join => ("{{", "}}", ""),
        Shape::Undo => ("[", "]", ":::back"),
        Shape::Turn => ("{{", "}}", ":::back"),
    };
    format!("n{}{open}\"{}\"{close}{class}", node.id, lines.join("<br>"))
}
