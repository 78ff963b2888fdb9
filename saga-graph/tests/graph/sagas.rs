//! The sagas that are drawn in tests and by `scripts/check-diagrams`.

use saga_graph::{Arm, Block, Events, Field, Kind, RecordView, Saga, Step, Undo, Zone};

/// A keyed call that is compensated with its output.
pub(crate) fn step(name: &str, output: &str) -> Step {
    Step {
        name: name.into(),
        output: output.into(),
        kind: Kind::Call,
        zone: Zone::Compensatable,
        undo: Undo::ByOutput,
        keyed: true,
        probe: false,
        otherwise: false,
        events: None,
        text: String::new(),
    }
}

fn waiting(kind: Kind, name: &str, output: &str, text: &str) -> Step {
    Step { kind, undo: Undo::None, keyed: false, text: text.into(), ..step(name, output) }
}

fn at(zone: Zone, step: Step) -> Step {
    Step { zone, undo: Undo::None, ..step }
}

fn field(name: &str, ty: &str) -> Field {
    Field { name: name.into(), ty: ty.into() }
}

/// The travel saga of the examples.
pub(crate) fn travel() -> Saga {
    let hotel = Step { keyed: false, probe: true, ..step("hotel", "HotelReservation") };
    let car = vec![Block::Step(step("car", "CarReservation"))];
    let car = Block::If(vec![
        Arm { condition: Some("trip.wants_car".into()), body: car },
        Arm { condition: None, body: Vec::new() },
    ]);
    Saga {
        name: "BookTrip".into(),
        inputs: vec![field("trip", "Trip")],
        output: "Itinerary".into(),
        body: vec![
            Block::Step(step("flight", "FlightReservation")),
            Block::Parallel(vec![vec![Block::Step(hotel)], vec![car]]),
            Block::Step(at(Zone::Pivot, step("receipt", "Receipt"))),
            Block::Step(at(Zone::Retriable, step("voucher", "Voucher"))),
        ],
    }
}

/// A saga with every form.
pub(crate) fn every_form() -> Saga {
    let events = Events {
        done: "CreditReserved".into(),
        refused: "CreditLimitExceeded".into(),
        compensated: "CreditReleased".into(),
    };
    let credit = Step { events: Some(events), keyed: false, undo: Undo::ByKey, ..step("credit", "Credit") };
    let pick = step("pick", "Picked");
    let pack = Step { keyed: false, probe: true, ..step("pack", "Parcel") };
    let note = Step { kind: Kind::Local, undo: Undo::ByKey, keyed: false, ..step("note", "()") };
    let insurance = Step {
        kind: Kind::Saga,
        text: "Insure(order)".into(),
        undo: Undo::None,
        ..step("insurance", "Policy")
    };
    let hint = Step { undo: Undo::Nothing, ..step("hint", "()") };
    Saga {
        name: "FulfilOrder".into(),
        inputs: vec![field("order", "Order"), field("customer", "Customer<'static>")],
        output: "Shipment".into(),
        body: vec![
            Block::Step(waiting(Kind::Lock, "lock", "()", "order.id, customer.id")),
            Block::Step(waiting(Kind::Read, "price", "Price", "")),
            Block::Step(Step { otherwise: true, ..waiting(Kind::Read, "rating", "Rating", "") }),
            Block::Step(credit),
            Block::Step(note),
            Block::Parallel(vec![
                vec![Block::For {
                    item: "line".into(),
                    items: "order.lines".into(),
                    limit: 4,
                    body: vec![Block::Step(pick), Block::Step(pack)],
                }],
                vec![Block::If(vec![
                    Arm { condition: Some("order.total > LIMIT".into()), body: vec![Block::Step(insurance)] },
                    Arm { condition: Some("let Some(c) = coupon".into()), body: vec![Block::Step(hint)] },
                    Arm { condition: None, body: Vec::new() },
                ])],
            ]),
            Block::Step(waiting(Kind::Receive, "approval", "Approval", "24h")),
            Block::Step(Step { keyed: false, probe: true, ..at(Zone::Pivot, step("charge", "Receipt")) }),
            Block::Step(at(Zone::Retriable, waiting(Kind::Sleep, "sleep", "()", "1h"))),
            Block::For {
                item: "parcel".into(),
                items: "parcels".into(),
                limit: 1,
                body: vec![Block::Step(at(Zone::Retriable, step("ship", "Shipment")))],
            },
            Block::Step(Step { otherwise: true, ..at(Zone::Retriable, step("mail", "()")) }),
        ],
    }
}

