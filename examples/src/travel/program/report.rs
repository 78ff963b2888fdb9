//! What is printed at the end: a line per trip, and the audit.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};

use super::book::BookedTrip;
use crate::travel::audit::{AuditReport, Total};
use crate::travel::saga::Ending;
use crate::travel::values::Cents;
use crate::travel::wire::ServiceKind;

/// Lines above, below and under the header only.
const STYLE: TableStyle = UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// A line per trip, in the order of the file.
pub(super) fn trips_table(booked: &[BookedTrip]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(["trip", "traveller", "way", "day", "ending", "what", "charged"]);
    for BookedTrip { trip, ending } in booked {
        let (word, what, charged) = match ending {
            Ending::Completed(itinerary) => {
                let (flight, hotel, car) = (&itinerary.flight, &itinerary.hotel, &itinerary.car);
                let what = format!(
                    "{} × {}, {} × {}, {}",
                    flight.seats, flight.flight, hotel.rooms, hotel.hotel, car.station
                );
                ("completed", what, itinerary.receipt.amount.to_string())
            }
            Ending::Compensated { reason } => ("compensated", reason.clone(), String::new()),
            Ending::Parked { residue } => ("parked", residue.clone(), String::new()),
        };
        let way = format!("{}–{}", trip.from, trip.to);
        let mut row: Vec<Cell> =
            [&trip.id, &trip.traveller, &way, &trip.date.to_string(), word, &what].map(Cell::new).into();
        row.push(Cell::new(charged).set_alignment(CellAlignment::Right));
        table.add_row(row);
    }
    table
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
    // Writing to a string cannot fail.
    let _ = write!(text, "\naudit FAILED, {} do not add up:", report.discrepancies.len());
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
