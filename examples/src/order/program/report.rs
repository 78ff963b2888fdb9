//! What is printed at the end: a line per order.

use comfy_table::{Cell, CellAlignment, Table};

use super::fulfil::FulfilledOrder;
use crate::ending::Ending;
use crate::program::horizontal_lines;

/// A line per order, in the order of the file.
pub(super) fn orders_table(fulfilled: &[FulfilledOrder]) -> Table {
    let header = ["order", "customer", "to", "lines", "total", "ending", "what", "paid"];
    let mut table = horizontal_lines(header);
    for FulfilledOrder { entry: order, ending } in fulfilled {
        let (what, paid) = match ending {
            Ending::Completed(fulfilment) => {
                let parcel = &fulfilment.shipment.parcel;
                let told = if fulfilment.notice.is_some() { "told" } else { "not told" };
                let approved =
                    fulfilment.consent.as_ref().map(|consent| format!(", approved by {}", consent.by));
                let approved = approved.unwrap_or_default();
                let what = format!("{} pieces with {}, {told}{approved}", parcel.pieces, parcel.lane);
                (what, fulfilment.payment.amount.to_string())
            }
            _ => (ending.reason().to_owned(), String::new()),
        };
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(&order.id),
            Cell::new(&order.customer),
            Cell::new(&order.destination.country),
            right(order.lines.len().to_string()),
            right(order.total().to_string()),
            Cell::new(ending.word()),
            Cell::new(what),
            right(paid),
        ]);
    }
    table
}
