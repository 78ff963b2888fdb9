//! What is printed at the end: a line per trip, and the audit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};

use saga_runtime::coordinator::{Recovery, Unclaimed};

use super::book::BookedTrip;
use crate::travel::audit::{AuditReport, Total};
use crate::travel::booking::Ending;
use crate::travel::values::Cents;
use crate::travel::wire::ServiceKind;

/// Lines above, below and under the header only.
const STYLE: TableStyle = UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// A line per trip, in the order of the file.
pub(super) fn trips_table(booked: &[BookedTrip]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(["trip", "traveller", "way", "day", "ending", "what", "charged"]);
    for BookedTrip { trip, ending } in booked {
        let (what, charged) = match ending {
            Ending::Completed(itinerary) => {
                let (flight, hotel, car) = (&itinerary.flight, &itinerary.hotel, &itinerary.car);
                let what = format!(
                    "{} × {}, {} × {}, {}",
                    flight.seats, flight.flight, hotel.rooms, hotel.hotel, car.station
                );
                (what, itinerary.receipt.amount.to_string())
            }
            Ending::Stopped => (String::new(), String::new()),
            Ending::Compensated { reason: text }
            | Ending::Parked { residue: text }
            | Ending::Quarantined { cause: text }
            | Ending::NotBegun { cause: text } => (text.clone(), String::new()),
        };
        let word = ending.word();
        let way = format!("{}–{}", trip.from, trip.to);
        let mut row: Vec<Cell> =
            [&trip.id, &trip.traveller, &way, &trip.date.to_string(), word, &what].map(Cell::new).into();
        row.push(Cell::new(charged).set_alignment(CellAlignment::Right));
        table.add_row(row);
    }
    table
}

/// What a coordinator found in its log, as far as there is anything to say.
pub(super) fn recovery_lines(recovery: &Recovery) -> Vec<String> {
    let mut lines = Vec::new();
    match recovery.resumed {
        0 => {}
        1 => lines.push("resumed 1 trip that had not ended".to_owned()),
        count => lines.push(format!("resumed {count} trips that had not ended")),
    }
    for Unclaimed { id, definition, fingerprint, registered } in &recovery.unclaimed {
        let why = if registered.is_empty() {
            "this program has no such saga".to_owned()
        } else {
            let known = registered.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("here it has the form {known}: the program that began it can end it")
        };
        lines.push(format!("left alone: saga {id} is a `{definition}` of the form {fingerprint}, and {why}"));
    }
    let quarantined = recovery.quarantined.iter();
    lines.extend(quarantined.map(|(id, cause)| format!("quarantined: saga {id}: {cause}")));
    lines
}

/// The sagas that something is held for, that stand in no line of the table, and that have not ended.
pub(super) fn others_lines(booked: &[BookedTrip], endings: &BTreeMap<String, Ending>) -> Vec<String> {
    let shown: BTreeSet<&str> = booked.iter().map(|booked| booked.trip.id.as_str()).collect();
    let others = endings.iter().filter(|(saga, ending)| !ending.is_end() && !shown.contains(saga.as_str()));
    others.map(|(saga, ending)| format!("saga {saga} is {ending}")).collect()
}

/// The audit's sums, and what does not add up.
pub(super) fn audit_text(report: &AuditReport) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(["audit", "initial", "left", "held", "owned by completed trips"]);
    for total in &report.totals {
        table.add_row(numbers(total.service.unit(), total));
        if total.service == ServiceKind::Flight {
            let (held, owned) = total.vouchers;
            table.add_row([
                "vouchers".to_owned(),
                String::new(),
                String::new(),
                held.to_string(),
                owned.to_string(),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = table.to_string();
    if report.is_clean() {
        text.push_str("\naudit passed: what the services hold is what the completed trips own, to the unit");
        return text;
    }
    let count = report.discrepancies.len();
    // Writing to a string cannot fail.
    let _ = if report.is_unfinished() {
        write!(text, "\naudit OPEN, {count} are held for trips that have not ended:")
    } else {
        write!(text, "\naudit FAILED, {count} do not add up:")
    };
    for discrepancy in &report.discrepancies {
        let _ = write!(text, "\n  {discrepancy}");
    }
    text
}

fn numbers(unit: &str, total: &Total) -> [String; 5] {
    let show = |number: i64| match total.service {
        ServiceKind::Card => Cents(number).to_string(),
        _ => number.to_string(),
    };
    let name = if total.service == ServiceKind::Card { "money" } else { unit };
    [name.to_owned(), show(total.initial), show(total.remaining), show(total.held), show(total.owned)]
}
