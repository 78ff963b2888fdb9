//! What a saga's declaration draws: its machine as a diagram, and the table of what happens when something fails.
//!
//! Everything here is a pure function of a [`Saga`], or of one and the records of a run, to text. The same input gives
//! the same text, and no name, type or condition in it can break the syntax of what is drawn.
//!
//! | function | what it writes |
//! | --- | --- |
//! | [`svg`] | two lanes: the way forward and the way back, for a page without scripts |
//! | [`mermaid`] | a Mermaid flowchart |
//! | [`dot`] | a Graphviz digraph |
//! | [`failures`], [`failure_table`] | what happens when something fails, as rows and as a Markdown table |
//! | [`sequence`] | a Mermaid sequence diagram of a recorded run |
//! | [`rustdoc`] | the SVG and the table, for the saga's page of documentation |
//!
//! `saga-runtime` makes a [`Saga`] from a definition, and `saga-macros` from what the user wrote.

mod dot;
mod failures;
mod flow;
mod mermaid;
mod page;
mod saga;
mod sequence;
mod svg;
mod text;

pub use dot::dot;
pub use failures::{FailureRow, failure_table, failures};
pub use mermaid::mermaid;
pub use page::rustdoc;
pub use saga::{Arm, Block, Events, Field, Kind, Saga, Step, Undo, Zone};
pub use sequence::{RecordView, sequence};
pub use svg::svg;