/// A saga in which nothing is a pivot.
pub(crate) fn without_a_pivot() -> Saga {
    let transfer =
        Saga { name: "Transfer".into(), inputs: Vec::new(), output: "()".into(), body: Vec::new() };
    let debit = Step { undo: Undo::ByKey, ..step("debit", "()") };
    let items = Block::For {
        item: "order".into(),
        items: "orders".into(),
        limit: 1,
        body: vec![Block::Step(debit), Block::Step(step("credit", "Credit"))],
    };
    Saga { body: vec![items, Block::Step(step("report", "Report"))], ..transfer }
}

const fn record(
    step: Option<&'static str>,
    event: &'static str,
    data: Option<&'static str>,
    at_ms: u64,
) -> RecordView<'static> {
    RecordView { step, event, data, at_ms }
}

/// A trip whose card is declined, after a lost reply of the hotel.
pub(crate) const TRIP: &[RecordView<'static>] = &[
    record(None, "begun", Some(r#"{"days":3}"#), 1_000),
    record(Some("flight"), "done", Some(r#"{"seat":"12A"}"#), 1_020),
    record(Some("hotel"), "failed", Some(r#"{"outcome":"unknown","message":"timed out after 5s"}"#), 6_020),
    record(Some("hotel"), "opened", None, 6_080),
    record(Some("car"), "done", Some("{}"), 6_090),
    record(Some("hotel"), "done", Some("{}"), 6_100),
    record(Some("receipt"), "opened", None, 6_101),
    record(Some("receipt"), "refused", Some(r#"{"message":"card declined","definitive":true}"#), 6_150),
    record(Some("car"), "compensated", None, 6_160),
    record(Some("hotel"), "compensation failed", Some(r#"{"outcome":"transient","message":"503"}"#), 6_170),
    record(Some("hotel"), "compensation opened", None, 6_300),
    record(Some("hotel"), "compensated", None, 6_310),
    record(Some("flight"), "compensated", None, 6_320),
];

/// An order in which one item is refused.
pub(crate) const ORDER: &[RecordView<'static>] = &[
    record(None, "begun", None, 0),
    record(Some("lock"), "done", None, 1),
    record(Some("credit"), "done", None, 2),
    record(Some("for line"), "done", Some("[1,2,3]"), 3),
    record(Some("if order"), "done", Some("0"), 3),
    record(Some("pick[0]"), "done", None, 4),
    record(
        Some("pick[2]"),
        "refused",
        Some(r#"{"message":"none left; \"sold out\" #1","definitive":true}"#),
        5,
    ),
    record(None, "cancelled", Some(r#"{"message":"by its owner"}"#), 5),
    record(Some("pick[0]"), "compensated", None, 3_600_000),
    record(Some("credit"), "compensated", None, 3_600_001),
];

/// Gives everything in `blocks` that has a name, a type or a text this one.
pub(crate) fn rename(blocks: &mut [Block], text: &str) {
    for block in blocks {
        match block {
            Block::Step(step) => {
                text.clone_into(&mut step.name);
                text.clone_into(&mut step.output);
                text.clone_into(&mut step.text);
                if let Some(events) = &mut step.events {
                    text.clone_into(&mut events.refused);
                }
            }
            Block::Parallel(branches) => branches.iter_mut().for_each(|branch| rename(branch, text)),
            Block::If(arms) => {
                for arm in arms {
                    arm.condition = arm.condition.as_ref().map(|_| text.to_owned());
                    rename(&mut arm.body, text);
                }
            }
            Block::For { item, items, body, .. } => {
                text.clone_into(item);
                text.clone_into(items);
                rename(body, text);
            }
        }
    }
}
