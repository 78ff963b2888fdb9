//! What the services have for sale when they are new.

use serde::Deserialize;

use super::trip::Card;
use super::values::{Cents, City, Date};
use super::wire::ServiceKind;
use crate::service::stock;
pub use crate::service::stock::{StockError, StockItem};

/// The stock that ships with the example.
const STOCK: &str = include_str!("../../travel/stock.json");

/// What all four services have for sale.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// What the flight service sells.
    pub flights: Vec<FlightStock>,
    /// What the hotel service sells.
    pub hotels: Vec<HotelStock>,
    /// What the car service sells.
    pub cars: Vec<CarStock>,
    /// What the card service lends.
    pub cards: Vec<CardStock>,
}

/// One flight on one day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlightStock {
    /// Its number.
    pub flight: String,
    /// Where it begins.
    pub from: City,
    /// Where it ends.
    pub to: City,
    /// When.
    pub date: Date,
    /// How many seats.
    pub seats: u32,
    /// For one seat.
    pub fare: Cents,
}

/// One hotel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotelStock {
    /// Its name.
    pub hotel: String,
    /// Where it is.
    pub city: City,
    /// How many rooms.
    pub rooms: u32,
    /// For one room and night.
    pub rate: Cents,
}

/// One station of the car rental.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarStock {
    /// Its name.
    pub station: String,
    /// Where it is.
    pub city: City,
    /// How many cars.
    pub cars: u32,
    /// For one car and day.
    pub rate: Cents,
}

/// One card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardStock {
    /// Its account.
    pub card: Card,
    /// How much can be charged to it, in cents.
    pub limit: u32,
}

impl Stock {
    /// The stock that ships with the example (`examples/travel/stock.json`).
    pub fn shipped() -> Result<Self, StockError> {
        Self::parse(STOCK)
    }

    /// The stock that `json` describes.
    pub fn parse(json: &str) -> Result<Self, StockError> {
        stock::parse::<ServiceKind>(json)
    }

    /// What `service` has of it.
    pub fn items(&self, service: ServiceKind) -> Vec<StockItem> {
        let item = |item: &str, offer: String, quantity, price| StockItem {
            item: item.to_owned(),
            offer,
            quantity,
            price,
        };
        match service {
            ServiceKind::Flight => (self.flights.iter())
                .map(|of| item(&of.flight, route(&of.from, &of.to, of.date), of.seats, of.fare))
                .collect(),
            ServiceKind::Hotel => (self.hotels.iter())
                .map(|of| item(&of.hotel, of.city.to_string(), of.rooms, of.rate))
                .collect(),
            ServiceKind::Car => (self.cars.iter())
                .map(|of| item(&of.station, of.city.to_string(), of.cars, of.rate))
                .collect(),
            ServiceKind::Card => (self.cards.iter())
                .map(|of| item(&of.card.0, of.card.to_string(), of.limit, Cents(1)))
                .collect(),
        }
    }
}

/// How a flight is asked for.
pub(crate) fn route(from: &City, to: &City, date: Date) -> String {
    format!("{from}-{to} {date}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_stock_is_in_order() {
        let stock = Stock::shipped().unwrap();
        assert!(ServiceKind::ALL.iter().all(|&service| !stock.items(service).is_empty()));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let json =
            r#"{"flights":[],"hotels":[],"cars":[],"cards":[{"card":"c","limit":1},{"card":"c","limit":2}]}"#;
        let error = Stock::parse(json).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stock of the card service names `c` twice: give each its own name"
        );
    }
}
