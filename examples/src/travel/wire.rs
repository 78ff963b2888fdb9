//! What clients and services say to each other: operations, headers, requests and answers. JSON over HTTP.
//!
//! The answer's status says what is known of the effect:
//!
//! | status | meaning |
//! | --- | --- |
//! | 2xx | done, with the result as body |
//! | 422 | refused, surely no effect; the body is a [`Refusal`] |
//! | 409 | superseded: a cancellation or a probe was faster; surely no effect; the body is a [`Refusal`] |
//! | 503 | for the moment not available, surely no effect |
//! | anything else, or no whole answer | nobody can say |

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::trip::{Card, HotelReservation};
use super::values::{Cents, City, Date};

/// The header that names the effect: the same for every attempt.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that names the saga.
pub const SAGA_ID: &str = "saga-id";
/// The header that numbers the attempt.
pub const ATTEMPT: &str = "attempt";

/// One of the four services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// Seats and vouchers; keyed.
    Flight,
    /// Rooms; *not* keyed: a repeated reserve books again, but a probe tells what the first one did.
    Hotel,
    /// Cars; keyed.
    Car,
    /// Money; keyed.
    Card,
}

/// What a service can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Hold seats, rooms or a car.
    Reserve,
    /// Charge a card.
    Charge,
    /// Undo a reservation or a charge.
    Cancel,
    /// Tell what an attempt in doubt did, and bar it if it did nothing.
    Probe,
    /// Issue a voucher for a reservation of seats.
    Voucher,
}

/// Asks the flight service to hold seats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveSeats {
    /// Where the flight begins.
    pub from: City,
    /// Where it ends.
    pub to: City,
    /// When.
    pub date: Date,
    /// How many.
    pub seats: i64,
}

/// Asks the hotel service to hold rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveRooms {
    /// Where.
    pub city: City,
    /// The first night.
    pub arrival: Date,
    /// How many nights.
    pub nights: u8,
    /// How many rooms.
    pub rooms: i64,
}

/// Asks the car service to hold a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveCar {
    /// Where.
    pub city: City,
    /// The flight that the traveller comes with: the station waits when it is late.
    pub flight: String,
    /// From when.
    pub date: Date,
    /// For how many days.
    pub days: u8,
}

/// Asks the card service to charge a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Which card.
    pub card: Card,
    /// How much.
    pub amount: Cents,
}

/// Asks the flight service for a voucher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueVoucher {
    /// The reservation that it shall stand for.
    pub reservation: String,
}

/// Asks a keyed service to undo what was, or will be, done for `action_key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelByKey {
    /// The key of the action.
    pub action_key: String,
}

/// Asks the hotel service to undo a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReservation {
    /// The hotel service's name for it.
    pub reservation: String,
}

/// What a cancellation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Whether something was held until now. Cancelling nothing, or twice, is fine.
    pub was_held: bool,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The reservation held for the key. `None`: no earlier attempt held one, and none ever will.
    pub reservation: Option<HotelReservation>,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In words for people.
    pub reason: String,
}

/// Everything that a service holds and has left: what an audit reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Whose.
    pub service: ServiceKind,
    /// What is held and not cancelled, oldest first.
    pub held: Vec<Held>,
    /// What is for sale.
    pub stock: Vec<StockLevel>,
}

/// One thing that a service holds for a saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The service's name for it, such as `flight-17`.
    pub id: String,
    /// The idempotency key that it was asked for with.
    pub key: String,
    /// The saga that it was asked for by.
    pub saga: String,
    /// What it is.
    pub what: What,
    /// Which flight, hotel, station or card; of a voucher, the reservation.
    pub item: String,
    /// How many seats, rooms, cars, cents or vouchers.
    pub quantity: i64,
    /// What it costs.
    pub amount: Cents,
}

/// What can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Seats, rooms or a car: taken from stock.
    Reservation,
    /// Money: taken from the card's limit.
    Charge,
    /// A voucher: taken from nothing.
    Voucher,
}

/// How much of an item there was, and is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// Which flight, hotel, station or card.
    pub item: String,
    /// When the service was new.
    pub initial: i64,
    /// Now.
    pub remaining: i64,
}

/// A word that names no service or no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {kind}: write one of {choices}")]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// What it should have been.
    pub kind: &'static str,
    /// What can be written.
    pub choices: String,
}

impl ServiceKind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Flight, Self::Hotel, Self::Car, Self::Card];

    /// Its name in addresses, files and faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flight => "flight",
            Self::Hotel => "hotel",
            Self::Car => "car",
            Self::Card => "card",
        }
    }

    /// What it can be asked to do.
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Self::Flight => &[Operation::Reserve, Operation::Cancel, Operation::Voucher],
            Self::Hotel => &[Operation::Reserve, Operation::Cancel, Operation::Probe],
            Self::Car => &[Operation::Reserve, Operation::Cancel],
            Self::Card => &[Operation::Charge, Operation::Cancel],
        }
    }

    /// Where an operation is asked for.
    pub fn path(self, operation: Operation) -> &'static str {
        match (self, operation) {
            (Self::Card, Operation::Cancel) => "/charges/cancel",
            (_, Operation::Reserve) => "/reservations",
            (_, Operation::Cancel) => "/reservations/cancel",
            (_, Operation::Probe) => "/reservations/probe",
            (_, Operation::Voucher) => "/vouchers",
            (_, Operation::Charge) => "/charges",
        }
    }

    /// What it sells, in the plural.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Flight => "seats",
            Self::Hotel => "rooms",
            Self::Car => "cars",
            Self::Card => "cents",
        }
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Reserve, Self::Charge, Self::Cancel, Self::Probe, Self::Voucher];

    /// Its name in faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Charge => "charge",
            Self::Cancel => "cancel",
            Self::Probe => "probe",
            Self::Voucher => "voucher",
        }
    }
}

impl FromStr for ServiceKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        choose(word, "service", &Self::ALL, Self::name)
    }
}

impl FromStr for Operation {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        choose(word, "operation", &Self::ALL, Self::name)
    }
}

fn choose<T: Copy>(
    word: &str,
    kind: &'static str,
    choices: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, UnknownWord> {
    choices.iter().copied().find(|&choice| name(choice) == word).ok_or_else(|| UnknownWord {
        word: word.to_owned(),
        kind,
        choices: choices.iter().map(|&choice| name(choice)).collect::<Vec<_>>().join(", "),
    })
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reservation => "reservation",
            Self::Charge => "charge",
            Self::Voucher => "voucher",
        })
    }
}
