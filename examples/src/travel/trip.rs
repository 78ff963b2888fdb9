//! A trip, and what becomes of it: the saga's input, its steps' outputs, and its output.

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use super::values::{Cents, City, Date};
pub use crate::money::Card;

/// One trip as a line of the trips file asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trip {
    /// Names the trip, and the saga that books it.
    pub id: String,
    /// Who travels, or the one who answers for the party.
    pub traveller: String,
    /// How many travel together: one seat each, one room for two.
    #[serde(deserialize_with = "within::<_, 1, 9>")]
    pub party: u8,
    /// Where the trip begins.
    pub from: City,
    /// Where it goes.
    pub to: City,
    /// The day of the flight.
    pub date: Date,
    /// How many nights the hotel is for, and days the car.
    #[serde(deserialize_with = "within::<_, 1, 60>")]
    pub nights: u8,
    /// Whether a car is to be booked; one is, unless the file says otherwise.
    #[serde(default = "wanted")]
    pub wants_car: bool,
    /// The card that pays.
    pub card: Card,
}

/// Seats on a flight, held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlightReservation {
    /// The flight service's name for it.
    pub reservation: String,
    /// The flight's number.
    pub flight: String,
    /// How many seats.
    pub seats: i64,
    /// For all seats.
    pub price: Cents,
}

/// Rooms in a hotel, held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotelReservation {
    /// The hotel service's name for it.
    pub reservation: String,
    /// The hotel's name.
    pub hotel: String,
    /// How many rooms.
    pub rooms: i64,
    /// How many nights.
    pub nights: u8,
    /// For all rooms and nights.
    pub price: Cents,
}

/// A car, held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarReservation {
    /// The car service's name for it.
    pub reservation: String,
    /// Where the car waits.
    pub station: String,
    /// How many days.
    pub days: u8,
    /// For all days.
    pub price: Cents,
}

/// A charge on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The card service's name for it.
    pub receipt: String,
    /// The card that was charged.
    pub card: Card,
    /// How much.
    pub amount: Cents,
}

/// The paper that the airline takes for a paid seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// The flight service's name for it.
    pub voucher: String,
    /// The reservation that it stands for.
    pub reservation: String,
}

/// A booked trip: everything or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Itinerary {
    /// The seats.
    pub flight: FlightReservation,
    /// The rooms.
    pub hotel: HotelReservation,
    /// The car, if one was wanted.
    pub car: Option<CarReservation>,
    /// The charge.
    pub receipt: Receipt,
    /// The voucher.
    pub voucher: Voucher,
}

impl Trip {
    /// One seat for each traveller.
    pub fn seats(&self) -> i64 {
        i64::from(self.party)
    }

    /// One room for every two travellers.
    pub fn rooms(&self) -> i64 {
        i64::from(self.party.div_ceil(2))
    }
}

/// What a trip costs.
pub fn total(flight: &FlightReservation, hotel: &HotelReservation, car: Option<&CarReservation>) -> Cents {
    flight.price + hotel.price + car.map_or(Cents(0), |car| car.price)
}

fn wanted() -> bool {
    true
}

fn within<'de, D: Deserializer<'de>, const LOW: u8, const HIGH: u8>(deserializer: D) -> Result<u8, D::Error> {
    let number = i64::deserialize(deserializer)?;
    u8::try_from(number)
        .ok()
        .filter(|number| (LOW..=HIGH).contains(number))
        .ok_or_else(|| D::Error::custom(format_args!("{number} is not within {LOW} to {HIGH}")))
}
