//! The travel saga is drawn as its declaration says: the same as by hand.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::path::Path;

use saga_examples::travel::saga::BookTrip;
use saga_runtime::log::Record;
use saga_runtime::{Saga, graph};

/// What `saga-graph` draws of the travel saga that its tests describe by hand.
fn drawing(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../saga-graph/tests/graph/drawings");
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn the_travel_saga_is_drawn_from_its_declaration() {
    let definition = <BookTrip as Saga>::DEFINITION;
    assert_eq!(graph::svg(definition), drawing("travel.svg"));
    assert_eq!(graph::mermaid(definition), drawing("travel.mmd"));
    assert_eq!(graph::dot(definition), drawing("travel.dot"));
    assert_eq!(graph::failure_table(definition), drawing("travel.md"));
}

#[test]
fn records_are_drawn_in_their_order() {
    let record = |step: &str, event: &str| Record {
        at_ms: 0,
        step: Some(step.to_owned()),
        event: event.to_owned(),
        data: None,
    };
    let records = [record("flight", "done"), record("hotel", "refused"), record("flight", "compensated")];
    let chart = graph::sequence(<BookTrip as Saga>::DEFINITION, &records);
    let answers: Vec<&str> = chart
        .lines()
        .filter_map(|line| line.trim_start().split_once("-->>c: "))
        .map(|(_, event)| event)
        .collect();
    assert_eq!(answers, ["done", "refused", "compensated"]);
}
