//! What the services have when they are new.

use serde::Deserialize;

use super::kind::ServiceKind;
use super::values::{Country, Sku};
use crate::money::{Card, Cents};
use crate::service::stock::{self, StockError, StockItem};

/// The stock that ships with the example.
const STOCK: &str = include_str!("../../order/stock.json");

/// What all four services have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// What the payment service lends.
    pub cards: Vec<CardStock>,
    /// What the inventory service keeps.
    pub shelves: Vec<ShelfStock>,
    /// What the shipping service can send.
    pub lanes: Vec<LaneStock>,
    /// Whom the notice service can write to.
    pub gateways: Vec<GatewayStock>,
}

/// One card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardStock {
    /// Its account.
    pub card: Card,
    /// How much can be taken from it, in cents.
    pub limit: u32,
}

/// One shelf, with units of one article.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShelfStock {
    /// Its name.
    pub shelf: String,
    /// The article.
    pub sku: Sku,
    /// How many.
    pub units: u32,
}

/// A carrier's way to one country.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneStock {
    /// Who carries.
    pub carrier: String,
    /// Where to.
    pub country: Country,
    /// How many parcels.
    pub parcels: u32,
    /// For one parcel.
    pub rate: Cents,
}

/// The gateway to the mail boxes of one domain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayStock {
    /// The domain.
    pub domain: String,
    /// How many messages it takes.
    pub messages: u32,
}

impl Stock {
    /// The stock that ships with the example (`examples/order/stock.json`).
    pub fn shipped() -> Result<Self, StockError> {
        Self::parse(STOCK)
    }

    /// The stock that `json` describes.
    pub fn parse(json: &str) -> Result<Self, StockError> {
        stock::parse::<ServiceKind>(json)
    }

    /// What `service` has of it.
    pub fn items(&self, service: ServiceKind) -> Vec<StockItem> {
        let item = |item: String, offer: String, quantity, price| StockItem { item, offer, quantity, price };
        match service {
            ServiceKind::Payment => (self.cards.iter())
                .map(|of| item(of.card.0.clone(), of.card.0.clone(), of.limit, Cents(1)))
                .collect(),
            ServiceKind::Inventory => (self.shelves.iter())
                .map(|of| item(of.shelf.clone(), of.sku.to_string(), of.units, Cents(0)))
                .collect(),
            ServiceKind::Shipping => (self.lanes.iter())
                .map(|of| {
                    let lane = format!("{} {}", of.carrier, of.country);
                    item(lane, of.country.to_string(), of.parcels, of.rate)
                })
                .collect(),
            ServiceKind::Notice => (self.gateways.iter())
                .map(|of| item(of.domain.clone(), of.domain.clone(), of.messages, Cents(0)))
                .collect(),
        }
    }
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
    fn a_shelf_that_stands_twice_is_refused() {
        let json = r#"{"cards":[],"lanes":[],"gateways":[],"shelves":[
            {"shelf":"A-01","sku":"lamp","units":1},{"shelf":"A-01","sku":"desk","units":2}]}"#;
        let error = Stock::parse(json).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stock of the inventory service names `A-01` twice: give each its own name"
        );
        let error = Stock::parse(&json.replace("\"units\":2", "\"units\":-2")).unwrap_err().to_string();
        assert!(error.contains("invalid value: integer `-2`, expected u32 at line 2"), "{error}");
    }
}
