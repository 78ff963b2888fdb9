//! The world of the cases: what a user of `saga!` has written elsewhere.

#![allow(dead_code, clippy::unused_async)]

use saga_runtime::{Context, Keyed, StepError};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Trip {
    pub days: u32,
}

#[derive(Serialize, Deserialize)]
pub struct Flight;

#[derive(Serialize, Deserialize)]
pub struct Hotel;

#[derive(Serialize, Deserialize)]
pub struct Receipt;

#[derive(Serialize, Deserialize)]
pub struct Itinerary {
    pub flight: Flight,
    pub hotel: Hotel,
}

#[derive(Debug, thiserror::Error, StepError)]
pub enum DeskError {
    #[error("sold out")]
    #[outcome(refused)]
    SoldOut,
}

/// Answers by key.
pub struct Flights;

impl Keyed for Flights {}

impl Flights {
    pub async fn reserve(&self, _: &Context, _: &Trip) -> Result<Flight, DeskError> {
        Ok(Flight)
    }

    pub async fn cancel(&self, _: &Context, _: &Flight) -> Result<(), DeskError> {
        Ok(())
    }

    pub async fn pay(&self, _: &Context) -> Result<Receipt, DeskError> {
        Ok(Receipt)
    }
}

/// Does not answer by key.
pub struct Hotels;

impl Hotels {
    pub async fn reserve(&self, _: &Context, _: &Flight) -> Result<Hotel, DeskError> {
        Ok(Hotel)
    }

    pub async fn find(&self, _: &Context) -> Result<Option<Hotel>, DeskError> {
        Ok(None)
    }

    pub async fn cancel(&self, _: &Context, _: &Hotel) -> Result<(), DeskError> {
        Ok(())
    }

    pub async fn cancel_by_key(&self, _: &Context) -> Result<(), DeskError> {
        Ok(())
    }
}
