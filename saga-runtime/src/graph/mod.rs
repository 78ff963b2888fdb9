//! What a saga's definition draws: its machine as a diagram, what happens when something fails, and a recorded run.
//!
//! ```
//! # use saga_runtime::definition::Definition;
//! # const TRIP: Definition =
//! #     Definition { name: "Trip", version: 1, parameters: &[], inputs: &[], output: "()", participants: &[], steps: &[], body: &[] };
//! let definition: &Definition = &TRIP; // `BookTrip::DEFINITION`
//! std::fs::write(std::env::temp_dir().join("trip.svg"), saga_runtime::graph::svg(definition))?;
//! # std::io::Result::Ok(())
//! ```
//!
//! All of it is text, the same for the same definition, and no name or type in it can break its syntax.

mod from_definition;

use crate::definition::Definition;

pub use saga_graph::{FailureRow, RecordView, Saga};

/// The saga as an SVG in two lanes, the way forward and the way back. It takes on the colour of the text around it, and
/// needs no script, font, style sheet or network.
pub fn svg(definition: &Definition) -> String {
    saga_graph::svg(&definition.into())
}

/// The saga as a Mermaid flowchart.
pub fn mermaid(definition: &Definition) -> String {
    saga_graph::mermaid(&definition.into())
}

/// The saga as a Graphviz digraph.
pub fn dot(definition: &Definition) -> String {
    saga_graph::dot(&definition.into())
}

/// What happens when something fails: step by step, then what holds for all of them.
pub fn failures(definition: &Definition) -> Vec<FailureRow> {
    saga_graph::failures(&definition.into())
}

/// [`failures`] as a Markdown table.
pub fn failure_table(definition: &Definition) -> String {
    saga_graph::failure_table(&definition.into())
}

/// A recorded run as a Mermaid sequence diagram: the coordinator, and a lane per step that calls somebody. Of the
/// payloads only the messages of failures are shown.
///
/// The first attempt of a step has no record of its own: its call is drawn where its answer is.
pub fn sequence<'a, R: Into<RecordView<'a>>>(
    definition: &Definition,
    records: impl IntoIterator<Item = R>,
) -> String {
    let records: Vec<RecordView<'a>> = records.into_iter().map(Into::into).collect();
    saga_graph::sequence(&definition.into(), &records)
}

#[cfg(feature = "coordinator")]
impl<'a> From<&'a crate::log::Record> for RecordView<'a> {
    fn from(record: &'a crate::log::Record) -> Self {
        Self {
            step: record.step.as_deref(),
            event: &record.event,
            data: record.data.as_deref(),
            at_ms: record.at_ms,
        }
    }
}
