//! What a service has when it is new.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::kind::ServiceKind;
use crate::money::Cents;

/// One line of a service's stock, as its database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockItem {
    /// Its name, which no other item of the service has.
    pub item: String,
    /// What is asked for when this item is meant, such as `ZRH-LIS 2026-09-14`.
    pub offer: String,
    /// How many there are.
    pub quantity: u32,
    /// For one.
    pub price: Cents,
}

/// Why a stock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// Not the right JSON.
    #[error("the stock is not in order: {0}")]
    Malformed(#[from] serde_json::Error),
    /// One name for two things.
    #[error("the stock of the {service} service names `{item}` twice: give each its own name")]
    Twice {
        /// Whose stock.
        service: &'static str,
        /// The name.
        item: String,
    },
}

/// The stock that `json` describes.
pub fn parse<K: ServiceKind>(json: &str) -> Result<K::Stock, StockError>
where
    K::Stock: DeserializeOwned,
{
    let stock: K::Stock = serde_json::from_str(json)?;
    for &service in K::SERVICES {
        let mut names = BTreeSet::new();
        for StockItem { item, .. } in service.items(&stock) {
            if !names.insert(item.clone()) {
                return Err(StockError::Twice { service: service.name(), item });
            }
        }
    }
    Ok(stock)
}
