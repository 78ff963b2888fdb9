//! Whatever a saga is made of and called: what is drawn is well-formed.

use crate::sagas::{TRIP, every_form, rename};
use proptest::prelude::*;
use roxmltree::{Document, Node};
use saga_graph::{
    Arm, Block, Field, Kind, RecordView, Saga, Step, Undo, Zone, dot, failure_table, mermaid, rustdoc,
    sequence, svg,
};

/// Any characters, and what means something to somebody.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        proptest::sample::select(vec![
            "\"",
            "'",
            "`",
            "```",
            "<",
            ">",
            "</svg>",
            "<!--",
            "]]>",
            "&",
            "&amp;",
            "\\",
            "\\\"",
            "|",
            "\\|",
            "\n",
            "\n\n",
            "\r",
            "\t",
            "#",
            ";",
            "#35;",
            "%%",
            "%%{init: {}}%%",
            "-->",
            "---",
            "end",
            "[",
            "]",
            "{",
            "}",
            "style x:#y;",
            "classDef",
            "\u{0}",
            "\u{1f}",
            "\u{7f}",
            "\u{ffff}",
            "\u{202e}",
            "é",
            "漢字",
            "🦀",
            " ",
            "a",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn step() -> impl Strategy<Value = Block> {
    let kinds = [Kind::Call, Kind::Read, Kind::Local, Kind::Saga, Kind::Receive, Kind::Sleep, Kind::Lock];
    let undos = [Undo::None, Undo::Nothing, Undo::ByKey, Undo::ByOutput];
    let zones = [Zone::Compensatable, Zone::Compensatable, Zone::Pivot, Zone::Retriable];
    let choices = (
        proptest::sample::select(kinds.to_vec()),
        proptest::sample::select(undos.to_vec()),
        proptest::sample::select(zones.to_vec()),
    );
    (text(), text(), choices, any::<[bool; 3]>()).prop_map(|(name, text, choices, flags)| {
        let (kind, undo, zone) = choices;
        let [keyed, probe, otherwise] = flags;
        let output = text.clone();
        Block::Step(Step { name, output, kind, zone, undo, keyed, probe, otherwise, events: None, text })
    })
}

fn sequence_of(block: impl Strategy<Value = Block>) -> impl Strategy<Value = Vec<Block>> {
    proptest::collection::vec(block, 0..4)
}

fn body() -> impl Strategy<Value = Vec<Block>> {
    let block = step().prop_recursive(3, 24, 4, |inner| {
        let arm = (proptest::option::of(text()), sequence_of(inner.clone()))
            .prop_map(|(condition, body)| Arm { condition, body });
        let branches = proptest::collection::vec(sequence_of(inner.clone()), 0..4);
        let items = (text(), text(), 0..4u32, sequence_of(inner));
        prop_oneof![
            branches.prop_map(Block::Parallel),
            proptest::collection::vec(arm, 0..4).prop_map(Block::If),
            items.prop_map(|(item, items, limit, body)| Block::For { item, items, limit, body }),
        ]
    });
    sequence_of(block)
}

fn saga() -> impl Strategy<Value = Saga> {
    (text(), text(), body()).prop_map(|(name, output, body)| {
        let inputs = vec![Field { name: name.clone(), ty: output.clone() }];
        Saga { name, inputs, output, body }
    })
}

/// `text` without what stands in quotes.
fn skeleton(text: &str) -> String {
    let (mut bones, mut is_quoted, mut is_escaped) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            c if !is_quoted => bones.push(c),
            _ => {}
        }
    }
    assert!(!is_quoted, "a quote is open: {text}");
    bones
}

/// A rectangle: its left, upper, right and lower edge.
fn edges(rectangle: Node<'_, '_>) -> [i32; 4] {
    let [x, y, width, height] =
        ["x", "y", "width", "height"].map(|name| rectangle.attribute(name).unwrap().parse::<i32>().unwrap());
    [x, y, x + width, y + height]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_svg_is_xml_in_which_nothing_overlaps(saga in saga()) {
        let drawn = svg(&saga);
        prop_assert!(!drawn.lines().any(|line| line.trim().is_empty()), "an empty line ends HTML in Markdown");
        let document = Document::parse(&drawn).unwrap();
        let root = document.root_element();
        let [width, height] = ["width", "height"].map(|name| root.attribute(name).unwrap().parse::<i32>().unwrap());
        let boxes: Vec<Node<'_, '_>> =
            document.descendants().filter(|node| node.has_tag_name("rect")).collect();
        for rectangle in &boxes {
            let [left, top, right, bottom] = edges(*rectangle);
            prop_assert!(left >= 0 && top >= 0 && right <= width && bottom <= height, "outside: {drawn}");
        }
        // Frames have dashes: they hold others, or stand beside them.
        for (i, one) in boxes.iter().enumerate() {
            for other in boxes.iter().skip(i + 1) {
                let ([left, top, right, bottom], [l, t, r, b]) = (edges(*one), edges(*other));
                let is_apart = right <= l || r <= left || bottom <= t || b <= top;
                let holds = one.has_attribute("stroke-dasharray") && left < l && top < t && right > r && bottom > b;
                prop_assert!(is_apart || holds, "{one:?} and {other:?} overlap: {drawn}");
            }
        }
    }

    #[test]
    fn a_table_has_three_columns(saga in saga()) {
        for line in failure_table(&saga).lines() {
            prop_assert!(line.starts_with("| ") && line.ends_with(" |"), "{line}");
            prop_assert_eq!(line.matches('|').count(), 4, "{}", line);
        }
    }

    #[test]
    fn names_do_not_change_the_syntax(name in text()) {
        let (mut plain, mut named) = (every_form(), every_form());
        rename(&mut plain.body, "x");
        rename(&mut named.body, &format!("x{name}"));
        named.name = name.clone();
        prop_assert_eq!(skeleton(&mermaid(&plain)), skeleton(&mermaid(&named)));
        prop_assert_eq!(skeleton(&dot(&plain)), skeleton(&dot(&named)));
        let rectangles = |saga| svg(saga).matches("<rect ").count();
        prop_assert_eq!(rectangles(&plain), rectangles(&named));
        prop_assert_eq!(rustdoc(&plain).lines().count(), rustdoc(&named).lines().count());

        let step = format!("x{name}");
        let named_run: Vec<RecordView<'_>> =
            TRIP.iter().map(|record| RecordView { step: record.step.map(|_| step.as_str()), data: Some(&name), ..*record }).collect();
        let lines = |run: &str| run.lines().all(|line| {
            let line = line.trim_start();
            ["sequenceDiagram", "participant c as ", "participant p", "Note over c: ", "c->>p0: ", "p0-->>c: "]
                .iter()
                .any(|start| line.starts_with(start))
        });
        let run = sequence(&named, &named_run);
        prop_assert!(lines(&run), "{run}");
    }

    #[test]
    fn every_saga_is_drawn_in_every_language(saga in saga(), data in text()) {
        skeleton(&dot(&saga));
        skeleton(&mermaid(&saga));
        let records: Vec<RecordView<'_>> =
            TRIP.iter().map(|record| RecordView { data: Some(&data), ..*record }).collect();
        prop_assert!(sequence(&saga, &records).lines().count() > records.len());
    }
}
