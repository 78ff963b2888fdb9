//! What is printed at the end: a line per trip.

use comfy_table::{Cell, CellAlignment, Table};

use super::book::BookedTrip;
use crate::program::horizontal_lines;
use crate::travel::booking::Ending;

/// A line per trip, in the order of the file.
pub(super) fn trips_table(booked: &[BookedTrip]) -> Table {
    let mut table = horizontal_lines(["trip", "traveller", "way", "day", "ending", "what", "charged"]);
    for BookedTrip { entry: trip, ending } in booked {
        let (what, charged) = match ending {
            Ending::Completed(itinerary) => {
                let (flight, hotel, car) = (&itinerary.flight, &itinerary.hotel, &itinerary.car);
                let car = car.as_ref().map_or("no car", |car| &car.station);
                let what =
                    format!("{} × {}, {} × {}, {car}", flight.seats, flight.flight, hotel.rooms, hotel.hotel);
                (what, itinerary.receipt.amount.to_string())
            }
            _ => (ending.reason().to_owned(), String::new()),
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
