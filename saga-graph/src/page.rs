//! A saga's page of documentation.

use crate::failures::failure_table;
use crate::saga::Saga;
use crate::svg::svg;

/// The part of a saga's documentation that its declaration can tell: what it does, drawn, and what happens when
/// something fails. It is Markdown for rustdoc; the drawing in it needs no network.
pub fn rustdoc(saga: &Saga) -> String {
    // In Markdown, HTML that begins with `<div>` goes on up to the next empty line, and the drawing has none.
    format!(
        "# What it does\n\n<div style=\"overflow-x:auto\">\n{}</div>\n\n# What happens when something fails\n\n{}",
        svg(saga),
        failure_table(saga)
    )
}
